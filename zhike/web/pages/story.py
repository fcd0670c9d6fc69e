"""The story of a customer in words: everything that happened, newest first, by kind and by time."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.timezone import get_current_timezone
from django.utils.translation import get_language, gettext, gettext_lazy

from zhike.act.engagement import queries as engagement
from zhike.decide.plans.rules import Plan
from zhike.measure.voice import queries as voice
from zhike.measure.voice.models import VoiceText
from zhike.org.models import Staff
from zhike.org.principals import Principal
from zhike.record.commerce.models import Order, Subscription
from zhike.record.customers.models import Customer
from zhike.record.events.models import Event, EventKind
from zhike.record.interactions import queries as record
from zhike.record.interactions.models import Direction, Interaction, Outcome
from zhike.record.interactions.queries import KINDS, Moment, Story
from zhike.ui import words
from zhike.ui.channels import CHANNELS, OTHER
from zhike.ui.markup import format_html
from zhike.ui.stencils import Stencil
from zhike.ui.templatetags.quick import address
from zhike.web.pages.names import Names, names_of_plan
from zhike.web.pages.people import masked_name
from zhike.web.pages.voice_marks import line as voice_line

NAMES: dict[str, Any] = {
    "interaction": gettext_lazy("Contacts made"),
    "order": gettext_lazy("Orders"),
    "subscription": gettext_lazy("Contracts"),
    "event": gettext_lazy("What changed"),
}
ICONS = {
    EventKind.TOUCH_POSTPONED: "clock",
    EventKind.TOUCH_DROPPED: "minus",
    EventKind.TOUCH_REOPENED: "undo",
    EventKind.TOUCH_MADE: "check",
    EventKind.CUSTOMER_CREATED: "plus",
    EventKind.COMPLAINT_SOLVED: "check",
}


@dataclass(frozen=True, slots=True)
class Told:
    """One moment as the template draws it: a line of fact, what it means, the customer's own words."""

    icon: str
    look: str
    line: SafeString
    time: SafeString
    quote: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Chip:
    """A kind of moments to choose, with how many there are."""

    name: str
    count: str
    url: str
    on: bool


_MOMENT = Stencil(
    "web/customer.html#moment",
    "moment",
    texts=("icon", "look", "line", "time", "quote", "text"),
    numbers=(),
    shape=(),
)
_CHIP = Stencil("web/customer.html#chip", "chip", texts=("name", "count", "url"), numbers=(), shape=("on",))


def drawn(
    customer: Customer, reader: Principal, kind: str, before: str, today: date, plan: Plan | None, as_of: str = ""
) -> dict[str, Any]:
    """Return chips with counts and the moments by day, week and month; `before` continues from a moment.

    With `as_of`, the story of a past day, nothing can be set right and labels are left out: they came later.
    """
    chosen = kind if kind in KINDS else ""
    found = record.timeline(customer, reader, before, kinds=[chosen] if chosen else KINDS)
    teller = Teller(reader, today, plan, _owners(found.moments), {} if as_of else _voices(found.moments))
    zone, language = get_current_timezone(), get_language()
    moments = [(one.row, one.at.astimezone(zone)) for one in found.moments]
    groups = [
        {"name": name, "moments": SafeString("".join(_MOMENT.draw(teller.told(row, at) for row, at in group)))}
        for name, group in groupby(moments, key=lambda one: _stretch(one[1].date(), today, language))
    ]
    day = {"as_of": as_of} if as_of else {}
    query = urlencode({"kind": chosen, "before": found.older, **day}) if found.older else ""
    return {
        "chips": "" if before else _chips(customer, reader, chosen, found),
        "groups": groups,
        "older_url": f"{address('customer-story', customer.pk)}?{query}" if query else "",
        "older_page_url": f"{address('customer', customer.pk)}?{query}" if query else "",
        "url": address("customer-story", customer.pk),
        "empty": gettext("Nothing has happened yet"),
        "empty_why": gettext("The first line that somebody logs is the beginning."),
    }


def _chips(customer: Customer, reader: Principal, chosen: str, shown: Story) -> SafeString:
    """Return the kinds with their numbers; a story that is there from end to end is counted as it stands."""
    is_whole = not chosen and not shown.older
    counts = Counter(one.kind for one in shown.moments) if is_whole else record.counts(customer, reader)
    where = address("customer-story", customer.pk)
    everything = Chip(gettext("All"), words.plain(sum(counts.values())), where, not chosen)
    kinds = [
        Chip(str(NAMES[key]), words.plain(counts[key]), f"{where}?kind={key}", key == chosen)
        for key in KINDS
        if counts[key]
    ]
    return SafeString("".join(_CHIP.draw([everything, *kinds])))


