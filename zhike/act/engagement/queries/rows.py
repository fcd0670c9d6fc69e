"""One touch as a row of the queue: all that a template draws, in the reader's words and within the reader's rights."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.http import Http404
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, gettext_lazy

from zhike.act.engagement.models import Touch, TouchKind
from zhike.act.engagement.queries import wording
from zhike.act.engagement.queries.shown import Shown
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


@dataclass(frozen=True, slots=True)
class QueueRow:
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
        tier = parts.tier(*self.tier) if self.tier[0] else ""
        health = parts.health(self.health, self.health_look, self.health_change) if self.health is not None else ""
        return SafeString(f"{tier}{health}")

    @property
    def day(self) -> str:
        """The day it is due, for machines."""
        return self.due_on.isoformat()


class Drawer:
    """Draws rows for one reader; plan, currency and company are read once."""

    def __init__(self, principal: Principal, day: date) -> None:
        self.principal, self.day = principal, day
        self.plan = plan_or_none()
        self.company = company.current()
        self.language = get_language() or "en"

    def row(self, touch: Shown, *, opened: bool = False, primary: bool = False) -> QueueRow:
        tier = self._tier(touch.tier or "")
        contact = (touch.contact or "") if self.principal.sees_personal else ""

        def figures() -> Mapping[str, str]:
            return wording.figures(touch, contact=contact, tier=tier[1], company=self.company.name)

        due, note, look = self._due(touch)
        kind = TouchKind(touch.kind)
        return QueueRow(
            id=touch.id,
            customer_id=touch.customer_id,
            customer=touch.customer,
            kind=touch.kind,
            kind_name=str(NAMES[kind]),
            icon=ICONS[kind],
            tier=tier,
            health=touch.health,
            health_look=LOOKS.get(touch.health_band or "", ""),
            health_change=touch.health_change_30d,
            why=wording.sentence(touch.reason, today=self.day, last_touch=touch.last_touch),
            what=wording.text_of(touch.content.get("title"), self.language, figures),
            say=wording.text_of(touch.content.get("words"), self.language, figures) if opened else "",
            via=self._via(touch, contact),
            channel=touch.channel,
            contact=contact,
            stake=self._stake(touch),
            stake_of=gettext("ARR") if touch.reason.get("stake") == "arr" else gettext("12 months"),
            due=due,
            due_on=touch.due_on,
            due_note=note,
            due_look=look,
            minutes=touch.minutes,
            parts=wording.why_in_parts(touch.reason) if opened else [],
            is_open=opened,
            is_primary=primary,
        )

    def _tier(self, key: str) -> tuple[str, str, int]:
        if not key or self.plan is None:
            return (key, key, 4)
        return (key, self.plan.tier_name(key, self.language), self.plan.tier_rank(key))

    def _via(self, touch: Shown, contact: str) -> str:
        if not touch.channel:
            return gettext("No channel is allowed: every one was refused")
        name = str(CHANNELS.get(touch.channel, OTHER)[1])
        return f"{contact} · {name}" if contact else name

    def _stake(self, touch: Shown) -> str:
        if not self.principal.sees_revenue or not touch.stake:
            return ""
        return words.money(touch.stake, self.company.currency or "CNY")

    def _due(self, touch: Shown) -> tuple[str, str, str]:
        """Return when it is due, a note under it, and how pressing that looks."""
        minutes = gettext("%(minutes)s min") % {"minutes": touch.minutes}
        late = (self.day - touch.due_on).days
        if late > 0:
            return gettext("%(days)s d overdue") % {"days": late}, minutes, "risk"
        if late == 0:
            return gettext("Today"), minutes, "warn" if touch.urgency >= 3 else ""
        return words.relative(touch.due_on, self.day), minutes, ""


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
