"""Bring the three front-end libraries into the static files, by lock file.

`npm ci` fetches exactly what `package-lock.json` names and checks it; no package script is run, and what only tests
need is left out. The files are then
copied to `zhike/ui/static/vendor/`, where they are served by us: customers run this inside closed networks.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "package-lock.json"
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "zhike" / "ui" / "static" / "vendor"
STAMP = VENDOR / "lock.sha256"

FILES = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "hx-alpine-compat.min.js": "htmx.org/dist/ext/hx-alpine-compat.min.js",
    "alpine.min.js": "@alpinejs/csp/dist/cdn.min.js",
    "echarts.min.js": "echarts/dist/echarts.min.js",
    "htmx.LICENSE.txt": "htmx.org/LICENSE",
    "echarts.LICENSE.txt": "echarts/LICENSE",
    "echarts.NOTICE.txt": "echarts/NOTICE",
}


class FrontendError(Exception):
    """The front-end files cannot be brought in; the message says what to do."""


def wanted() -> str:
    """Name the state the vendor folder should be in: the lock file and the list of copied files."""
    return hashlib.sha256(LOCK.read_bytes() + repr(sorted(FILES.items())).encode()).hexdigest()


def is_current() -> bool:
    """Say whether every file is there and was copied for this lock file."""
    return STAMP.is_file() and STAMP.read_text("utf-8") == wanted() and all((VENDOR / name).is_file() for name in FILES)


def fetch() -> None:
    """Fill `node_modules` from the lock file, or raise FrontendError."""
    npm = shutil.which("npm")
    if npm is None:
        raise FrontendError(
            "npm is missing, and the front-end files come from npm. Install Node.js 18 or newer"
            " (Debian and Ubuntu: apt-get install nodejs npm) and try again."
        )
    command = [npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FrontendError(f"npm ci failed with exit code {done.returncode}:\n{done.stderr.strip()}")


def copy() -> None:
    """Copy the files over; the stamp is written last, so that a broken copy is made again."""
    VENDOR.mkdir(parents=True, exist_ok=True)
    STAMP.unlink(missing_ok=True)
    for name, source in FILES.items():
        shutil.copyfile(MODULES / source, VENDOR / name)
    STAMP.write_text(wanted(), "utf-8")


def main() -> int:
    if is_current():
        return 0
    try:
        fetch()
        copy()
    except (FrontendError, OSError) as problem:
        print(f"Front-end files: {problem}", file=sys.stderr)
        return 1
    print(f"Front-end files: {len(FILES)} copied to {VENDOR.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
