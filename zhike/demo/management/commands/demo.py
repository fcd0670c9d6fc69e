"""`zhike demo`: fill an empty data folder with a simulated company."""

import sys
import time
from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils.timezone import now

from zhike.demo import building
from zhike.demo.book import Size
from zhike.org import company
from zhike.org.models import Company

CUSTOMERS, MONTHS, SEED = 1204, 18, 20260312
LEAST_CUSTOMERS, MOST_CUSTOMERS = 40, 20_000
LEAST_MONTHS, MOST_MONTHS = 3, 60


class Command(BaseCommand):
    help = "Fill an empty data folder with a simulated company, whose history ends yesterday."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customers", type=int, default=CUSTOMERS, help=f"how many customers ({CUSTOMERS})")
        parser.add_argument("--months", type=int, default=MONTHS, help=f"months of history ({MONTHS})")
        parser.add_argument("--seed", type=int, default=SEED, help="the same seed and day give the same company")
        parser.add_argument("--today", type=date.fromisoformat, help="the day after the history (today)")
        parser.add_argument("--if-empty", action="store_true", help="say nothing when the data folder is in use")

    def handle(self, *_args: Any, **options: Any) -> None:
        began = time.monotonic()

        def say(words: str) -> None:
            sys.stderr.write(f"{time.monotonic() - began:6.1f} s  {words}\n")

        moment = now()
        if self._is_in_use(quietly=options["if_empty"]):
            return
        today = options["today"] or (company.today(moment) if self._has_tables() else moment.astimezone().date())
        built = building.build(self._size(options, today), now=moment, say=say)
        self.stdout.write(f"The demo company is ready: {built.size.customers:,} customers, {built.size.months} months.")
        for one in built.sign_ins:
            self.stdout.write(f"  {one.name}  {one.email}  password: {one.password}")
        self.stdout.write("`zhike run` serves the company and shows a sign-in whose password still fits.")

    def _size(self, options: dict[str, Any], today: date) -> Size:
        for name, least, most in (
            ("customers", LEAST_CUSTOMERS, MOST_CUSTOMERS),
            ("months", LEAST_MONTHS, MOST_MONTHS),
        ):
            if not least <= options[name] <= most:
                raise CommandError(f"--{name} must lie between {least} and {most}.")
        return Size(options["customers"], options["months"], options["seed"], today - timedelta(days=1))

    def _is_in_use(self, *, quietly: bool) -> bool:
        """Say whether nothing is to be done: the demo stands already, or, if asked, anything at all."""
        if not self._has_tables():
            return False
        if building.is_there():
            if not quietly:
                self.stdout.write("The demo company is there already; nothing changed.")
            return True
        if quietly:
            try:
                building.check_room()
            except building.HasRealData:
                return True
        return False

    def _has_tables(self) -> bool:
        return Company._meta.db_table in connection.introspection.table_names()
