"""The front-end libraries are pinned, and the lock file names no host to fetch them from."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]


def read(name: str) -> Any:
    return json.loads((ROOT / name).read_text("utf-8"))


def test_three_libraries_are_pinned_to_exact_versions() -> None:
    wanted = read("package.json")["dependencies"]
    assert sorted(wanted) == ["@alpinejs/csp", "echarts", "htmx.org"]
    assert all(version.replace(".", "").isdigit() for version in wanted.values())


def test_the_lock_file_checks_every_package_and_names_no_host() -> None:
    lock = read("package-lock.json")
    packages = {name: one for name, one in lock["packages"].items() if name}
    assert lock["packages"][""]["dependencies"] == read("package.json")["dependencies"]
    assert all(one["integrity"].startswith("sha512-") for one in packages.values())
    assert not any("resolved" in one for one in packages.values())
