"""The process that computes facts for `zhike bench facts`, so that its memory is nothing else's."""

import json
import os
import sys
from dataclasses import asdict
from datetime import date
from pathlib import Path

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhike.settings")
    django.setup()
    from zhike.bench import facts  # noqa: PLC0415  Django must be ready before models are imported.

    customers, today, kept = sys.argv[1:]
    print(json.dumps(asdict(facts.run(int(customers), date.fromisoformat(today), Path(kept)))))  # noqa: T201  Its output is what the caller reads.


if __name__ == "__main__":
    main()
