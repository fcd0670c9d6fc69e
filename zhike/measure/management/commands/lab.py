"""`zhike lab`: try a measure of the product on any file. Needs no database and writes nothing but what is asked for."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import translation

from zhike.measure.lab import churn, clv, effect, rendering, rfm, text
from zhike.measure.lab.reports import Lab

LABS: dict[str, Lab] = {"clv": clv, "churn": churn, "rfm": rfm, "text": text, "effect": effect}
LANGUAGES = {"zh": "zh-hans", "en": "en"}


class Command(BaseCommand):
    help = "Try a measure on a CSV, XLSX or Parquet file, before any company is set up."
    requires_system_checks = []  # They ask for the database.

    def add_arguments(self, parser: ArgumentParser) -> None:
        kinds = parser.add_subparsers(dest="lab", required=True, metavar="|".join(LABS))
        for name, lab in LABS.items():
            own = kinds.add_parser(name, help=lab.HELP, description=lab.HELP)
            own.add_argument("file", type=Path, metavar="FILE")
            lab.add_arguments(own)
            own.add_argument("--json", action="store_true", help="print the figures as JSON")
            own.add_argument("--html", type=Path, metavar="PAGE", help="write the report as a page of its own")
            own.add_argument("--language", choices=LANGUAGES, help="of the report and its warnings")

    def handle(self, *_args: Any, **options: Any) -> None:
        page: Path | None = options["html"]
        if page is not None and not page.absolute().parent.is_dir():
            raise CommandError(f"There is no folder {page.absolute().parent}.", returncode=2)
        language = LANGUAGES.get(options["language"] or "") or translation.get_language() or "en"
        with translation.override(language):
            report = LABS[options["lab"]].run(options)
            if page is not None:
                page.write_text(rendering.as_html(report), encoding="utf-8")
                self.stderr.write(f"{page}")
            if options["json"]:
                self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False, allow_nan=False))
            else:
                self.stdout.write(rendering.as_text(report))
