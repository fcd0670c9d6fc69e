"""`zhike export facts`: the facts of a day as CSV, JSON or Parquet, on the standard output or in a file."""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.core.management.base import BaseCommand, CommandError, OutputWrapper
from django.utils.timezone import now

from zhike.measure import exporting
from zhike.org import company


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no day; write it like 2026-03-12") from error


class Said:
    """Tells the progress of a day that must be computed first, on the standard error."""

    def __init__(self, out: OutputWrapper) -> None:
        self.out = out

    def step(self, words: str, done: int = 0, total: int | None = None) -> None:
        self.out.write(f"{words} ({done}/{total})" if total else words)


class Command(BaseCommand):
    help = "Write the facts of every customer as they were on the morning of a day."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["facts"], help="what to export")
        parser.add_argument(
            "--as-of",
            type=_day,
            metavar="DATE",
            help="the morning of this day, with all that was known the evening before (default: the last measured day)",
        )
        parser.add_argument("--format", choices=exporting.FORMATS, default="csv")
        parser.add_argument("--output", type=Path, metavar="FILE", help="write to a file, not to the standard output")

    def handle(self, **options: Any) -> None:
        day, kind, place = options["as_of"], options["format"], options["output"]
        if place is not None and not place.parent.is_dir():
            raise CommandError(f"There is no folder {place.parent}.", returncode=2)
        if place is None and kind == "parquet" and sys.stdout.isatty():
            raise CommandError("Parquet is nothing to read on a screen; give --output FILE.", returncode=2)
        table = exporting.facts_as_of(day, today=company.today(now()), watcher=Said(self.stderr))
        if place is not None:
            exporting.write_file(table, kind, place)
            self.stderr.write(f"{table.num_rows} customers written to {place}")
        else:
            exporting.write(table, kind, cast(BinaryIO, sys.stdout.buffer))
            sys.stdout.flush()
