"""Which column is probably which field: by our names, by the words of both languages, by what the cells look like."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC as _UTC
from decimal import Decimal

from zhike.kit import money
from zhike.kit.pinyin import HAN, syllables
from zhike.record.imports.rules.cells import number_of, plain_text
from zhike.record.imports.rules.dates import DAY_FIRST, Order, day
from zhike.record.imports.rules.kinds import KINDS, Field
from zhike.record.imports.rules.problems import Bad
from zhike.record.imports.rules.words import CURRENCIES, folded

EXACT, PART = 1_000, 100
_PERSON_OF = re.compile(
    r"(customer|account|client|user|member|household|cust|buyer|company)s?( (id|no|number|code))?|id|客户|会员"
)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")


def guess(kind: str, columns: Sequence[str], sample: Mapping[str, Sequence[object]]) -> dict[str, str]:
    """Return {field: column} for the fields whose column can be told; each column is used once."""
    scores = [
        (score, -place, field.name, column)
        for place, field in enumerate(KINDS[kind])
        for column in columns
        if (score := _score(field, column, sample.get(column, ())))
    ]
    found: dict[str, str] = {}
    for *_weights, name, column in sorted(scores, key=lambda each: (-each[0], -each[1])):
        if name not in found and column not in found.values():
            found[name] = column
    return {field.name: found[field.name] for field in KINDS[kind] if field.name in found}


def _score(field: Field, column: str, cells: Sequence[object]) -> int:
    by_name = _name_score(field, folded(column))
    if not by_name or not _looks_like(field.type, cells):
        return 0
    return by_name


def _name_score(field: Field, header: str) -> int:
    names = (folded(field.name), *map(folded, field.words))
    if header in names:
        return EXACT - names.index(header)
    for place, name in enumerate(names):
        long_enough = len(name) >= (2 if re.search(f"[{HAN}]", name) else 5)
        if long_enough and re.search(rf"(?<![a-z]){re.escape(name)}(?![a-z])", header):
            return PART + len(name) - place // 10
    if field.name == "customer" and _PERSON_OF.fullmatch(header):
        return PART // 2
    return 0


def _looks_like(type: str, cells: Sequence[object]) -> bool:
    """Say whether most of the sample could be of this type; an empty sample could be anything."""
    texts = [text for cell in cells if (text := plain_text(cell))]
    if not texts:
        return True
    fits = sum(_fits(type, text) for text in texts)
    return fits * 10 >= len(texts) * 6


def _fits(type: str, text: str) -> bool:
    match type:
        case "day" | "moment" | "birthday":
            return not isinstance(day(text, zone=_UTC, format=DAY_FIRST), Bad) or _other_order(text)
        case "number" | "amount" | "count":
            return isinstance(number_of(text), Decimal)
        case "email":
            return "@" in text
        case "phone":
            return sum(sign.isdigit() for sign in text) >= 5
        case "currency":
            return text.upper() in money.CURRENCIES or text.upper() in CURRENCIES
        case _:
            return True


def _other_order(text: str) -> bool:
    order = Order()
    order.look(text)
    return order.needed


def attribute_name(header: str) -> str:
    """Return the name an attribute made from this header gets: letters, digits and underscores, Chinese as pinyin."""
    plain = folded(header)
    if re.search(f"[{HAN}]", plain):
        plain = " ".join(
            syllables(part)[0] if re.fullmatch(f"[{HAN}]", part) else part
            for part in re.findall(f"[{HAN}]|[^{HAN}]+", plain)
        )
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:50]
    if name and not name[0].isalpha():
        name = f"a_{name}"[:50]
    return name if _NAME.fullmatch(name) else ""
