"""The documents tell the truth of today: names that exist, links that lead somewhere, nothing left out."""

import re
import tomllib
from pathlib import Path

import pytest

from zhike.cli import COMMANDS, execute
from zhike.decide.plans.rules import reference
from zhike.org.roles import BUILT_IN_ROLES, Permission
from zhike.record.events.models import EventKind

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_event_kind_is_explained() -> None:
    page = read("docs/reference/events.md")
    assert [kind for kind in EventKind.values if f"`{kind}`" not in page] == []
    assert set(re.findall(r"^\| `([a-z_]+\.[a-z_]+)`", page, re.MULTILINE)) == set(EventKind.values)


def test_every_command_is_explained() -> None:
    page = read("docs/reference/commands.md")
    assert [name for name in COMMANDS if f"## `zhike {name}`" not in page] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_names_it_as_it_is_typed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute([name, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"usage: zhike {name} ")


def test_the_reference_of_the_plan_is_that_of_its_models() -> None:
    assert read(reference.PLACE) == reference.page()


def test_every_permission_and_role_is_explained() -> None:
    page = read("docs/reference/permissions.md")
    assert [name for name in [*Permission.values, *BUILT_IN_ROLES] if f"`{name}`" not in page] == []


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads(read("pyproject.toml"))
    names = {re.split(r"[\[<>=~ ]", wanted)[0] for wanted in project["project"]["dependencies"]}
    assert names == set(re.findall(r"^\| `([a-z0-9.-]+)` \|", read("docs/decisions/dependencies.md"), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert missing == []


def test_environment_variables_are_explained() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in [*ROOT.glob("zhike/*.py")])
    names = set(re.findall(r'env_[a-z]+\(\s*"([A-Z_]+)"', sources))
    page = read("docs/reference/settings.md")
    assert names
    assert sorted(name for name in names if f"`{name}`" not in page) == []
