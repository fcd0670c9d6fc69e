"""The conductor: one turn of the loop — record, measure, decide, act, review — and what follows upon an event."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol

import pyarrow as pa
from django.db import connection, transaction
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy
from psycopg import sql

from zhike.act.engagement import operations as engagement
from zhike.act.engagement.models import Touch
from zhike.act.engagement.operations import Planned
from zhike.decide.plans.queries import in_force, version_in_force
from zhike.decide.plans.rules import Plan
from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.measure import freshening, keeping, lake, proving, turns
from zhike.measure.freshening import Fresh
from zhike.measure.models import CustomerFacts, FactsDay
from zhike.measure.proving import Proof
from zhike.measure.turns import Measured, Moves
from zhike.org import audit, company
from zhike.org.models import Staff, Work, WorkState
from zhike.record.customers.models import Customer
from zhike.record.events.models import Event, EventKind
from zhike.record.interactions.models import Interaction, Outcome
from zhike.review.kpis import operations as kpis

LOCK = 7_164_401  # Whoever turns the loop holds this advisory lock of PostgreSQL.
WORK = "loop.turn"  # The kind of work that a turn is on its progress card.
AHEAD_AT_MOST = timedelta(days=31)
NAMED = 3  # The biggest customers of each move, told by name.
MORNING = (6, 10)  # The nightly turn, by the company's clock.


class TurnIsRunning(Refusal):
    message = _("A turn is running already, since %(since)s, started by %(who)s. Wait for it to finish.")


class NoCustomers(Refusal):
    message = _("There are no customers yet. Import some first: zhike import customers FILE.")


class TooFarAhead(Refusal):
    message = _("%(day)s lies too far ahead; a turn can be made for %(last)s at the latest.")


class Watcher(Protocol):
    """Who is told how far the turn is (`zhike.org.works.Progress`)."""

    def step(self, words: str, done: int = 0, total: int | None = None) -> None: ...


@dataclass(frozen=True)
class Moved:
    """How many customers went from one class to another, and who the biggest of them are."""

    before: str
    after: str
    count: int
    names: list[str]


@dataclass(frozen=True)
class KpiTaken:
    key: str
    value: float | None
    basis: int


@dataclass
class TurnReport:
    """What one turn changed; a turn that is repeated reports no changes."""

    today: date
    customers: int
    tiers_moved: list[Moved] = field(default_factory=list)
    stages_moved: list[Moved] = field(default_factory=list)
    touches_created: dict[str, int] = field(default_factory=dict)
    touches_superseded: dict[str, int] = field(default_factory=dict)
    alerts: dict[str, int] = field(default_factory=dict)
    kpis: list[KpiTaken] = field(default_factory=list)
    warnings: list[dict[str, object]] = field(default_factory=list)
    proof: Proof | None = None
    seconds: float = 0.0

    @property
    def changed(self) -> bool:
        return bool(self.tiers_moved or self.stages_moved or self.touches_created or self.alerts)


def turn(*, today: date, by: Staff | None, now: datetime, progress: Watcher) -> TurnReport:
    """Go once round for a day: measure everybody by the plan in force, plan whom to contact, note the key figures.

    Facts are those of the morning: what happened up to the end of the day before. Repeating a day changes nothing, and
    resumes a turn that was cut short. A day before the latest one measured only has its facts kept anew. Raises
    NoPlanInForce, NoCustomers, TooFarAhead or TurnIsRunning before anything is changed.
    """
    began = time.monotonic()
    plan = in_force()
    _check(today, now)
    with alone(), keeping.alone(wait=True):
        proof = _prove(today, now, progress)
        measured = turns.measure(plan.measure, today=today, now=now, plan_number=plan.number, progress=progress)
        report = TurnReport(today, measured.customers, warnings=list(measured.warnings), proof=proof)
        if measured.is_latest:
            _note_moves(report, measured, now=now)
            planned = engagement.plan_touches(plan, today=today, now=now, progress=progress)
            progress.step(str(gettext_lazy("Noting the next touches")))
            turns.set_next_touch(_as_table(planned), today=today)
            _tell_planned(report, planned)
        else:
            report.warnings.append({"code": "later_day_measured", "day": today.isoformat()})
        progress.step(str(gettext_lazy("Taking the key figures")))
        report.kpis = [KpiTaken(key, value.value, value.basis) for key, value in kpis.note(today).items()]
        _settle()
        report.seconds = round(time.monotonic() - began, 1)
        _note_turn(report, plan, by=by, now=now)
    return report


def _settle() -> None:
    """Let pages read what was just written from indexes alone, which PostgreSQL does only where it has cleared up."""
    if connection.in_atomic_block:
        return  # Clearing up is not done inside a transaction; it comes by itself, later.
    with connection.cursor() as cursor:
        for model in (CustomerFacts, Touch):
            cursor.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(model._meta.db_table)))


def _prove(today: date, now: datetime, progress: Watcher) -> Proof | None:
    """Prove what was freshened since the last turn, before a turn for that day or a later one measures everybody."""
    latest = FactsDay.objects.order_by("-day").first()
    if latest is None or latest.day > today:
        return None
    progress.step(str(gettext_lazy("Comparing the day's facts with all of them computed anew")))
    return proving.prove(latest, moment=min(now, _until(latest)))


def _until(latest: FactsDay) -> datetime:
    """Return the moment after which the latest day's facts go no further: a turn for the next day is overdue."""
    return lake.midnight(latest.day + timedelta(days=2), company.zone())


