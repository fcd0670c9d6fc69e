"""One customer's wishes for contact on one day (requirements B7, D5, E3).

Alerts come first; one call answers everything that is open, so an alert closes the open touch of the cadence, and the
cadence wishes nothing while any touch is open. Whatever the reason, the upper limit of the tier is kept; only an alert
of urgency 3 does not wait for it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from zhike.act.engagement.rules import limits, signs, slices
from zhike.act.engagement.rules.wishes import Change, Decision, OpenTouch, Reason, Sighting, Standing, Wish
from zhike.decide.plans.rules.contact import Alert, Cadence, Content, OnboardingStep
from zhike.decide.plans.rules.schema import Plan
from zhike.kit.calendars import WorkCalendar
from zhike.kit.ruletrees import Rule

AHEAD = timedelta(days=31)  # Touches are planned this far ahead, so that next month's load can be seen.
MISSED_FOR = timedelta(days=31)  # Slots that passed unwished for longer (a pause, another touch open) are let go.
ONBOARDING_MISSED_FOR = timedelta(days=7)  # Nobody is welcomed weeks after the first day.
CATCH_UP_WORKDAYS = 5  # Slots that were missed are spread over these.
GONE, NEW = "churned", "onboarding"
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Agenda:
    """The plan on one day. `since` is the day planning began; slots of before then were never promised."""

    plan: Plan
    calendar: WorkCalendar
    today: date
    since: date
    rules: Mapping[str, Rule] = field(default_factory=dict)

    @property
    def horizon(self) -> date:
        return self.today + AHEAD

    @property
    def oldest(self) -> date:
        return max(min(self.since, self.today), self.today - MISSED_FOR)


@dataclass(frozen=True, slots=True)
class Prospect:
    """A customer for whom something may be due, before anybody has looked at what is open."""

    row: Row
    signs: tuple[tuple[str, Alert, signs.Figures], ...]
    steps: tuple[tuple[OnboardingStep, date], ...]
    slot: tuple[slices.Slice, date] | None

    def __bool__(self) -> bool:
        return bool(self.signs or self.steps or self.slot)


class Scout:
    """Looks at many customers' facts and finds for whom something may be due; cheap enough for every customer."""

    def __init__(self, agenda: Agenda) -> None:
        self.agenda = agenda
        self._slices = {
            tier: slices.slices_over(cadence, agenda.oldest, agenda.horizon)
            for tier, cadence in agenda.plan.cadence.items()
        }

    def prospect(self, row: Row) -> Prospect:
        return Prospect(row, tuple(self._signs(row)), tuple(self._steps(row)), self._slot(row))

    def _signs(self, row: Row) -> Iterator[tuple[str, Alert, signs.Figures]]:
        for key, alert in self.agenda.plan.alerts.items():
            if alert.tiers and row["tier"] not in alert.tiers:
                continue
            # Who has left is past warning; only a rule of the plan's own may still mean them.
            if row["stage"] == GONE and alert.when.rule is None:
                continue
            figures = signs.figures_of(alert.when, row, self.agenda.rules.get(key), self.agenda.today)
            if figures is not None:
                yield key, alert, figures

    def _steps(self, row: Row) -> Iterator[tuple[OnboardingStep, date]]:
        joined = row["joined"]
        if row["stage"] != NEW or joined is None:
            return
        first = self.agenda.today - ONBOARDING_MISSED_FOR
        for step in self.agenda.plan.onboarding:
            due = step_day(step, joined, self.agenda.calendar)
            if first <= due <= self.agenda.horizon:
                yield step, due

    def _slot(self, row: Row) -> tuple[slices.Slice, date] | None:
        """Return the first slot that is due within the horizon, or was missed and can be made up for."""
        if row["stage"] == GONE or row["tier"] not in self._slices:
            return None
        agenda, place = self.agenda, slices.fraction(row["ref"])
        for part in self._slices[row["tier"]]:
            due = slices.due_in(part, place, row["last_touch"], agenda.calendar)
            if due is not None and agenda.today <= due <= agenda.horizon:
                return part, due
            if due is not None and agenda.oldest <= due < agenda.today < part.end:
                return part, _made_up(agenda, place)
        return None


