"""The same rule asked of the same row in Python and in DuckDB gives the same answer."""

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from zhike.kit.ruletrees import (
    BOOLEAN,
    DATE,
    INTEGER,
    MONEY,
    NUMBER,
    OPERATORS,
    TEXT,
    FieldType,
    Kind,
    Op,
    choice,
    evaluate,
    multi,
    parse,
    psycopg_sql,
    sql,
    to_tree,
)

TODAY = date(2026, 3, 1)
ODD_KEY = "a'/~\"\\%行.业"
FIELDS: dict[str, FieldType] = {
    "health": NUMBER,
    "orders": INTEGER,
    "arr": MONEY,
    "name": TEXT,
    'odd"name': TEXT,
    "since": DATE,
    "paying": BOOLEAN,
    "tier": choice("core", "key", "it's"),
    "tags": multi(),
    "attributes.n": NUMBER,
    "attributes.d": DATE,
    "attributes.b": BOOLEAN,
    "attributes.m": multi(),
    f"attributes.{ODD_KEY}": TEXT,
}

TEXTS = st.one_of(
    st.text(st.sampled_from("ab'\"\\%_;- 张三é́\n\t$:?{}"), min_size=1, max_size=4),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=3),
    st.sampled_from(["x' OR '1'='1", "'; DROP TABLE rows; --", "%s", "%(name)s", "\\'", "core", "2026-02-30", "5"]),
)
NUMBERS = st.one_of(
    st.integers(-5, 5),
    st.sampled_from([0.1, 0.2, 0.3, 2.5, -2.5, 1e14, 123456789.123456]),
    st.decimals(-100, 100, places=2),
)
SOME_DAYS = st.dates(date(2026, 2, 25), date(2026, 3, 5))
DAY_VALUES = st.one_of(
    SOME_DAYS.map(date.isoformat),
    SOME_DAYS,
    st.builds(lambda n: {"days_ago": n}, st.integers(0, 4)),
    st.builds(lambda n: {"days_ahead": n}, st.integers(0, 4)),
)


def values_for(kind: FieldType) -> st.SearchStrategy[Any]:
    if kind.kind is Kind.INTEGER:
        return st.integers(-5, 5)
    if kind.kind in (Kind.NUMBER, Kind.MONEY):
        return NUMBERS
    if kind.kind is Kind.DATE:
        return DAY_VALUES
    if kind.kind is Kind.BOOLEAN:
        return st.booleans()
    return st.sampled_from(kind.choices) if kind.choices else TEXTS


def ordered(kind: FieldType, pair: list[Any]) -> list[Any]:
    """The pair in an order that parse accepts."""
    for candidate in (pair, pair[::-1]):
        try:
            parse({"f": {"between": candidate}}, {"f": kind})
        except Exception:  # noqa: BLE001, S112 - only the order is searched here
            continue
        return candidate
    raise AssertionError(pair)


@st.composite
def leaves(draw: st.DrawFn) -> dict[str, Any]:
    field = draw(st.sampled_from(sorted(FIELDS)))
    kind = FIELDS[field]
    op = draw(st.sampled_from(OPERATORS[kind.kind]))
    values = values_for(kind)
    if op is Op.KNOWN:
        value: Any = draw(st.booleans())
    elif op in (Op.IN, Op.NOT_IN):
        value = draw(st.lists(values, min_size=1, max_size=3))
    elif op is Op.BETWEEN:
        value = ordered(kind, draw(st.lists(values, min_size=2, max_size=2)))
    else:
        value = draw(values)
    return {field: {op.value: value}}


TREES = st.recursive(
    leaves(),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda rules: {"all": rules}),
        st.lists(inner, min_size=1, max_size=3).map(lambda rules: {"any": rules}),
        inner.map(lambda rule: {"not": rule}),
    ),
    max_leaves=6,
)

