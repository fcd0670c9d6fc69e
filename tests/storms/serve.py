"""The system of a storm, in a process of its own: what `zhike run` does, with less patience between two restarts."""

import json
import os
import signal
import sys
import threading
from pathlib import Path

import django
from django.utils.timezone import now

from zhike import home
from zhike.web import running

LONGEST_PAUSE = 0.5  # A storm kills so often that the usual pauses would leave nothing to kill.


def main(port: int) -> None:
    running.end_with_parent()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    running.LONGEST_PAUSE = LONGEST_PAUSE
    with home.using_server():
        family = running.children("127.0.0.1", port, workers=2)
        with running.supervised(family):
            running.watch(family, stop.is_set)


def prepare() -> None:
    """Make a data folder ready once: tables, two sources with keys, customers whose contacts send events."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhike.settings")
    with home.using_server():
        django.setup()
        from tests.storms.company import fill  # noqa: PLC0415  Models need the settings.

        Path(os.environ["ZHIKE_HOME"], "storm.json").write_text(json.dumps(fill(now())), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        prepare()
    else:
        main(int(sys.argv[1]))
