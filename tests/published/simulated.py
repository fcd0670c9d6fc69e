"""`ZHIKE_HOME=DEMO python -m tests.published.simulated` writes how near scores come to the truth of a demo company.

The demo company (`zhike demo`) comes out of a model that the product does not see. Its hidden state of the last month
says how likely each customer is to leave within the horizon, and why; the scores of the last morning and what they say
of it are held to that.

Like is compared with like. A customer leaves when a contract comes up and at no other time, so the churn score is held
to the true chance of leaving within its horizon: nothing for who has no contract coming up, the yearly hazard for a
contract of a year, a twelfth of it for each month that is decided anew. Health knows no horizon and is held to the
hazard itself; where both speak of the same thing, among contracts of a year that come up, they stand side by side.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet
from scipy.stats import spearmanr

from zhike import home

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
GROUPS = 5
YEAR, MONTH = 365.0, 30.0
FELL = 0.12
"""A fall of engagement, which lies between 0 and 1, over three months that people would notice."""
LOWEST = 0.2

USE = {"usage_30d", "usage_90d", "usage_change_30d", "usage_change_90d", "users_30d", "active_days_30d"}
USE |= {"active_weeks_13w", "logins_per_week", "features_30d", "features_ever", "days_since_usage", "recency_days"}
VOICE = {"last_nps", "negative_feedback_90d", "last_sentiment"}
RENEWAL = {"days_to_renewal"}


@dataclass(frozen=True)
class Cause:
    """A true cause by the hidden state, the facts that show it, and who is asked about."""

    name: str
    facts: set[str]
    has: Flags
    asked: Flags

    def named(self, drivers: Sequence[set[str]]) -> tuple[int, float, float]:
        """Return how many have the cause, and the share whose drivers name it: of them, and of the others asked."""
        said = np.array([bool(self.facts & one) for one in drivers])
        with_it, without = self.has & self.asked, ~self.has & self.asked
        return int(with_it.sum()), _mean(said[with_it]), _mean(said[without])


@dataclass(frozen=True)
class Company:
    """The customers who can still leave on the last morning: what is said of them, and what is true."""

    day: str
    card: dict[str, Any]
    said: Floats
    health: Floats
    until: Floats
    """Days to the end of the contract; NaN where it runs on by the month."""
    hazard: Floats
    causes: list[Cause]
    drivers: list[set[str]]
    """The facts that raise the score of each most, by name."""

    @property
    def chance(self) -> Floats:
        """The true chance of leaving within the horizon."""
        horizon = self.card["spec"]["horizon_days"]
        by_month = np.floor(horizon / MONTH) * MONTH / YEAR
        decided = np.where(np.isnan(self.until), by_month, np.where(self.until <= horizon, 1.0, 0.0))
        found: Floats = 1 - np.exp(-self.hazard * decided)
        return found

    @property
    def due(self) -> Flags:
        """Whose contract of a year comes up within the horizon."""
        found: Flags = ~np.isnan(self.until) & (self.chance > 0)
        return found


def company(folder: Path) -> Company:
    """Return the company whose data folder is in use; its hidden truth lies in `folder`."""
    from zhike.measure import snapshots  # noqa: PLC0415  Needs Django to be set up.
    from zhike.measure.leaving import telling  # noqa: PLC0415  The same.
    from zhike.measure.models import ChurnModel, FactsDay  # noqa: PLC0415  The same.
    from zhike.measure.specs import ChurnSpec  # noqa: PLC0415  The same.

    day = FactsDay.objects.order_by("-day")[0]
    card = ChurnModel.objects.order_by("-day", "-pk")[0].card
    names = ["customer_id", "ref", "churn_probability", "health", "days_to_renewal", "last_nps"]
    table = snapshots.read(day, names)
    truth = parquet.read_table(folder / "truth.parquet")
    months = sorted(set(truth["month"].to_pylist()))
    hidden = {month: _hidden(truth, month) for month in (months[-1], months[-4])}
    rows = [
        row for row in table.to_pylist() if row["churn_probability"] is not None and row["ref"] in hidden[months[-1]]
    ]
    now = [hidden[months[-1]][row["ref"]] for row in rows]
    before = [hidden[months[-4]].get(row["ref"]) for row in rows]
    told = telling.raising([row["customer_id"] for row in rows], ChurnSpec(**card["spec"]), day.day, "en")

    def of(name: str) -> Floats:
        return np.array([np.nan if row[name] is None else float(row[name]) for row in rows])

    found = Company(
        day=day.day.isoformat(),
        card=card,
        said=of("churn_probability"),
        health=of("health"),
        until=of("days_to_renewal"),
        hazard=np.array([one["hazard"] for one in now]),
        causes=[],
        drivers=[{one.fact for one in told.get(row["customer_id"], [])} for row in rows],
    )
    found.causes.extend(_causes(found, now, before, answered=~np.isnan(of("last_nps"))))
    return found


def _hidden(truth: pa.Table, month: Any) -> dict[str, dict[str, Any]]:
    rows = truth.filter(pc.equal(truth["month"], pa.scalar(month))).to_pylist()
    return {row["customer"]: row for row in rows}


def _causes(found: Company, now: list[dict[str, Any]], before: list[Any], *, answered: Flags) -> list[Cause]:
    engaged = np.array([row["engagement"] for row in now])
    earlier = np.array([row["engagement"] if row else np.nan for row in before])
    pleased = np.array([row["satisfaction"] for row in now])
    struck = np.array([row["worst"] is not None for row in now])
    blows = np.array([row["blows"] for row in now])
    everybody = np.ones(len(now), dtype=bool)
    known = ~np.isnan(earlier)
    fell = known & (engaged - np.where(known, earlier, engaged) <= -FELL)
    unhappy = pleased <= np.quantile(pleased, LOWEST)
    return [
        Cause("a contract comes up, or is decided each month", RENEWAL, found.chance > 0, everybody),
        Cause("use is among the lowest fifth", USE, engaged <= np.quantile(engaged, LOWEST), everybody),
        Cause("use fell within three months", USE, fell, known),
        Cause("satisfaction is among the lowest fifth", USE | VOICE, unhappy, everybody),
        Cause("the same, by an answer or a complaint", VOICE, unhappy, answered),
        Cause("something bad befell it", USE | VOICE, struck & (blows <= -1), ~struck | (blows <= -1)),
    ]


def _mean(values: Flags) -> float:
    return float(values.mean()) if len(values) else float("nan")


def rank(one: Floats, other: Floats, among: Flags) -> float:
    """Return the rank correlation (Spearman) among some customers."""
    among = among & ~np.isnan(one) & ~np.isnan(other)
    return float(spearmanr(one[among], other[among]).statistic) if among.sum() > 2 else float("nan")


def error(found: Company) -> float:
    """Return the distance of score and true chance on average, by fifths of the score."""
    order = np.array_split(np.argsort(found.said, kind="stable"), GROUPS)
    apart = [abs(found.said[part].mean() - found.chance[part].mean()) * len(part) for part in order]
    return float(sum(apart) / len(found.said))


def written(found: Company) -> str:
    """Return the part of the page."""
    card = found.card
    horizon = card["spec"]["horizon_days"]
    by_month = np.isnan(found.until)
    everybody = np.ones(len(found.said), dtype=bool)
    lines = [
        "## The simulated company",
        "",
        f"`zhike demo --today {found.day}`: {len(found.said):,} customers who can still leave. Their true chance of",
        f"leaving within {horizon} days follows from their hidden state (see [the demo](demo.md)): nothing where no",
        "contract comes up, the yearly hazard where one of a year does, a share of it where it is paid by the month.",
        "",
        "| what | figure |",
        "|---|---|",
        f"| learnt from | {card['rows']:,} rows of {card['days']} days, {card['left']:,} left |",
        f"| AUC on later days | {card['auc']:.3f} ({card['auc_low']:.3f} – {card['auc_high']:.3f}) |",
        f"| calibration error on later days | {card['ece']:.4f} |",
    ]
    lines += [f"| warned | {one['message'] % one['details']} |" for one in card["findings"]]
    lines += [
        f"| mean score, mean true chance | {found.said.mean():.4f}, {found.chance.mean():.4f} |",
        f"| distance of score and true chance, by fifths of the score | {error(found):.4f} |",
        f"| rank correlation of the score with the true chance | {rank(found.said, found.chance, everybody):.3f} |",
        f"| among contracts of a year that come up: score | {rank(found.said, found.chance, found.due):.3f} |",
        f"| the same: low health | {rank(-found.health, found.chance, found.due):.3f} |",
        f"| among those paid by the month: score | {rank(found.said, found.chance, by_month):.3f} |",
        f"| the same: low health | {rank(-found.health, found.chance, by_month):.3f} |",
        f"| low health with the true hazard, everybody | {rank(-found.health, found.hazard, everybody):.3f} |",
        "",
        "What is true of a customer by the hidden state, and whether the three facts that raise its score most say so:",
        "",
        "| true cause | customers | named | named where it is not true |",
        "|---|---|---|---|",
    ]
    for cause in found.causes:
        many, named, otherwise = cause.named(found.drivers)
        lines.append(f"| {cause.name} | {many:,} | {100 * named:.0f} % | {100 * otherwise:.0f} % |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the part anew."""
    with home.database():
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhike.settings")
        django.setup()
        from tests.published import page  # noqa: PLC0415  Needs Django to be set up.

        page.put("simulated company", written(company(home.folder() / "demo")))


if __name__ == "__main__":
    main()
