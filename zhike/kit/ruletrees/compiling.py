"""From a rule to SQL, built from sqlglot expressions only: a value can never become SQL."""

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import reduce
from typing import Literal

from sqlglot import exp

from zhike.kit.ruletrees.fields import ATTRIBUTES, NUMERIC, Kind, Op
from zhike.kit.ruletrees.problems import RuleError
from zhike.kit.ruletrees.tree import AllOf, AnyOf, Comparison, Not, Rule, Scalar, resolved

Dialect = Literal["postgres", "duckdb", "spark"]

_ORDER: dict[Op, type[exp.Binary]] = {
    Op.IS: exp.EQ,
    Op.IS_NOT: exp.NEQ,
    Op.ABOVE: exp.GT,
    Op.AT_LEAST: exp.GTE,
    Op.BELOW: exp.LT,
    Op.AT_MOST: exp.LTE,
}

_JSON_TYPES: dict[Dialect, dict[str, tuple[str, ...]]] = {
    "postgres": {"number": ("number",), "text": ("string",), "boolean": ("boolean",), "list": ("array",)},
    "duckdb": {
        "number": ("BIGINT", "UBIGINT", "DOUBLE"),
        "text": ("VARCHAR",),
        "boolean": ("BOOLEAN",),
        "list": ("ARRAY",),
    },
}


def compile(rule: Rule, today: date, *, dialect: Dialect = "postgres", table: str | None = None) -> exp.Expr:
    """Return the rule as a boolean SQL expression that is never NULL.

    Columns are the field names, quoted, with `table` (an alias) before them when given; MULTI columns are arrays
    of text and `attributes` is a JSON column (jsonb in PostgreSQL). Relative days are counted from `today`.
    The meaning is that of `evaluate`. For Spark JSON values are taken by their text, not by their JSON type.
    """
    return _Compiler(today, dialect, table).rule(rule)


def sql(rule: Rule, dialect: Dialect, today: date, *, table: str | None = None) -> str:
    """Return the rule as SQL text with its values as escaped literals, to stand after WHERE."""
    return compile(rule, today, dialect=dialect, table=table).sql(dialect=dialect)


def psycopg_sql(rule: Rule, today: date, *, table: str | None = None) -> str:
    """Return the PostgreSQL text for a query that is executed with parameters: every % is doubled."""
    return sql(rule, "postgres", today, table=table).replace("%", "%%")


class _Compiler:
    def __init__(self, today: date, dialect: Dialect, table: str | None) -> None:
        self.today = today
        self.dialect = dialect
        self.table = table

    def rule(self, rule: Rule) -> exp.Expr:
        match rule:
            case AllOf(rules):
                return _joined(exp.And, [self.rule(inner) for inner in rules])
            case AnyOf(rules):
                return _joined(exp.Or, [self.rule(inner) for inner in rules])
            case Not(inner):
                return exp.Not(this=self.rule(inner))
            case Comparison():
                return exp.Paren(this=self.comparison(rule))

    def comparison(self, test: Comparison) -> exp.Expr:
        """One comparison that is never NULL."""
        operand = self.operand(test)
        known = exp.Not(this=exp.Is(this=operand.copy(), expression=exp.Null()))
        if test.op is Op.KNOWN:
            return known if test.value is True else exp.Is(this=operand, expression=exp.Null())
        if test.type.kind is Kind.MULTI:
            return exp.And(this=known, expression=self.membership(test, operand))
        if test.attribute is not None:
            return exp.Coalesce(this=self.compared(test, operand), expressions=[exp.false()])
        # Not COALESCE: beside a plain known-check an index on the column can still be used.
        return exp.And(this=known, expression=self.compared(test, operand))

    def compared(self, test: Comparison, operand: exp.Expr) -> exp.Expr:
        values = self.literals(test)
        match test.op:
            case Op.IN:
                return exp.In(this=operand, expressions=values)
            case Op.NOT_IN:
                return exp.Not(this=exp.In(this=operand, expressions=values))
            case Op.BETWEEN:
                return exp.Between(this=operand, low=values[0], high=values[1])
            case Op.CONTAINS:
                found = exp.StrPosition(this=operand, substr=values[0])
                return exp.GT(this=found, expression=exp.Literal.number(0))
            case _:
                return _ORDER[test.op](this=operand, expression=values[0])

    def membership(self, test: Comparison, operand: exp.Expr) -> exp.Expr:
        """Whether a list holds one of the values (contains, in) or none of them (not_in)."""
        values = test.value if isinstance(test.value, tuple) else (test.value,)
        hits = _joined(exp.Or, [self.holds(test, operand, str(value)) for value in values])
        two_valued = exp.Coalesce(this=hits, expressions=[exp.false()])
        return exp.Not(this=two_valued) if test.op is Op.NOT_IN else two_valued

    def holds(self, test: Comparison, operand: exp.Expr, value: str) -> exp.Expr:
        literal = exp.Literal.string(value)
        if self.dialect != "postgres":
            return exp.Anonymous(
                this="list_contains" if self.dialect == "duckdb" else "array_contains",
                expressions=[operand.copy(), literal],
            )
        if test.attribute is None:
            return exp.EQ(this=literal, expression=exp.Any(this=exp.Paren(this=operand.copy())))
        wanted = exp.cast(exp.Literal.string(json.dumps([value], ensure_ascii=False)), "jsonb")
        return exp.ArrayContainsAll(this=operand.copy(), expression=wanted)

    def operand(self, test: Comparison) -> exp.Expr:
        if test.attribute is None:
            return exp.column(test.field, table=self.table, quoted=True)
        column = exp.column(ATTRIBUTES, table=self.table, quoted=True)
        reader = {"postgres": _in_postgres, "duckdb": _in_duckdb, "spark": _in_spark}[self.dialect]
        return reader(column, test.attribute, test.type.kind)

    def literals(self, test: Comparison) -> list[exp.Expr]:
        as_text = test.attribute is not None and test.type.kind is Kind.DATE
        values = test.value if isinstance(test.value, tuple) else (test.value,)
        return [_literal(value, self.today, dates_as_text=as_text) for value in values]


