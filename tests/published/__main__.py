"""`python -m tests.published [PART …]` writes docs/reference/accuracy.md anew: every part, or those named."""

import os
import sys

import django


def main(parts: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhike.settings")
    django.setup()
    from tests.published import page  # noqa: PLC0415  Needs Django to be set up.

    page.write(parts)


if __name__ == "__main__":
    main(sys.argv[1:])
