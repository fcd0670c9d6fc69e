"""Which columns the customer list can show, and in what order it begins."""

from collections.abc import Set

DEFAULT = ("tier", "stage", "health", "last_touch", "next_touch", "worth", "usage_change_30d", "renewal", "owner")
"""The columns somebody sees who has chosen none; `customer` is always there, at the front."""

SPECIAL = {
    "tier": "tier",
    "stage": "stage",
    "health": "health",
    "last_touch": "last_touch",
    "next_touch": "next_touch",
    "worth": "arr",
    "renewal": "days_to_renewal",
    "owner": "",
    "customer": "name",
}
"""Columns drawn in a way of their own, each with the fact by which it sorts; every other column is a fact's name."""

MOST_COLUMNS = 14


def chosen(text: str, open_to: Set[str]) -> tuple[str, ...]:
    """Return the columns named in an address, without any the usual ones; `open_to` are the facts one may see."""
    asked = tuple(dict.fromkeys(name for name in text.split(",") if name)) if text else DEFAULT
    return tuple(name for name in asked if (SPECIAL.get(name, name) or name) in {*open_to, "owner"})[:MOST_COLUMNS]
