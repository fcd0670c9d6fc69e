"""Purchases from a file of any format that imports read: who, on which day, for how much."""

from __future__ import annotations

import argparse
import re
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from zhike.kit.refusal import Place, Refusal
from zhike.measure.lab.reports import Warned
from zhike.record.imports.operations.files import Source
from zhike.record.imports.operations.preparing import AmbiguousDates, BadDateFormat, UnknownColumn, open_file
from zhike.record.imports.operations.sentences import sentence
from zhike.record.imports.rules import cells
from zhike.record.imports.rules.dates import Order
from zhike.record.imports.rules.problems import Bad, Reason
from zhike.record.imports.rules.words import CURRENCIES, folded

BEARABLE = 0.05  # The share of rows that may be unreadable before the file is refused.
SIGN = re.compile(r"HK\$|US\$|[¥￥$€£₩₹元]|\b(?:RMB|CNY|USD|EUR|GBP|JPY|HKD)\b", re.IGNORECASE)
TYPES = {"customer": "ref", "date": "day", "amount": "number", "quantity": "number"}


class UnreadableCell(Refusal):
    message = "%(why)s"  # A sentence of imports, in the language in force already.


class OnlyReturns(Refusal):
    message = _(
        "%(name)s holds no purchase up to %(end)s: every amount in %(amount)s is negative there, which is taken for a "
        "return."
    )


class NothingBought(Refusal):
    message = _("%(name)s holds no purchase: no row has a customer, a day and an amount.")


@dataclass(frozen=True, slots=True)
class Purchases:
    """Rows of a file: the place of each customer in `customers`, the day as its ordinal, and the amount."""

    customers: list[str]
    who: npt.NDArray[np.int64]
    day: npt.NDArray[np.int64]
    amount: npt.NDArray[np.float64]
    rows: int
    warnings: list[Warned]

    @property
    def last_day(self) -> date:
        return date.fromordinal(int(self.day.max()))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where purchases stand in the file."""
    parser.add_argument("--customer", required=True, metavar="COLUMN", help="whose purchase it is")
    parser.add_argument("--date", required=True, metavar="COLUMN", help="when it was made")
    parser.add_argument("--amount", required=True, metavar="COLUMN", help="what was paid, or the price of one")
    parser.add_argument("--quantity", metavar="COLUMN", help="how many, when the amount is the price of one")
    parser.add_argument("--date-format", default="", help="day-first, month-first, or a pattern such as %%d.%%m.%%Y")


def day(text: str) -> date:
    """Return a day given as an option; argparse shows the complaint."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write it like 2026-03-12") from error


def read(options: Mapping[str, Any]) -> Purchases:
    """Return the purchases of the file of the options.

    Rows without customer, day or amount, and rows with something else than a day or a number there, are left out and
    counted in the warnings. A file with more than BEARABLE such rows is refused with the line and column of the first,
    as are unknown columns and ambiguous dates.
    """
    path: Path = options["file"]
    with open_file(path, path.name) as source:
        columns = _columns(options, source, path.name)
        dates_in = {"zone": UTC, "format": _date_format(options["date_format"], source, columns["date"])}
        memos = {
            name: cells.Memo(column, cells.reader(TYPES[name], 200, dates_in=dates_in))
            for name, column in columns.items()
        }
        return _read(source, path.name, columns, memos)


def _columns(options: Mapping[str, Any], source: Source, name: str) -> dict[str, str]:
    alike = {folded(column): column for column in reversed(source.columns)}
    found = {}
    for wanted in TYPES:
        given = options[wanted]
        if given is None:
            continue
        real = given if given in source.columns else alike.get(folded(given))
        if real is None:
            raise UnknownColumn(place=Place(file=name), name=name, column=given, columns=", ".join(source.columns))
        found[wanted] = real
    return found


def _date_format(said: str, source: Source, column: str) -> str:
    if said:
        if said not in {"day-first", "month-first"} and "%" not in said:
            raise BadDateFormat(format=said)
        return said
    order = Order()
    for batch in source.batches([column]):
        for cell in set(batch.columns[column]):
            if isinstance(cell, str):
                order.look(cell)
    if order.needed and not order.answer:
        raise AmbiguousDates(example=order.example)
    return order.answer


