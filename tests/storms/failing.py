"""The process of T04: strikes at fail points in the data folder it is given, and prints what it counted."""

import json
import logging
import os
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path

import django

from zhike import home
from zhike.web import running


def main(seed: int, seeds: int) -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # So that the database is stopped.
    running.end_with_parent()
    os.environ["DJANGO_SETTINGS_MODULE"] = "zhike.settings"
    os.environ["ZHIKE_POOL"] = "0"  # A connection must not be shared with a child.
    with home.using_server():
        django.setup()
        from tests.storms import buckets  # noqa: PLC0415  Models need the settings.
        from zhike.record.tracking.tests import lake_storm  # noqa: PLC0415  The same.

        logging.disable(logging.ERROR)
        began = time.monotonic()
        toll = lake_storm.storm(range(seed, seed + seeds), empty=buckets.empty)
        if toll.missing or toll.twice:
            raise AssertionError(f"{toll.missing} events are missing, {toll.twice} are there twice")
        struck = buckets.strike(Path(os.environ["ZHIKE_HOME"]) / "temporary", range(seed, seed + seeds))
    found = {"seed": seed, "seeds": seeds, **asdict(toll), "bucket": struck}
    sys.stdout.write(json.dumps(found | {"seconds": round(time.monotonic() - began, 1)}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
