"""T04: the process is killed at every fail point on the way from the inbox into the lake and out of it.

What happens at a fail point is written beside the stream (`zhike.record.tracking.tests.lake_storm`); here it gets a
data folder and seeds of its own, and the fail points of a bucket.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.storms.system import StormFailed, changed_copy, environment, own_home, stop_cluster

DRAINING = "zhike/record/tracking/operations/draining.py"
SABOTAGE = [
    # The inbox is emptied, for good, before the lake has what was in it.
    (DRAINING, '    _delete(rows)\n    failpoint("drain.deleted")\n', '    failpoint("drain.deleted")\n'),
    (
        DRAINING,
        '    failpoint("drain.read")\n',
        '    _delete(rows)\n    connection.connection.commit()\n    failpoint("drain.read")\n',
    ),
]


def storm(folder: Path, *, seed: int, seeds: int, sabotage: bool = False) -> dict[str, Any]:
    """Kill at every fail point with `seeds` seeds."""
    product = changed_copy(folder, SABOTAGE) if sabotage else None
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
