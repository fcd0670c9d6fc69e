"""What the stream tells beside its events: which features there are, how much came, and what was refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection

from zhike.record.tracking.models import RefusedEvent, Source
from zhike.record.tracking.operations.decoding import Unreadable
from zhike.record.tracking.rules import Call

FEATURES = """
    INSERT INTO tracking_feature (name, title, first_at, last_at, count)
    SELECT name, '', to_timestamp(first / 1e6), to_timestamp(last / 1e6), count
    FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::bigint[]) AS n (name, first, last, count) ORDER BY name
    ON CONFLICT (name) DO UPDATE SET count = tracking_feature.count + excluded.count,
        first_at = least(tracking_feature.first_at, excluded.first_at),
        last_at = greatest(tracking_feature.last_at, excluded.last_at)
"""
DAYS = """
    INSERT INTO tracking_featureday (feature_id, day, count)
    SELECT f.id, n.day, n.count FROM unnest(%s::text[], %s::date[], %s::bigint[]) AS n (name, day, count)
    JOIN tracking_feature f ON f.name = n.name ORDER BY f.id, n.day
    ON CONFLICT (feature_id, day) DO UPDATE SET count = tracking_featureday.count + excluded.count
"""
MINUTES = """
    INSERT INTO tracking_streamminute (source_id, minute, accepted, duplicates, refused)
    SELECT source, to_timestamp(minute * 60), accepted, duplicates, 0
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]) AS n (source, minute, accepted, duplicates)
    WHERE EXISTS (SELECT 1 FROM tracking_source s WHERE s.id = n.source) ORDER BY source, minute
    ON CONFLICT (source_id, minute) DO UPDATE SET accepted = tracking_streamminute.accepted + excluded.accepted,
        duplicates = tracking_streamminute.duplicates + excluded.duplicates
"""
LAST_OF_USE = int(Call.SCREEN)  # Calls up to this one tell of using the product.
MINUTE = 60 * 10**6
UNREADABLE = "unreadable"
BODY_LIMIT = 600_000


def note_features(events: pa.Table, zone: ZoneInfo) -> None:
    """Count uses by event, in all and by local day of when they happened."""
    used = events.filter(pc.less_equal(events["call"], LAST_OF_USE))
    local = pc.local_timestamp(used["at"].cast(pa.timestamp("us", tz=zone.key))).cast(pa.date32(), safe=False)
    table = pa.table({"event": used["event"].cast(pa.string()), "at": used["at"].cast(pa.int64()), "day": local})
    found = table.group_by("event").aggregate([("at", "min"), ("at", "max"), ("at", "count")])
    columns = [found[name].to_pylist() for name in ("event", "at_min", "at_max", "at_count")]
    with connection.cursor() as cursor:
        cursor.execute(FEATURES, columns)
        days = table.group_by(["event", "day"]).aggregate([("at", "count")])
        cursor.execute(DAYS, [days[name].to_pylist() for name in ("event", "day", "at_count")])


def note_minutes(source: pa.Array, received: pa.Array, accepted: pa.Array) -> None:
    """Count what came, by source and minute of receipt; `accepted` is true for what was not seen before."""
    minute = pc.divide(received, MINUTE)
    table = pa.table({"source": source, "minute": minute, "accepted": accepted.cast(pa.int64())})
    found = table.group_by(["source", "minute"]).aggregate([("accepted", "sum"), ("accepted", "count")])
    taken, came = found["accepted_sum"].to_pylist(), found["accepted_count"].to_pylist()
    duplicates = [all_ - new for all_, new in zip(came, taken, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(MINUTES, [found["source"].to_pylist(), found["minute"].to_pylist(), taken, duplicates])


def refuse(unreadable: Sequence[Unreadable]) -> list[Unreadable]:
    """Keep what could not be read where a person sees it; returns what has no source any more."""
    sources = set(Source.objects.filter(pk__in={each.source for each in unreadable}).values_list("pk", flat=True))
    RefusedEvent.objects.bulk_create(
        RefusedEvent(
            source_id=each.source,
            received_at=each.received.astimezone(UTC),
            reason=UNREADABLE,
            detail=each.detail[:300].replace("\0", ""),
            body=each.body[:BODY_LIMIT].decode(errors="backslashreplace").replace("\0", "\\u0000"),
        )
        for each in unreadable
        if each.source in sources
    )
    return [each for each in unreadable if each.source not in sources]
