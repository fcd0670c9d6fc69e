"""The main job on data nobody here wrote: files in, tiers out, beside figures that plain DuckDB takes from the files.

The data lies beside the checkout, outside of it; without it these tests are skipped. `docs/how-to/two-companies.md`
walks through the same commands.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
SAAS, RETAIL = DATA / "saas_usage_sim", DATA / "online_retail"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("main_job"),
    pytest.mark.skipif(not DATA.is_dir(), reason="the shared data is not beside the checkout"),
]
Row = dict[str, Any]


class Zhike:
    """The command line against one data folder."""

    def __init__(self, home: Path) -> None:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("ZHIKE_", "DJANGO_"))}
        self.environment = {**kept, "ZHIKE_HOME": str(home), "ZHIKE_LOG": "WARNING"}

    def __call__(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "zhike", *arguments],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def facts(self, day: date) -> dict[str, Row]:
        rows: list[Row] = json.loads(self("export", "facts", "--as-of", day.isoformat(), "--format", "json"))
        return {row["customer"]: row for row in rows}


@pytest.fixture(scope="module")
def own_folder() -> Iterator[Callable[[], Path]]:
    """Make folders outside pytest's own, which the next run of pytest closes to the server's unprivileged user."""
    made: list[Path] = []

    def make() -> Path:
        made.append(Path(tempfile.mkdtemp(prefix="zhike-job-")))
        return made[-1]

    yield make
    for folder in made:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def saas(own_folder: Callable[[], Path]) -> tuple[dict[str, Row], dict[str, Any], dict[str, Any]]:
    zhike = Zhike(own_folder())
    zhike("init", "--plan", "saas")
    accounts = ["--map", "id=account_id", "region=state", "size=account_users", "attributes.channel=channel"]
    zhike("import", "customers", str(SAAS / "accounts.csv.gz"), *accounts)
    paid = [
        "--map",
        "customer=account_id",
        "product=product",
        "start=start_date",
        "end=end_date",
        "mrr=mrr",
        "quantity=quantity",
    ]
    zhike("import", "subscriptions", str(SAAS / "subscriptions.csv.gz"), *paid, "--default", "currency=USD")
    used = [
        "--map",
        "customer=account_id",
        "time=date",
        "event=event_type",
        "count=event_count",
        "users=distinct_users",
    ]
    zhike("import", "usage", str(SAAS / "daily_events.parquet"), *used)
    again = json.loads(zhike("import", "usage", str(SAAS / "daily_events.parquet"), *used, "--json"))
    report = json.loads(zhike("turn", "--today", "2024-01-01", "--json"))
    return zhike.facts(date(2024, 1, 1)), report, again


@pytest.fixture(scope="module")
def retail(own_folder: Callable[[], Path]) -> tuple[dict[str, Row], dict[str, Any]]:
    zhike = Zhike(own_folder())
    zhike("init", "--plan", "retail")
    lines = ["--map", "order=InvoiceNo", "customer=CustomerID", "time=InvoiceDate", "product=StockCode"]
    lines += ["description=Description", "quantity=Quantity", "price=UnitPrice"]
    file = str(RETAIL / "online_retail_2010-12_2011-06.parquet")
    zhike("import", "orders", file, *lines, "--default", "currency=GBP", "--create-customers")
    report = json.loads(zhike("turn", "--today", "2011-07-01", "--json"))
    return zhike.facts(date(2011, 7, 1)), report


def asked(statement: str) -> list[tuple[Any, ...]]:
    return duckdb.connect().execute(statement).fetchall()


def test_saas_customers_and_usage_are_those_of_the_files(saas: tuple[dict[str, Row], Any, Any]) -> None:
    facts, report, _again = saas
    expected = asked(f"""
        SELECT account_id::VARCHAR,
            coalesce(sum(event_count) FILTER (date >= DATE '2024-01-01' - 30), 0),
            coalesce(sum(event_count) FILTER (date >= DATE '2024-01-01' - 60 AND date < DATE '2024-01-01' - 30), 0),
            count(DISTINCT (DATE '2023-12-31' - date::DATE) // 7) FILTER (date >= DATE '2024-01-01' - 91)
        FROM '{SAAS}/daily_events.parquet' GROUP BY 1
    """)
    assert report["customers"] == len(facts) == len(expected) == 1099
    wrong = [
        key
        for key, late, before, weeks in expected
        if (facts[key]["usage_30d"], facts[key]["usage_prev_30d"], facts[key]["active_weeks_13w"])
        != (late, before, weeks)
    ]
    assert wrong == []


def test_saas_revenue_is_months_times_price(saas: tuple[dict[str, Row], Any, Any]) -> None:
    """A calendar month counts 1.0; the part of a month counts by its days."""
    facts, _report, _again = saas
    rows = asked(f"""
        SELECT account_id::VARCHAR, start_date, least(end_date, DATE '2024-01-01'), mrr, end_date
        FROM read_csv('{SAAS}/subscriptions.csv.gz') WHERE start_date < DATE '2024-01-01'
    """)
    revenue: dict[str, float] = {}
    recurring: dict[str, float] = {}
    for key, start, end, price, until in rows:
        revenue[key] = revenue.get(key, 0) + price * months(start, end)
        recurring[key] = recurring.get(key, 0) + price * (until > date(2023, 12, 31))
    for key, row in facts.items():
        assert float(row["revenue"]) == pytest.approx(revenue.get(key, 0), abs=0.02), key
        assert float(row["mrr"]) == pytest.approx(recurring.get(key, 0), abs=0.005), key


def months(start: date, end: date) -> float:
    """Return whole calendar months and the share of the month begun, by its length."""
    whole = (end.year - start.year) * 12 + end.month - start.month - (end.day < start.day)
    year, month = divmod(start.year * 12 + start.month - 1 + whole, 12)
    begun = later(year, month + 1, start.day)
    following = later(*(year + (month + 1) // 12, (month + 1) % 12 + 1), start.day)
    return whole + (end - begun).days / (following - begun).days


def later(year: int, month: int, day: int) -> date:
    while True:
        try:
            return date(year, month, day)
        except ValueError:
            day -= 1


def test_saas_tiers_follow_the_four_tier_rule(saas: tuple[dict[str, Row], Any, Any]) -> None:
    facts, _report, _again = saas
    ordered = sorted(facts.values(), key=lambda row: (-float(row["revenue_12m"]), row["customer"]))
    total, before, wrong = sum(float(row["revenue_12m"]) for row in ordered), 0.0, []
    for row in ordered:
        share, before = before / total, before + float(row["revenue_12m"])
        if float(row["revenue_12m"]) <= 0:
            expected = "general"
        elif share < 0.5 and row["logins_per_week"] >= 3 and row["tenure_days"] >= 365:
            expected = "core"
        elif share < 0.8 and row["logins_per_week"] >= 1:
            expected = "key"
        else:
            expected = "potential" if share < 0.95 else "general"
        if abs(share - 0.5) > 1e-3 and abs(share - 0.8) > 1e-3 and abs(share - 0.95) > 1e-3 and row["tier"] != expected:
            wrong.append((row["customer"], row["tier"], expected))
    assert wrong == []
    assert {row["tier"] for row in facts.values()} == {"core", "key", "potential", "general"}


def test_the_same_usage_file_again_changes_nothing(saas: tuple[dict[str, Row], Any, Any]) -> None:
    _facts, _report, again = saas
    assert again["created"] == 0
    assert again["unchanged"] == 1_059_908


GOODS = f"""
    SELECT DISTINCT * FROM '{RETAIL}/online_retail_2010-12_2011-06.parquet'
    WHERE CustomerID IS NOT NULL AND UnitPrice > 0
      AND StockCode NOT IN ('POST', 'DOT', 'M', 'C2', 'D', 'S', 'BANK CHARGES', 'AMAZONFEE', 'CRUK', 'PADS')
"""


def test_retail_customers_orders_and_revenue_are_those_of_the_file(retail: tuple[dict[str, Row], Any]) -> None:
    facts, report = retail
    expected = asked(f"""
        SELECT CustomerID, count(DISTINCT InvoiceNo) FILTER (Quantity > 0), sum(Quantity * UnitPrice)
        FROM ({GOODS}) GROUP BY 1
    """)
    ((everybody,),) = asked(f"SELECT count(DISTINCT CustomerID) FROM '{RETAIL}/*.parquet'")
    assert report["customers"] == len(facts) == everybody
    wrong = [
        (key, orders, revenue, facts[key]["orders"], facts[key]["revenue"])
        for key, orders, revenue in expected
        if facts[key]["orders"] != orders or abs(float(facts[key]["revenue"]) - revenue) > 0.02
    ]
    assert wrong == []


def test_an_order_that_was_sent_back_does_not_make_a_core_customer(retail: tuple[dict[str, Row], Any]) -> None:
    """Customer 12346 bought for 77,183.60 and sent everything back within minutes."""
    facts, _report = retail
    assert (float(facts["12346"]["revenue"]), facts["12346"]["tier"]) == (0.0, "general")


def test_retail_tiers_share_revenue_as_the_plan_says(retail: tuple[dict[str, Row], Any]) -> None:
    facts, _report = retail
    total = sum(max(0.0, float(row["revenue"])) for row in facts.values())
    core = sum(
        float(row["revenue"])
        for row in facts.values()
        if row["cumulative_share"] is not None and row["cumulative_share"] < 0.5
    )
    assert core / total == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("company", ["saas", "retail"])
def test_scores_rank_as_they_should(company: str, request: pytest.FixtureRequest) -> None:
    """Nobody who bought more recently, more often or for more has a lower score."""
    facts = request.getfixturevalue(company)[0]
    for fact, score, sign in (("recency_days", "r_score", -1), ("frequency", "f_score", 1), ("monetary", "m_score", 1)):
        pairs = sorted((sign * float(row[fact]), row[score]) for row in facts.values() if row[score] is not None)
        scores = [score for _value, score in pairs]
        assert scores, (company, fact)
        assert scores == sorted(scores)
        assert set(scores) <= {1, 2, 3, 4, 5}