JSON_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.sampled_from([0.1, 2.5]), TEXTS,
    SOME_DAYS.map(date.isoformat), st.lists(st.one_of(TEXTS, st.none()), max_size=3),
)  # fmt: skip
ROWS = st.fixed_dictionaries(
    {
        "health": st.none() | st.sampled_from([0.1, 0.30000000000000004, 2.5, -2.5, float("nan"), float("inf")]),
        "orders": st.none() | st.integers(-5, 5),
        "arr": st.none() | st.decimals(-100, 100, places=2),
        "name": st.none() | TEXTS | st.just(""),
        'odd"name': st.none() | TEXTS,
        "since": st.none() | SOME_DAYS,
        "paying": st.none() | st.booleans(),
        "tier": st.none() | st.sampled_from(["core", "key", "it's"]),
        "tags": st.none() | st.lists(st.none() | TEXTS, max_size=3),
        "attributes": st.none()
        | st.dictionaries(st.sampled_from(["n", "d", "b", "m", ODD_KEY]), JSON_VALUES, max_size=5),
    }
)


COLUMNS = {
    "health": "DOUBLE",
    "orders": "BIGINT",
    "arr": "DECIMAL(18, 2)",
    "name": "VARCHAR",
    'odd"name': "VARCHAR",
    "since": "DATE",
    "paying": "BOOLEAN",
    "tier": "VARCHAR",
    "tags": "VARCHAR[]",
    "attributes": "JSON",
}


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    columns = ", ".join(f"{sqlglot.to_identifier(name, quoted=True).sql()} {kind}" for name, kind in COLUMNS.items())
    connection.execute(f'CREATE TABLE "rows" (nr INTEGER, {columns})')
    yield connection
    connection.close()


def asked_of_duckdb(database: duckdb.DuckDBPyConnection, text: str, rows: list[dict[str, Any]]) -> list[object]:
    database.execute('DELETE FROM "rows"')
    for number, row in enumerate(rows):
        values = [row[name] for name in COLUMNS]
        if row["attributes"] is not None:
            values[-1] = json.dumps(row["attributes"], ensure_ascii=False)
        database.execute(f'INSERT INTO "rows" VALUES ({", ".join("?" * (len(values) + 1))})', [number, *values])
    return [answer for (answer,) in database.execute(f'SELECT ({text}) FROM "rows" ORDER BY nr').fetchall()]


@settings(max_examples=120, deadline=None)
@given(TREES, st.lists(ROWS, min_size=1, max_size=6))
def test_python_and_duckdb_agree(
    database: duckdb.DuckDBPyConnection, tree: dict[str, Any], rows: list[dict[str, Any]]
) -> None:
    rule = parse(tree, FIELDS)
    answers = asked_of_duckdb(database, sql(rule, "duckdb", TODAY), rows)
    assert answers == [evaluate(rule, row, TODAY) for row in rows]


@given(TREES)
def test_a_rule_survives_being_written_down(tree: dict[str, Any]) -> None:
    rule = parse(tree, FIELDS)
    assert parse(json.loads(json.dumps(to_tree(rule))), FIELDS) == rule


@given(TEXTS, st.sampled_from(["is", "is_not", "contains"]), st.sampled_from(["postgres", "duckdb", "spark"]))
def test_a_value_stays_one_literal(text: str, op: str, dialect: Any) -> None:
    """Reading the SQL again finds the value, whole, in the one text literal there is."""
    written = sql(parse({"name": {op: text}}, FIELDS), dialect, TODAY)
    read = sqlglot.parse(written, dialect=dialect)
    assert len(read) == 1
    assert read[0] is not None
    literals = [each.this for each in read[0].find_all(sqlglot.exp.Literal) if each.is_string]
    assert literals == [text]


@pytest.mark.parametrize("dialect", ["postgres", "duckdb", "spark"])
def test_a_field_name_stays_one_identifier(dialect: Any) -> None:
    name = 'x"; DROP TABLE y; --`'
    written = sql(parse({name: {"is": "v"}}, {name: TEXT}), dialect, TODAY, table='t"`')
    columns = list(sqlglot.parse_one(written, dialect=dialect).find_all(sqlglot.exp.Column))
    assert {(column.table, column.name) for column in columns} == {('t"`', name)}


def test_per_cent_signs_are_doubled_for_a_query_with_parameters() -> None:
    rule = parse({"name": {"contains": "5%"}}, FIELDS)
    assert "'5%'" in sql(rule, "postgres", TODAY)
    assert "'5%%'" in psycopg_sql(rule, TODAY)