def _owners(shown: Sequence[Moment]) -> dict[int, str]:
    """Return the names of those between whom a customer was handed over."""
    events = [one.row for one in shown if one.kind == "event" and one.row.kind == EventKind.CUSTOMER_HANDED_OVER]
    ids = {event.payload.get(key) for event in events for key in ("from", "to")} - {None}
    return dict(Staff.objects.filter(pk__in=ids).values_list("id", "name")) if ids else {}


def _voices(shown: Sequence[Moment]) -> dict[int, VoiceText]:
    """Return what was found in the customer's words among these moments, by interaction."""
    theirs = [one.row.pk for one in shown if one.kind == "interaction" and one.row.direction == Direction.IN]
    return voice.of_interactions(theirs) if theirs else {}


@lru_cache(maxsize=4096)
def _stretch(day: date, today: date, _language: str | None) -> str:
    """Return the heading under which a day is told."""
    monday = today - timedelta(days=today.weekday())
    if day > today:
        return gettext("Ahead")
    if day == today:
        return gettext("Today, %(day)s") % {"day": words.date_text(day, today)}
    if day >= monday:
        return gettext("This week")
    if day >= monday - timedelta(days=7):
        return gettext("Last week")
    return date_format(day, "F") if day.year == today.year else date_format(day, "YEAR_MONTH_FORMAT")


