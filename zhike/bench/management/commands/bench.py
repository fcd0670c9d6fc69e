"""`zhike bench`: measure speed in a data folder of its own, which `zhike.bench.house` makes and removes."""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils.timezone import now

from zhike.bench import churn, customer_value, facts, filling, ingest, lake, rfm, served, serving, tracked, turning
from zhike.bench.figures import machine
from zhike.bench.say import Progress
from zhike.org import company
from zhike.web import setting_up

USAGE_ROWS = {"pages": 30, "turn": 300}
CUSTOMERS = {
    "pages": 1_000_000,
    "turn": 100_000,
    "facts": 1_000_000,
    "ingest": 10_000,
    "clv": 1_000_000,
    "rfm": 1_000_000,
    "churn": 1_000_000,
}
EVENTS_EACH = 100


class Command(BaseCommand):
    help = "Measure how fast pages are, or one turn of the loop, on a made-up company of any size."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["pages", "turn", "facts", "ingest", "clv", "rfm", "churn"])
        parser.add_argument("--customers", type=int, help="how many customers (1,000,000; turn 100,000)")
        parser.add_argument("--events", type=int, help="tracked events in the lake (facts; 100 per customer)")
        parser.add_argument("--usage-rows", type=int, help="usage rows per customer (pages 30; turn 300)")
        parser.add_argument("--readers", type=int, default=16, help="people who read at the same time (16)")
        parser.add_argument("--people", type=int, default=50, help="people who then read with pauses of 5 s (50)")
        parser.add_argument("--requests", type=int, default=400, help="least requests of each kind of page (400)")
        parser.add_argument("--warm-up", type=float, default=20.0, help="seconds before measuring begins (20)")
        parser.add_argument("--seconds", type=float, default=20.0, help="of batches (ingest; 20)")
        parser.add_argument("--single-seconds", type=float, default=10.0, help="of single events (ingest; 10)")
        parser.add_argument("--baseline-seconds", type=float, default=10.0, help="of the plain endpoint (ingest; 10)")
        parser.add_argument("--connections", type=int, default=16, help="clients at the same time (ingest; 16)")
        parser.add_argument("--fresh", action="store_true", help="also how soon facts show an event (ingest)")
        parser.add_argument("--json", action="store_true", help="print the figures as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        what = options["what"]
        customers = options["customers"] or CUSTOMERS[what]
        if customers < 100:
            raise CommandError("--customers must be at least 100")
        say = Progress()
        say(f"on {machine()}")
        if what == "facts":
            self._print(customers, self._facts(customers, options["events"] or EVENTS_EACH * customers, say), options)
            return
        if what == "clv":
            self._print(customers, customer_value.measure(customers, say), options)
            return
        if what == "churn":
            self._print(customers, churn.measure(customers, say), options)
            return
        if what == "rfm":
            self._print(customers, rfm.measure(customers, say), options)
            return
        if what == "ingest":
            self._print(customers, self._ingest(customers, options, say), options)
            return
        fill = self._fill(customers, options["usage_rows"] or USAGE_ROWS[what], say)
        try:
            figures = self._turn(fill, say) if what == "turn" else self._pages(fill, options, say)
        except (serving.PagesFailed, turning.TurnFailed) as error:
            raise CommandError(str(error)) from error
        self._print(customers, figures, options)

    def _print(self, customers: int, figures: Mapping[str, object], options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps({"customers": customers, **figures}))
        else:
            for name, value in figures.items():
                self.stdout.write(f"{name}: {value}")

    def _fill(self, customers: int, rows_each: int, say: Progress) -> filling.Fill:
        moment = now()
        setting_up.prepare(now=moment, name="基准科技", email="first@bench.example", currency="CNY")
        say("an empty company")
        fill = filling.fill(customers, today=company.today(moment), now=moment, processes=os.cpu_count() or 2, say=say)
        lake.fill(customers, rows_each, today=fill.today, say=say)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_size_pretty(pg_database_size(current_database()))")
            say(f"filled; the database has {cursor.fetchone()[0]}")
        return fill

    def _facts(self, customers: int, events: int, say: Progress) -> Mapping[str, float | bool]:
        moment = now()
        setting_up.prepare(now=moment, name="基准科技", email="first@bench.example", currency="CNY")
        today = company.today(moment)
        tracked.fill(customers, events, today=today, say=say)
        try:
            return facts.measure(customers, today, say)
        except facts.FactsFailed as error:
            raise CommandError(str(error)) from error

    def _ingest(self, customers: int, options: dict[str, Any], say: Progress) -> Mapping[str, object]:
        moment = now()
        setting_up.prepare(now=moment, name="基准科技", email="first@bench.example", currency="CNY")
        today = company.today(moment)
        filling.fill(customers, today=today, now=moment, processes=os.cpu_count() or 2, say=say)
        *users, last = [f"C{number:08d}-1" for number in range(1, customers + 1)]
        wanted = ingest.Options(
            options["seconds"], options["single_seconds"], options["baseline_seconds"], options["connections"]
        )
        if options["fresh"]:
            turned = turning.turn(today)
            say(f"a turn for {today} in {turned.seconds:.0f} s")
            wanted = replace(wanted, watched=(last, customers))
        try:
            return ingest.measure(wanted, users, now(), say)
        except served.IngestFailed as error:
            raise CommandError(str(error)) from error

    def _turn(self, fill: filling.Fill, say: Progress) -> dict[str, float]:
        turned = turning.measure(fill.today, say)
        return {"seconds": round(turned.seconds, 1), "peak_mb": round(turned.peak_mb)}

    def _pages(self, fill: filling.Fill, options: dict[str, Any], say: Progress) -> dict[str, float]:
        self._make_today(fill.today, say)
        crowds = {
            "": serving.Crowd(options["readers"], options["requests"], options["warm_up"]),
            "people_": serving.Crowd(options["people"], options["requests"] // 4, options["warm_up"], pause=5.0),
        }
        figures: dict[str, float] = {}
        for name, found_by in zip(crowds, serving.measure(fill, list(crowds.values()), say), strict=True):
            say(f"{crowds[name].people} readers, who pause for {crowds[name].pause:.0f} s:")
            for kind, found in found_by.pages.items():
                say(f"{kind:<7} {found}")
            say(f"{found_by.per_second:.0f} requests a second, {found_by.megabytes:.0f} MB of pages")
            figures |= {f"{name}{kind}_p95_ms": round(found.p95, 1) for kind, found in found_by.pages.items()}
            figures[f"{name}requests_per_s"] = round(found_by.per_second, 1)
        return figures

    def _make_today(self, today: date, say: Progress) -> None:
        """Measure and plan once, so that pages show what they show every day."""
        turned = turning.turn(today)
        say(f"a turn for {today} in {turned.seconds:.0f} s, at most {turned.peak_mb:.0f} MB")
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        say("statistics")