def _made_up(agenda: Agenda, place: float) -> date:
    first = agenda.calendar.next_workday(agenda.today)
    return agenda.calendar.add_workdays(first, int(place * 7919 % 1 * CATCH_UP_WORKDAYS))


def step_day(step: OnboardingStep, joined: date, calendar: WorkCalendar) -> date:
    """Return the workday on which an onboarding step is due."""
    if step.after_workdays is not None:
        return calendar.next_workday(calendar.add_workdays(joined, step.after_workdays))
    return calendar.next_workday(joined + timedelta(days=step.after_days or 0))


def fresh_signs(prospect: Prospect, standing: Standing, today: date) -> list[tuple[str, Alert, signs.Figures]]:
    """Return the signs of which the owner was not told of late."""

    def is_fresh(rule: str, alert: Alert) -> bool:
        last, is_open = standing.alerts.get(rule, (None, False))
        return last is None or (not is_open and (today - last).days >= alert.again_after_days)

    return [each for each in prospect.signs if is_fresh(each[0], each[1])]


def decide(prospect: Prospect, standing: Standing, agenda: Agenda) -> Decision:
    """Return what to wish, what was seen, and what becomes of the open touches."""
    return _Deciding(prospect, standing, agenda).done()


class _Deciding:
    def __init__(self, prospect: Prospect, standing: Standing, agenda: Agenda) -> None:
        self.prospect, self.row, self.standing, self.agenda = prospect, prospect.row, standing, agenda
        self.cadence = agenda.plan.cadence_of(self.row["tier"])
        self.limit = self.cadence.at_most if self.cadence else None
        self.open = list(standing.open)
        self.decision = Decision()

    def done(self) -> Decision:
        self._let_go()
        self._answer_signs()
        self._welcome()
        self._keep_rhythm()
        return self.decision

    def _let_go(self) -> None:
        """Close open touches whose reason is gone, and put off those of the cadence that a contact has put off."""
        for touch in list(self.open):
            cause = outlived(touch, self.row)
            if cause:
                self._supersede(touch, cause)
            elif touch.kind == "cadence":
                due = put_off(touch, self.row, self.agenda.calendar)
                if due > touch.due_on:
                    self.decision.changes.append(Change(touch.id, due_on=due))

    def _supersede(self, touch: OpenTouch, cause: Reason) -> None:
        self.open.remove(touch)
        self.decision.changes.append(Change(touch.id, superseded=cause))

    def _answer_signs(self) -> None:
        fresh = fresh_signs(self.prospect, self.standing, self.agenda.today)
        if not fresh:
            return
        fresh.sort(key=lambda each: -each[1].urgency)
        answering = next((touch for touch in self.open if touch.kind in {"alert", "renewal"}), None)
        answer = self._strengthen(answering, fresh) if answering else self._wish_alert(fresh)
        for key, alert, figures in fresh:
            self.decision.sightings.append(Sighting(key, figures, alert.urgency, answer))

    def _wish_alert(self, fresh: list[tuple[str, Alert, signs.Figures]]) -> str | None:
        (rule, alert, figures), *others = fresh
        for touch in [touch for touch in self.open if touch.kind == "cadence"]:
            self._supersede(touch, {"code": "one_call", "by": rule})
        kind = "renewal" if alert.when.renewal_due else "alert"
        due = self._day_for_alert(alert)
        if due is None:
            return None
        reason: Reason = {**figures, "rule": rule, "name": words_of(alert)}
        if others:
            reason["also"] = [{**more, "rule": key, "name": words_of(other)} for key, other, more in others]
        key = f"alert:{rule}:{self.agenda.today.isoformat()}"
        self._wish(Wish(key, kind, due, alert.urgency, alert.minutes, reason, alert.content, alert.channel))
        return key

    def _day_for_alert(self, alert: Alert) -> date | None:
        calendar = self.agenda.calendar
        due = calendar.next_workday(calendar.add_workdays(self.agenda.today, alert.within_workdays))
        if alert.urgency >= 3:
            return due
        return limits.first_fitting(due, self._contacts(), self.limit, calendar)

    def _strengthen(self, touch: OpenTouch, fresh: list[tuple[str, Alert, signs.Figures]]) -> str:
        """Let an open alert's touch answer the new signs as well; it becomes as urgent as the most urgent of them."""
        _rule, alert, _figures = fresh[0]
        calendar = self.agenda.calendar
        due = calendar.next_workday(calendar.add_workdays(self.agenda.today, alert.within_workdays))
        also = [{**figures, "rule": key, "name": words_of(other)} for key, other, figures in fresh]
        reason = {**touch.reason, "also": [*touch.reason.get("also", []), *also]}
        change = Change(
            touch.id,
            reason=reason,
            urgency=max(alert.urgency, touch.urgency),
            due_on=min(due, touch.due_on) if alert.urgency > touch.urgency else None,
        )
        self.decision.changes.append(change)
        return touch.key

    def _welcome(self) -> None:
        for step, planned in self.prospect.steps:
            key = f"onboarding:{step.key}"
            if key in self.standing.wished:
                continue
            due = planned if planned < self.agenda.today else self._fitting(planned, step.urgency)
            if due is None:
                continue
            joined = self.row["joined"]
            reason: Reason = {
                "code": "onboarding",
                "step": step.key,
                "joined": joined.isoformat(),
                "day": (planned - joined).days,
            }
            content = step.content_for(self.row["industry"] or "")
            self._wish(Wish(key, "onboarding", due, step.urgency, step.minutes, reason, content, step.channel))

    def _fitting(self, day: date, urgency: int) -> date | None:
        if urgency >= 3:
            return day
        return limits.first_fitting(day, self._contacts(), self.limit, self.agenda.calendar)

    def _keep_rhythm(self) -> None:
        if self.cadence is None or self.prospect.slot is None or self.open or self.decision.wishes:
            return
        part, planned = self.prospect.slot
        key = f"cadence:{self.row['tier']}:{part.name}"
        if key in self.standing.wished:
            return
        due = limits.first_fitting(planned, self._contacts(), self.limit, self.agenda.calendar, before=part.end)
        if due is None:
            return
        self._wish(cadence_wish(key, self.row, self.cadence, part, due))

    def _contacts(self) -> list[date]:
        """Return the days of contacts made and still to be made."""
        coming = [max(touch.due_on, self.agenda.today) for touch in self.open]
        return [*self.standing.contacts, *coming, *(wish.due_on for wish in self.decision.wishes)]

    def _wish(self, wish: Wish) -> None:
        if wish.key not in self.standing.wished:
            self.decision.wishes.append(wish)


