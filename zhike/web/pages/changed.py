"""What changed since: the score ledger of a customer as a waterfall, with the scores and the tier that moved."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_safe

from zhike.kit.refusal import Refusal
from zhike.kit.ruletrees import ATTRIBUTES, Kind
from zhike.measure import asof, queries
from zhike.measure.asof import Told
from zhike.measure.classes import ScoreMove, TierMove, Turned
from zhike.measure.facts import FACTS, Unit
from zhike.measure.ledger import Cause
from zhike.measure.specs import HealthSpec
from zhike.org.middleware import StaffRequest
from zhike.org.pages import sentence
from zhike.record.customers.models import AttributeDefinition, Customer
from zhike.record.customers.queries import customer_for
from zhike.ui import words
from zhike.web.pages.here import here
from zhike.web.pages.names import PARTS, Names, names_of_plan

SPANS = (7, 30, 90)
USUAL = 30


@require_safe
def customer_changed(request: StaffRequest, customer_id: int) -> HttpResponse:
    """Show what changed; asked for after the page, because the lake answers more slowly than the database."""
    found, place = customer_for(request.staff, customer_id), here(request)
    until = _day(request.GET.get("as_of", ""))
    end = until if until is not None and until < place.today else None
    chosen = _day(request.GET.get("since", ""))
    days = request.GET.get("days", "")
    span = int(days) if days.isdigit() and int(days) in SPANS else USUAL
    since = chosen or asof.ago(end or _latest(place.today), span)
    base = {"as_of": end.isoformat()} if end else {}
    context: dict[str, Any] = {
        "customer": found,
        "as_of": end,
        "since": since,
        "today": end or place.today,
        "spans": [_span(found, each, base, on=chosen is None and each == span) for each in SPANS],
    }
    try:
        told = asof.change(found.pk, since=since, until=end)
    except asof.NotThere as refusal:
        named = asof.NotThere(customer=found.name, day=refusal.details["day"])
        return render(request, "web/changed.html", context | {"missing": sentence(named)})
    except Refusal as refusal:
        return render(request, "web/changed.html", context | {"missing": sentence(refusal)})
    hidden = queries.hidden_from(request.staff)
    return render(request, "web/changed.html", context | Words(told, hidden, place.firm.currency).drawn())


def _latest(today: date) -> date:
    """Return the day that now is told by: the latest measured one."""
    latest = queries.latest_day()
    return min(today, latest.day) if latest else today


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _span(found: Customer, days: int, base: dict[str, str], *, on: bool) -> dict[str, Any]:
    query = urlencode({**base, "days": str(days)})
    name = gettext("%(days)s days") % {"days": days}
    return {"name": name, "url": f"{reverse('customer-changed', args=[found.pk])}?{query}", "on": on}


@dataclass
class Words:
    """Says a ledger in the reader's language, within what the reader may see."""

    told: Told
    hidden: frozenset[str]
    currency: str

    def drawn(self) -> dict[str, Any]:
        ledger, names = self.told.ledger, self._names()
        return {
            "from_day": ledger.since,
            "to_day": ledger.until,
            "rows": self._rows() if ledger.change is not None else [],
            "change": words.signed((ledger.change or 0) / 10),
            "unknown": self._unknown(),
            "same": ledger.change == 0 and not ledger.causes,
            "scores": [self._score(move) for move in self.told.scores if move.name not in self.hidden],
            "tier": self._tier(self.told.tier, names) if self.told.tier else None,
        }

    def _names(self) -> Names:
        return names_of_plan() if self.told.tier else Names()

    def _unknown(self) -> str:
        match self.told.ledger.before, self.told.ledger.after:
            case None, None:
                return gettext("Health was unknown on both days.")
            case None, int(after):
                return gettext("Health was unknown then; it is %(health)s now.") % {"health": f"{after / 10:.1f}"}
            case int(before), None:
                return gettext("Health was %(health)s and is unknown now.") % {"health": f"{before / 10:.1f}"}
            case _:
                return ""

    def _rows(self) -> list[dict[str, Any]]:
        """Return the bars: where it stood, each cause from where the one before ended, and where it stands."""
        ledger = self.told.ledger
        at = ledger.before or 0
        marks = [at]
        for cause in ledger.causes:
            at += cause.tenths
            marks.append(at)
        low, high = min(marks), max(marks)
        # The scale shows the changes: it begins a little below the lowest mark, not at 0.
        low, high = max(0, (low - 40) // 50 * 50), min(1000, -(-(high + 10) // 50) * 50)
        width = max(high - low, 1)
        rows = [self._bar(_on(ledger.since), f"{marks[0] / 10:.1f}", low, marks[0], low, width, "line-3", whole=True)]
        for cause, before, after in zip(ledger.causes, marks, marks[1:], strict=False):
            look = "ok" if cause.tenths > 0 else "risk"
            row = self._bar(self.said(cause), words.signed(cause.tenths / 10), before, after, low, width, look)
            rows.append(row | {"parts": self._fed(cause), "look": look})
        last = _on(ledger.until)
        return [*rows, self._bar(last, f"{marks[-1] / 10:.1f}", low, marks[-1], low, width, "line-3", whole=True)]

    @staticmethod
    def _bar(
        said: str, points: str, start: int, end: int, low: int, width: int, look: str, *, whole: bool = False
    ) -> dict[str, Any]:
        left, right = min(start, end), max(start, end)
        return {
            "said": said,
            "points": points,
            "left": round(100 * (left - low) / width, 1),
            "width": round(100 * (right - left) / width, 1),
            "color": look,
            "whole": whole,
        }

    def _fed(self, cause: Cause) -> str:
        return gettext(", ").join(str(PARTS[key]) for key in cause.parts)

    def said(self, cause: Cause) -> str:
        """Return one cause as a line."""
        numbers = {"old": self.told.since.plan_number or "—", "new": self.told.until.plan_number or "—"}
        match cause.kind:
            case "weights":
                return gettext("The plan weighs the parts differently (v%(old)s → v%(new)s)") % numbers
            case "scales":
                return gettext("The plan scales the facts differently (v%(old)s → v%(new)s)") % numbers
            case "segment":
                names = {"old": self._segment(cause.before), "new": self._segment(cause.after)}
                return gettext("Weighed as another segment: %(old)s → %(new)s") % names
            case "other":
                return gettext("Not explained by the kept facts")
        if cause.name in self.hidden:
            return gettext("A figure that your role does not see")
        said = {
            "fact": FACTS[cause.name].label(get_language() or "en"),
            "before": self.value(cause.name, cause.before),
            "after": self.value(cause.name, cause.after),
        }
        if cause.kind == "known":
            return gettext("%(fact)s became known: %(after)s") % said
        if cause.kind == "unknown":
            return gettext("%(fact)s is not known any more, it was %(before)s") % said
        return gettext("%(fact)s %(before)s → %(after)s") % said

    def _segment(self, key: object) -> str:
        if key is None:
            return gettext("everybody else")
        specs: list[HealthSpec] = [asof.spec_of(day).health for day in (self.told.until, self.told.since)]
        named = (
            segment.name.get(words.language()) for spec in specs for segment in spec.segments if segment.key == key
        )
        return next((name for name in named if name), str(key))

    def value(self, name: str, value: object) -> str:
        """Write the value of a fact shortly, with its unit where a bare number would say nothing."""
        if value is None or value == "":
            return "—"
        fact = FACTS.get(name)
        if isinstance(value, date):
            return words.date_text(value, None)
        if isinstance(value, bool):
            return gettext("yes") if value else gettext("no")
        if not isinstance(value, str | list) and fact is not None:
            number = float(str(value))
            if fact.kind is Kind.MONEY:
                return words.money(round(number), self.currency)
            if fact.unit is Unit.SHARE:
                return f"{words.plain(round(100 * number, 1))}%"
            return words.plain(round(number, 1))
        return str(value)

    def _score(self, move: ScoreMove) -> str:
        letter = move.name[0].upper()
        said = {"score": letter, "before": move.before, "after": move.after}
        if move.why == "plan":
            return gettext("%(score)s %(before)s → %(after)s: the plan scores differently") % said
        if move.why == "others":
            return gettext("%(score)s %(before)s → %(after)s: other customers moved") % said
        said |= {
            "fact": FACTS[move.fact].label(get_language() or "en"),
            "old": self.value(move.fact, move.value_before),
            "new": self.value(move.fact, move.value_after),
        }
        return gettext("%(score)s %(before)s → %(after)s: %(fact)s %(old)s → %(new)s") % said

    def _tier(self, move: TierMove, names: Names) -> dict[str, Any]:
        said = gettext("Tier %(before)s → %(after)s")
        why = [self._turned(each, names) for each in move.turned if each.field not in self.hidden]
        if move.by_plan:
            why = [gettext("The plan has other tiers now")]
        return {"said": said % {"before": names.tier(move.before)[0], "after": names.tier(move.after)[0]}, "why": why}

    def _turned(self, turned: Turned, names: Names) -> str:
        if turned.limit is not None:
            said = {
                "tier": names.tier(turned.tier)[0],
                "before": f"{100 * float(str(turned.before)):.1f}%",
                "after": f"{100 * float(str(turned.after)):.1f}%",
                "limit": f"{100 * turned.limit:.0f}%",
            }
            return gettext("%(tier)s takes the first %(limit)s of revenue; %(before)s → %(after)s stand before") % said
        said = {
            "fact": self._label(turned.field),
            "before": self.value(turned.field, turned.before),
            "after": self.value(turned.field, turned.after),
        }
        if turned.holds:
            return gettext("%(fact)s %(before)s → %(after)s: the condition holds now") % said
        return gettext("%(fact)s %(before)s → %(after)s: the condition holds no more") % said

    @staticmethod
    def _label(name: str) -> str:
        if name in FACTS:
            return FACTS[name].label(get_language() or "en")
        own = name.removeprefix(f"{ATTRIBUTES}.")
        return AttributeDefinition.objects.filter(name=own).values_list("title", flat=True).first() or own


def _on(day: date) -> str:
    return gettext("Health on %(day)s") % {"day": words.date_text(day, None)}