def _joined(connector: type[exp.Connector], parts: list[exp.Expr]) -> exp.Expr:
    whole = reduce(lambda left, right: connector(this=left, expression=right), parts)
    return exp.Paren(this=whole) if len(parts) > 1 else whole


def _literal(value: Scalar, today: date, *, dates_as_text: bool) -> exp.Expr:
    plain = resolved(value, today)
    match plain:
        case bool():
            return exp.Boolean(this=plain)
        case Decimal():
            number = exp.Literal.number(format(abs(plain), "f"))
            return exp.Neg(this=number) if plain < 0 else number
        case date():
            day = exp.Literal.string(plain.isoformat())
            return day if dates_as_text else exp.cast(day, "date")
        case str():
            return exp.Literal.string(plain)


def _json_kind(kind: Kind) -> str:
    if kind in NUMERIC:
        return "number"
    return {Kind.BOOLEAN: "boolean", Kind.MULTI: "list"}.get(kind, "text")


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _only_if(condition: exp.Expr, value: exp.Expr) -> exp.Expr:
    """The value where the condition holds, else NULL; CASE keeps a cast from meeting what it cannot read."""
    return exp.Case(ifs=[exp.If(this=condition, true=value)])


def _typed(
    kind: Kind,
    dialect: Dialect,
    json_type: exp.Expr,
    value: exp.Expr,
    cast: Callable[[exp.Expr], exp.Expr],
) -> exp.Expr:
    """A JSON value as SQL, NULL when its JSON type is not that of the field."""
    names = [exp.Literal.string(name) for name in _JSON_TYPES[dialect][_json_kind(kind)]]
    condition: exp.Expr = exp.In(this=json_type, expressions=names)
    if kind is Kind.DATE:
        condition = exp.And(this=condition, expression=_looks_like_a_day(value))
    return _only_if(condition, cast(value.copy()))


def _looks_like_a_day(value: exp.Expr) -> exp.Expr:
    return exp.RegexpLike(this=value.copy(), expression=exp.Literal.string("^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))


def _in_postgres(column: exp.Expr, name: str, kind: Kind) -> exp.Expr:
    key = exp.Literal.string(name)
    inner = _call("jsonb_extract_path", column, key)
    value = inner if kind is Kind.MULTI else _call("jsonb_extract_path_text", column.copy(), key.copy())

    def cast(text: exp.Expr) -> exp.Expr:
        if kind in NUMERIC:
            return exp.cast(text, "decimal")
        if kind is Kind.BOOLEAN:
            return exp.cast(text, "boolean")
        # ISO days are compared as text; the "C" collation makes that their order.
        return exp.Collate(this=text, expression=exp.to_identifier("C", quoted=True)) if kind is Kind.DATE else text

    return _typed(kind, "postgres", _call("jsonb_typeof", inner.copy()), value, cast)


def _in_duckdb(column: exp.Expr, name: str, kind: Kind) -> exp.Expr:
    pointer = exp.Literal.string("/" + name.replace("~", "~0").replace("/", "~1"))
    read = "json_extract" if kind is Kind.MULTI else "json_extract_string"
    value = _call(read, column, pointer)

    def cast(text: exp.Expr) -> exp.Expr:
        if kind is Kind.MULTI:
            return exp.cast(text, "varchar[]")
        if kind in NUMERIC:
            return exp.cast(text, "double")
        return exp.cast(text, "boolean") if kind is Kind.BOOLEAN else text

    return _typed(kind, "duckdb", _call("json_type", column.copy(), pointer.copy()), value, cast)


def _in_spark(column: exp.Expr, name: str, kind: Kind) -> exp.Expr:
    if "'" in name or "]" in name:
        raise RuleError(f"{ATTRIBUTES}.{name}")
    value = _call("get_json_object", column, exp.Literal.string(f"$['{name}']"))
    if kind is Kind.MULTI:
        return _call("from_json", value, exp.Literal.string("array<string>"))
    if kind in NUMERIC:
        return exp.TryCast(this=value, to=exp.DataType.build("double"))
    if kind is Kind.BOOLEAN:
        return exp.TryCast(this=value, to=exp.DataType.build("boolean"))
    return _only_if(_looks_like_a_day(value), value) if kind is Kind.DATE else value
