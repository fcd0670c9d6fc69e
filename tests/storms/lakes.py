"""T04: the process is killed at every fail point on the way from the inbox into the lake and out of it.

What happens at a fail point is written beside the stream (`zhike.record.tracking.tests.lake_storm`); here it gets a
data folder and seeds of its own, and the fail points of a bucket.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.storms.system import StormFailed, changed_copy, environment, own_home, sentence, stop_cluster

DRAINING = "zhike/record/tracking/operations/draining.py"
COMPACTING = "zhike/record/events/operations/compacting.py"
FILES = "zhike/record/events/operations/files.py"
NEW_COMMIT = "connection.connection.commit()\n"
SABOTAGES = {
    # The inbox is emptied, for good, before the lake has what was in it.
    "registering": [
        (DRAINING, '    _delete(rows)\n    failpoint("drain.deleted")\n', '    failpoint("drain.deleted")\n'),
        (
            DRAINING,
            '    failpoint("drain.read")\n',
            f'    _delete(rows)\n    {NEW_COMMIT}    failpoint("drain.read")\n',
        ),
    ],
    # Files that come together are forgotten, for good, before the one that takes their place is there.
    "compaction": [
        (COMPACTING, "from django.db import transaction\n", "from django.db import connection, transaction\n"),
        (
            COMPACTING,
            '    files = list(live.filter(pk__in=chosen))\n    failpoint("compact.chosen")\n    drafts',
            "    files = list(live.filter(pk__in=chosen))\n    live.filter(pk__in=chosen).delete()\n"
            f'    {NEW_COMMIT}    failpoint("compact.chosen")\n    drafts',
        ),
    ],
    # The new file is there, for good, while those it replaces still are.
    "replacing": [
        (FILES, '    failpoint("lake.registered")\n', f'    {NEW_COMMIT}    failpoint("lake.registered")\n'),
    ],
}


def storm(folder: Path, *, seed: int, seeds: int, sabotage: bool = False) -> dict[str, Any]:
    """Kill at every fail point with `seeds` seeds; sabotaged, fail when every one of the sabotages is seen."""
    if not sabotage:
        return _strike(folder, seed, seeds)
    seen = []
    for name, changes in SABOTAGES.items():
        place = folder / name
        place.mkdir(mode=0o755)
        try:
            found = _strike(place, seed, seeds, changed_copy(place, changes))
        except StormFailed as failure:
            seen.append(f"{name}: {sentence(str(failure))}")
        else:
            return {"not seen": name, **found}
    raise StormFailed("; ".join(seen))


def _strike(folder: Path, seed: int, seeds: int, product: Path | None = None) -> dict[str, Any]:
    home = own_home(folder)
    surroundings = environment(home, product) if product else environment(home)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tests.storms.failing", str(seed), str(seeds)],
            env=surroundings,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        stop_cluster(home)
    if done.returncode:
        raise StormFailed(done.stderr[-3000:])
    found: dict[str, Any] = json.loads(done.stdout)
    return found
