"""`zhike export`: the facts of a day, or the ledger of a customer's health, on the standard output or in a file."""

import csv
import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.core.management.base import BaseCommand, CommandError, OutputWrapper
from django.utils.timezone import now

from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.measure import asof, exporting
from zhike.org import company
from zhike.record.customers.models import Customer


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no day; write it like 2026-03-12") from error


class NoSuchCustomer(Refusal):
    message = _("There is no customer with the number %(customer)s.")


class Said:
    """Tells the progress of a day that must be computed first, on the standard error."""

    def __init__(self, out: OutputWrapper) -> None:
        self.out = out

    def step(self, words: str, done: int = 0, total: int | None = None) -> None:
        self.out.write(f"{words} ({done}/{total})" if total else words)


class Command(BaseCommand):
    help = "Write the facts of every customer on a day, or why a customer's health changed between two days."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["facts", "ledger"], help="what to export")
        parser.add_argument(
            "--as-of",
            type=_day,
            metavar="DATE",
            help="the morning of this day, with all that was known the evening before (default: the last measured day)",
        )
        parser.add_argument("--format", choices=exporting.FORMATS, default="csv")
        parser.add_argument("--customer", metavar="NUMBER", help="whose ledger")
        parser.add_argument("--from", dest="since", type=_day, metavar="DATE", help="the first day of the ledger")
        parser.add_argument(
            "--to", dest="until", type=_day, metavar="DATE", help="the last day of the ledger (default: now)"
        )
        parser.add_argument("--output", type=Path, metavar="FILE", help="write to a file, not to the standard output")

    def handle(self, **options: Any) -> None:
        day, kind, place = options["as_of"], options["format"], options["output"]
        if place is not None and not place.parent.is_dir():
            raise CommandError(f"There is no folder {place.parent}.", returncode=2)
        if options["what"] == "ledger":
            self._ledger(options)
            return
        if place is None and kind == "parquet" and sys.stdout.isatty():
            raise CommandError("Parquet is nothing to read on a screen; give --output FILE.", returncode=2)
        table = exporting.facts_as_of(day, today=company.today(now()), watcher=Said(self.stderr))
        if place is not None:
            exporting.write_file(table, kind, place)
            self.stderr.write(f"{table.num_rows} customers written to {place}")
        else:
            exporting.write(table, kind, cast(BinaryIO, sys.stdout.buffer))
            sys.stdout.flush()

    def _ledger(self, options: dict[str, Any]) -> None:
        """Write the causes of a change of health, which sum to it."""
        ref, since, kind, place = options["customer"], options["since"], options["format"], options["output"]
        if not ref or since is None:
            raise CommandError("A ledger needs --customer NUMBER and --from DATE.", returncode=2)
        if kind == "parquet":
            raise CommandError("A ledger is written as csv or json.", returncode=2)
        customer = Customer.objects.filter(ref=ref).values_list("pk", flat=True).first()
        if customer is None:
            raise NoSuchCustomer(customer=ref)
        told = exporting.ledger(ref, asof.change(customer, since=since, until=options["until"]))
        with place.open("w", encoding="utf-8", newline="") if place else nullcontext(self.stdout) as out:
            if kind == "json":
                out.write(json.dumps(told, ensure_ascii=False, indent=2) + "\n")
                return
            rows = csv.writer(out)
            rows.writerow(["points", "cause", "fact", "before", "after"])
            for cause in told["causes"]:
                rows.writerow(cause[name] for name in ("points", "cause", "fact", "before", "after"))
