"""The score of a night: learnt anew once a week, given to all who can still leave, or withheld with its reason."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from zhike.kit.refusal import gettext_noop as _
from zhike.measure.churn import judging, leading, trying
from zhike.measure.churn.findings import Finding
from zhike.measure.churn.scoring import Scorer
from zhike.measure.churn.tables import numbers
from zhike.measure.churn.trying import Given, Trial
from zhike.measure.leaving import gathering
from zhike.measure.leaving.gathering import Past
from zhike.measure.models import ChurnModel
from zhike.measure.specs import ChurnSpec

WEEK = timedelta(days=7)
OFF = 0.05
TOP_COLUMNS = 12

NO_DAYS = _("Facts are kept since too short a time: a day and the %(horizon)s days after it must be over.")
OFF_LINE = _("The score was off by %(ece)s on average on days it had not seen: it is withheld.")
LATE_LINE = _(
    "%(late)s of the %(days)s days were computed afterwards: what was entered late, such as the end of a contract that "
    "was given up, may be in their facts and flatter the score."
)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model of a day: the score, None when withheld, and the card that says how good it is or why there is none."""

    day: date
    made_by: str
    scorer: Scorer | None
    card: dict[str, Any]


def said(known: pa.Table, spec: ChurnSpec | None, today: date) -> tuple[pa.Array, Fitted | None]:
    """Return the churn probability of everybody in `known`, and the model to be kept when it was learnt just now.

    `known` are the facts of the morning of `today`. Who has left already, and everybody while there is no score, is
    unknown.
    """
    nobody = pa.nulls(known.num_rows, pa.float64())
    if spec is None:
        return nobody, None
    made_by = digest(spec)
    kept = in_force(today, made_by)
    fresh = None if kept is not None else fit(spec, today, made_by)
    model = kept or fresh
    if model is None or model.scorer is None:
        return nobody, fresh
    chance = model.scorer.chances(gathering.features(known, spec), known.num_rows)
    here = gathering.with_us(known, today, spec)
    return pa.array(np.round(np.where(here, chance, np.nan), 4), pa.float64(), from_pandas=True), fresh


def digest(spec: ChurnSpec) -> str:
    """Return what a model depends on besides the data."""
    told = json.dumps([spec.model_dump(mode="json"), gathering.FEATURES, 2])
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def in_force(today: date, made_by: str, *, within: timedelta = WEEK) -> Fitted | None:
    """Return the model of the last week; an older one is not used, so that a score is never stale unseen."""
    found = ChurnModel.objects.filter(made_by=made_by, day__lte=today, day__gt=today - within).order_by("-day").first()
    if found is None:
        return None
    scorer = Scorer.of_plain(found.scorer) if found.scorer else None
    return Fitted(found.day, found.made_by, scorer, found.card)


def keep(model: Fitted) -> None:
    """Write a model; the same one again changes nothing."""
    plain = model.scorer.as_plain() if model.scorer else None
    ChurnModel.objects.update_or_create(
        day=model.day, made_by=model.made_by, defaults={"scorer": plain, "card": model.card}
    )


def fit(spec: ChurnSpec, today: date, made_by: str) -> Fitted:
    """Learn from the days kept up to `today`; later ones judge what was learnt from earlier ones."""
    past = gathering.past(spec, today)
    basis: dict[str, Any] = {"spec": spec.model_dump(mode="json"), "day": today.isoformat(), "published": False}
    if past is None:
        why = [_plain(Finding("few_rows", "", NO_DAYS, {"horizon": spec.horizon_days}))]
        return Fitted(today, made_by, None, {**basis, "rows": 0, "findings": why})
    trial = trying.attempt(_given(past, spec))
    card = {**basis, **_card(trial, past)}
    if past.late:
        card["findings"].append(_plain(Finding("late", "", LATE_LINE, {"late": past.late, "days": len(past.days)})))
    if not trial.published or trial.learned is None:
        return Fitted(today, made_by, None, card)
    if card["ece"] > OFF:
        card["findings"].append(_plain(Finding("drift", "", OFF_LINE, {"ece": f"{card['ece']:.1%}"})))
        return Fitted(today, made_by, None, card)
    return Fitted(today, made_by, trial.learned.scorer, {**card, "published": True})


def _given(past: Past, spec: ChurnSpec) -> Given:
    # Facts of a day hold nothing later than it, so none can give the answer away.
    who = numbers("customer", past.customer)
    columns = gathering.learnt_from(past, spec)
    return Given(
        columns,
        past.left,
        "churn",
        who=who,
        moment=past.day,
        trusted=frozenset(columns),
        lag=float(spec.horizon_days),
        signs=gathering.SIGN_OF,
    )


def _card(trial: Trial, past: Past) -> dict[str, Any]:
    found: dict[str, Any] = {
        "from": past.days[0].isoformat(),
        "until": past.days[-1].isoformat(),
        "days": len(past.days),
        "rows": len(past),
        "customers": len(np.unique(past.customer)),
        "left": int(past.left.sum()),
        "base_rate": float(past.left.mean()) if len(past) else None,
        "findings": [_plain(one) for one in trial.findings],
        "excluded": dict(trial.excluded),
    }
    if trial.learned is None:
        return found
    positive, chance = trial.positive, trial.chance
    sample, scorer = trial.sample, trial.learned.scorer
    _base, added = scorer.explain(sample.columns, len(sample))
    weight = np.abs(added - added.mean(axis=0)).mean(axis=0)
    order = np.argsort(-weight, kind="stable")[:TOP_COLUMNS]
    total = float(weight.sum()) or 1.0
    return {
        **found,
        **trial.tried[trial.learned.kind],
        "model": trial.learned.kind,
        "models": {kind: dict(figures) for kind, figures in trial.tried.items()},
        "judged": len(positive),
        "judged_left": int(positive.sum()),
        "calibration": [asdict(one) for one in judging.groups(positive, chance)],
        "lift": judging.lift(positive, chance),
        **leading.ahead(past.after[trial.order][trial.learned.judged.rows], chance),
        "drivers": [{"fact": scorer.design.names[at], "share": float(weight[at] / total)} for at in order],
        "usual": dict(zip(scorer.design.names, added.mean(axis=0).tolist(), strict=True)),
    }


def _plain(finding: Finding) -> dict[str, Any]:
    details = {name: value if isinstance(value, int | float) else str(value) for name, value in finding.details.items()}
    return asdict(replace(finding, details=details))
