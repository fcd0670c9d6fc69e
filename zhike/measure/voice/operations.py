"""Saying what a text means, and taking it back."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.measure.voice import learning
from zhike.measure.voice.judging import OWN
from zhike.measure.voice.listening import is_unsure
from zhike.measure.voice.models import Aspect, Origin, TextLabel, VoiceText
from zhike.org import audit
from zhike.org.jobs import defer
from zhike.org.models import Staff
from zhike.record.events.models import Event, EventKind

LONGEST = 60


class NotAnAnswer(Refusal):
    message = _("%(value)s is no answer here; there are: %(answers)s.")


class NameTheTopic(Refusal):
    message = _("A topic needs a name of at most %(longest)s characters.")


@transaction.atomic(durable=True)
def correct(voice: VoiceText, aspect: Aspect, value: str, *, by: Staff, now: datetime) -> VoiceText:
    """Note what a colleague says a text means; models learn from it when enough has been said."""
    value = " ".join(value.split())
    if aspect is Aspect.TOPIC:
        if not 0 < len(value) <= LONGEST:
            raise NameTheTopic(longest=LONGEST)
    elif value not in OWN[aspect]:
        raise NotAnAnswer(value=value, answers=", ".join(OWN[aspect]))
    row = VoiceText.objects.select_for_update().get(pk=voice.pk)
    before, origin = getattr(row, aspect), getattr(row, f"{aspect}_origin")
    setattr(row, aspect, value)
    setattr(row, f"{aspect}_confidence", 1.0)
    setattr(row, f"{aspect}_origin", Origin.PERSON)
    row.unsure = is_unsure(row)
    row.save(update_fields=[aspect, f"{aspect}_confidence", f"{aspect}_origin", "unsure"])
    TextLabel.objects.update_or_create(voice=row, aspect=aspect, defaults={"value": value, "by": by, "at": now})
    detail = {"aspect": str(aspect), "before": before, "before_by": str(origin), "after": value}
    audit.note(by, "feedback.labelled", row, at=now, customer=row.customer_id, **detail)
    Event.append(row.customer_id, EventKind.FEEDBACK_LABELLED, at=now, by=by, voice=row.pk, **detail)
    if learning.due(aspect):
        defer("voice.learn", lock="voice.learn", aspect=str(aspect))
    return row
