"""Everything in a row: which columns may be used, what is wrong with them, what can be learnt, how good it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from zhike.kit.refusal import gettext_noop as _
from zhike.measure.churn import drifts, judging, leaks, learning, names, scales
from zhike.measure.churn.findings import Finding
from zhike.measure.churn.learning import Learned, Sample
from zhike.measure.churn.tables import Column, Flags, Floats, Rows

FEW = 50
LEAST_TO_PUBLISH = 20
LATE = 2 / 3

TOO_FEW = _("Only %(rarer)s of %(rows)s rows have the rarer answer: too few to learn from, so there is no score.")
WIDE = _("Only %(rarer)s of %(rows)s rows have the rarer answer: every figure here is uncertain.")
NO_SIGNAL = _("No column tells who will leave better than chance (AUC %(low)s – %(high)s): there is no score.")
NOTHING_LEFT = _("No column is left to learn from: there is no score.")

ID, CONSTANT, EMPTY, PROSE = "id", "constant", "empty", "prose"


@dataclass(frozen=True, slots=True)
class Given:
    """Rows as they stand in a file; `positive` are those who left, `moment` the time of each row or None."""

    columns: Mapping[str, Column]
    positive: Flags
    label: str
    who: Column | None = None
    moment: Floats | None = None
    trusted: frozenset[str] = frozenset()
    """Columns known not to give the answer away and not to be damaged in part, as facts of our own are."""
    lag: float = 0.0
    """How long after its moment the answer of a row is known."""
    signs: Mapping[str, int] = field(default_factory=dict)
    """Columns of which more may only raise (1) or only lower (-1) the score."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it. `positive` and `chance` are of the rows judged on: unseen ones, or those of the test file."""

    sample: Sample
    order: Rows
    """Where the rows of the sample stood in the file."""
    excluded: Mapping[str, str]
    """Columns not learnt from, with the reason: id, constant, empty, prose, leak or scale."""
    findings: list[Finding]
    learned: Learned | None
    positive: Flags = field(default_factory=lambda: np.zeros(0, dtype=bool))
    chance: Floats = field(default_factory=lambda: np.zeros(0))
    tried: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The figures of each model on the rows judged on."""

    @property
    def published(self) -> bool:
        """Whether the score may be used."""
        told = {one.kind for one in self.findings}
        return self.learned is not None and "no_signal" not in told and self.sample.rarer >= LEAST_TO_PUBLISH


def attempt(given: Given, test: Given | None = None) -> Trial:
    """Learn from what is given and judge on unseen rows, or on the rows of `test` if they have answers."""
    return _learnt(looked_through(given, test), given, test)


def looked_through(given: Given, test: Given | None = None) -> Trial:
    """Return what can be learnt from and what is wrong with the columns; nothing is learnt yet."""
    excluded = {column.name: why for column in given.columns.values() if (why := _unusable(column, given.trusted))}
    findings: list[Finding] = []
    who = given.who
    for name, why in excluded.items():
        if why == ID:
            findings += [said for said in (leaks.of_ids(given.columns[name], given.positive),) if said]
            who = given.columns[name] if who is None and names.is_customer(given.columns[name]) else who
    if given.who is not None:
        findings += [said for said in (leaks.of_ids(given.who, given.positive),) if said]
    usable = {name: column for name, column in given.columns.items() if name not in excluded}
    sample, order = learning.sample(usable, given.positive, who=who, moment=given.moment)
    sample = replace(sample, lag=given.lag, signs=given.signs)
    doubtful = sample.without(set(given.trusted)).columns
    leaking = leaks.find(doubtful, sample.positive, given.label, sample.group)
    findings += leaking
    excluded.update({one.column: "leak" for one in findings if one.column in given.columns})
    sample = sample.without(set(excluded))
    doubtful = sample.without(set(given.trusted)).columns
    damaged = scales.inside(doubtful, {name: given.columns[name].values for name in doubtful})
    if test is not None:
        damaged += [one for one in scales.between(sample.columns, test.columns) if not _known(one, damaged)]
    elif given.moment is not None:
        early, late = halves(sample)
        damaged += [one for one in scales.between(early.columns, late.columns) if not _known(one, damaged)]
    findings += damaged
    excluded.update({one.column: "scale" for one in damaged})
    sample = sample.without(set(excluded))
    order_of = [name for name in given.columns if name in excluded]
    return Trial(sample, order, {name: excluded[name] for name in order_of}, findings, None)


def _known(finding: Finding, found: list[Finding]) -> bool:
    return any(one.column == finding.column for one in found)


def _unusable(column: Column, trusted: frozenset[str] = frozenset()) -> str:
    if column.missing.all():
        return EMPTY
    if column.distinct() < 2 and not column.missing.any():
        return CONSTANT
    if column.name in trusted:
        return ""
    if names.is_id(column):
        return ID
    return PROSE if names.is_prose(column) else ""


def halves(sample: Sample) -> tuple[Sample, Sample]:
    """Return the rows before, and those from, the time at which two thirds are over."""
    moment = np.asarray(sample.moment)
    edge = np.quantile(moment, LATE)
    return sample.taken(np.flatnonzero(moment < edge)), sample.taken(np.flatnonzero(moment >= edge))


def _learnt(trial: Trial, given: Given, test: Given | None) -> Trial:
    sample, findings = trial.sample, list(trial.findings)
    counts = {"rarer": sample.rarer, "rows": len(sample)}
    if not sample.columns:
        return replace(trial, findings=[*findings, Finding("no_signal", "", NOTHING_LEFT)])
    learned = learning.learn(sample) if sample.rarer >= learning.LEAST_TO_LEARN else None
    if sample.rarer < FEW:
        message = WIDE if learned is not None and sample.rarer >= LEAST_TO_PUBLISH else TOO_FEW
        findings.append(Finding("few_rows", given.label, message, counts))
    if learned is None:
        if sample.rarer >= FEW:
            findings.append(Finding("few_rows", given.label, TOO_FEW, counts))
        return replace(trial, findings=findings)
    judged = learned.judged
    findings += _weak(judged.positive, judged.chances(learned.kind), judged.customer)
    tried = {kind: judged.figures(kind) for kind in judged.log_odds}
    result = replace(
        trial,
        learned=learned,
        positive=judged.positive,
        chance=judged.chances(learned.kind),
        tried=tried,
        findings=findings,
    )
    if test is not None:
        return _tested(result, given, test)
    if given.moment is not None:
        early, late = halves(sample)
        return replace(result, findings=[*findings, *_moved(given.label, early, late)])
    return result


def _weak(positive: Flags, chance: Floats, customer: npt.NDArray[np.uint64] | None) -> list[Finding]:
    area = judging.auc(positive, chance, customer)
    base = np.full(len(positive), positive.mean())
    if area.low > 0.5 and judging.log_loss(positive, chance) < judging.log_loss(positive, base):
        return []
    return [Finding("no_signal", "", NO_SIGNAL, {"low": f"{area.low:.2f}", "high": f"{area.high:.2f}"})]


def _moved(label: str, old: Sample, new: Sample) -> list[Finding]:
    if not len(old) or not len(new):
        return []
    found = drifts.columns(old.columns, new.columns)
    apart = None if found else drifts.told_apart(old, new)
    moved = drifts.rate(label, old.positive, new.positive)
    return [*found, *(one for one in (apart, moved) if one)]


def _tested(trial: Trial, given: Given, test: Given) -> Trial:
    learned, sample = trial.learned, trial.sample
    if learned is None:
        return trial
    columns = {name: test.columns[name] for name in sample.columns if name in test.columns}
    rows = len(next(iter(test.columns.values())))
    newer = Sample(columns, test.positive, np.zeros(rows, dtype=np.uint64))
    findings = list(trial.findings)
    answered = len(test.positive) == rows and bool(test.positive.any()) and not test.positive.all()
    if not answered:
        newer = Sample(columns, np.zeros(rows, dtype=bool), newer.group)
        moved = _moved(given.label, sample, newer)
        return replace(trial, findings=findings + [one for one in moved if one.column != given.label])
    findings += _moved(given.label, sample, newer)
    chance = learned.scorer.chances(columns, rows)
    before = learned.judged.figures(learned.kind)
    known = judging.Auc(before["auc"], before["auc_low"], before["auc_high"])
    findings += drifts.score(given.label, test.positive, chance, known)
    if not any(one.kind == "no_signal" for one in findings) and newer.rarer >= LEAST_TO_PUBLISH:
        low = judging.auc(test.positive, chance)
        if low.low <= 0.5:
            details = {"low": f"{low.low:.2f}", "high": f"{low.high:.2f}"}
            findings.append(Finding("no_signal", "", NO_SIGNAL, details))
    other = next(kind for kind in learned.judged.log_odds if kind != learned.kind)
    spare = learning.fit(sample, np.arange(len(sample)), other)
    slope, shift = learned.judged.calibration[other]
    spare = replace(spare, slope=slope, shift=shift)
    tried = {
        learned.kind: learning.figures(test.positive, chance),
        other: learning.figures(test.positive, spare.chances(columns, rows)),
    }
    return replace(trial, findings=findings, positive=test.positive, chance=chance, tried=tried)