@pytest.mark.parametrize("op", [{"is_not": "x"}, {"not_in": ["x"]}, {"is": "x"}, {"contains": "x"}])
def test_the_unknown_satisfies_no_comparison_but_its_opposite(
    database: duckdb.DuckDBPyConnection, op: dict[str, Any]
) -> None:
    row = dict.fromkeys(
        ["health", "orders", "arr", "name", 'odd"name', "since", "paying", "tier", "tags", "attributes"]
    )
    for field in ("name", f"attributes.{ODD_KEY}"):
        for tree, expected in (({field: op}, False), ({"not": {field: op}}, True)):
            rule = parse(tree, FIELDS)
            assert evaluate(rule, row, TODAY) is expected
            assert asked_of_duckdb(database, sql(rule, "duckdb", TODAY), [row]) == [expected]


EDGES: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({f"attributes.{ODD_KEY}": {"is": "x"}}, {"attributes": {ODD_KEY: "x"}}, True),
    ({f"attributes.{ODD_KEY}": {"is": "5"}}, {"attributes": {ODD_KEY: 5}}, False),
    ({"attributes.n": {"is": 1}}, {"attributes": {"n": True}}, False),
    ({"attributes.n": {"is": 1}}, {"attributes": {"n": "1"}}, False),
    ({"attributes.n": {"at_least": 2.5}}, {"attributes": {"n": 2.5}}, True),
    ({"attributes.n": {"known": False}}, {"attributes": {"n": None}}, True),
    ({"attributes.d": {"below": "2026-03-01"}}, {"attributes": {"d": "2026-02-30"}}, True),
    ({"attributes.d": {"known": True}}, {"attributes": {"d": "soon"}}, False),
    ({"attributes.m": {"contains": "a"}}, {"attributes": {"m": ["b", "a"]}}, True),
    ({"attributes.m": {"not_in": ["a"]}}, {"attributes": {"m": "a"}}, False),
    ({"health": {"above": 1e14}}, {"health": float("nan")}, True),
    ({"health": {"is": 1}}, {"health": float("nan")}, False),
    ({"orders": {"between": [2, 5]}}, {"orders": 5}, True),
    ({"orders": {"between": [5, 6]}}, {"orders": 5}, True),
    ({"since": {"between": [{"days_ahead": 1}, "2026-02-01"]}}, {"since": TODAY}, False),
    ({"tags": {"contains": "a"}}, {"tags": [None, "b"]}, False),
    ({"tags": {"not_in": ["a", "c"]}}, {"tags": [None, "b"]}, True),
    ({"tags": {"not_in": ["a"]}}, {"tags": []}, True),
    ({"tags": {"known": True}}, {"tags": []}, True),
    ({"name": {"contains": "_%"}}, {"name": "x_%y"}, True),
    ({"name": {"contains": "_%"}}, {"name": "xa%y"}, False),
    ({"name": {"is": "Ab"}}, {"name": "ab"}, False),
    ({"not": {"any": [{"name": {"is": "a"}}, {"name": {"is": "b"}}]}}, {"name": "b"}, False),
]


@pytest.mark.parametrize(("tree", "known", "expected"), EDGES)
def test_the_edges_of_the_meaning(
    database: duckdb.DuckDBPyConnection, tree: dict[str, Any], known: dict[str, Any], expected: bool
) -> None:
    row = dict.fromkeys(COLUMNS) | known
    rule = parse(tree, FIELDS)
    assert evaluate(rule, row, TODAY) is expected
    assert asked_of_duckdb(database, sql(rule, "duckdb", TODAY), [row]) == [expected]


def test_a_decimal_is_compared_exactly_and_a_double_as_a_double() -> None:
    rule = parse({"health": {"is": 0.1}}, FIELDS)
    assert evaluate(rule, {"health": 0.1}, TODAY)
    assert evaluate(rule, {"health": Decimal("0.10")}, TODAY)
    assert not evaluate(rule, {"health": Decimal("0.1000000001")}, TODAY)
