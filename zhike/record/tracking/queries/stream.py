"""What a person sees of the stream: how fast, how far behind, what was refused, and the newest events themselves."""

import re
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import msgspec
from django.db.models import Count, Max, QuerySet, Sum

from zhike.record.tracking.models import Feature, FeatureDay, Inbox, RefusedEvent, Source, StreamMinute
from zhike.record.tracking.rules import INBOX, Event, happened_at, read_time
from zhike.record.tracking.rules.packing import unpacked

SHOWN_MINUTES = 60
COUNTED_ROWS = 20_000
LATEST = 30
DRAWN_DAYS = 30
PERSONAL = "•••"
TELLING = re.compile(r"@|[0-9]{7}")  # Numbers of people that are addresses or telephone numbers.


@dataclass(frozen=True)
class Pulse:
    """How the stream runs: events a second over the last full minute, what waits, and for how long.

    `minutes` are the last sixty, oldest first: (minute, accepted, duplicates, refused).
    """

    per_second: float
    waiting: int
    lag_seconds: int
    minutes: list[tuple[datetime, int, int, int]]

    @property
    def refused(self) -> int:
        return sum(minute[3] for minute in self.minutes)

    @property
    def duplicates(self) -> int:
        return sum(minute[2] for minute in self.minutes)


def pulse(now: datetime) -> Pulse:
    this = now.replace(second=0, microsecond=0)
    first = this - timedelta(minutes=SHOWN_MINUTES - 1)
    rows = StreamMinute.objects.filter(minute__gte=first).values_list("minute")
    sums = rows.annotate(Sum("accepted"), Sum("duplicates"), Sum("refused"))
    found = {minute: (accepted, again, refused) for minute, accepted, again, refused in sums}
    minutes = [first + timedelta(minutes=number) for number in range(SHOWN_MINUTES)]
    series = [(minute, *found.get(minute, (0, 0, 0))) for minute in minutes]
    waiting = Inbox.objects.order_by("id")
    oldest = waiting.values_list("received_at", flat=True).first()
    # The oldest rows only: counting a deep inbox would take longer than looking at it.
    count = sum(waiting.values_list("events", flat=True)[:COUNTED_ROWS])
    lag = max(0, round((now - oldest).total_seconds())) if oldest else 0
    last = series[-2]
    return Pulse(round((last[1] + last[2]) / 60, 1), count, lag, series)


@dataclass(frozen=True)
class Shown:
    """One accepted event as the live stream shows it."""

    at: datetime
    source: str
    call: str
    title: str
    who: str
    properties: str


def latest(*, sees_personal: bool) -> list[Shown]:
    """Return the newest events that still wait in the inbox, newest first, without what names people if need be."""
    names = dict(Source.objects.values_list("pk", "name"))
    rows = Inbox.objects.order_by("-id")[:LATEST]
    found: list[Shown] = []
    for row in rows:
        for event in reversed(_events(unpacked(bytes(row.body)))):
            at = happened_at(read_time(event.timestamp) if event.timestamp else None, row.sent_at, row.received_at)
            found.append(_shown(event, at, names.get(row.source_id, ""), sees_personal))
            if len(found) == LATEST:
                return found
    return found


def _events(body: bytes) -> list[Event]:
    try:
        return INBOX.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []  # The drain will refuse it, with its reason.


def _shown(event: Event, at: datetime, source: str, sees_personal: bool) -> Shown:
    who = next((str(name) for name in (event.user_id, event.anonymous_id) if name not in {None, ""}), "")
    traits = (event.traits or {}) if sees_personal else dict.fromkeys(event.traits or {}, PERSONAL)
    told = {**(event.properties or {}), **traits}
    if not sees_personal and TELLING.search(who):
        who = PERSONAL
    return Shown(at, source, event.type or "", event.title, who, msgspec.json.encode(told).decode()[:400])


def refused(*, source: int | None = None, reason: str = "") -> QuerySet[RefusedEvent]:
    """Return refused events, newest first."""
    rows = RefusedEvent.objects.select_related("source").order_by("-received_at", "-id")
    rows = rows.filter(source_id=source) if source else rows
    return rows.filter(reason=reason) if reason else rows


def reasons() -> list[tuple[str, int]]:
    """Return how often each reason was given among those not replayed, most frequent first."""
    rows = RefusedEvent.objects.filter(replayed_at=None).values_list("reason").annotate(times=Count("id"))
    return list(rows.order_by("-times", "reason"))


def sources() -> QuerySet[Source]:
    """Return the sources by name, each with `used_at`, when one of its keys was last used."""
    return Source.objects.annotate(used_at=Max("keys__used_at")).order_by("-is_active", "name")


def features(search: str = "") -> QuerySet[Feature]:
    """Return the features found in the stream, most used first."""
    found = Feature.objects.order_by("-count", "name")
    return found.filter(name__icontains=search) | found.filter(title__icontains=search) if search else found


@dataclass(frozen=True)
class Daily:
    """Uses of a feature on each of some days, oldest first; `drawn` are shares of the busiest of them, in percent."""

    counts: list[int]

    @property
    def total(self) -> int:
        return sum(self.counts)

    @property
    def drawn(self) -> list[float]:
        most = max(self.counts)
        return [100 * count / most for count in self.counts] if most else []


def daily(features: Collection[Feature], *, today: date) -> dict[int, Daily]:
    """Return for each of these features how often it was used on each of the last thirty days, today the last."""
    first = today - timedelta(days=DRAWN_DAYS - 1)
    rows = FeatureDay.objects.filter(feature__in=features, day__range=(first, today))
    found: dict[int, dict[date, int]] = defaultdict(dict)
    for key, day, count in rows.values_list("feature_id", "day", "count"):
        found[key][day] = count
    days = [first + timedelta(days=number) for number in range(DRAWN_DAYS)]
    return {each.pk: Daily([found[each.pk].get(day, 0) for day in days]) for each in features}
