"""Damaged scales: another unit, cents for units, minus signs lost, in a whole file or in a share of its rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from zhike.kit.refusal import gettext_noop as _
from zhike.measure.churn import unlike
from zhike.measure.churn.findings import Finding
from zhike.measure.churn.tables import Column, Floats
from zhike.measure.churn.unlike import INSIDE, Among, explained, shown

FACTORS = (
    10.0,
    100.0,
    1e3,
    1e4,
    1e6,
    60.0,
    3600.0,
    24.0,
    1440.0,
    86400.0,
    7.0,
    12.0,
    30.0,
    365.0,
    1024.0,
    2.20462,
    1.609344,
)
ROUND = (10.0, 100.0, 1e3, 1e4, 60.0)
LEAST = 30
FEWEST = 8
SHARE = 0.005
BLOCKS = 10
MOST = 20_000

WHOLE = _(
    "%(column)s is on another scale in the newer rows: about %(factor)s times that of the others. It is left out."
)
PART = _(
    "%(rows)s of the newer rows have %(column)s on another scale, about %(factor)s times the rest. It is left out."
)
MINUS = _("%(column)s has lost its minus signs in the newer rows. It is left out.")
TURNED = _("%(column)s has its signs turned round in the newer rows. It is left out.")
MOVED = _(
    "%(column)s is on another scale in the newer rows: about %(factor)s times, and moved by %(shift)s. It is left out."
)


NOTHING = _("%(rows)s rows of %(column)s hold %(value)s, which seems to stand for nothing. It is left out.")
NINES = tuple(sign * (10.0**digits - 1) for digits in range(2, 10) for sign in (-1, 1))
FAR, FEWEST_NINES = 0.5, 5


def between(train: Mapping[str, Column], test: Mapping[str, Column]) -> list[Finding]:
    """Return a finding of kind `scale` for each number that is on another scale in the test file."""
    found = []
    for name, column in train.items():
        other = test.get(name)
        if column.kind == "number" and other is not None and other.kind == "number":
            one = nothing(name, _held(other), _held(column)) or _compared(name, _held(column), _held(other))
            if one:
                found.append(one)
    return found


def inside(columns: Mapping[str, Column], file_order: Mapping[str, Floats] | None = None) -> list[Finding]:
    """Return a finding for each number of which some rows are on another scale than the others.

    `file_order` has the values as they stood in the file, to see blocks of rows that came from elsewhere.
    """
    found, among = [], Among(columns)
    for column in columns.values():
        if column.kind != "number" or column.distinct() < FEWEST:
            continue
        held = column.values[~np.isnan(column.values)]
        said = nothing(column.name, held, held) or _two_humps(column, columns)
        if column.distinct() < LEAST:
            found += [said] if said else []
            continue
        said = said or unlike.said(column, among)
        if not said and file_order and column.name in file_order:
            said = _blocks(column.name, file_order[column.name])
        if said:
            found.append(said)
    return found


def nothing(name: str, held: Floats, usual: Floats) -> Finding | None:
    """Return a finding when many rows hold a number of nines, far outside where numbers `usual`-ly are."""
    for value in NINES:
        rows = int((held == value).sum())
        if rows < max(FEWEST_NINES, SHARE * len(held)):
            continue
        rest = usual[~np.isin(usual, NINES)]
        if len(rest) < LEAST:
            continue
        low, high = float(rest.min()), float(rest.max())
        if value < low - FAR * (high - low) or value > high + FAR * (high - low):
            return Finding("scale", name, NOTHING, {"column": name, "rows": rows, "value": f"{value:.0f}"})
    return None


def _held(column: Column) -> Floats:
    held = column.values[~np.isnan(column.values)]
    return held[:: max(1, len(held) // MOST)]


def distance(one: Floats, other: Floats) -> float:
    """Return the greatest distance of two distributions (Kolmogorov and Smirnov)."""
    # Multiplied or in logarithms, equal numbers differ in their last digits.
    one, other = np.sort(_seven_digits(one)), np.sort(_seven_digits(other))
    every = np.concatenate([one, other])
    below = np.searchsorted(one, every, side="right") / len(one)
    return float(np.abs(below - np.searchsorted(other, every, side="right") / len(other)).max())


def _seven_digits(values: Floats) -> Floats:
    scale = 10.0 ** (6 - np.floor(np.log10(np.maximum(np.abs(values), 1e-9))))
    found: Floats = np.round(values * scale) / scale
    return found


def _alike(one: int, other: int, cap: float = 0.1) -> float:
    """Return the distance up to which two samples of these sizes are the same, by chance of one in a hundred."""
    chance = 1.63 * np.sqrt((one + other) / (one * other))
    return float(min(0.35, max(cap / 2, chance)))


def _compared(name: str, train: Floats, test: Floats) -> Finding | None:
    if len(train) < LEAST or len(test) < LEAST or len(np.unique(train)) < 3:
        return None
    signs = _signs(name, train, test)
    if signs:
        return signs
    old, new = train[train != 0], test[test != 0]
    if len(old) < LEAST or len(new) < LEAST:
        return None
    before = distance(old, new)
    if before > 0.3:
        factor = _factor(old, new, before)
        if factor:
            return Finding("scale", name, WHOLE, {"column": name, "factor": shown(factor)})
        moved = _line(old, new)
        if moved:
            factor, shift = moved
            return Finding("scale", name, MOVED, {"column": name, "factor": shown(factor), "shift": f"{shift:,.4g}"})
    part = _part(np.abs(old), np.abs(new))
    if part:
        rows, factor = part
        return Finding("scale", name, PART, {"column": name, "rows": rows, "factor": shown(factor)})
    return None


def _signs(name: str, train: Floats, test: Floats) -> Finding | None:
    was, now = float((train < 0).mean()), float((test < 0).mean())
    close = _alike(len(train), len(test))
    if was < 0.02 or distance(np.abs(train), np.abs(test)) > close:
        return None
    error = np.sqrt(was * (1 - was) * (1 / len(train) + 1 / len(test)))
    if now < 0.7 * was and (was - now) > 5 * error:
        return Finding("scale", name, MINUS, {"column": name})
    if distance(train, test) > 0.3 and distance(-train, test) < close:
        return Finding("scale", name, TURNED, {"column": name})
    return None


def _factor(old: Floats, new: Floats, before: float) -> float | None:
    middle = float(np.median(np.abs(new)) / np.median(np.abs(old)))
    tried = [factor for known in FACTORS for factor in (known, 1 / known)]
    if not 1 / 2.5 < middle < 2.5:
        tried.append(middle)
    measured = {factor: distance(old * factor, new) for factor in tried if 0.4 < middle / factor < 2.5}
    if not measured:
        return None
    # A well-known factor that fits as well as any other is the likelier story.
    best = min(measured, key=lambda factor: measured[factor] + (0.02 if factor == middle else 0.0))
    return best if measured[best] < min(0.35 * before, _alike(len(old), len(new), 0.24)) else None


def _line(old: Floats, new: Floats) -> tuple[float, float] | None:
    at = np.linspace(0.02, 0.98, 49)
    was, now = np.quantile(old, at), np.quantile(new, at)
    if np.ptp(was) == 0 or np.ptp(now) == 0 or len(np.unique(was)) < 10:
        return None
    slope, shift = np.polyfit(was, now, 1)
    rescaled = abs(np.log(abs(slope))) > np.log(1.5) if slope else False
    if not rescaled or slope < 0 or distance(old * slope + shift, new) > _alike(len(old), len(new)):
        return None
    return float(slope), float(shift)


def _part(old: Floats, new: Floats) -> tuple[int, float] | None:
    """Rows beyond all that was there before, that a factor brings back to where they belong."""
    high, low = float(np.quantile(old, 0.999)) * 1.3, float(np.quantile(old, 0.001)) / 1.3
    for known in FACTORS[:13]:
        for factor, out, source in (
            (known, new[new > high], old[old * known > high]),
            (1 / known, new[new < low], old[old / known < low]),
        ):
            if len(out) < max(FEWEST, 0.01 * len(new)) or len(source) < LEAST or len(source) < 0.2 * len(old):
                continue
            if distance(out, source * factor) < _alike(len(out), len(source)):
                return len(out), factor
    return None


def _two_humps(column: Column, columns: Mapping[str, Column]) -> Finding | None:
    held = np.abs(column.values)
    known = np.flatnonzero(~np.isnan(held) & (held > 0))
    known = known[:: max(1, len(known) // MOST)]
    if len(known) < 2 * LEAST:
        return None
    logs = np.sort(np.log(held[known]))
    for factor in ROUND:
        step = np.log(factor)
        for at in _valleys(logs, step):
            lower, upper = logs[logs <= at], logs[logs > at]
            few = min(len(lower), len(upper))
            if few < max(FEWEST, SHARE * len(logs)) or not _same_values(lower + step, upper):
                continue
            if distance(lower + step, upper) > _alike(len(lower), len(upper), 0.15):
                continue
            edge = np.exp(at)
            odd = held > edge if len(upper) < len(lower) else (held > 0) & (held <= edge)
            if explained((odd, np.arange(len(odd))), columns, column.name):
                continue
            times = factor if len(upper) < len(lower) else 1 / factor
            details = {"column": column.name, "rows": int(odd.sum()), "factor": shown(times)}
            return Finding("scale", column.name, INSIDE, details)
    return None


def _same_values(lower: Floats, upper: Floats) -> bool:
    """Say whether there are many values, or, of few, the same on both sides."""
    one, other = np.unique(lower.round(6)), np.unique(upper.round(6))
    if min(len(one), len(other)) >= FEWEST:
        return True
    smaller, larger = sorted((one, other), key=len)
    return len(smaller) >= 4 and bool(np.isin(smaller, larger).all())


def _valleys(logs: Floats, step: float) -> Iterator[float]:
    """Yield places between two humps that are one step apart: hardly anybody around them, somebody on each side."""
    spread = logs[-1] - logs[0]
    if spread < 0.9 * step:
        return
    widest = np.argsort(-np.diff(logs))[:6]
    for at in sorted(widest):
        gap = logs[at + 1] - logs[at]
        middle = float((logs[at] + logs[at + 1]) / 2)
        around = int(((logs > middle - 0.1 * step) & (logs < middle + 0.1 * step)).sum())
        # Small numbers thin out by themselves on this scale; a valley is emptier than the smaller hump is full.
        smaller = logs[at + 1 :] if 2 * at > len(logs) else logs[: at + 1]
        inner = np.sort(np.diff(smaller))[:-1]
        wide = gap > 0.03 * step and (not len(inner) or gap > 1.2 * inner[-1])
        if wide and around <= 0.1 * len(smaller):
            yield middle


def _blocks(name: str, values: Floats) -> Finding | None:
    """Blocks of rows, as they stood in the file, that are a power of ten off all the others."""
    if len(values) < BLOCKS * LEAST:
        return None
    parts = [part[~np.isnan(part) & (part != 0)] for part in np.array_split(values, BLOCKS)]
    middles = np.array([np.median(np.abs(part)) if len(part) >= LEAST else np.nan for part in parts])
    usual = float(np.nanmedian(middles)) if not np.isnan(middles).all() else 0.0
    if not usual > 0:
        return None
    odd = np.flatnonzero(np.abs(np.log(middles / usual)) > np.log(5))
    if not 0 < len(odd) <= BLOCKS // 2:
        return None
    rest = np.concatenate([part for at, part in enumerate(parts) if at not in odd])
    here = np.concatenate([parts[at] for at in odd])
    factor = _factor(rest[:: max(1, len(rest) // MOST)], here[:: max(1, len(here) // MOST)], distance(rest, here))
    if factor is None or not any(abs(np.log(factor / known)) < 0.01 for one in ROUND for known in (one, 1 / one)):
        return None
    return Finding("scale", name, INSIDE, {"column": name, "rows": len(here), "factor": shown(factor)})
