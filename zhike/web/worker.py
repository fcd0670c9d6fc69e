"""The worker process: Django set up, then jobs until told to stop."""

import os

import django
from django.core.management import call_command

NICE = 10  # Pages and events go first: nobody waits for the worker with a page open.


def main() -> None:
    os.nice(NICE)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhike.settings")
    django.setup()
    call_command("work")


if __name__ == "__main__":
    main()
