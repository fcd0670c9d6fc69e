"""Rows of a column that stand a factor, or a sign, off what the other columns foretell."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import numpy.typing as npt

from zhike.kit.refusal import gettext_noop as _
from zhike.measure.churn.findings import Finding
from zhike.measure.churn.tables import Column, Flags, Floats, Rows

LEAST, FEWEST, FEWEST_KNOWN = 30, 8, 200
SHARE = 0.005
COMPARED = 2_500
SAMPLED = 10_000
NAMES = 8
HELPERS = 12
"""Columns that foretell another one: with all of a wide table every value would be foretold, the damaged ones too."""
KNOWN = (10.0, 12.0, 24.0, 60.0, 100.0, 365.0, 1e3, 3600.0, 1e4, 86_400.0)
APART, APART_UNKNOWN = 4.0, 4.4
"""How many deviations two heaps are apart, by a factor that is known and by any other."""
UNKNOWN_FROM = 2.5
CODES_FROM = 1e6

INSIDE = _("%(rows)s rows of %(column)s are on another scale, about %(factor)s times the rest. It is left out.")
UNSIGNED = _("%(rows)s rows of %(column)s seem to have lost their minus signs. It is left out.")


class Among:
    """The columns of a table side by side, for asking what all others foretell of one."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self.columns = columns
        rows = len(next(iter(columns.values()))) if columns else 0
        self.at: Rows = np.arange(0, rows, max(1, rows // SAMPLED))

    @cached_property
    def owners(self) -> npt.NDArray[np.object_]:
        """Of each column of the views, the name of the column it is of."""
        return np.array(
            [
                one.name
                for one in self.columns.values()
                for _part in range(1 if one.kind != "category" else len(one.names) if len(one.names) <= NAMES else 0)
            ],
            dtype=object,
        )

    @cached_property
    def plain(self) -> Floats:
        return self._view(logs=False)

    @cached_property
    def logs(self) -> Floats:
        return self._view(logs=True)

    def _view(self, *, logs: bool) -> Floats:
        parts = []
        for one in self.columns.values():
            if one.kind == "category":
                if len(one.names) <= NAMES:
                    parts.append((one.codes[self.at][:, None] == np.arange(len(one.names))).astype(np.float64))
                continue
            held = one.values[self.at]
            held = np.where(np.isnan(held), np.nanmedian(held) if not np.isnan(held).all() else 0.0, held)
            parts.append((np.sign(held) * np.log1p(np.abs(held)) if logs else held)[:, None])
        found = np.hstack(parts)
        deviation = found.std(axis=0)
        standard: Floats = (found - found.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
        return standard

    def view(self, name: str, rows: Rows, target: Floats, *, logs: bool) -> Floats:
        """Return the few columns that go most with the target on these rows of the sample, and a constant."""
        whole = self.logs if logs else self.plain
        others = np.flatnonzero(self.owners != name)
        # By ranks, so that damaged rows do not choose.
        place = np.argsort(np.argsort(target)) - (len(target) - 1) / 2
        held = whole[np.ix_(rows, others)]
        norm = held.std(axis=0) * place.std() * len(rows)
        together = np.abs((held - held.mean(axis=0)).T @ place) / np.where(norm > 0, norm, np.inf)
        chosen = np.argsort(-together, kind="stable")[: min(HELPERS, len(rows) // (2 * LEAST))]
        return np.hstack([np.ones((len(rows), 1)), held[:, chosen]])


def said(column: Column, among: Among) -> Finding | None:
    """Return what is wrong with a share of the rows of a number, if the other columns tell."""
    values = column.values[among.at]
    known = np.flatnonzero(~np.isnan(values) & (values != 0))
    if len(known) < max(FEWEST_KNOWN, 0.3 * len(values)) or len(among.owners) < 2:
        return None
    rows = known[:: max(1, len(known) // COMPARED)]
    held = values[rows]
    if 0.005 < float((held < 0).mean()) < 0.995:
        return _lost_minus(column, held, rows, among)  # Small numbers are natural where numbers pass through nought.
    target = np.log(np.abs(held))
    residual = _residual(target, among.view(column.name, rows, target, logs=True))
    heaps = _two_heaps(residual, target)
    if heaps is None:
        return None
    odd, factor = heaps
    if not _named(factor) and (held % 1 == 0).all() and np.median(held) >= CODES_FROM:
        return None  # Numbers of things, such as bar codes, come in heaps.
    if explained(_wide(odd, among.at[rows], len(column)), among.columns, column.name):
        return None
    many = round(odd.mean() * int((~np.isnan(column.values) & (column.values != 0)).sum()))
    return Finding("scale", column.name, INSIDE, {"column": column.name, "rows": many, "factor": shown(factor)})


def _two_heaps(residual: Floats, target: Floats) -> tuple[Flags, float] | None:
    """Return which rows are off and by what factor, when the residuals lie in two heaps with nothing between them."""
    order = np.sort(residual)
    size = len(order)
    least = max(FEWEST, int(SHARE * size))
    sums = np.cumsum(order)
    below = np.arange(1, size)
    # The edge at which the two sides lie closest around their middles (two means in one dimension).
    gain = sums[:-1] ** 2 / below + (sums[-1] - sums[:-1]) ** 2 / (size - below)
    gain[: least - 1] = gain[size - least :] = -np.inf
    at = int(np.argmax(gain))
    edge = (order[at] + order[at + 1]) / 2
    lower, upper = residual <= edge, residual > edge
    step = float(np.median(residual[upper]) - np.median(residual[lower]))
    spread = _spread(np.concatenate([part - np.median(part) for part in (residual[lower], residual[upper])]))
    odd = upper if upper.sum() < lower.sum() else lower
    factor = float(np.exp(step if odd is upper else -step))
    named = _named(factor)
    if step < (APART if named else APART_UNKNOWN) * spread or step < np.log(UNKNOWN_FROM):
        return None
    middle = (np.median(residual[upper]) + np.median(residual[lower])) / 2
    between = np.abs(residual - middle) < 0.15 * step
    sides = [_spread(residual[part] - np.median(residual[part])) for part in (lower, upper)]
    alike = max(sides) < 2.5 * min(sides) + 0.02
    if between.sum() > 0.15 * odd.sum() or not alike:
        return None
    if not _fits(target[odd] - np.log(named or factor), target[~odd]):
        return None
    return odd, named or factor


def _named(factor: float) -> float | None:
    for known in KNOWN:
        for one in (known, 1 / known):
            if abs(np.log(factor / one)) < 0.06 * abs(np.log(one)) + 0.02:
                return one
    return None


def _spread(values: Floats) -> float:
    return 1.4826 * float(np.median(np.abs(values))) + 0.01


def _fits(brought_back: Floats, rest: Floats) -> bool:
    """Say whether values, brought back to the usual scale, lie where values usually do."""
    low, high = np.quantile(rest, [0.002, 0.998])
    return bool(((brought_back >= low - 0.05) & (brought_back <= high + 0.05)).mean() > 0.9)


def _wide(odd: Flags, at: Rows, rows: int) -> tuple[Flags, Rows]:
    found = np.zeros(rows, dtype=bool)
    found[at] = odd
    return found, at


def explained(odd: tuple[Flags, Rows], columns: Mapping[str, Column], own: str) -> bool:
    """Say whether another column tells which rows are on the other scale, as a plan or a country does."""
    wanted, at = odd
    held = wanted[at]
    for other in columns.values():
        if other.name == own or other.distinct() > LEAST:
            continue
        codes = other.codes if other.kind == "category" else np.unique(other.values, return_inverse=True)[1]
        codes = codes[at]
        size = np.bincount(codes + 1)
        share = np.bincount(codes + 1, weights=held) / np.maximum(1, size)
        # How much of the spread of the odd rows the column takes away.
        total = float(held.mean() * (1 - held.mean()))
        rest = float((size * share * (1 - share)).sum() / len(held))
        if total and rest < 0.6 * total:
            return True
    return False


def _lost_minus(column: Column, held: Floats, rows: Rows, among: Among) -> Finding | None:
    if not 0.01 < float((held < 0).mean()) < 0.99:
        return None
    residual = _residual(held, among.view(column.name, rows, held, logs=False))
    tight = 1.4826 * float(np.median(np.abs(residual))) + 1e-9
    foretold = held - residual
    far = np.abs(residual) > 6 * tight
    turned = far & (held > 0) & (foretold < -3 * tight) & (np.abs(held + foretold) < 4 * tight)
    if turned.sum() >= max(FEWEST, SHARE * len(rows)) and turned.sum() >= 0.7 * far.sum():
        return Finding("scale", column.name, UNSIGNED, {"column": column.name, "rows": int(turned.sum())})
    return None


def _residual(target: Floats, view: Floats) -> Floats:
    """Return the distance to a line through the middle: of least distances first, then without the farthest."""
    ridge = 1e-6 * len(target) * np.eye(view.shape[1])
    residual: Floats = target - np.median(target)
    for _round in range(7):
        heavy = view.T / np.maximum(np.abs(residual), 0.02)
        residual = target - view @ np.linalg.solve(heavy @ view + ridge, heavy @ target)
    for _round in range(3):
        kept = np.abs(residual) < 3 * 1.4826 * float(np.median(np.abs(residual))) + 1e-9
        if kept.sum() < view.shape[1] + LEAST:
            break
        weights = np.linalg.solve(view[kept].T @ view[kept] + ridge, view[kept].T @ target[kept])
        residual = target - view @ weights
    return residual


def shown(factor: float) -> str:
    """Write a factor; one below 1 as a part."""
    return f"{factor:,.4g}" if factor >= 1 else f"1/{1 / factor:,.4g}"
