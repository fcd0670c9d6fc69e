"""What an administrator does with data sources and their write keys."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from zhike.kit.refusal import Refusal
from zhike.org import audit
from zhike.org.models import Staff
from zhike.record.tracking.models import Feature, Source, WriteKey

PREFIX = "zk_write_"  # So that a key found somewhere tells what it is, to people and to scanners.


class SourceNameTaken(Refusal):
    message = _("There is a source named %(name)s already.")


class KeyEnded(Refusal):
    message = _("This key has ended already.")


@transaction.atomic(durable=True)
def add_source(*, name: str, origins: list[str], by: Staff | None, now: datetime) -> tuple[Source, str]:
    """Add a source and return it with its first key, which is shown once and kept nowhere."""
    source = Source(name=name, origins=origins, created_at=now, created_by=by)
    try:
        with transaction.atomic():
            source.save(force_insert=True)
    except IntegrityError as error:
        raise SourceNameTaken(name=name) from error
    audit.note(by, "source.added", source, at=now, name=name, origins=origins)
    return source, _new_key(source, by, now)


@transaction.atomic(durable=True)
def change_source(source: Source, *, by: Staff, now: datetime, **changes: Any) -> None:
    """Change name, web origins or whether the source is active; the tracking API knows a second later."""
    before = {field: getattr(source, field) for field in changes}
    for field, value in changes.items():
        setattr(source, field, value)
    try:
        with transaction.atomic():
            source.save(update_fields=list(changes))
    except IntegrityError as error:
        raise SourceNameTaken(name=source.name) from error
    audit.note(by, "source.changed", source, at=now, before=before, after=changes)


@transaction.atomic(durable=True)
def rotate_key(source: Source, *, overlap: timedelta, by: Staff, now: datetime) -> str:
    """Give the source a new key, which is returned and kept nowhere; the keys so far end after the overlap."""
    ends_at = now + overlap
    lasting = source.keys.select_for_update().filter(ends_at=None) | source.keys.filter(ends_at__gt=ends_at)
    ending = list(lasting.values_list("pk", flat=True))
    WriteKey.objects.filter(pk__in=ending).update(ends_at=ends_at)
    key = _new_key(source, by, now)
    audit.note(by, "source.key_rotated", source, at=now, ending=ending, ends_at=ends_at)
    return key


@transaction.atomic(durable=True)
def end_key(key: WriteKey, *, by: Staff, now: datetime) -> None:
    """End a key now; the tracking API knows a second later."""
    running = WriteKey.objects.filter(pk=key.pk).exclude(ends_at__lte=now)
    if not running.update(ends_at=now):
        raise KeyEnded
    audit.note(by, "source.key_ended", key.source, at=now, key=key.hint)


def _new_key(source: Source, by: Staff | None, now: datetime) -> str:
    written = PREFIX + secrets.token_urlsafe(24)
    digest = hashlib.sha256(written.encode()).hexdigest()
    key = WriteKey(source=source, digest=digest, hint=written[-4:], created_at=now, created_by=by)
    key.save(force_insert=True)
    audit.note(by, "source.key_added", source, at=now, key=key.hint)
    return written


@transaction.atomic(durable=True)
def name_feature(feature: Feature, title: str, *, by: Staff, now: datetime) -> None:
    """Give a feature the title under which people know it; an empty one leaves its event's name."""
    before, feature.title = feature.title, title.strip()
    feature.save(update_fields=["title"])
    audit.note(by, "feature.named", feature, at=now, before=before, after=feature.title)
