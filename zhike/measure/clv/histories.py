"""Purchase histories as arrays: checked, and equal ones counted instead of kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zhike.kit.refusal import Place, Refusal
from zhike.kit.refusal import gettext_noop as _

Floats = npt.NDArray[np.float64]
Numbers = npt.ArrayLike

FEW, MANY = 15_000, 20.0  # Rows of a part that leads to the top of all, and customers of a row that is always in it.
EVENTS_PER_PARAMETER = 10
"""Customers with something to tell per parameter that is estimated: the rule of thumb of Peduzzi et al. (1996)."""


class NoHistories(Refusal):
    message = _("There is no customer to learn from.")


class BadHistory(Refusal):
    """One row that cannot be true; `place.row` counts from 1, `place.field` is the argument's name."""


class NotANumber(BadHistory):
    message = _("Row %(row)s: %(column)s is not a finite number.")


class NegativeValue(BadHistory):
    message = _("Row %(row)s: %(column)s is negative (%(found)s).")


class NotPositive(BadHistory):
    message = _("Row %(row)s: %(column)s must be more than zero (found %(found)s).")


class NotWhole(BadHistory):
    message = _("Row %(row)s: %(column)s must be a whole number (found %(found)s).")


class LastAfterEnd(BadHistory):
    message = _("Row %(row)s: the last purchase (t_x = %(found)s) lies after the end of the time watched (T).")


class RepeatWithoutTime(BadHistory):
    message = _("Row %(row)s: there are repeat purchases, yet the last one is no later than the first (t_x = 0).")


class TimeWithoutRepeat(BadHistory):
    message = _("Row %(row)s: there is no repeat purchase (x = 0), yet a time of the last one (t_x = %(found)s).")


class NobodyWatched(Refusal):
    message = _("Nobody was watched for any time after the first purchase (every T is 0).")


class FewRepeatBuyers(Refusal):
    message = _(
        "Only %(repeaters)s of %(customers)s customers bought again. %(model)s needs at least %(needed)s of them; "
        "with fewer, any forecast would be invented."
    )


@dataclass(frozen=True, slots=True)
class Distinct:
    """Rows that differ, how much each weighs, and for every row given the place of its equal."""

    columns: tuple[Floats, ...]
    weights: Floats
    inverse: npt.NDArray[np.intp]

    @property
    def total(self) -> float:
        return float(self.weights.sum())


def distinct(columns: tuple[Floats, ...], weights: Floats | None = None) -> Distinct:
    """Return the distinct rows of columns of equal length, in an order of their own, with their weights added up."""
    keys = _digests(columns)
    # As numpy.unique, but any of equal rows may stand for them, so the order need not be stable: half the time.
    order = np.argsort(keys)
    keys = keys[order]
    begins = np.ones(len(keys), dtype=bool)
    np.not_equal(keys[1:], keys[:-1], out=begins[1:])
    first = order[begins]
    inverse = np.empty(len(keys), dtype=np.intp)
    inverse[order] = np.cumsum(begins) - 1
    found = tuple(column[first] for column in columns)
    if any((one[inverse] != column).any() for one, column in zip(found, columns, strict=True)):
        raise ArithmeticError("Two purchase histories have one digest.")  # Once in ten million files of a million rows.
    counted = np.bincount(inverse, weights=weights, minlength=len(first)).astype(np.float64)
    return Distinct(found, counted, inverse)


def thinned(rows: Distinct) -> Distinct | None:
    """Return about FEW of many distinct rows, those of few customers by lot and weighing the more; None of not so many.

    The lot is the digest by which rows are in order, so the same histories give the same part.
    """
    step = len(rows.weights) // FEW
    if step < 3:
        return None
    heavy = rows.weights >= MANY
    drawn = np.flatnonzero(~heavy)[::step]
    kept = np.r_[np.flatnonzero(heavy), drawn]
    weights = np.r_[rows.weights[heavy], step * rows.weights[drawn]]
    return Distinct(tuple(column[kept] for column in rows.columns), weights, np.arange(len(kept)))


def _digests(columns: tuple[Floats, ...]) -> npt.NDArray[np.uint64]:
    """Return a number for each row that equal rows share: one sort of it is faster than one of every column."""
    key = np.zeros(len(columns[0]), dtype=np.uint64)
    for column in columns:
        key ^= (column + 0.0).view(np.uint64)  # Adding 0 makes -0 and 0 the same.
        # The finaliser of SplitMix64 (Steele, Lea & Flood 2014): every bit in changes every bit out.
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            key ^= key >> np.uint64(shift)
            key *= np.uint64(factor)
        key ^= key >> np.uint64(31)
    return key


def histories(x: Numbers, t_x: Numbers, T: Numbers, weights: Numbers | None, *, needs: int, model: str) -> Distinct:
    """Return purchase histories as distinct (x, t_x, T); raises BadHistory, FewRepeatBuyers and their like."""
    named = as_columns({"x": x, "t_x": t_x, "T": T}, weights)
    repeats, last, watched, heavy = named["x"], named["t_x"], named["T"], named["weights"]
    refuse_where(repeats != np.floor(repeats), "x", repeats, NotWhole)
    refuse_where(last > watched, "t_x", last, LastAfterEnd)
    refuse_where((repeats > 0) & (last == 0), "t_x", last, RepeatWithoutTime)
    refuse_where((repeats == 0) & (last > 0), "t_x", last, TimeWithoutRepeat)
    if not watched.any():
        raise NobodyWatched
    refuse_few(float(heavy[repeats > 0].sum()), float(heavy.sum()), needs=needs, model=model)
    return distinct((repeats, last, watched), heavy)


def dot(one: Floats, other: Floats) -> float:
    """Return the sum of products, on this thread: threads of a library wait for each other on a busy machine."""
    return float(np.einsum("i,i->", one, other))


def refuse_few(repeaters: float, customers: float, *, needs: int, model: str) -> None:
    """Raise FewRepeatBuyers when fewer customers than `needs` bought again."""
    if repeaters < needs:
        raise FewRepeatBuyers(repeaters=f"{repeaters:g}", customers=f"{customers:g}", needed=needs, model=model)


def as_columns(given: dict[str, Numbers], weights: Numbers | None) -> dict[str, Floats]:
    """Return arguments as one-dimensional columns of finite numbers ≥ 0, with `weights` among them (1 by default).

    Rows of weight 0 are left out. Raises ValueError when lengths differ, and refusals that name row and column.
    """
    columns = {name: np.atleast_1d(np.asarray(values, dtype=np.float64)) for name, values in given.items()}
    size = len(next(iter(columns.values())))
    columns["weights"] = np.ones(size) if weights is None else np.atleast_1d(np.asarray(weights, dtype=np.float64))
    if any(column.shape != (size,) for column in columns.values()):
        raise ValueError(f"Columns of one length are needed, not {[column.shape for column in columns.values()]}.")
    for name, column in columns.items():
        refuse_where(~np.isfinite(column), name, column, NotANumber)
        refuse_where(column < 0, name, column, NegativeValue)
    kept = columns["weights"] > 0
    if not kept.any():
        raise NoHistories
    return columns if kept.all() else {name: column[kept] for name, column in columns.items()}


def refuse_where(wrong: npt.NDArray[np.bool_], column: str, values: Floats, refusal: type[BadHistory]) -> None:
    """Raise the refusal for the first row that is wrong."""
    if wrong.any():
        row = int(np.argmax(wrong))
        raise refusal(place=Place(row=row + 1, field=column), row=row + 1, column=column, found=f"{values[row]:g}")
