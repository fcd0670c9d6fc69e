"""`zhike import KIND FILE --map field=column …`: bring in a file, on the terminal."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now
from django.utils.translation import gettext

from zhike.record.imports import operations, queries
from zhike.record.imports.models import Import, ImportKind
from zhike.record.imports.operations.files import FileMissing, NotAFile
from zhike.record.imports.operations.sentences import COUNTS, REASON_NAMES
from zhike.record.imports.rules.kinds import KINDS, takes_attributes
from zhike.record.imports.rules.problems import Reason

WRITE_EVERY = 0.5


class Terminal:
    """Progress on standard error: one line that renews itself, or nothing where nobody looks."""

    def __init__(self) -> None:
        self.shown, self.live = 0.0, sys.stderr.isatty()

    def step(self, words: str, done: int = 0, total: int | None = None) -> None:
        if not self.live or time.monotonic() - self.shown < WRITE_EVERY:
            return
        self.shown = time.monotonic()
        share = f" {min(99, done * 100 // total)} %" if total else ""
        sys.stderr.write(f"\r\x1b[K{words}{share}")
        sys.stderr.flush()

    def end(self) -> None:
        if self.live:
            sys.stderr.write("\r\x1b[K")


class Command(BaseCommand):
    requires_system_checks = []  # `zhike doctor` checks the installation; an import need not.
    help = (
        "Bring in customers, contacts, orders, subscriptions, usage or interactions from a CSV, XLSX or Parquet file."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog = "Fields. " + " · ".join(f"{kind}: {_fields(kind)}" for kind in KINDS)
        parser.add_argument(
            "kind", nargs="?", choices=ImportKind.values, metavar="KIND", help=", ".join(ImportKind.values)
        )
        parser.add_argument("file", nargs="?", metavar="FILE", help="CSV (also .gz), XLSX or Parquet")
        parser.add_argument(
            "--map",
            nargs="+",
            action="extend",
            default=[],
            metavar="FIELD=COLUMN",
            help="without it the columns are guessed",
        )
        parser.add_argument(
            "--default", nargs="+", action="extend", default=[], metavar="FIELD=VALUE", help="for what the file lacks"
        )
        parser.add_argument(
            "--create-customers", action="store_true", help="make customers that the file names and we do not know"
        )
        parser.add_argument(
            "--update", action="store_true", help="change rows that exist with other values; only mapped fields"
        )
        parser.add_argument("--dry-run", action="store_true", help="do everything, then take it back")
        parser.add_argument(
            "--date-format", default="", help="day-first, month-first, or a pattern such as %%d.%%m.%%Y"
        )
        parser.add_argument(
            "--fee-products", default="", metavar="A,B", help="product codes that are fees, besides the usual ones"
        )
        parser.add_argument("--refused", metavar="FILE", help="write refused rows with their reasons to this file")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")
        parser.add_argument("--resume", type=int, metavar="ID", help="carry out an import again that did not finish")

    def handle(self, *_args: Any, **options: Any) -> None:
        given = self._again(options) if options["resume"] else self._new(options)
        terminal = Terminal()
        if not options["dry_run"]:
            sys.stderr.write(
                gettext("Import %(id)s; if it is interrupted: zhike import --resume %(id)s") % {"id": given.pk} + "\n"
            )
        try:
            done = operations.bring_in(given, dry=options["dry_run"], now=now(), watcher=terminal)
        finally:
            terminal.end()
            _hand_over(given, options["refused"])
            if options["dry_run"]:
                operations.drop(given)
        self.stdout.write(json.dumps(_plain(done), ensure_ascii=False) if options["json"] else _in_words(done))

    def _again(self, options: dict[str, Any]) -> Import:
        given = queries.import_numbered(options["resume"])
        if given is None:
            raise CommandError(gettext("There is no import %(id)s.") % {"id": options["resume"]}, returncode=2)
        return given

    def _new(self, options: dict[str, Any]) -> Import:
        if not options["kind"] or not options["file"]:
            raise CommandError(gettext("Say what to import: zhike import KIND FILE --map field=column …"), returncode=2)
        path = Path(options["file"])
        if path.is_dir():
            raise NotAFile(name=options["file"])
        if not path.is_file():
            raise FileMissing(name=options["file"])
        fees = [code.strip() for code in options["fee_products"].split(",") if code.strip()]
        with path.open("rb") as file:
            given = operations.hand_in(
                options["kind"],
                file,
                path.name,
                by=None,
                now=now(),
                mapping=_pairs(options["map"], "--map"),
                defaults=_pairs(options["default"], "--default"),
                options={"date_format": options["date_format"], "fee_products": fees},
                create_customers=options["create_customers"],
                update_existing=options["update"],
            )
        if not given.mapping:
            operations.accept_guess(given)
            guessed = " ".join(f"{name}={column}" for name, column in given.mapping.items())
            sys.stderr.write(gettext("Columns as guessed: --map %(guessed)s") % {"guessed": guessed} + "\n")
        return given


def _fields(kind: str) -> str:
    more = ", attributes.NAME" if takes_attributes(kind) else ""
    return ", ".join(field.name for field in KINDS[kind]) + more


def _pairs(given: Sequence[str], option: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given:
        field, sign, value = text.partition("=")
        if not sign or not field or not value:
            raise CommandError(
                gettext("%(option)s %(text)s: write field=value.") % {"option": option, "text": text}, returncode=2
            )
        if field in found:
            raise CommandError(
                gettext("%(option)s names %(field)s twice.") % {"option": option, "field": field}, returncode=2
            )
        found[field] = value
    return found


def _hand_over(given: Import, target: str | None) -> None:
    """Copy the file of refused rows to where the person wants it; an empty result removes an old one."""
    if not target:
        return
    given.refresh_from_db()
    path = operations.refused_path(given)
    if path:
        shutil.copyfile(path, target)
    else:
        Path(target).unlink(missing_ok=True)


def _plain(done: Import) -> dict[str, Any]:
    return {"import": done.pk, "kind": done.kind, "file": done.file_name, "state": done.state, **done.counts}


def _in_words(done: Import) -> str:
    counts = done.counts
    head = gettext("Tried %(file)s; nothing was changed.") if done.state == "tried" else gettext("Imported %(file)s.")
    lines = [head % {"file": done.file_name}]
    lines += [f"{counts[name]:>12,}  {words}" for name, words in COUNTS.items() if counts.get(name) or name == "rows"]
    for reason, times in counts.get("reasons", {}).items():
        lines.append(f"{times:>12,}    · {REASON_NAMES[Reason(reason)]}")
    for what, which in counts.get("named", {}).items():
        listed = ", ".join(f"{name} {times:,}" for name, times in which.items())
        lines.append(f"              {COUNTS.get(what, what)}: {listed}")
    return "\n".join(lines)
