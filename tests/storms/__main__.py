"""`python -m tests.storms NAME [--seed N] [--full] [--sabotage]`: run a storm, or `all`, and print what it counted."""

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.storms import databases, faults, kills, lakes, report, spikes
from tests.storms.system import StormFailed, sentence, temporary
from zhike.bench.figures import machine

UNSEEN = "went unseen"
SABOTAGES = 8  # Seeds that a sabotage is tried with before it counts as unseen.
Run = Callable[..., dict[str, Any]]
STORMS: Mapping[str, tuple[Run, dict[str, Any], dict[str, Any]]] = {
    # Name: what runs, in small, in full.
    "T01": (
        kills.storm,
        {"kills": 4, "events": 4_000, "pause": 1.0},
        {"kills": 300, "events": 1_000_000, "pause": 0.8},
    ),
    "T02": (databases.storm, {"kills": 3, "rate": 40.0}, {"kills": 50, "rate": 60.0}),
    "T03": (faults.storm, {"hold": 1.0, "rate": 30.0}, {"hold": 10.0, "rate": 60.0}),
    "T04": (lakes.storm, {"seeds": 1}, {"seeds": 20}),
    "T30": (
        spikes.storm,
        {"seconds": 8.0, "held": 10.0, "calm": 40.0, "room": 20_000},
        {"seconds": 60.0, "held": 600.0, "calm": 40.0, "room": 500_000},
    ),
}


def run(name: str, *, seed: int, full: bool, sabotage: bool = False, **given: Any) -> dict[str, Any]:
    """Run a storm in a folder of its own; raises StormFailed."""
    storm, small, large = STORMS[name]
    with temporary() as folder:
        return storm(Path(folder), seed=seed, sabotage=sabotage, **{**(large if full else small), **given})


def main() -> int:
    parser = argparse.ArgumentParser(prog="storms")
    parser.add_argument("names", nargs="+", choices=[*STORMS, "all"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--full", action="store_true", help="as large as before a release, with its sabotage in small")
    parser.add_argument("--sabotage", action="store_true", help="only break the product; the storm must fail")
    parser.add_argument("--record", action="store_true", help="write what was counted into docs/reference")
    parser.add_argument("--given", nargs="*", default=[], metavar="NAME=NUMBER", help="other sizes: events=200000")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # So that what was started is stopped.
    sys.stderr.write(f"on {machine()}\n")
    names = list(STORMS) if "all" in options.names else options.names
    return sum(not _one(name, options) for name in names)


def _one(name: str, options: argparse.Namespace) -> bool:
    """Run a storm and its sabotage as asked, print both, and say whether all is as it must be."""
    if options.sabotage:
        seen = _sabotaged(name, options.seed)
        if options.record:
            report.record_sabotage(name, seen)
        return seen != UNSEEN
    began = time.monotonic()
    try:
        given = {key: json.loads(value) for key, _is, value in (each.partition("=") for each in options.given)}
        found = run(name, seed=options.seed, full=options.full, **given)
    except StormFailed as failure:
        _print(name, {"full": options.full, "seed": options.seed, "failed": str(failure)})
        return False
    found["minutes"] = round((time.monotonic() - began) / 60, 1)
    _print(name, {"full": options.full, **found})
    seen = _sabotaged(name, options.seed) if options.full else ""
    if options.record:
        report.record(name, report.row(name, found, seen or "not run", machine()))
    return seen != UNSEEN


def _sabotaged(name: str, seed: int) -> str:
    """Return how a storm found out that the product was broken on purpose; a few kills need not hit what is broken."""
    for tried in range(seed, seed + SABOTAGES):
        try:
            found = run(name, seed=tried, full=False, sabotage=True)
        except StormFailed as failure:
            seen = f"seen: {sentence(str(failure))[:400]}"
            _print(name, {"sabotage": seen, "seed": tried})
            return seen
        _print(name, {"sabotage": UNSEEN, **found})
    return UNSEEN


def _print(name: str, told: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps({"storm": name, **told}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
