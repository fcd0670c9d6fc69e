"""Which tests are too slow for the quick suite, decided by measuring them: writes tests/slow.txt.

    python -m pytest -n 2 --dist loadgroup -m "not browser" --durations=0 --durations-min=0.02 | python tools/slow.py

A function is slow when it takes longer than LIMIT, all its parameters together. Of every file the quickest function
stays in the quick suite unless it takes longer than MOST, so that everything is touched by it. Marks in the files
(`pytest.mark.slow`) hold beside the list.
"""

import re
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

PLACE = Path(__file__).resolve().parents[1] / "tests" / "slow.txt"
LIMIT, MOST = 0.4, 1.2
LINE = re.compile(r"\s*([\d.]+)s (?:call|setup|teardown)\s+([^\s\[@]+)")  # pytest-xdist writes a group behind an @.


def measured(lines: Iterable[str]) -> dict[str, float]:
    """Return the seconds of each test function by its name, all its parameters together."""
    found: dict[str, float] = defaultdict(float)
    for line in lines:
        if match := LINE.match(line):
            found[match[2]] += float(match[1])
    return found


def slow(seconds: dict[str, float]) -> list[str]:
    """Return the functions that are too slow, without the quickest of each file."""
    files: dict[str, list[str]] = defaultdict(list)
    for name in sorted(seconds, key=lambda one: seconds[one]):
        files[name.partition("::")[0]].append(name)
    named = []
    for names in files.values():
        quickest = names[0]
        named += [one for one in names if seconds[one] > (MOST if one == quickest else LIMIT)]
    return sorted(named)


def main() -> None:
    names = slow(measured(sys.stdin))
    PLACE.write_text("\n".join(names) + "\n", encoding="utf-8")
    print(f"{len(names)} slow functions in {PLACE}")


if __name__ == "__main__":
    main()