def _read(source: Source, name: str, columns: Mapping[str, str], memos: Mapping[str, cells.Memo]) -> Purchases:
    codes: dict[object, int] = {}
    who, days, amounts = array("q"), array("q"), array("d")
    missing: Counter[str] = Counter()
    signs: Counter[str] = Counter()
    unreadable: Counter[str] = Counter()
    first: dict[str, UnreadableCell] = {}
    rows = 0
    for batch in source.batches(list(columns.values())):
        rows += len(batch)
        _count_signs(batch.columns[columns["amount"]], signs)
        read = {kind: [memos[kind][cell] for cell in batch.columns[column]] for kind, column in columns.items()}
        for at, row in enumerate(zip(*read.values(), strict=True)):
            bad = _bad(batch.crooked.get(at), row, list(read), len(source.columns))
            if bad is not None:
                kind, what = bad
                unreadable[kind] += 1
                if kind not in first:
                    first[kind] = _unreadable(name, batch.lines[at], columns.get(kind, ""), what)
            elif None in row:
                missing[list(read)[row.index(None)]] += 1
            else:
                who.append(codes.setdefault(row[0], len(codes)))
                days.append(row[1].toordinal())
                amounts.append(float(row[2]) * (float(row[3]) if len(row) > 3 else 1.0))
    if first and sum(unreadable.values()) > BEARABLE * rows:
        raise min(first.values(), key=lambda one: one.place.line or 0 if one.place else 0)
    if not who:
        raise NothingBought(place=Place(file=name), name=name)
    warnings = [_left_out(kind, columns[kind], count) for kind, count in sorted(missing.items())]
    warnings += [_skipped(columns.get(kind, ""), count, first[kind]) for kind, count in sorted(unreadable.items())]
    if len(signs) > 1:
        warnings.append(_several(columns["amount"], signs))
    return Purchases(
        customers=[str(code) for code in codes],
        who=np.array(who, dtype=np.int64),
        day=np.array(days, dtype=np.int64),
        amount=np.array(amounts, dtype=np.float64),
        rows=rows,
        warnings=warnings,
    )


def _bad(crooked: int | None, row: Sequence[object], kinds: Sequence[str], expected: int) -> tuple[str, Bad] | None:
    """Return which column of a row cannot be read, and what is there; the kind is empty for a row as a whole."""
    if crooked is not None:
        return "", Bad(Reason.CELLS, found=str(crooked), more={"expected": str(expected)})
    return next(((kind, found) for kind, found in zip(kinds, row, strict=True) if isinstance(found, Bad)), None)


def _skipped(column: str, count: int, first: UnreadableCell) -> Warned:
    said = ngettext(
        "%(count)d row cannot be read and is left out; line %(line)s: %(why)s",
        "%(count)d rows cannot be read and are left out; the first is line %(line)s: %(why)s",
        count,
    )
    line = first.place.line if first.place else None
    return Warned("unreadable", column, said % {"count": count, "line": line, "why": first.details["why"]})


def _unreadable(name: str, line: int, column: str, bad: Bad) -> UnreadableCell:
    return UnreadableCell(place=Place(file=name, line=line, field=column or None), why=sentence(bad))


def _count_signs(given: Sequence[object], found: Counter[str]) -> None:
    """Add up the currencies that amounts are written with; one without a sign says nothing."""
    for cell, times in Counter(cell for cell in given if isinstance(cell, str)).items():
        if sign := SIGN.search(cell):
            found[CURRENCIES.get(sign[0].strip().upper(), sign[0].strip().upper())] += times


def _several(column: str, signs: Counter[str]) -> Warned:
    told = ", ".join(f"{name} × {count:,}" for name, count in signs.most_common())
    said = _("Amounts in %(column)s are in several currencies (%(told)s); they are added up as if they were one.")
    return Warned("currencies", column, str(said) % {"column": column, "told": told})


def _left_out(kind: str, column: str, count: int) -> Warned:
    said = ngettext(
        "%(count)d row has no value in %(column)s and is left out.",
        "%(count)d rows have no value in %(column)s and are left out.",
        count,
    )
    return Warned(f"no_{kind}", column, said % {"count": count, "column": column})
