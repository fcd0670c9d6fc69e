"""The rows of the queue, as `engagement/queue.html#row` draws them; the closed ones, which are many, by a stencil."""

from typing import Any

from django import template
from django.utils.safestring import SafeString

from zhike.act.engagement.queries import QueueRow
from zhike.ui.stencils import Stencil

register = template.Library()
_CLOSED = Stencil(
    "engagement/queue.html#row",
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
def closed_row(context: dict[str, Any], row: QueueRow) -> SafeString:
    """Draw a row that is closed."""
    return _CLOSED.draw(row, str(context["csrf_token"]))
