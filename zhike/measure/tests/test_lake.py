"""The engine: capped, locked, and right about days in every zone."""

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from zhike.kit.periods import months_between
from zhike.measure import lake, wide
from zhike.measure.lake import Engine

ZONES = ["Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Australia/Lord_Howe", "UTC"]


def test_tables_and_parameters_come_in_and_rows_go_out(engine: Engine) -> None:
    found = engine.query("SELECT x + $more AS y FROM t ORDER BY y", {"more": 1, "unused": 2}, t=pa.table({"x": [2, 1]}))
    assert found.to_pydict() == {"y": [2, 3]}


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM read_parquet('https://example.invalid/x.parquet')",
        "COPY (SELECT 1) TO '/tmp/x.csv'",
        "ATTACH '/tmp/x.db'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '100GB'",
        "SET allowed_directories = ['/']",
    ],
)
def test_the_engine_reaches_nothing_but_the_lake(engine: Engine, statement: str) -> None:
    with pytest.raises(duckdb.Error):
        engine.query(statement)


def test_a_file_beside_the_lake_is_out_of_reach(engine: Engine, tmp_path: Path) -> None:
    outside = tmp_path / "outside.parquet"
    parquet.write_table(pa.table({"x": [1]}), outside)
    with pytest.raises(duckdb.Error):
        engine.query(f"SELECT * FROM read_parquet({lake.quoted(str(outside))})")


def test_tables_of_one_question_are_not_seen_by_another(engine: Engine) -> None:
    engine.query("SELECT * FROM t", t=pa.table({"x": [1]}))
    with pytest.raises(duckdb.Error):
        engine.query("SELECT * FROM t")


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(ZONES),
    st.lists(st.datetimes(datetime(2010, 1, 1), datetime(2030, 1, 1)), min_size=1, max_size=50),  # noqa: DTZ001  The lake writes UTC without saying so.
)
def test_a_moment_falls_on_the_day_of_the_zone(engine: Engine, name: str, moments: list[datetime]) -> None:
    zone = ZoneInfo(name)
    moments = [moment.replace(microsecond=0) for moment in moments]
    day = lake.local_day("us", zone, first=date(2010, 1, 1), last=date(2030, 1, 1))
    rows = pa.table({"n": range(len(moments)), "us": pa.array(moments, pa.timestamp("us")).cast(pa.int64())})
    found = engine.query(f"SELECT {lake.as_date(day)} AS day FROM rows ORDER BY n", rows=rows)
    assert found["day"].to_pylist() == [each.replace(tzinfo=lake.UTC).astimezone(zone).date() for each in moments]


@given(st.sampled_from(ZONES), st.dates(date(2010, 1, 2), date(2030, 1, 1)))
def test_a_day_begins_at_its_midnight(name: str, day: date) -> None:
    zone = ZoneInfo(name)
    moment = lake.midnight(day, zone)
    assert (moment - timedelta(seconds=1)).astimezone(zone).date() < day
    assert moment.astimezone(zone).date() >= day  # Apia left out 30 December 2011.


@settings(max_examples=40, deadline=None)
@given(st.dates(date(2000, 1, 1), date(2040, 1, 1)), st.integers(-40, 2000))
def test_months_are_those_of_the_kit(engine: Engine, start: date, length: int) -> None:
    stop = start + timedelta(days=length)
    days = pa.table({"a": pa.array([start]), "b": pa.array([stop])})
    found = engine.query(f"SELECT {wide.months('a', 'b')} AS months FROM days", days=days)["months"][0].as_py()
    assert found == pytest.approx(max(0.0, months_between(start, stop)), abs=1e-9)


def test_braces_that_name_no_part_stay() -> None:
    assert lake.filled("SELECT {a}, {'b': 1}, {c}", a="x", c="{a}") == "SELECT x, {'b': 1}, {a}"
