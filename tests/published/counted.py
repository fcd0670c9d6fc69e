"""Our figure for each published count and mean of a table, by its id: what `zhike lab effect` reads in it."""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Callable, Mapping
from typing import Any

from django.core.management import call_command

from tests.published.rows import DATA

DATASETS = ("hotel_bookings_resort", "crm_opportunities")
BOOKINGS = "hotel_bookings_resort/resort_hotel.parquet"
PIPELINE = "crm_opportunities/sales_pipeline.csv.gz"


@functools.cache
def told(file: str, arm: str, control: str, *outcomes: str) -> dict[str, Any]:
    """Return what `zhike lab effect --json` prints; the groups here are no lots, and it says so."""
    out = io.StringIO()
    columns = ["--arm", arm, "--control", control, *(part for name in outcomes for part in ("--outcome", name))]
    call_command("lab", "effect", str(DATA / file), *columns, "--language", "en", "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def bookings() -> dict[str, Any]:
    return told(BOOKINGS, "is_canceled", "0", "is_repeated_guest", "adr")


def pipeline() -> dict[str, Any]:
    return told(PIPELINE, "deal_stage", "Lost", "close_value")


def mean(outcome: Mapping[str, Any]) -> float:
    """Return the mean of all rows from those of the groups."""
    parts = [(outcome["control_rows"], outcome["control_mean"])]
    parts += [(one["rows"], one["mean"]) for one in outcome["effects"]]
    return float(sum(rows * middle for rows, middle in parts) / sum(rows for rows, _middle in parts))


def hotel() -> list[float]:
    """Cancelled and repeated guests in per cent, and the mean daily rate."""
    found = bookings()
    repeated, rate = found["outcomes"]
    return [round(one, 2) for one in (100 * found["arms"]["1"] / found["rows"], 100 * mean(repeated), mean(rate))]


def opportunities() -> list[float]:
    """Won of won and lost in per cent, and the value won."""
    found = pipeline()
    won, lost = (found["arms"][stage] for stage in ("Won", "Lost"))
    (value,) = (one for one in found["outcomes"][0]["effects"] if one["arm"] == "Won")
    return [round(100 * won / (won + lost), 2), round(value["rows"] * value["mean"], 2)]


OURS: Mapping[str, Callable[[], list[float]]] = {"P119": hotel, "P120": opportunities}
NOTES = {
    "P119, P120": "read by `zhike lab effect`, from its groups and their means, with a warning that these are no lots. "
    "Bookings and opportunities have no import of their own"
}
"""What must be known to read a figure."""
