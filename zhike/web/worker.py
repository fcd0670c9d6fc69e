"""The worker process: Django set up, then jobs until told to stop."""

import os

import django
from django.core.management import call_command


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhike.settings")
    django.setup()
    call_command("work")


if __name__ == "__main__":
    main()