def _check(today: date, now: datetime) -> None:
    last = company.today(now) + AHEAD_AT_MOST
    if today > last:
        raise TooFarAhead(day=today.isoformat(), last=last.isoformat())
    if not Customer.objects.exists():
        raise NoCustomers


@contextmanager
def alone() -> Iterator[None]:
    """Hold the lock of the loop, or raise TurnIsRunning, naming the turn that holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        (got,) = cursor.fetchone()
    if not got:
        running = Work.objects.filter(kind=WORK, state=WorkState.RUNNING).select_related("by").order_by("-id").first()
        since = f"{localtime(running.started_at):%H:%M}" if running and running.started_at else "?"
        raise TurnIsRunning(since=since, who=running.by.name if running and running.by else "zhike")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def is_running() -> bool:
    """Say whether a turn is running at this moment, in whatever process."""
    try:
        with alone():
            return False
    except TurnIsRunning:
        return True


@transaction.atomic(durable=True)
def _note_moves(report: TurnReport, measured: Measured, *, now: datetime) -> None:
    """Append an event for every move of the day that has none yet, and report those."""
    for moves, kind, told in (
        (measured.tiers, EventKind.TIER_CHANGED, report.tiers_moved),
        (measured.stages, EventKind.STAGE_CHANGED, report.stages_moved),
    ):
        fresh = _without_event(moves, kind, measured.day)
        day = measured.day.isoformat()
        Event.objects.bulk_create(
            (
                Event(customer_id=key, kind=kind, at=now, payload={"from": before, "to": after, "day": day})
                for key, before, after in fresh
            ),
            batch_size=2000,
        )
        told.extend(_told(fresh))


def _without_event(moves: Moves, kind: EventKind, day: date) -> list[tuple[int, str, str]]:
    """Return moves (customer, before, after) of which no event tells yet: a turn that was cut short left them."""
    columns = (moves.table[name].to_pylist() for name in ("customer_id", "before", "after"))
    rows = list(zip(*columns, strict=True))
    if not rows:
        return []
    events = Event.objects.filter(kind=kind, payload__day=day.isoformat())
    known = set(events.values_list("customer_id", "payload__to"))
    return [(key, before, after) for key, before, after in rows if (key, after) not in known]


def _told(fresh: list[tuple[int, str, str]]) -> list[Moved]:
    grouped: dict[tuple[str, str], list[int]] = {}
    for key, before, after in fresh:
        grouped.setdefault((before, after), []).append(key)
    found = [Moved(*pair, len(keys), _biggest(keys)) for pair, keys in grouped.items()]
    return sorted(found, key=lambda each: (-each.count, each.before, each.after))


def _biggest(keys: list[int]) -> list[str]:
    rows = CustomerFacts.objects.filter(customer_id__in=keys).order_by("-revenue_12m", "customer_id")
    return list(rows.exclude(revenue_12m=None).values_list("customer__name", flat=True)[:NAMED])


def _as_table(planned: Planned) -> pa.Table:
    keys = sorted(planned.next_touch)
    days = [planned.next_touch[key] for key in keys]
    return pa.table({"customer_id": pa.array(keys, pa.int64()), "next_touch": pa.array(days, pa.date32())})


def _tell_planned(report: TurnReport, planned: Planned) -> None:
    report.touches_created = dict(planned.created)
    report.touches_superseded = dict(planned.superseded)
    report.alerts = dict(planned.alerts)
    if planned.held_back:
        report.warnings.append({"code": "no_channel_allowed", "touches": planned.held_back})


@transaction.atomic(durable=True)
def _note_turn(report: TurnReport, plan: Plan, *, by: Staff | None, now: datetime) -> None:
    moved = sum(each.count for each in [*report.tiers_moved, *report.stages_moved])
    audit.note(
        by,
        "loop.turned",
        ("measure.factsday", report.today.isoformat()),
        at=now,
        plan=plan.number,
        customers=report.customers,
        moved=moved,
        touches=report.touches_created,
        alerts=report.alerts,
        seconds=report.seconds,
        **({"proof": report.proof.told()} if report.proof else {}),
    )


def told(report: TurnReport) -> dict[str, object]:
    """Return a report as JSON holds it, with the keys that `zhike turn --json` prints."""
    return {
        "today": report.today.isoformat(),
        "customers": report.customers,
        "tiers_moved": [asdict(each) for each in report.tiers_moved],
        "stages_moved": [asdict(each) for each in report.stages_moved],
        "touches_created": report.touches_created,
        "touches_superseded": report.touches_superseded,
        "alerts": report.alerts,
        "kpis": {each.key: {"value": each.value, "basis": each.basis} for each in report.kpis},
        "warnings": report.warnings,
        "proof": report.proof.told() if report.proof else None,
        "seconds": report.seconds,
    }


@dataclass
class Freshened:
    """What a pass between two turns did: how many customers it took up, and of how many the facts changed.

    `was_busy` when a turn or another pass was at work, so that this one did nothing. Everything on record from before
    `moment` is in the facts; None when there was nothing to do.
    """

    moment: datetime | None = None
    taken: int = 0
    changed: int = 0
    behind: int = 0
    alerts: dict[str, int] = field(default_factory=dict)
    was_busy: bool = False
    seconds: dict[str, float] = field(default_factory=dict)


def freshen(now: datetime) -> Freshened:
    """Bring the latest day's facts up to now, and let alerts and touches of customers with news follow.

    Cheap when there is nothing to do. Tiers and stages move at once; the moves themselves are noted by the turn. When
    the last turn is longer ago than yesterday, only a turn makes facts fresh again.
    """
    latest = FactsDay.objects.order_by("-day").first()
    if latest is None or now >= _until(latest) or not freshening.is_due(latest, now):
        return Freshened()
    with keeping.alone(wait=False) as granted:
        if not granted:
            return Freshened(was_busy=True)
        fresh = freshening.freshen(latest, moment=now)
        planned = _follow_all(fresh, now)
        keeping.forget(fresh.taken_notes)
    alerts, counts = dict(planned.alerts), (len(fresh.taken), len(fresh.changed), fresh.behind)
    return Freshened(fresh.moment, *counts, alerts=alerts, seconds=fresh.seconds)


def _follow_all(fresh: Fresh, now: datetime) -> Planned:
    """Plan for customers with news; the plan's own rules keep a sign from being raised again and again."""
    if not fresh.taken:
        return Planned()
    began = time.monotonic()
    planned = engagement.plan_touches(in_force(), today=fresh.day, now=now, progress=_NOBODY, only=fresh.taken)
    turns.set_next_touch_of(_as_table(planned), only=fresh.taken)
    fresh.seconds["planning"] = round(time.monotonic() - began, 3)
    return planned


