"""The rows of the queue, as `engagement/queue.html#row` draws them; the closed ones, which are many, by a stencil.

`{% querystring %}` is Django's, without the detour for an address that has no parameters yet.
"""

from collections.abc import Sequence
from typing import Any

from django import template
from django.template import Context
from django.template.defaulttags import querystring as by_django
from django.template.loader import get_template
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from zhike.act.engagement.queries import QueueRow
from zhike.ui.stencils import Stencil

register = template.Library()
ROW = "engagement/queue.html#row"
_CLOSED = Stencil(
    ROW,
    "row",
    texts=(
        "customer",
        "kind_name",
        "icon",
        "marks",
        "why",
        "what",
        "via",
        "stake",
        "stake_of",
        "due",
        "day",
        "due_note",
    ),
    numbers=("id", "customer_id"),
    shape=("is_open", "is_primary", "due_look"),
    beside=("csrf_token",),
)


@register.simple_tag(takes_context=True)
def querystring(context: Context, **given: str | None) -> str:
    """Return the parameters of this page's address, some of them changed or, with None, left out."""
    if context.request.GET:  # type: ignore[attr-defined]  # A page has one.
        return str(by_django(context, None, **given))
    kept = {name: value for name, value in given.items() if value is not None}
    return f"?{urlencode(kept)}" if kept else ""


@register.simple_tag(takes_context=True)
def queue_rows(context: dict[str, Any], rows: Sequence[QueueRow]) -> SafeString:
    """Draw the rows of a section."""
    token = str(context["csrf_token"])
    closed = iter(_CLOSED.draw([row for row in rows if not row.is_open], token))
    return SafeString("".join([_opened(row, token) if row.is_open else next(closed) for row in rows]))


def _opened(row: QueueRow, token: str) -> str:
    return get_template(ROW).render({"row": row, "csrf_token": token})
