"""`zhike bench turn`: how long one turn of the loop takes, and how much memory."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from zhike.bench.figures import MEBIBYTE, watched


class TurnFailed(Exception):
    """The turn that was measured ended with an error."""


@dataclass(frozen=True)
class Turned:
    """What one turn cost."""

    seconds: float
    peak_mb: float


def measure(today: date, say: Callable[[str], None]) -> Turned:
    """Turn the loop for yesterday and today by the command everybody uses, each in a process of its own.

    The first turn meets everything for the first time; the second is what happens every night. The figures of the
    slower one count, and the higher memory of both.
    """
    turns = [turn(day) for day in (today - timedelta(days=1), today)]
    for name, turned in zip(("first turn", "next turn"), turns, strict=True):
        say(f"{name}: {turned.seconds:.1f} s, at most {turned.peak_mb:.0f} MB")
    return Turned(max(each.seconds for each in turns), max(each.peak_mb for each in turns))


def turn(day: date) -> Turned:
    """Turn the loop once for a day and return what it cost; raises TurnFailed with what the turn said."""
    command = [sys.executable, "-m", "zhike", "turn", "--today", day.isoformat(), "--json"]
    began = time.monotonic()
    ended = watched(command)
    if ended.returncode:
        raise TurnFailed(ended.errors[-2000:])
    return Turned(time.monotonic() - began, ended.peak / MEBIBYTE)
