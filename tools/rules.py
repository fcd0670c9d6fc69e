"""Rules of our own, each with the reason it exists, a line it must catch and one it must leave."""

import ast
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
Check = Callable[[ast.AST], bool]


@dataclass(frozen=True)
class Rule:
    name: str
    why: str
    bad: str
    good: str
    catches: Check
    spared: tuple[str, ...] = ()


RULES: list[Rule] = []
# A test may look behind the doors, talk to the server it started, and save sessions.
PRODUCT_ONLY = {"assert-in-product", "unscoped-customer", "network", "clock-in-the-domain", "raw-sql", "whole-row-save"}


def rule(name: str, *, bad: str, good: str, spared: tuple[str, ...] = ()) -> Callable[[Check], Check]:
    """Register a check; `spared` are the beginnings of paths where the thing is at home, tests included."""

    def register(check: Check) -> Check:
        RULES.append(Rule(name, (check.__doc__ or "").strip(), bad, good, check, spared))
        return check

    return register


def called(node: ast.AST) -> str:
    """Return the last name of what is called: `save` for `ticket.save()`."""
    if not isinstance(node, ast.Call):
        return ""
    function = node.func
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


def keywords(node: ast.AST) -> set[str | None]:
    return {keyword.arg for keyword in node.keywords} if isinstance(node, ast.Call) else set()


def dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


@rule("whole-row-save", bad="ticket.save()", good='ticket.save(update_fields=["level"])')
def whole_row_save(node: ast.AST) -> bool:
    """Saving the whole row undoes what another request has just written."""
    return (
        called(node) == "save"
        and not {"update_fields", "force_insert"} & keywords(node)
        and not getattr(node, "args", [])
    )


@rule("unscoped-customer", bad="Customer.objects.get(pk=1)", good="Customer.objects.visible_to(staff)")
def unscoped_customer(node: ast.AST) -> bool:
    """A customer is reached through visible_to or queries.py; `Customer.objects.get` shows anybody's."""
    return isinstance(node, ast.Call) and dotted(node.func) == "Customer.objects.get"


@rule(
    "clock-in-the-domain",
    bad="datetime.now()",
    good="def is_late(ticket, *, now): ...",
    spared=("tools", "zhike/bench"),
)
def clock_in_the_domain(node: ast.AST) -> bool:
    """Only doors look at the clock, and they use Django's `now`; everything else gets time as an argument."""
    return isinstance(node, ast.Call) and dotted(node.func) in {
        "datetime.now",
        "datetime.utcnow",
        "datetime.today",
        "date.today",
        "datetime.datetime.now",
        "datetime.date.today",
    }


@rule("signals", bad="from django.dispatch import receiver", good="from django.db import models")
def signals(node: ast.AST) -> bool:
    """With signals the reader cannot see who reacts; the conductor's table of reactions shows it."""
    return isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
        ("django.dispatch", "django.db.models.signals")
    )


@rule("marked-safe", bad="mark_safe(name)", good='format_html("<b>{}</b>", name)')
def marked_safe(node: ast.AST) -> bool:
    """Text marked safe is text that nobody escapes; format_html escapes what is filled in."""
    return called(node) == "mark_safe"


@rule("keyword-filter", bad="Customer.objects.filter(**given)", good="Customer.objects.filter(tier=tier)")
def keyword_filter(node: ast.AST) -> bool:
    """`filter(**x)` lets whoever chooses the keys choose the question; a literal shows its keys where it stands."""
    if not isinstance(node, ast.Call) or called(node) not in {"filter", "exclude", "get", "Q"}:
        return False
    return any(keyword.arg is None and not isinstance(keyword.value, ast.Dict) for keyword in node.keywords)


@rule("raw-sql", bad='Model.objects.raw("SELECT 1")', good="Model.objects.filter(pk=1)")
def raw_sql(node: ast.AST) -> bool:
    """SQL of our own goes through a cursor with bound parameters, where it can be found."""
    return called(node) in {"raw", "extra", "RawSQL"}


@rule("assert-in-product", bad="assert total == 1", good="raise NotOne", spared=("tests",))
def assert_in_product(node: ast.AST) -> bool:
    """`python -O` drops asserts; a check that matters raises."""
    return isinstance(node, ast.Assert)


@rule("network", bad="import requests", good="import json", spared=("zhike/bench", "tests"))
def network(node: ast.AST) -> bool:
    """Outbound requests go through the one client, which refuses inside addresses."""
    names = (
        [alias.name for alias in node.names]
        if isinstance(node, ast.Import)
        else [node.module or ""]
        if isinstance(node, ast.ImportFrom)
        else []
    )
    return any(name.split(".")[0] in {"requests", "httpx", "aiohttp"} or name == "urllib.request" for name in names)


MESSAGES = {"ngettext": 2, "ngettext_lazy": 2, "pgettext": 2, "pgettext_lazy": 2, "npgettext": 3}


@rule("message-not-written-out", bad="ngettext(one, many, 3)", good='ngettext("%(n)s day", "%(n)s days", 3)')
def message_not_written_out(node: ast.AST) -> bool:
    """A message that is not written out in its call is not found for the catalogue, and stays English."""
    if not isinstance(node, ast.Call) or called(node) not in MESSAGES:
        return False
    return not all(isinstance(given, ast.Constant) for given in node.args[: MESSAGES[called(node)]])


def faults(path: Path) -> Iterator[str]:
    where = path.relative_to(ROOT).as_posix()
    is_test = "/tests/" in where or path.name == "conftest.py" or where.startswith("tests/")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for one in RULES:
            if where.startswith(one.spared) if one.spared else False:
                continue
            if is_test and one.name in PRODUCT_ONLY:
                continue
            if one.catches(node):
                yield f"{where}:{getattr(node, 'lineno', 0)} {one.name}: {one.why}"


def main() -> int:
    found = []
    for place in ("zhike", "tools", "tests"):
        for path in sorted((ROOT / place).rglob("*.py")):
            if "migrations" not in path.parts and path != Path(__file__).resolve():
                found += list(faults(path))
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
