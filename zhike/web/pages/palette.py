"""The palette: one field that leads to every customer, contact, page and action."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext
from django.views.decorators.http import require_safe

from zhike.kit.searchterms import sort_key
from zhike.org.middleware import StaffRequest
from zhike.org.models import Staff
from zhike.org.roles import Permission
from zhike.ui.channels import CHANNELS
from zhike.ui.templatetags import parts
from zhike.ui.templatetags.quick import address
from zhike.web.pages.here import here
from zhike.web.pages.marking import marked
from zhike.web.pages.names import BANDS
from zhike.web.pages.people import masked_name
from zhike.web.queries import searching
from zhike.web.queries.recent import recent_ids
from zhike.web.queries.searching import FoundContact, FoundCustomer

LONGEST = 80


@dataclass(frozen=True, slots=True)
class Hit:
    name: SafeString | str
    url: str
    icon: str
    detail: str = ""
    end: str = ""
    score: float | None = None
    band: str = ""
    dialog: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    hits: Sequence[Hit] = field(default_factory=tuple)


@require_safe
def search(request: StaffRequest) -> HttpResponse:
    """Answer the palette, and whoever comes without script with a whole page."""
    text = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST]
    currency = here(request).firm.currency if request.staff.sees_revenue else ""
    groups = _found(request.staff, text, currency) if text else _first(request.staff, currency)
    # What can always be done is no find.
    found = any(group.hits for group in groups if group.title != gettext("Actions"))
    context: dict[str, Any] = {"text": text, "groups": groups, "anything": found}
    template = "web/search.html#results" if request.headers.get("HX-Request") else "web/search.html"
    return render(request, template, context)


def _found(staff: Staff, text: str, currency: str) -> list[Group]:
    sees = staff.may(Permission.SEE_CUSTOMERS)
    customers = searching.customers_found(staff, text) if sees else []
    contacts = searching.contacts_found(staff, text) if sees else []
    pages = [hit for hit, words in _pages(staff) if _names(words, text)]
    return [
        Group(gettext("Customers"), _customers(customers, text, currency)),
        Group(gettext("Contacts"), [_contact(one, text, staff) for one in contacts]),
        Group(gettext("Go to"), pages),
        Group(gettext("Actions"), _actions(staff, customers[:1])),
    ]


def _first(staff: Staff, currency: str) -> list[Group]:
    recent = searching.recent_customers(staff, recent_ids(staff)) if staff.may(Permission.SEE_CUSTOMERS) else []
    return [
        Group(gettext("Lately"), _customers(recent, "", currency)),
        Group(gettext("Go to"), [hit for hit, _words in _pages(staff)]),
    ]


def _names(words: str, text: str) -> bool:
    """Say whether a page is meant: its name holds the text, or the pinyin or initials of its name begin with it."""
    wanted = text.lower()
    syllables = [word for word in sort_key(words).split() if word.isascii()]
    initials = "".join(word[0] for word in syllables)
    return wanted in words.lower() or "".join(syllables).startswith(wanted) or initials.startswith(wanted)


def _customers(found: Sequence[FoundCustomer], text: str, currency: str) -> list[Hit]:
    return [_customer(one, text, currency) for one in found]


def _customer(one: FoundCustomer, text: str, currency: str) -> Hit:
    said = [one.ref, one.region]
    if currency and one.worth:
        what = gettext("ARR") if one.is_subscription else gettext("12-month revenue")
        said.append(f"{what} {parts.money(one.worth, currency)}")
    return Hit(
        name=marked(one.name, text),
        url=address("customer", one.id),
        icon="users",
        detail=_joined(said),
        score=one.health,
        band=BANDS[one.band][0] if one.band in BANDS else "",
    )


def _joined(said: Sequence[str]) -> str:
    return (gettext(", ")).join(part for part in said if part)


def _contact(one: FoundContact, text: str, staff: Staff) -> Hit:
    preferred = CHANNELS.get(one.channel)
    return Hit(
        name=marked(one.name, text) if staff.sees_personal else masked_name(one.name),
        url=address("customer", one.customer_id),
        icon="user",
        detail=_joined([one.customer, one.title]),
        end=gettext("%(channel)s first") % {"channel": preferred[1]} if preferred else "",
    )


def _pages(staff: Staff) -> list[tuple[Hit, str]]:
    known = [
        ("today", "today", pgettext("page", "Today"), Permission.WORK_TOUCHES, "T"),
        ("customers", "users", gettext("Customers"), Permission.SEE_CUSTOMERS, "C"),
        ("plan", "plan", gettext("Plan"), Permission.SEE_PLAN, "P"),
        ("imports", "upload", gettext("Import"), Permission.RUN_IMPORTS, ""),
        ("staff", "settings", gettext("Settings"), Permission.MANAGE_STAFF, ""),
    ]
    return [
        (Hit(name, address(url), icon, end=f"G {key}" if key else ""), name)
        for url, icon, name, permission, key in known
        if staff.may(permission)
    ]


def _actions(staff: Staff, customers: Sequence[FoundCustomer]) -> list[Hit]:
    hits = []
    for one in customers:
        if staff.may(Permission.LOG_INTERACTIONS):
            url = f"{address('interaction-new')}?{urlencode({'customer': one.id})}"
            name = format_html("{}", gettext("Log a contact with %(name)s") % {"name": one.name})
            hits.append(Hit(name, url, "edit", end="N", dialog=True))
    if not customers and staff.may(Permission.EDIT_CUSTOMERS):
        hits.append(Hit(gettext("New customer"), address("customer-new"), "plus"))
    return hits
