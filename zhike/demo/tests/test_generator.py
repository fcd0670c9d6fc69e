"""The simulated company: reproducible, possible, and with a truth that methods can be checked against."""

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pytest

from zhike.demo import book, files, life, story, vocabulary

pytestmark = pytest.mark.slow  # Whole turns take seconds.

SIZE = book.Size(customers=400, months=18, seed=11, until=date(2026, 3, 11))
SMALL = book.Size(customers=40, months=4, seed=3, until=date(2026, 2, 28))


def silent(_: str) -> None:
    """Say nothing."""


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company")
    files.write(folder, SIZE, silent)
    return folder


@pytest.fixture(scope="module")
def db(company: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for path in company.glob("*.csv"):
            connection.read_csv(str(path), header=True).create(path.stem)
        for path in company.glob("*.parquet"):
            connection.read_parquet(str(path)).create(path.stem)
        yield connection


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[float, ...]:
    found = connection.execute(query).fetchone()
    assert found is not None
    return tuple(float(value) for value in found)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    files.write(tmp_path / "a", SMALL, silent)
    files.write(tmp_path / "b", SMALL, silent)
    files.write(tmp_path / "c", book.Size(SMALL.customers, SMALL.months, SMALL.seed + 1, SMALL.until), silent)
    first, again, other = (contents(tmp_path / name) for name in "abc")
    assert first == again
    assert [name for name in first if first[name] == other[name]] == []


def test_a_company_has_the_proportions_of_the_story(company: Path, db: duckdb.DuckDBPyConnection) -> None:
    customers = rows(company / "customers.csv")
    assert len(customers) == SIZE.customers
    assert len({row["客户名称"] for row in customers}) == SIZE.customers
    assert {one.name for one in story.KNOWN} <= {row["客户名称"] for row in customers}
    assert {row["负责人"] for row in customers} == {one.name for one in story.CSMS}
    paid, top = one(
        db,
        "WITH paying AS (SELECT 客户编号, sum(月费) AS fee FROM subscriptions"
        " WHERE 结束 IS NULL OR 结束 > DATE '2026-03-11' GROUP BY 1),"
        " ranked AS (SELECT fee, row_number() OVER (ORDER BY fee DESC) AS rank FROM paying)"
        " SELECT count(*), sum(fee) FILTER (rank <= 20) / sum(fee) FROM ranked",
    )
    assert 0.8 < paid / SIZE.customers < 0.97
    assert 0.4 < top < 0.65  # One in twenty brings about half.


def test_no_date_is_impossible(db: duckdb.DuckDBPyConnection) -> None:
    impossible = {
        "contract before joining": "FROM subscriptions JOIN customers USING (客户编号) WHERE 开始 < 合作开始",
        "contract ends before it starts": "FROM subscriptions WHERE 结束 <= 开始",
        "two contracts at once": (
            "FROM subscriptions a JOIN subscriptions b USING (客户编号) "
            "WHERE a.开始 < b.开始 AND (a.结束 IS NULL OR a.结束 > b.开始)"
        ),
        "usage without a contract": (
            "FROM usage u ANTI JOIN subscriptions s ON s.客户编号 = u.customer AND s.开始 <= u.day "
            "AND (s.结束 IS NULL OR s.结束 > u.day)"
        ),
        "usage after the end": "FROM usage WHERE day > DATE '2026-03-11' OR day < DATE '2024-09-12'",
        "a talk before joining": "FROM interactions JOIN customers USING (客户编号) WHERE 时间::DATE < 合作开始",
        "a talk after the end": "FROM interactions WHERE 时间::DATE > DATE '2026-03-11'",
        "an order before joining": "FROM orders JOIN customers USING (客户编号) WHERE 下单时间::DATE < 合作开始",
        "an answer before joining": "FROM surveys JOIN customers USING (客户编号) WHERE 时间::DATE < 合作开始",
        "a contact too young or too old": "FROM contacts WHERE year(生日) NOT BETWEEN 1964 AND 1999",
        "joined after the end": "FROM customers WHERE 合作开始 > DATE '2026-03-11'",
    }
    found = {name: one(db, f"SELECT count(*) {query}")[0] for name, query in impossible.items()}
    assert {name: count for name, count in found.items() if count} == {}


def test_money_and_numbers_are_possible(company: Path, db: duckdb.DuckDBPyConnection) -> None:
    city = {row["客户编号"]: row["地区"] for row in rows(company / "customers.csv")}
    currencies = {(city[row["客户编号"]], row["币种"]) for row in rows(company / "subscriptions.csv")}
    assert {currency for _, currency in currencies} == {"CNY", *vocabulary.RATES}
    assert [pair for pair in currencies if book.currency_of(pair[0]) != pair[1]] == []
    assert one(db, "SELECT count(*) FROM subscriptions WHERE 月费 <= 0 OR 席位 < 2")[0] == 0
    assert one(db, "SELECT count(*) FROM usage WHERE users > count OR users < 1")[0] == 0
    assert one(db, "SELECT min(分数), max(分数) FROM surveys") >= (0.0, 9.0)
    assert one(db, "SELECT count(*) FROM orders WHERE 数量 < 0")[0] >= 1


def test_contacts_are_plainly_invented(company: Path) -> None:
    contacts = rows(company / "contacts.csv")
    assert [row["邮箱"] for row in contacts if not row["邮箱"].endswith(".example")] == []
    phones = [row["手机"] for row in contacts]
    assert [phone for phone in phones if not phone.startswith(("+86 190000", "+44 20 7946 ", "+49 30 23125 "))] == []
    assert len({(row["手机"], row["姓名"]) for row in contacts}) == len(contacts)


def test_hazard_falls_with_satisfaction_everywhere() -> None:
    steps = np.linspace(-6, 6, 200)
    assert np.all(np.diff(life.hazard(steps)) < 0)


def test_unhappy_customers_leave_more_often(db: duckdb.DuckDBPyConnection) -> None:
    thirds = "SELECT *, ntile(3) OVER (ORDER BY satisfaction) AS third FROM truth WHERE due"
    rate = 'SELECT avg("left"::INT) FROM ({}) WHERE third = {}'
    low, middle, high = (one(db, rate.format(thirds, number))[0] for number in (1, 2, 3))
    assert low > middle > high
    leavers, causes = one(db, 'SELECT count(*), count(cause) FROM truth WHERE "left"')
    assert leavers == causes > 10


def test_touches_work_on_those_who_can_be_persuaded(db: duckdb.DuckDBPyConnection) -> None:
    mean = "SELECT avg(effect) FROM truth_touches SEMI JOIN of_kind USING (customer) WHERE NOT withheld"
    effects = {
        kind: one(db, f"WITH of_kind AS (SELECT customer FROM truth WHERE response = '{kind}') {mean}")[0]
        for kind in book.RESPONSES
    }
    assert effects["persuadable"] > effects["sure_thing"] > effects["lost_cause"] == 0 > effects["sleeping_dog"]
    spared, harmed = one(
        db,
        "SELECT avg(hazard_untouched - hazard) FILTER (response = 'persuadable'), "
        "avg(hazard_untouched - hazard) FILTER (response = 'sleeping_dog') FROM truth WHERE lift <> 0",
    )
    assert spared > 0.01
    assert harmed < 0


def test_colleagues_touch_the_unhappy_more_and_withhold_at_random(db: duckdb.DuckDBPyConnection) -> None:
    wished = (
        "FROM (SELECT t.*, satisfaction, satisfaction - lift AS before FROM truth_touches t"
        " JOIN truth ON truth.customer = t.customer AND truth.month = date_trunc('month', t.day))"
    )
    reactive, regular, withheld, made, share = one(
        db,
        "SELECT avg(satisfaction) FILTER (reactive), avg(satisfaction) FILTER (NOT reactive),"
        f" avg(before) FILTER (withheld), avg(before) FILTER (NOT withheld), avg(withheld::INT) {wished}",
    )
    assert reactive < regular - 0.5  # Comparing the touched with the untouched would mislead …
    assert abs(withheld - made) < 0.12  # … and comparing with the withheld would not.
    assert abs(share - life.WITHHELD) < 0.03


def test_the_story_of_a_customer_whose_champion_left(db: duckdb.DuckDBPyConnection) -> None:
    now, before, reports, score = one(
        db,
        "SELECT coalesce(sum(users) FILTER (event = 'login' AND day > DATE '2026-03-11' - 14), 0), "
        "sum(users) FILTER (event = 'login' AND day BETWEEN DATE '2026-03-11' - 59 AND DATE '2026-03-11' - 46), "
        "count(*) FILTER (event = '门店报表' AND day > DATE '2026-03-11' - 30), "
        "(SELECT arg_max(分数, 时间) FROM surveys JOIN customers USING (客户编号) WHERE 客户名称 = '澜庭家居') "
        "FROM usage JOIN customers ON 客户编号 = customer WHERE 客户名称 = '澜庭家居'",
    )
    assert now < 0.5 * before
    assert reports == 0
    assert score <= 6