def cadence_wish(key: str, row: Row, cadence: Cadence, part: slices.Slice, due: date) -> Wish:
    reason: Reason = {
        "code": "cadence",
        "tier": row["tier"],
        "every": cadence.days,
        "since": row["days_since_touch"],
        "from": part.start.isoformat(),
        "to": part.end.isoformat(),
    }
    content: Content = cadence.contents[part.number % len(cadence.contents)]
    return Wish(key, "cadence", due, 1, cadence.minutes, reason, content, cadence.channel)


def outlived(touch: OpenTouch, row: Row) -> Reason | None:
    """Return why an open touch is no longer wished for, or None. Alerts stay until a person closes them."""
    if touch.kind not in {"cadence", "onboarding"}:
        return None
    if row["stage"] == GONE:
        return {"code": "left"}
    if touch.kind == "onboarding":
        return {"code": "onboarding_over"} if row["stage"] not in {NEW, None} else None
    start, last = touch.reason.get("from"), row["last_touch"]
    if start and last is not None and last >= date.fromisoformat(start):
        return {"code": "contact_made", "on": last.isoformat()}
    return None


def put_off(touch: OpenTouch, row: Row, calendar: WorkCalendar) -> date:
    """Return the due day of a cadence touch after the last contact; never earlier than it was."""
    start, end = touch.reason.get("from"), touch.reason.get("to")
    if not start or not end or row["last_touch"] is None:
        return touch.due_on
    part = slices.Slice("", 0, date.fromisoformat(start), date.fromisoformat(end))
    due = slices.due_in(part, slices.fraction(row["ref"]), row["last_touch"], calendar)
    return touch.due_on if due is None else max(due, touch.due_on)


def words_of(alert: Alert) -> dict[str, str | None]:
    return {"zh": alert.name.zh, "en": alert.name.en}
