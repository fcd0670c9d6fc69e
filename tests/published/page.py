"""`python -m tests.published` writes docs/reference/accuracy.md: published figures beside those computed now."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from tests.published import campaigns, counted, covariates, desks, texts
from tests.published import churn as leaving
from tests.published import customer_value as value
from tests.published.rows import ROOT, Published, published

PLACE = ROOT / "docs" / "reference" / "accuracy.md"
SOURCES = {
    "clv_cdnow_sample": "CDNOW, 2,357 customers, 39 weeks and 39 weeks after",
    "clv_donations": "Donations, 11,104 people, 6 yearly occasions",
    "clv_apparel": "Apparel, 600 customers, 104 weeks",
}


def customer_value() -> str:
    """Return the part about customer value."""
    parts = [
        "## Customer value",
        "",
        "BG/NBD, MBG/NBD, Pareto/NBD, GGompertz/NBD, Gamma-Gamma and BG/BB, fitted here from the purchases",
        "themselves, in weeks.",
    ]
    for dataset, title in SOURCES.items():
        rows = published(dataset)
        covered = [row for row in rows if row.id in value.OURS]
        parts += ["", f"### {title}", "", *table(covered, value.OURS)]
        parts += notes(value.NOTES, covered)
    return "\n".join(parts) + "\n"


def with_covariates() -> str:
    """Return the part about customer value by what is known of customers."""
    rows = [row for row in published(*covariates.DATASETS) if row.id in covariates.OURS]
    parts = [
        "### Apparel, with gender and channel",
        "",
        "Pareto/NBD whose rates depend on what is known of each customer (`ParetoNBDWithCovariates`): γ above 0",
        "buys more (`trans`) or leaves sooner (`life`).",
        "",
        *table(rows, covariates.OURS),
        *notes(covariates.NOTES, rows),
    ]
    return "\n".join(parts) + "\n"


def notes(said: Mapping[str, str], rows: list[Published]) -> list[str]:
    """Return what must be known to read figures of these rows."""
    here = {row.id for row in rows}
    return [line for ids, note in said.items() if set(ids.split(", ")) & here for line in ("", f"{ids}: {note}.")]


CHURN = {
    "churn_telco": "IBM Telco, 7,043 customers, five folds",
    "churn_saas_survival": "SaaS accounting product, 2,000 accounts, five folds",
}


def churn() -> str:
    """Return the part about who leaves."""
    parts = [
        "## Who leaves",
        "",
        "Logistic regression and gradient boosting of `zhike lab churn`, each row judged by a model that never saw it.",
    ]
    for dataset, title in CHURN.items():
        rows = published(dataset)
        covered = [row for row in rows if row.id in leaving.OURS]
        parts += ["", f"### {title}", "", *table(covered, leaving.OURS)]
        parts += notes(leaving.NOTES, covered)
    return "\n".join(parts) + "\n"


def campaigns_drawn() -> str:
    """Return the part about the effect of a campaign on who was drawn by lot."""
    said = [
        "`zhike lab effect` on Hillstrom's e-mail challenge: 64,000 customers, a third each sent a men's e-mail, a",
        "women's or none. Rates are in per cent; who responds is learnt by the difference of two logistic regressions.",
    ]
    return _part("## What a campaign did", said, campaigns)


def desks_logged() -> str:
    """Return the part about logs of help desks."""
    said = ["Two logs of events: 3,804 tickets of a software company, and 12,461 incidents of an IT company."]
    return _part("## Help desks", said, desks)


def counted_of_tables() -> str:
    """Return the part about counts and means of tables."""
    return _part("### Counts and means of tables", ["Bookings of a hotel and opportunities of a seller."], counted)


class Figures(Protocol):
    """A module of figures by the id of a row."""

    @property
    def DATASETS(self) -> Sequence[str]: ...  # noqa: N802  A constant of the module.
    @property
    def OURS(self) -> Mapping[str, Callable[[], list[float]]]: ...  # noqa: N802  The same.
    @property
    def NOTES(self) -> Mapping[str, str]: ...  # noqa: N802  The same.


def _part(title: str, said: list[str], held: Figures) -> str:
    rows = published(*held.DATASETS)
    return "\n".join([title, "", *said, "", *table(rows, held.OURS), *notes(held.NOTES, rows)]) + "\n"


def table(rows: list[Published], ours: Mapping[str, Callable[[], list[float]]]) -> list[str]:
    """Return the lines of a table of published figures beside ours."""
    lines = ["| | what | published | tolerance | ours |", "|---|---|---|---|---|"]
    for row in rows:
        found = " ".join(map(shown, ours[row.id]()))
        lines.append(f"| {row.id} | {row.quantity.replace('|', '/')} | {row.value} | {row.tolerance} | {found} |")
    return lines


FIGURE = re.compile(r"\d[\d,]*\.?\d*")


def figures(text: str) -> list[float]:
    """Return the figures of a text; what a model learnt may differ by processor in the last digit of some."""
    return [float(found.replace(",", "")) for found in FIGURE.findall(text)]


def words(text: str) -> str:
    """Return a text without its figures."""
    return FIGURE.sub("…", text)


def shown(number: float) -> str:
    """Return a figure with the digits that do not depend on the processor."""
    return f"{number:.6g}" if abs(number) < 1000 else f"{number:.3f}"


PARTS: dict[str, Callable[[], str]] = {
    "customer value": customer_value,
    "covariates": with_covariates,
    "churn": churn,
    "campaigns": campaigns_drawn,
    "desks": desks_logged,
    "texts": texts.part,
    "texts elsewhere": texts.elsewhere,
    "counted": counted_of_tables,
}


def part(name: str) -> str:
    """Return what the page says in a part, "" when it has none."""
    found = re.search(f"{re.escape(_mark(name))}\n(.*?){re.escape(_mark('end'))}", _page(), re.DOTALL)
    return found[1] if found else ""


def _mark(name: str) -> str:
    return f"<!-- {name} -->"


def _page() -> str:
    return PLACE.read_text(encoding="utf-8") if PLACE.exists() else ""


def put(name: str, written: str) -> None:
    """Write one part anew, and leave what stands around it."""
    text, new = _page(), f"{_mark(name)}\n{written}{_mark('end')}"
    text = text.replace(f"{_mark(name)}\n{part(name)}{_mark('end')}", new) if part(name) else f"{text}\n{new}\n"
    PLACE.write_text(text, encoding="utf-8")


def write(parts: Sequence[str] = ()) -> None:
    """Write the parts anew, all of them unless some are named, and leave what stands around them."""
    for name, written in PARTS.items():
        if not parts or name in parts:
            put(name, written())
