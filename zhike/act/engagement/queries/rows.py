"""One touch as a row of the queue: all that a template draws, in the reader's words and within the reader's rights."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from django.http import Http404
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, gettext_lazy

from zhike.act.engagement.models import Touch, TouchKind
from zhike.act.engagement.queries import wording
from zhike.act.engagement.queries.shown import Shown, read
from zhike.decide.plans.queries import NoPlanInForce, in_force
from zhike.decide.plans.rules.schema import Plan
from zhike.org import company
from zhike.org.principals import Principal
from zhike.ui import words
from zhike.ui.channels import CHANNELS, OTHER
from zhike.ui.templatetags import parts

ICONS = {
    TouchKind.CADENCE: "clock",
    TouchKind.ALERT: "health",
    TouchKind.ONBOARDING: "user",
    TouchKind.RENEWAL: "contract",
    TouchKind.MANUAL: "edit",
}
NAMES = {
    TouchKind.CADENCE: gettext_lazy("Touch due"),
    TouchKind.ALERT: gettext_lazy("Churn alert"),
    TouchKind.ONBOARDING: gettext_lazy("Welcome"),
    TouchKind.RENEWAL: gettext_lazy("Renewal"),
    TouchKind.MANUAL: gettext_lazy("By hand"),
}
LOOKS = {"healthy": "ok", "warning": "warn", "risk": "risk"}


class QueueRow(NamedTuple):
    """A touch in words. `stake` is empty for who may not see revenue, `contact` for who may not see personal data.

    What to say and what a health score is made of, `say` and `parts`, are there in a row that is open.
    """

    id: int
    customer_id: int
    customer: str
    kind: str
    kind_name: str
    icon: str
    tier: tuple[str, str, int]
    health: float | None
    health_look: str
    health_change: float | None
    why: str
    what: str
    say: str
    via: str
    channel: str
    contact: str
    stake: str
    stake_of: str
    due: str
    due_on: date
    due_note: str
    due_look: str
    minutes: int
    parts: list[tuple[str, str, str]]
    is_open: bool
    is_primary: bool

    @property
    def marks(self) -> SafeString:
        """The customer's tier and health, drawn."""
        return _marks(self.tier, self.health, self.health_look, self.health_change)

    @property
    def day(self) -> str:
        """The day it is due, for machines."""
        return self.due_on.isoformat()


class Drawer:
    """Draws rows for one reader; what all of them share is read once."""

    def __init__(self, principal: Principal, day: date) -> None:
        self.principal, self.day = principal, day
        self.plan = plan_or_none()
        self.company = company.current()
        self.language = get_language() or "en"
        self.tiers: dict[str, tuple[str, str, int]] = {}
        self.twelve_months, self.arr = gettext("12 months"), gettext("ARR")

    def row(self, touch: Shown, *, opened: bool = False, primary: bool = False) -> QueueRow:
        tier = self._tier(touch.tier or "")
        contact = (touch.contact or "") if self.principal.sees_personal else ""

        def figures() -> Mapping[str, str]:
            return wording.figures(touch, contact=contact, tier=tier[1], company=self.company.name)

        kind_name, icon = _kind(touch.kind, self.language)
        due, look = _due(touch.due_on, self.day, touch.urgency >= 3, self.language)
        return QueueRow(
            id=touch.id,
            customer_id=touch.customer_id,
            customer=touch.customer,
            kind=touch.kind,
            kind_name=kind_name,
            icon=icon,
            tier=tier,
            health=touch.health,
            health_look=LOOKS.get(touch.health_band or "", ""),
            health_change=touch.health_change_30d,
            why=self._why(touch),
            what=wording.text_of(touch.content.get("title"), self.language, figures),
            say=wording.text_of(touch.content.get("words"), self.language, figures) if opened else "",
            via=self._via(touch, contact),
            channel=touch.channel,
            contact=contact,
            stake=self._stake(touch),
            stake_of=self.arr if touch.reason.get("stake") == "arr" else self.twelve_months,
            due=due,
            due_on=touch.due_on,
            due_note=_length(touch.minutes, self.language),
            due_look=look,
            minutes=touch.minutes,
            parts=wording.why_in_parts(touch.reason) if opened else [],
            is_open=opened,
            is_primary=primary,
        )

    def _tier(self, key: str) -> tuple[str, str, int]:
        if not key or self.plan is None:
            return (key, key, 4)
        found = self.tiers.get(key)
        if found is None:
            found = (key, self.plan.tier_name(key, self.language), self.plan.tier_rank(key))
            self.tiers[key] = found
        return found

    def _why(self, touch: Shown) -> str:
        # Only a cadence tells of the last contact; other reasons read alike for all customers who share them.
        last_touch = touch.last_touch if "cadence" in touch.reason_text else None
        return _sentence(touch.reason_text, self.day, last_touch, self.language)

    def _via(self, touch: Shown, contact: str) -> str:
        if not touch.channel:
            return gettext("No channel is allowed: every one was refused")
        name = _channel(touch.channel, self.language)
        return f"{contact} · {name}" if contact else name

    def _stake(self, touch: Shown) -> str:
        if not self.principal.sees_revenue or not touch.stake:
            return ""
        return _money(touch.stake, self.company.currency or "CNY", self.language)


@lru_cache(maxsize=4096)
def _marks(tier: tuple[str, str, int], health: float | None, look: str, change: float | None) -> SafeString:
    drawn_tier = parts.tier(*tier) if tier[0] else ""
    return SafeString(f"{drawn_tier}{parts.health(health, look, change) if health is not None else ''}")


# The language is part of every key: what is found reads differently in each.


@lru_cache(maxsize=8192)
def _sentence(reason: str, day: date, last_touch: date | None, _language: str) -> str:
    return wording.sentence(read(reason), today=day, last_touch=last_touch)


@lru_cache(maxsize=64)
def _kind(kind: str, _language: str) -> tuple[str, str]:
    return str(NAMES[TouchKind(kind)]), ICONS[TouchKind(kind)]


@lru_cache(maxsize=256)
def _channel(channel: str, _language: str) -> str:
    return str(CHANNELS.get(channel, OTHER)[1])


@lru_cache(maxsize=8192)
def _money(amount: Decimal, currency: str, _language: str) -> str:
    return words.money(amount, currency)


@lru_cache(maxsize=1024)
def _length(minutes: int, _language: str) -> str:
    return gettext("%(minutes)s min") % {"minutes": minutes}


@lru_cache(maxsize=4096)
def _due(due_on: date, day: date, is_urgent: bool, _language: str) -> tuple[str, str]:
    """Return when it is due, and how pressing that looks."""
    late = (day - due_on).days
    if late > 0:
        return gettext("%(days)s d overdue") % {"days": late}, "risk"
    if late == 0:
        return gettext("Today"), "warn" if is_urgent else ""
    return words.relative(due_on, day), ""


def plan_or_none() -> Plan | None:
    """Return the plan in force, or None on a fresh installation."""
    try:
        return in_force()
    except NoPlanInForce:
        return None


def touch_for(principal: Principal, touch_id: int) -> Touch:
    """Return a touch of a customer whom this person may see, or raise Http404."""
    found = Touch.objects.visible_to(principal).with_everything().filter(pk=touch_id).first()
    if found is None:
        raise Http404
    return found
