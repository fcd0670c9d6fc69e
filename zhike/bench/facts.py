"""`zhike bench facts`: everything that facts take from the lake, of all customers, beside a plain scan of its files.

The scan reads the columns that the facts are made from — customer, person, at, event, call — of the same files by the
same engine with the same threads, and takes number, least, greatest and sum of them. `seconds` are those from the
files to one row of usage per customer; what follows then, scoring everybody, is done once, told beside it, and checked
against plain SQL of its own, customer by customer.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
from django.conf import settings
from pyarrow import parquet

from zhike.bench.figures import MEBIBYTE, watched
from zhike.decide.plans.queries import in_force
from zhike.measure import computing, lake, reading, usage
from zhike.measure.facts import fields
from zhike.measure.reading import History, Morning, Record
from zhike.measure.specs import MeasureSpec
from zhike.org.works import Silent
from zhike.record.events.models import LakeFile
from zhike.record.events.rules import EVENTS

SCAN = """
SELECT COUNT(*), MIN(customer), MAX(customer), SUM(person), MIN(person), MAX(person), MIN("at"), MAX("at"), MIN(event),
       MAX(event), SUM("call")
FROM read_parquet([{paths}])
"""
CHECKED = (
    "customer_id",
    "usage_30d",
    "usage_prev_30d",
    "usage_90d",
    "usage_prev_90d",
    "users_30d",
    "active_days_30d",
    "active_weeks_13w",
    "features_30d",
    "features_ever",
    "last_usage",
    "days_since_usage",
    "frequency",
    "logins_per_week",
)
PLAIN = """
SELECT c AS customer_id,
       COUNT(day) FILTER (day >= $today - 30) AS usage_30d,
       COUNT(day) FILTER (day >= $today - 60 AND day < $today - 30) AS usage_prev_30d,
       COUNT(day) FILTER (day >= $today - 90) AS usage_90d,
       COUNT(day) FILTER (day >= $today - 180 AND day < $today - 90) AS usage_prev_90d,
       COUNT(DISTINCT person) FILTER (day >= $today - 30 AND person <> 0) AS users_30d,
       COUNT(DISTINCT day) FILTER (day >= $today - 30) AS active_days_30d,
       COUNT(DISTINCT ($today - day - 1) // 7) FILTER (day >= $today - 91) AS active_weeks_13w,
       COUNT(DISTINCT event) FILTER (day >= $today - 30) AS features_30d,
       COUNT(DISTINCT event) AS features_ever,
       MAX(day) AS last_usage,
       $today - MAX(day) AS days_since_usage,
       COUNT(DISTINCT day) FILTER (day >= $today - $window) AS frequency,
       COUNT(day) FILTER (day >= $today - 91 AND list_contains($logins, event)) / 13.0::DOUBLE AS logins_per_week
FROM range($least, $below) AS customers(c)
LEFT JOIN (SELECT customer, person, event, CAST(("at" AT TIME ZONE $zone) AS DATE) AS day
           FROM read_parquet([{paths}])
           WHERE customer >= $least AND customer < $below AND "call" IN (1, 2, 3)) AS e ON e.customer = c
GROUP BY c
"""
COMPARED = """
WITH here AS (SELECT {columns} FROM read_parquet({kept}) WHERE customer_id >= $least AND customer_id < $below),
wanted AS (SELECT {columns} FROM plain_facts)
SELECT (SELECT COUNT(*) FROM here),
       (SELECT COUNT(*) FROM ((SELECT * FROM wanted EXCEPT SELECT * FROM here)
                              UNION ALL (SELECT * FROM here EXCEPT SELECT * FROM wanted)))
"""
CUSTOMERS_AT_ONCE = 50_000
ROUNDS = 2


class FactsFailed(Exception):
    """The process that measured ended with an error."""


@dataclass(frozen=True)
class Found:
    """What one process measured: the best of some rounds of each, in turns, and what both were for."""

    events: int
    seconds: float
    scan_seconds: float


def measure(customers: int, today: date, say: Callable[[str], None]) -> dict[str, float | int | bool]:
    """Return the figures of `zhike bench facts`; the memory is that of a process that does nothing else."""
    kept = settings.HOME / "temporary" / "facts.parquet"
    kept.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "zhike.bench.measuring_facts", str(customers), today.isoformat(), str(kept)]
    ended = watched(command)
    if ended.returncode:
        raise FactsFailed(ended.errors[-2000:])
    sys.stderr.write(ended.errors)
    found = json.loads(ended.output)
    say(f"facts in {found['seconds']:.1f} s, scan in {found['scan_seconds']:.1f} s; checking")
    equal = check(customers, today, kept, say)
    return {
        "events": found["events"],
        "seconds": round(found["seconds"], 2),
        "scan_seconds": round(found["scan_seconds"], 2),
        "ratio": round(found["seconds"] / found["scan_seconds"], 2),
        "peak_mb": round(ended.peak / MEBIBYTE),
        "equal": equal,
    }


def run(customers: int, today: date, kept: Path) -> Found:
    """Scan and compute in turns, and leave the facts in a file; the process of `measure`."""
    spec, when = in_force().measure, reading.morning(today)
    record = _record(customers, when, spec)
    paths = _paths()
    scans: list[float] = []
    facts: list[float] = []
    for _round in range(ROUNDS):
        with lake.engine() as engine, _timed(scans):
            engine.query(lake.filled(SCAN, paths=paths))
        with lake.engine() as engine, _timed(facts):
            usage.gather(engine, record.usage, spec, today)
        sys.stderr.write(f"          scan {scans[-1]:.2f} s, facts {facts[-1]:.2f} s\n")
    whole: list[float] = []
    with lake.engine() as engine, _timed(whole):
        made = computing.compute(engine, record, spec, when, History.none(), fields(), given=None, watcher=Silent())
    sys.stderr.write(f"          with everybody's scores, health, stages and tiers {whole[0]:.2f} s\n")
    parquet.write_table(made.table.select(CHECKED), kept)
    return Found(record.usage.rows, min(facts), min(scans))


@contextmanager
def _timed(seconds: list[float]) -> Iterator[None]:
    began = time.monotonic()
    yield
    seconds.append(time.monotonic() - began)


def _paths() -> str:
    paths = LakeFile.objects.filter(kind=EVENTS).order_by("path").values_list("path", flat=True)
    return ", ".join(lake.quoted(str(lake.fetched(path))) for path in paths)


def _record(customers: int, when: Morning, spec: MeasureSpec) -> Record:
    """Return the record of a company that has customers and events, and nothing else."""
    ids = list(range(1, customers + 1))
    joined = when.today - timedelta(days=1000)
    columns = {
        "customer_id": pa.array(ids, pa.int64()),
        "ref": pa.array([f"C{number:08d}" for number in ids]),
        "name": pa.array([f"客户 {number}" for number in ids]),
        "joined": pa.array([joined] * customers),
    }
    empty = {field.name: pa.nulls(customers, field.type) for field in reading.CUSTOMERS if field.name not in columns}
    table = pa.table({name: {**columns, **empty}[name] for name in reading.CUSTOMERS.names})
    record = reading.record(when, spec.rfm.window_days)
    return Record(**{**vars(record), "customers": table.cast(reading.CUSTOMERS)})


def check(customers: int, today: date, kept: Path, say: Callable[[str], None]) -> bool:
    """Compare the facts with plain SQL, row by row: COUNT(DISTINCT …) as one writes it, some customers at a time."""
    spec, columns = in_force().measure, ", ".join(CHECKED)
    compared = different = 0
    with duckdb.connect(config={"memory_limit": "3GB", "temp_directory": str(settings.HOME / "temporary")}) as plain:
        statement = lake.filled(PLAIN, paths=_paths())
        for least in range(1, customers + 1, CUSTOMERS_AT_ONCE):
            edges = {"least": least, "below": min(least + CUSTOMERS_AT_ONCE, customers + 1)}
            values = {
                **edges,
                "today": today,
                "zone": str(reading.morning(today).zone),
                "logins": list(spec.login_events),
                "window": spec.rfm.window_days,
            }
            plain.register("plain_facts", plain.execute(statement, values).to_arrow_table())
            rows = plain.execute(lake.filled(COMPARED, columns=columns, kept=lake.quoted(str(kept))), edges).fetchall()
            compared, different = compared + rows[0][0], different + rows[0][1]
            if least % (4 * CUSTOMERS_AT_ONCE) == 1:
                say(f"{compared:,} rows compared, {different} different")
    return compared == customers and different == 0