class Teller:
    """Says moments in the reader's words and within the reader's rights."""

    def __init__(
        self, reader: Principal, today: date, plan: Plan | None, owners: dict[int, str], voices: dict[int, VoiceText]
    ) -> None:
        self.reader, self.today, self.owners, self.voices = reader, today, owners, voices
        self.plan = plan
        self.names: Names = names_of_plan(plan)
        self.comma = gettext(", ")

    def told(self, one: Any, at: datetime) -> Told:
        """Say the row of a moment, which was `at` this time of the company's clock."""
        match one:
            case Interaction():
                return self._contact(one, at)
            case Order():
                return self._order(one, at)
            case Subscription():
                return self._subscription(one, at)
            case _:
                return self._event(one, at)

    def _event(self, event: Event, at: datetime) -> Told:
        tell = {
            EventKind.ALERT_RAISED: self._alert,
            EventKind.TIER_CHANGED: self._tier,
            EventKind.STAGE_CHANGED: self._stage,
            EventKind.SURVEY_ANSWERED: self._survey,
            EventKind.TOUCH_PLANNED: self._planned,
            EventKind.CUSTOMER_HANDED_OVER: self._handed,
        }.get(EventKind(event.kind), self._plain)
        return tell(event, at)

    def _time(self, at: datetime) -> SafeString:
        day, title, clock = at.date(), f"{at:%Y-%m-%d %H:%M}", f"{at:%H:%M}"
        if day == self.today:
            shown = clock
        else:
            shown = words.relative(day, self.today)
            shown = f"{shown} {clock}" if 0 < (self.today - day).days < 7 else shown
        html = '<time datetime="{}" title="{}">{}</time>'
        return format_html(html, at.isoformat(timespec="seconds"), title, shown)

    def _contact(self, one: Interaction, at: datetime) -> Told:
        icon, channel, outcome = _manner(one.channel, one.outcome, get_language())
        person = one.contact.name if one.contact else ""
        if person and not self.reader.sees_personal:
            person = masked_name(person)
        reached, is_theirs = one.outcome == Outcome.REACHED, one.direction == Direction.IN
        we = one.by.name if one.by else one.by_name
        # Who spoke first stands first.
        first, other = (person or gettext("Customer"), we) if is_theirs else (we or gettext("Contact"), person)
        said = [channel, other, outcome]
        line = format_html("<b>{}</b> {}", first, self.comma.join(part for part in said if part))
        look = "acc" if reached else ""
        heard = self.voices.get(one.pk)
        quote, text = (one.text, voice_line(heard, self.reader) if heard else "") if is_theirs else ("", one.text)
        return Told(icon, look, line, self._time(at), quote, text)

    def _order(self, one: Order, at: datetime) -> Told:
        line = format_html("<b>{}</b> {}", gettext("Order"), one.ref)
        if self.reader.sees_revenue and one.bought:
            line = format_html("{} {}", line, words.money(one.bought, one.currency))
        back = ""
        if self.reader.sees_revenue and one.returned:
            back = gettext("Returned: %(amount)s") % {"amount": words.money(one.returned, one.currency)}
        return Told("order", "ok" if one.bought else "warn", line, self._time(at), text=back)

    def _subscription(self, one: Subscription, at: datetime) -> Told:
        line = format_html("<b>{}</b> {}", gettext("Contract begins"), one.product.name)
        if self.reader.sees_revenue:
            amount = gettext("%(amount)s a month") % {"amount": words.money(one.mrr, one.currency)}
            line = format_html("{} {}", line, amount)
        until = gettext("open end")
        if one.end:
            until = gettext("until %(day)s") % {"day": words.date_text(one.end, self.today)}
        day = at.date()
        time = format_html('<time datetime="{}">{}</time>', day.isoformat(), words.relative(day, self.today))
        return Told("contract", "ok", line, time, text=until)

    def _alert(self, one: Event, at: datetime) -> Told:
        rule = self.plan.alerts.get(str(one.payload.get("rule"))) if self.plan else None
        named = {"name": rule.name.model_dump(), **one.payload} if rule else one.payload
        line = format_html("<b>{}</b>", engagement.sentence(named, today=at.date()))
        look = "risk" if one.payload.get("urgency", 1) >= 3 else "warn"
        icons = {"renewal_due": "contract", "usage_fell": "usage", "silent": "clock"}
        icon = icons.get(str(one.payload.get("code")), "health")
        return Told(icon, look, line, self._time(at), text=gettext("A warning sign that the plan asked for."))

    def _tier(self, one: Event, at: datetime) -> Told:
        before, after = (self.names.tier(one.payload.get(key) or "") for key in ("from", "to"))
        return self._move(at, gettext("Tier"), before[0], after[0], good=after[1] <= before[1], icon="flag")

    def _stage(self, one: Event, at: datetime) -> Told:
        key = one.payload.get("to") or ""
        before, after = self.names.stage(one.payload.get("from") or ""), self.names.stage(key)
        good = key not in {"decline", "churned"}
        return self._move(at, gettext("Lifecycle"), before, after, good=good, icon="journey")

    def _move(self, at: datetime, what: str, before: str, after: str, *, good: bool, icon: str) -> Told:
        html = "<b>{0}</b> {1} → <b>{2}</b>" if before else "<b>{0}</b> {2}"
        return Told(icon, "" if good else "warn", format_html(html, what, before, after), self._time(at))

    def _survey(self, one: Event, at: datetime) -> Told:
        score = one.payload.get("nps")
        said = (
            gettext("NPS answer %(score)s of 10") % {"score": score} if score is not None else EventKind(one.kind).label
        )
        look = "" if not isinstance(score, int) else "ok" if score >= 9 else "warn" if score >= 7 else "risk"
        quote = str(one.payload.get("comment") or "")
        return Told("survey", look, format_html("<b>{}</b>", said), self._time(at), quote=quote)

    def _planned(self, one: Event, at: datetime) -> Told:
        line = format_html("<b>{}</b>", gettext("Touch planned"))
        due = str(one.payload.get("due_on") or "")
        if due:
            said = gettext("due %(day)s") % {"day": words.date_text(date.fromisoformat(due), self.today)}
            line = format_html("{} {}", line, said)
        return Told("calendar", "", line, self._time(at), text=_by(one))

    def _handed(self, one: Event, at: datetime) -> Told:
        nobody = gettext("nobody")
        before, after = (self.owners.get(one.payload.get(key) or 0, nobody) for key in ("from", "to"))
        line = format_html("<b>{}</b> {} → <b>{}</b>", gettext("Handed over"), before, after)
        return Told("transfer", "", line, self._time(at), text=_by(one))

    def _plain(self, one: Event, at: datetime) -> Told:
        kind = EventKind(one.kind)
        line = format_html("<b>{}</b>", kind.label)
        return Told(ICONS.get(kind, "info"), "", line, self._time(at), text=_by(one))


@lru_cache(maxsize=512)
def _manner(channel: str, outcome: str, _language: str | None) -> tuple[str, str, str]:
    """Return icon and name of a channel, and how it ended unless the other was reached."""
    icon, name = CHANNELS.get(channel, OTHER)
    return icon, str(name), "" if outcome == Outcome.REACHED else str(Outcome(outcome).label)


def _by(one: Event) -> str:
    return gettext("by %(name)s") % {"name": one.by.name} if one.by else ""
