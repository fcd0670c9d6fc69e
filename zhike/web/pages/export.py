"""The list as a file: the same customers, columns and order, within the same rights."""

import csv
import io
from collections.abc import AsyncIterator, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponseBase, QueryDict, StreamingHttpResponse
from django.utils.translation import get_language, gettext, override
from django.views.decorators.http import require_http_methods

from zhike.kit.textfiles import neutralise
from zhike.measure.facts import FACTS
from zhike.org.middleware import StaffRequest
from zhike.web import operations
from zhike.web.pages.cells import Row
from zhike.web.pages.drawing import Drawing
from zhike.web.pages.here import here
from zhike.web.pages.listing import CustomerList
from zhike.web.rules.filters import attribute_of

CHUNK = 500
LONGEST_KEY = 18
BYTE_ORDER_MARK = "\ufeff"  # Without it Excel reads Chinese as noise.


@require_http_methods(["GET", "HEAD", "POST"])
def export(request: StaffRequest) -> HttpResponseBase:
    """Give the whole list of the address as a file, or, posted, the ticked customers of it."""
    place = here(request)
    given, only = request.GET, None
    if request.method == "POST":
        given = QueryDict(request.POST.get("state", ""))
        only = frozenset(int(key) for key in request.POST.getlist("ids") if key.isdigit() and len(key) <= LONGEST_KEY)
    found = CustomerList(request.staff, place.firm, place.today, given, only=only)
    operations.note_export(
        by=request.staff,
        now=place.now,
        conditions=found.conditions,
        words=found.state.words,
        columns=found.columns,
        count=found.totals.count if found.totals.is_exact else None,
    )
    lines = _lines(found, get_language() or "en")
    content: Iterator[str] | AsyncIterator[str] = _handed(lines) if isinstance(request, ASGIRequest) else lines
    response = StreamingHttpResponse(content, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="customers-{found.today.isoformat()}.csv"'
    return response


async def _handed(lines: Iterator[str]) -> AsyncIterator[str]:
    """Read the lines away from the event loop, a chunk at a time."""
    while (chunk := await sync_to_async(_next)(lines)) is not None:
        yield chunk


def _next(lines: Iterator[str]) -> str | None:
    return next(lines, None)


def _lines(found: CustomerList, language: str) -> Iterator[str]:
    columns = ["ref", "name", "industry", "region", *_spread(found)]
    # The language holds for one chunk at a time: other requests use the thread in between.
    with override(language):
        drawing = Drawing(found)
        head = _written([[_title(name, drawing) for name in columns]])
    yield BYTE_ORDER_MARK + head
    for rows in found.all_rows(CHUNK):
        with override(language):
            chunk = _written([[_cell(name, row, found) for name in columns] for row in rows])
        yield chunk


def _spread(found: CustomerList) -> list[str]:
    """Return the shown columns as plain facts: one value per column."""
    plain = {"worth": found.worth, "renewal": "contract_end", "owner": "owner"}
    return [plain.get(column, column) for column in found.columns if column not in {"industry", "region", "ref"}]


def _title(name: str, drawing: Drawing) -> str:
    titles = {"ref": gettext("Customer number"), "name": gettext("Customer"), "owner": gettext("Owner")}
    return titles.get(name) or drawing.found.vocabulary.label(name)


def _cell(name: str, row: Row, found: CustomerList) -> str:
    return neutralise(_text(name, _value(name, row), found))


def _value(name: str, row: Row) -> Any:
    attribute = attribute_of(name)
    if attribute is not None:
        return row.attributes.get(attribute)
    match name:
        case "name":
            return row.name
        case "owner":
            return row.owner
        case "last_touch":
            return row.touched
        case "next_touch":
            return row.due
        case _:
            return row.facts.get(name)


def _text(name: str, value: Any, found: CustomerList) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, datetime):
        return value.astimezone(ZoneInfo(found.firm.time_zone)).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float | Decimal):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, list):
        return "; ".join(map(str, value))
    return found.names.value(name, str(value)) if name in FACTS else str(value)


def _written(rows: list[list[str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()
