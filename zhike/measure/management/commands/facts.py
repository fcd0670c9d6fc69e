"""`manage facts`: write the reference page of all facts."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from zhike.measure.facts import FACTS
from zhike.measure.facts.page import PLACE, page


class Command(BaseCommand):
    help = "Write the reference page of all facts from their declarations."
    requires_system_checks = []  # The page needs neither addresses nor a database.

    def handle(self, **_options: Any) -> None:
        Path(PLACE).write_text(page(FACTS), encoding="utf-8")
        self.stderr.write(f"{len(FACTS)} facts written to {PLACE}")
