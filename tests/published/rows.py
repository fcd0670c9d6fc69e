"""The published numbers: one row of a table each, with how near ours must come."""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
TABLE = DATA / "published_numbers.csv"
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")


@dataclass(frozen=True, slots=True)
class Published:
    """A row of the table; `value` may hold several numbers."""

    id: str
    dataset: str
    quantity: str
    value: str
    tolerance: str

    @property
    def numbers(self) -> list[float]:
        """The numbers of the row, in order."""
        return list(map(float, self._written))

    @property
    def _written(self) -> list[str]:
        return _NUMBER.findall(_THOUSANDS.sub("", self.value))

    def agrees(self, ours: list[float]) -> bool:
        """Say whether ours are within the tolerance, a number or a share in per cent, or the digits printed."""
        written = self._written
        return len(ours) == len(written) and all(map(self._near, ours, written))

    def within(self, tolerance: str | None) -> Published:
        """Return the row with another tolerance; None leaves it."""
        return self if tolerance is None else replace(self, tolerance=tolerance)

    def first(self, count: int | None) -> Published:
        """Return the row with the first of its numbers only; None is all of them."""
        if count is None:
            return self
        return replace(self, value=" / ".join(self._written[:count]))

    def _near(self, one: float, text: str) -> bool:
        if self.tolerance == "order of magnitude":
            return one > 0 and abs(math.log10(one / float(text))) <= 0.5
        return abs(one - float(text)) <= self._room(text)

    def _room(self, text: str) -> float:
        printed = 0.5 * 10.0 ** -len(text.partition(".")[2]) if "e" not in text else 0.0
        if self.tolerance == "rounding":
            return printed + 1e-9
        if self.tolerance.endswith("%"):
            return max(printed, float(self.tolerance.rstrip(" %")) / 100 * abs(float(text)))
        return max(printed if self.tolerance != "0" else 0.0, float(self.tolerance.lstrip("±"))) + 1e-9


def published(*datasets: str) -> list[Published]:
    """Return the rows about these data sets, or all; none when the shared data are not beside the checkout."""
    if not TABLE.is_file():
        return []
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = [Published(*(row[name] for name in Published.__slots__)) for row in csv.DictReader(file)]
    return [row for row in rows if not datasets or row.dataset in datasets]
