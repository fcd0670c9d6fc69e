"""What a customer was worth on a past day, what it looked for, what was to be offered and what it had said, as kept."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from zhike.measure.facts.feedback import SENTIMENTS
from zhike.measure.voice.models import Aspect
from zhike.org.middleware import StaffRequest
from zhike.record.commerce.models import Product
from zhike.record.customers.queries import customer_for
from zhike.ui import words
from zhike.web.pages import worth
from zhike.web.pages.customer_then import Then, asked_then
from zhike.web.pages.here import here
from zhike.web.pages.names import reason
from zhike.web.pages.voice_marks import name_of


@require_safe
def customer_worth(request: StaffRequest, customer_id: int) -> HttpResponse:
    """Show it as it is now, or as it was kept on the past day that the address names."""
    found = customer_for(request.staff, customer_id)
    then = asked_then(request, found)
    return _shown(request, then) if then else worth.shown(request, found)


def _shown(request: StaffRequest, then: Then) -> HttpResponse:
    """Show what models said that morning; nothing is asked anew, for they know more today."""
    facts, firm = then.facts, here(request).firm
    sees = request.staff.sees_revenue
    context = {
        "customer": then.customer,
        "value": worth.value_of(facts, then.plan, then.kept, firm) if sees else None,
        "need": worth.NEEDS.get(facts.need_orientation or "", ""),
        "need_why": reason(facts.need_reason or ""),
        "offer": _offer(then),
        "heard": _heard(then.row),
    }
    return render(request, "web/worth_then.html", context)


def _offer(then: Then) -> str:
    key = then.facts.next_offer or ""
    if key == "seats":
        return gettext("More seats")
    kind, _colon, name = key.partition(":")
    if kind == "product":
        return Product.objects.filter(ref=name).values_list("name", flat=True).first() or name
    return name or key


def _heard(row: Any) -> list[tuple[str, str]]:
    """Return what the customer had said, in figures; nothing for a day on which nobody listened yet."""
    count, last, nps = row.get("negative_feedback_90d"), row.get("last_sentiment"), row.get("last_nps")
    found = []
    if count is not None:
        found.append((gettext("Negative feedback, 90 days"), words.plain(count)))
    if last in SENTIMENTS:
        found.append((gettext("Last sentiment"), name_of(Aspect.SENTIMENT, last)))
    if nps is not None:
        found.append((gettext("Last NPS answer"), words.plain(nps)))
    return found
