"""The turn's part in act: the plan's wishes for contact become touches, and open touches follow what has changed."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from django.db import transaction
from django.utils.translation import gettext_lazy

from zhike.act.engagement import queries
from zhike.act.engagement.models import Alert, Touch, TouchKind
from zhike.act.engagement.operations import writing
from zhike.act.engagement.operations.writing import Rewrites
from zhike.act.engagement.queries import leaving
from zhike.act.engagement.rules import people, signs, slices
from zhike.act.engagement.rules.planning import Agenda, Prospect, Scout, decide, fresh_signs
from zhike.act.engagement.rules.priority import overdue_workdays, priority
from zhike.act.engagement.rules.wishes import Decision, OpenTouch, Sighting, Standing, Wish
from zhike.decide.plans.rules.schema import Plan
from zhike.org import audit
from zhike.record.events.models import Event, EventKind

PLANNING = gettext_lazy("Planning touches")
TOUCH = (
    "customer_id",
    "contact_id",
    "owner_id",
    "kind",
    "key",
    "reason",
    "content",
    "channel",
    "minutes",
    "stake",
    "urgency",
    "priority",
    "due_on",
    "state",
    "plan_number",
    "created_on",
    "note",
)
EVENT = ("customer_id", "kind", "at", "payload")
ALERT = ("customer_id", "rule", "day", "detail", "touch_id")
Made = Mapping[tuple[int, str], int]  # The numbers of new touches by customer and key.
BATCH = 5000
WISHED_SINCE = timedelta(days=400)  # Nothing is wished twice within a year; older keys are still refused by the table.
Row = Mapping[str, Any]


class Watcher(Protocol):
    def step(self, words: str, done: int = 0, total: int | None = None) -> None: ...


@dataclass
class Planned:
    """What planning changed: touches by kind, alerts by rule, open touches closed by cause.

    `next_touch` holds, for every customer whom the plan ever wishes to contact, the next day of it.
    """

    created: Counter[str] = field(default_factory=Counter)
    alerts: Counter[str] = field(default_factory=Counter)
    superseded: Counter[str] = field(default_factory=Counter)
    held_back: int = 0
    next_touch: dict[int, date] = field(default_factory=dict)


@transaction.atomic(durable=True)
def plan_touches(
    plan: Plan,
    *,
    today: date,
    now: datetime,
    progress: Watcher,
    only: list[int] | None = None,
) -> Planned:
    """Turn today's facts into touches and alerts; done twice for a day, it changes nothing the second time.

    `only` limits planning to some customers.
    """
    planning = _Planning(plan, today, now)
    total = queries.customers_measured(only)
    done = 0
    for rows in queries.rows_for_planning(planning.columns, size=BATCH, only=only):
        progress.step(str(PLANNING), done, total)
        planning.take(rows)
        done += len(rows)
    progress.step(str(PLANNING), total, total)
    planning.note_in_audit()
    return planning.planned


class _Planning:
    def __init__(self, plan: Plan, today: date, now: datetime) -> None:
        rules = queries.parsed_rules(plan)
        began = queries.planning_began() or today
        self.agenda = Agenda(plan, plan.calendar.days(), today, began, rules)
        self.columns = {**queries.columns_for(rules.values()), leaving.PROBABILITY: leaving.PROBABILITY}
        self.scout = Scout(self.agenda)
        self.plan, self.today, self.now = plan, today, now
        self.past = queries.Past(signs.past_facts([alert.when for alert in plan.alerts.values()]), today)
        self.longest_limit = max((each.at_most.days for each in plan.cadence.values() if each.at_most), default=0)
        self.planned = Planned()
        self._contents: dict[int, dict[str, Any]] = {}

    def take(self, rows: list[dict[str, Any]]) -> None:
        """Plan one batch of customers."""
        self.past.add_to(rows)
        by_id = {row["id"]: row for row in rows}
        for key, day in queries.touched_since(list(by_id), day=self.today).items():
            by_id[key].update(last_touch=day, days_since_touch=0)
        open_touches = queries.open_touches(list(by_id))
        prospects = {row["id"]: self.scout.prospect(row) for row in rows}
        ids = [key for key, found in prospects.items() if found or key in open_touches]
        standings = self._standings(ids, prospects, open_touches)
        self._name_drivers(prospects, standings)
        decisions = {key: decide(prospects[key], standings[key], self.agenda) for key in ids}
        self._write(by_id, decisions, open_touches)
        self._note_next(rows, decisions, open_touches)

    def _name_drivers(self, prospects: Mapping[int, Prospect], standings: Mapping[int, Standing]) -> None:
        """Put what raises the churn probability most into the figures of those whom an alert about it is due for."""
        due = {
            key: figures
            for key, standing in standings.items()
            for _rule, _alert, figures in fresh_signs(prospects[key], standing, self.today)
            if figures["code"] == signs.CHURN_LIKELY
        }
        named = leaving.churn_drivers(list(due), self.plan, self.today)
        for key, figures in due.items():
            figures |= named.get(key, {})

    def _standings(
        self, ids: list[int], prospects: Mapping[int, Prospect], open_touches: Mapping[int, list[Touch]]
    ) -> dict[int, Standing]:
        contacts = queries.contact_days(ids, today=self.today, days=self.longest_limit)
        alerts = queries.latest_alerts(ids, rules=list(self.plan.alerts))
        wished = queries.wished_keys(ids, since=self.today - WISHED_SINCE)
        return {
            key: Standing(
                open=tuple(as_open(touch) for touch in open_touches.get(key, [])),
                contacts=tuple(contacts.get(key, ())),
                alerts=alerts.get(key, {}),
                wished=frozenset(wished.get(key, ())),
            )
            for key in ids
        }

    def _write(
        self, rows: Mapping[int, Row], decisions: Mapping[int, Decision], open_touches: Mapping[int, list[Touch]]
    ) -> None:
        self._rewrite(rows, decisions, open_touches)
        wishes = [(key, wish) for key, decision in decisions.items() for wish in decision.wishes]
        rows_written = self._touch_rows(rows, wishes)
        added = writing.append_new(Touch, TOUCH, rows_written, returning=["id", "customer_id", "key"])
        made = {(customer, key): number for number, customer, key in added}
        new = [row for row in rows_written if (row[0], row[4]) in made]
        self.planned.created.update(row[3] for row in new)
        self._note_events(new, made)
        self._note_alerts(decisions, open_touches, made)

    def _touch_rows(self, rows: Mapping[int, Row], wishes: list[tuple[int, Wish]]) -> list[tuple[Any, ...]]:
        found = queries.people_of([key for key, _wish in wishes])
        written = []
        for key, wish in wishes:
            row = rows[key]
            way = people.way_to(
                found.get(key, ()), self.plan.channels, tier=row["tier"], asked=wish.asked, today=self.today
            )
            if not way.channel and wish.kind not in {TouchKind.ALERT, TouchKind.RENEWAL}:
                self.planned.held_back += 1
                continue
            written.append(self._touch_row(row, wish, way))
        return written

    def _touch_row(self, row: Row, wish: Wish, way: people.Way) -> tuple[Any, ...]:
        """Return the values of TOUCH for a new touch."""
        return (
            row["id"],
            way.person,
            row["owner_id"],
            wish.kind,
            wish.key,
            {**wish.reason, "stake": row["stake_of"]},
            self._content(wish),
            way.channel,
            wish.minutes,
            row["stake"],
            wish.urgency,
            self._priority(row, wish.urgency, wish.due_on),
            wish.due_on,
            "open",
            self.plan.number or None,
            self.today,
            "",
        )

    def _content(self, wish: Wish) -> dict[str, Any]:
        # A plan has a handful of contents and a turn tens of thousands of touches.
        known = self._contents.get(id(wish.content))
        if known is None:
            known = self._contents[id(wish.content)] = wish.content.model_dump(mode="json")
        return known

    def _priority(self, row: Row, urgency: int, due_on: date) -> float:
        overdue = overdue_workdays(due_on, self.today, self.agenda.calendar)
        return priority(row["rank"], urgency, overdue)

    def _rewrite(
        self, rows: Mapping[int, Row], decisions: Mapping[int, Decision], open_touches: Mapping[int, list[Touch]]
    ) -> None:
        """Let open touches follow: owner, stake and place in the queue, and what was decided about them."""
        rewrites = Rewrites(self.now)
        for key, touches in open_touches.items():
            row = rows[key]
            changes = {change.touch: change for change in decisions[key].changes}
            for touch in touches:
                change = changes.get(touch.pk)
                if change and change.superseded:
                    self.planned.superseded[change.superseded["code"]] += 1
                    rewrites.close(touch, change.superseded)
                    continue
                due = (change and change.due_on) or touch.due_on
                urgency = (change and change.urgency) or touch.urgency
                reason = (change and change.reason) or touch.reason
                place = self._priority(row, urgency, max(due, touch.snoozed_until or due))
                rewrites.follow(touch, row, due_on=due, urgency=urgency, reason=reason, priority=place)
        rewrites.write()

    def _note_events(self, new: list[tuple[Any, ...]], made: Made) -> None:
        def payload(row: tuple[Any, ...]) -> dict[str, Any]:
            found = dict(zip(TOUCH, row, strict=True))
            return {
                "touch": made[found["customer_id"], found["key"]],
                "touch_kind": found["kind"],
                "due_on": found["due_on"].isoformat(),
                "code": found["reason"]["code"],
            }

        kind = EventKind.TOUCH_PLANNED.value
        writing.append(Event, EVENT, ((row[0], kind, self.now, payload(row)) for row in new))

    def _note_alerts(
        self, decisions: Mapping[int, Decision], open_touches: Mapping[int, list[Touch]], made: Made
    ) -> None:
        seen = [(key, sighting) for key, decision in decisions.items() for sighting in decision.sightings]
        standing = {(key, touch.key): touch.pk for key, touches in open_touches.items() for touch in touches}

        def answer(key: int, sighting: Sighting) -> int | None:
            if sighting.answer is None:
                return None
            return made.get((key, sighting.answer)) or standing.get((key, sighting.answer))

        alerts = ((key, each.rule, self.today, each.figures, answer(key, each)) for key, each in seen)
        writing.append_new(Alert, ALERT, alerts, returning=["id"])
        kind = EventKind.ALERT_RAISED.value
        events = (
            (key, kind, self.now, {"rule": each.rule, "urgency": each.urgency, **each.figures}) for key, each in seen
        )
        writing.append(Event, EVENT, events)
        self.planned.alerts.update(sighting.rule for _key, sighting in seen)

    def _note_next(
        self,
        rows: list[dict[str, Any]],
        decisions: Mapping[int, Decision],
        open_touches: Mapping[int, list[Touch]],
    ) -> None:
        for row in rows:
            key = row["id"]
            decision = decisions.get(key, Decision())
            closed = {change.touch for change in decision.changes if change.superseded}
            days = [wish.due_on for wish in decision.wishes]
            days += [touch.next_day for touch in open_touches.get(key, []) if touch.pk not in closed]
            day = min(days, default=None) or next_by_cadence(row, self.agenda)
            if day is not None:
                self.planned.next_touch[key] = day

    def note_in_audit(self) -> None:
        planned = self.planned
        if planned.created or planned.alerts or planned.superseded:
            audit.note(
                None,
                "touches.planned",
                ("engagement.touch", "many"),
                at=self.now,
                day=self.today,
                plan=self.plan.number,
                created=dict(planned.created),
                alerts=dict(planned.alerts),
                superseded=dict(planned.superseded),
            )


def next_by_cadence(row: Row, agenda: Agenda) -> date | None:
    """Return the next day on which the cadence of the customer's tier wishes a contact."""
    cadence = agenda.plan.cadence_of(row["tier"])
    if cadence is None or row["stage"] == "churned":
        return None
    return slices.next_due(cadence, slices.fraction(row["ref"]), row["last_touch"], agenda.today, agenda.calendar)


def as_open(touch: Touch) -> OpenTouch:
    return OpenTouch(
        id=touch.pk,
        key=touch.key,
        kind=touch.kind,
        due_on=touch.due_on,
        urgency=touch.urgency,
        reason=touch.reason,
        created_on=touch.created_on,
    )
