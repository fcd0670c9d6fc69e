"""`python -m tests.storms NAME [--seed N] [--full] [--sabotage]`: run a storm, or `all`, and print what it counted."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.storms import databases, faults, kills, lakes, spikes
from tests.storms.system import StormFailed, temporary
from zhike.bench.figures import machine

Run = Callable[..., dict[str, Any]]
STORMS: Mapping[str, tuple[Run, dict[str, Any], dict[str, Any]]] = {
    # Name: what runs, in small, in full.
    "T01": (
        kills.storm,
        {"kills": 4, "events": 4_000, "pause": 1.0},
        {"kills": 300, "events": 1_000_000, "pause": 1.0},
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
    parser.add_argument("--full", action="store_true", help="as large as before a release")
    parser.add_argument("--sabotage", action="store_true", help="break the product; the storm must fail")
    options = parser.parse_args()
    failed = 0
    sys.stderr.write(f"on {machine()}\n")
    for name in STORMS if "all" in options.names else options.names:
        began = time.monotonic()
        try:
            found = run(name, seed=options.seed, full=options.full, sabotage=options.sabotage)
        except StormFailed as failure:
            failed += 1
            found = {"seed": options.seed, "failed": str(failure)}
        line = {"storm": name, "full": options.full, "sabotage": options.sabotage, **found}
        sys.stdout.write(json.dumps({**line, "minutes": round((time.monotonic() - began) / 60, 1)}) + "\n")
        sys.stdout.flush()
    return failed


if __name__ == "__main__":
    sys.exit(main())
