"""The process that keeps the stream flowing: Django set up, then the command until told to stop."""

import os

import django
from django.core.management import call_command


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhike.settings")
    django.setup()
    call_command("stream")


if __name__ == "__main__":
    main()
