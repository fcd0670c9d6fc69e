"""What a customer pays for: subscriptions with the contract's course, and the latest orders."""

from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext, ngettext

from zhike.measure.models import CustomerFacts
from zhike.org.principals import Principal
from zhike.record.commerce.models import Order, Subscription
from zhike.record.customers.models import Customer
from zhike.ui import words
from zhike.ui.templatetags import parts
from zhike.web.queries.profile import orders_of, subscriptions_of


def drawn(
    found: Customer,
    facts: CustomerFacts | None,
    today: date,
    reader: Principal,
    *,
    before: datetime | None = None,
) -> dict[str, Any]:
    """Return contract and orders; `before` is the moment that a past day was measured up to."""
    subscriptions = subscriptions_of(found, reader, today, is_past=before is not None)
    orders = orders_of(found, reader, before=before)
    running = [one for one in subscriptions if one.start <= today and (one.end is None or one.end > today)]
    return {
        "title": gettext("Contract and orders") if orders else gettext("Contract"),
        "sub": ngettext("%(count)s subscription running", "%(count)s subscriptions running", len(running))
        % {"count": len(running)},
        **_course(running, facts, today),
        "lines": [_line(one, today, sees_revenue=reader.sees_revenue) for one in subscriptions],
        "orders": [_order(one, today, sees_revenue=reader.sees_revenue) for one in orders],
    }


def _course(running: list[Subscription], facts: CustomerFacts | None, today: date) -> dict[str, Any]:
    """Return how far the contract that ends last has come."""
    end = facts.contract_end if facts is not None else None
    ending = [one for one in running if one.end == end]
    if end is None or not ending:
        return {"passed": None}
    start = min(one.start for one in ending)
    whole, gone = (end - start).days, (today - start).days
    return {
        "passed": min(100, max(0, 100 * gone / whole)) if whole else 100,
        "since": gettext("since %(day)s") % {"day": words.date_text(start, None)},
        "progress": gettext("%(passed)s of %(whole)s days") % {"passed": gone, "whole": whole},
    }


def _line(one: Subscription, today: date, *, sees_revenue: bool) -> dict[str, Any]:
    monthly = gettext("%(amount)s a month") % {"amount": parts.money(one.mrr, one.currency)}
    quantity = words.plain(one.quantity.normalize()) if one.quantity else ""
    if one.end is None:
        until = gettext("open end")
    elif one.end <= today:
        until = gettext("ended %(day)s") % {"day": words.date_text(one.end, today)}
    else:
        until = gettext("until %(day)s") % {"day": words.date_text(one.end, today)}
    return {"name": one.product.name, "amount": monthly if sees_revenue else f"× {quantity}", "until": until}


def _order(one: Order, today: date, *, sees_revenue: bool) -> dict[str, Any]:
    amount = parts.money(one.bought + one.returned, one.currency) if sees_revenue else ""
    return {"ref": one.ref, "amount": amount, "at": parts.moment(one.placed_at, today)}
