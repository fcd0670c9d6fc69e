"""The last weeks, in which the company already worked with the product: weekly turns, and what colleagues did between.

What colleagues told customers in those weeks closes the touches that were open then, as it would have; the rest was
logged without being asked for. Of the touches that nobody got round to some are dropped, and some are left over, as in
life. Nothing is invented here that the hidden model does not know: no talk is added to those of the history.
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from django.db import connection
from numpy.random import Generator

from zhike import loop
from zhike.act.engagement import operations
from zhike.act.engagement.models import Touch, TouchState
from zhike.decide.plans import queries as plans
from zhike.demo import bringing, files
from zhike.kit.calendars import WorkCalendar
from zhike.measure import turns
from zhike.measure.voice import listening
from zhike.org.models import Staff
from zhike.org.works import Silent
from zhike.record.customers.models import Customer
from zhike.review.kpis import operations as kpis

TURN_AT = time(6, 10)
DROPPED_AT = time(17, 40)
DROPPED = 0.7  # Of the touches that nobody got round to within their week.
REASONS = ("已在例会上沟通", "客户出差，下次一起谈", "同事已联系过", "客户已自行解决")


@dataclass(frozen=True)
class Logged:
    """Something that a colleague told a customer, as a row of the file."""

    customer: str
    at: datetime
    channel: str
    by: str
    text: str
    row: list[str]


class Weeks:
    """The weeks of a company that works with the product."""

    def __init__(
        self,
        folder: Path,
        *,
        by: Staff,
        random: Generator,
        zone: ZoneInfo,
        arrived: date,
        planned_from: date,
        now: datetime,
    ) -> None:
        self.folder, self.by, self.random, self.zone = folder, by, random, zone
        self.planned_from, self.now = planned_from, now
        self.known_until = arrived
        self.calendar: WorkCalendar = plans.in_force().calendar.days()
        self.logged = list(_read(folder / "interactions_logged.csv", zone))
        self.colleagues = {staff.name: staff for staff in Staff.objects.select_related("role", "team")}

    def live_through(self, days: list[date], say: Callable[[str], None]) -> None:
        """Turn the loop on each of these days in order; between two of them colleagues work their queues."""
        for place, day in enumerate(days):
            if place and days[place - 1] >= self.planned_from:
                self._work(days[place - 1], day)
            self._turn(day)
            say(f"turn of {day}")
        _forget_reactions()

    def _turn(self, day: date) -> None:
        """Turn the loop; in the weeks before the company planned contacts, only measure."""
        moment = min(datetime.combine(day, TURN_AT, self.zone), self.now)
        bringing.bring_contracts_in(self.folder, self.known_until, day, by=self.by, now=moment)
        self.known_until = day
        listening.listen()
        if day >= self.planned_from:
            loop.turn(today=day, by=None, now=moment, progress=Silent())
            return
        plan = plans.in_force()
        turns.measure(plan.measure, today=day, now=moment, plan_number=plan.number)
        kpis.note(day)

    def _work(self, since: date, until: date) -> None:
        """Close the touches that were made between two turns, log the other talks, drop some of what is overdue."""
        talks = [one for one in self.logged if since <= one.at.date() < until]
        ids = dict(Customer.objects.filter(ref__in={one.customer for one in talks}).values_list("ref", "pk"))
        touches = self._open_touches(list(ids.values()))
        unasked = []
        for one in talks:
            waiting = touches.get(ids[one.customer])
            if waiting:
                self._complete(waiting.pop(0), one)
            else:
                unasked.append(one)
        self._log(unasked, until)
        self._drop(until)

    def _open_touches(self, customers: list[int]) -> dict[int, list[Touch]]:
        """Return the open touches of these customers, the most urgent first."""
        found: dict[int, list[Touch]] = {}
        for touch in Touch.objects.filter(state=TouchState.OPEN, customer__in=customers).order_by("-priority", "id"):
            found.setdefault(touch.customer_id, []).append(touch)
        return found

    def _complete(self, touch: Touch, one: Logged) -> None:
        operations.complete(
            touch, text=one.text, channel=one.channel, calendar=self.calendar, now=one.at, by=self.colleagues[one.by]
        )

    def _log(self, talks: list[Logged], until: date) -> None:
        if not talks:
            return
        path = self.folder / "interactions_week.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(files.INTERACTION_COLUMNS)
            writer.writerows(one.row for one in talks)
        moment = datetime.combine(until - timedelta(days=1), DROPPED_AT, self.zone)
        bringing.bring_in("interactions", path, bringing.INTERACTIONS, by=self.by, now=moment)
        path.unlink()

    def _drop(self, until: date) -> None:
        moment = datetime.combine(until - timedelta(days=1), DROPPED_AT, self.zone)
        overdue = Touch.objects.filter(state=TouchState.OPEN, due_on__lt=until - timedelta(days=3))
        for touch in overdue.select_related("owner").order_by("pk"):
            if self.random.random() < DROPPED:
                reason = REASONS[int(self.random.integers(len(REASONS)))]
                operations.not_needed(touch, reason=reason, now=moment, by=touch.owner)


def _forget_reactions() -> None:
    """Take back the jobs that would follow each closed touch; the last turn has followed all of them at once."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE task_name = 'loop.react' AND status = 'todo'")


def _read(path: Path, zone: ZoneInfo) -> Iterator[Logged]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        for row in rows:
            customer, at, channel, _direction, by, text = row
            yield Logged(customer, datetime.fromisoformat(at).replace(tzinfo=zone), channel, by, text, row)
