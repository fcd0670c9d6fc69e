"""The audit log: written where a change is made, by name, each line chained to the one before by its digest."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models, transaction

from zhike.org.models import AuditLine, Staff

CHAIN_LOCK = 7_164_201  # One number for the whole product: whoever adds a line holds this advisory lock until commit.


def note(by: Staff | None, action: str, obj: models.Model | tuple[str, object], *, at: datetime, **detail: Any) -> None:
    """Add one line inside the transaction that makes the change.

    `obj` is the changed row, or a pair (kind, id) where there is no single row. Values in `detail` say what changed,
    before and after.
    """
    kind, key = (obj._meta.label_lower, obj.pk) if isinstance(obj, models.Model) else obj
    plain = json.loads(json.dumps(detail, cls=DjangoJSONEncoder))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
        last = AuditLine.objects.order_by("-id").values_list("id", "digest").first() or (0, "")
        line = AuditLine(
            id=last[0] + 1,
            at=at.astimezone(UTC),
            actor_kind="staff" if by else "system",
            actor_id=by.pk if by else None,
            actor_name=by.name if by else "",
            action=action,
            object_kind=kind,
            object_id=str(key),
            detail=plain,
            before=last[1],
        )
        line.digest = digest_of(line)
        line.save(force_insert=True)


def digest_of(line: AuditLine) -> str:
    """Return the SHA-256 over a line's content and the digest before it, in hexadecimal."""
    content = [
        line.id,
        line.at.astimezone(UTC).isoformat(timespec="microseconds"),
        line.actor_kind,
        line.actor_id,
        line.actor_name,
        line.action,
        line.object_kind,
        line.object_id,
        line.detail,
        line.before,
    ]
    text = json.dumps(content, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Break:
    """A place where the chain does not hold: the line's number and what is wrong there."""

    line: int
    fault: str


def verify() -> Iterator[Break]:
    """Yield every break of the chain: an altered line, a removed one, or a line that does not follow its neighbour."""
    number, digest = 0, ""
    for line in AuditLine.objects.order_by("id").iterator(chunk_size=2000):
        if line.id != number + 1:
            yield Break(number + 1, "missing")
        elif line.before != digest:
            yield Break(line.id, "does not follow the line before")
        if digest_of(line) != line.digest:
            yield Break(line.id, "altered")
        number, digest = line.id, line.digest
