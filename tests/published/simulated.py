"""`ZHIKE_HOME=DEMO python -m tests.published.simulated` writes how near scores come to the truth of a demo company.

The demo company (`zhike demo`) comes out of a model that the product does not see. Its hidden state of the last month
says how likely each customer is to leave within the horizon; the score of the last morning is held to that.
"""

from __future__ import annotations

import os
from typing import Any

import django
import numpy as np
import pyarrow as pa
from pyarrow import parquet
from scipy.stats import spearmanr

from zhike import home

GROUPS = 5
MONTH = 45
"""Terms of at most so many days are monthly ones."""


def told() -> dict[str, Any]:
    """Return the figures of the company in this data folder: the card, and the score against the true chance."""
    from zhike.measure import snapshots  # noqa: PLC0415  Needs Django to be set up.
    from zhike.measure.models import ChurnModel, FactsDay  # noqa: PLC0415  The same.

    day = FactsDay.objects.order_by("-day")[0]
    card = ChurnModel.objects.order_by("-day", "-pk")[0].card
    names = ["customer_id", "ref", "churn_probability", "health", "days_to_renewal", "contract_days", "mrr"]
    facts = snapshots.read(day, names)
    truth = parquet.read_table(home.folder() / "demo" / "truth.parquet", columns=["customer", "month", "hazard"])
    last = truth.filter(pa.compute.equal(truth["month"], pa.compute.max(truth["month"])))
    hazard = dict(zip(last["customer"].to_pylist(), last["hazard"].to_pylist(), strict=True))
    rows = [row for row in facts.to_pylist() if row["churn_probability"] is not None and row["ref"] in hazard]
    said = np.array([row["churn_probability"] for row in rows])
    yearly = np.array([hazard[row["ref"]] for row in rows])
    horizon = int(card["spec"]["horizon_days"])
    chance = 1 - np.exp(-yearly * np.array([_days(row, horizon) for row in rows]) / 365)
    due = chance > 0
    health = np.array([float(row["health"]) if row["health"] is not None else np.nan for row in rows])
    known = ~np.isnan(health)
    order = np.array_split(np.argsort(said, kind="stable"), GROUPS)
    return {
        "day": day.day.isoformat(),
        "card": card,
        "customers": len(rows),
        "said": float(said.mean()) if len(rows) else float("nan"),
        "true": float(chance.mean()) if len(rows) else float("nan"),
        "error": float(sum(abs(said[part].mean() - chance[part].mean()) * len(part) for part in order) / len(rows))
        if len(rows)
        else float("nan"),
        "groups": [(len(part), float(said[part].mean()), float(chance[part].mean())) for part in order if len(part)],
        "rank": float(spearmanr(said, chance).statistic) if len(rows) else float("nan"),
        "rank_due": float(spearmanr(said[due], yearly[due]).statistic) if due.sum() > 2 else float("nan"),
        "rank_health": float(spearmanr(-health[known], yearly[known]).statistic) if known.sum() > 2 else float("nan"),
    }


def _days(row: dict[str, Any], horizon: int) -> float:
    """Return for how many days of contract a customer decides anew within the horizon."""
    until, term = row["days_to_renewal"], row["contract_days"] or 0
    if until is None or until > horizon:
        return 0.0
    return float(term * ((horizon - until) // term + 1)) if 0 < term <= MONTH else float(term)


def written(found: dict[str, Any]) -> str:
    """Return the part of the page."""
    card = found["card"]
    lines = [
        "## The simulated company",
        "",
        f"`zhike demo --today {found['day']}`: {found['customers']:,} customers who can still leave.",
        f"Their true chance of leaving within {card['spec']['horizon_days']} days follows from their hidden state",
        "(see [the demo](demo.md)).",
        "",
        "| what | figure |",
        "|---|---|",
    ]
    if "auc" in card:
        lines += [
            f"| learnt from | {card['rows']:,} rows of {card['days']} days, {card['left']:,} left |",
            f"| AUC on later days | {card['auc']:.3f} ({card['auc_low']:.3f} – {card['auc_high']:.3f}) |",
            f"| calibration error on later days | {card['ece']:.4f} |",
        ]
    lines += [f"| warned | {one['message'] % one['details']} |" for one in card["findings"]]
    if found["customers"]:
        lines += [
            f"| mean score, mean true chance | {found['said']:.4f}, {found['true']:.4f} |",
            f"| distance of score and true chance, by fifths of the score | {found['error']:.4f} |",
            f"| rank correlation with the true chance | {found['rank']:.3f} |",
            f"| the same with the true hazard, where a contract comes up | {found['rank_due']:.3f} |",
            f"| rank correlation of low health with the true hazard | {found['rank_health']:.3f} |",
        ]
    if "drivers" in card:
        lines.append(f"| strongest drivers | {', '.join(one['fact'] for one in card['drivers'][:6])} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the part anew."""
    with home.database():
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhike.settings")
        django.setup()
        from tests.published import page  # noqa: PLC0415  Needs Django to be set up.

        page.put("simulated company", written(told()))


if __name__ == "__main__":
    main()