def last_day() -> date | None:
    """Return the latest day that was measured, or None before the first turn."""
    return FactsDay.objects.order_by("-day").values_list("day", flat=True).first()


def is_due(now: datetime) -> date | None:
    """Return the day whose nightly turn should run now, or None: once a morning, and at once when it is late."""
    local = now.astimezone(company.zone())
    hour, minute = MORNING
    if (local.hour, local.minute) < MORNING or version_in_force() is None or not Customer.objects.exists():
        return None
    morning = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
    done = FactsDay.objects.filter(day__gte=local.date(), computed_at__gte=morning).exists()
    return None if done else local.date()


def follow(customer_id: int, *, now: datetime) -> None:
    """Let one customer's touches follow what has just happened: a contact logged, a touch closed, a new owner.

    A contact satisfies the open touch of the cadence; last and next touch are put right. Until the first turn there is
    nothing to follow.
    """
    latest = last_day()
    if latest is None or not CustomerFacts.objects.filter(pk=customer_id).exists():
        return
    last_touch = _last_touch(customer_id)
    turns.refresh_contact(customer_id, last_touch, None)
    planned = engagement.plan_touches(in_force(), today=latest, now=now, progress=_NOBODY, only=[customer_id])
    turns.refresh_contact(customer_id, last_touch, planned.next_touch.get(customer_id))


def _last_touch(customer_id: int) -> date | None:
    reached = Interaction.objects.filter(customer_id=customer_id, outcome=Outcome.REACHED).order_by("-at")
    at = reached.values_list("at", flat=True).first()
    return at.astimezone(company.zone()).date() if at else None


class _Nobody:
    def step(self, words: str, done: int = 0, total: int | None = None) -> None: ...


_NOBODY = _Nobody()


Reaction = Callable[..., None]

REACTIONS: Mapping[str, Sequence[Reaction]] = {
    EventKind.INTERACTION_LOGGED: [follow],
    EventKind.TOUCH_MADE: [follow],
    EventKind.TOUCH_POSTPONED: [follow],
    EventKind.TOUCH_DROPPED: [follow],
    EventKind.TOUCH_REOPENED: [follow],
    EventKind.TOUCH_PLANNED: [follow],
    EventKind.CUSTOMER_HANDED_OVER: [follow],
}
"""Who reacts to what, between two turns. Features do not call upwards: they defer `loop.react` with the event."""


def react(customer_id: int, *, event: str, now: datetime) -> None:
    """Do what follows upon an event of a customer; an event that nobody reacts to is no mistake."""
    for reaction in REACTIONS.get(event, ()):
        reaction(customer_id, now=now)
