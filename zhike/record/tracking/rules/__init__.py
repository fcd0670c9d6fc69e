"""What a tracking client may send: the shapes of Segment's HTTP API, their limits, and why an event is refused."""

from datetime import UTC, datetime
from enum import IntEnum
from typing import Annotated, Any

import msgspec

from zhike.kit.refusal import gettext_noop as _

EVENT_LIMIT = 32 * 1024  # Bytes of one event, as it is kept.
BATCH_LIMIT = 500 * 1024  # Bytes of one request, unpacked.
MESSAGE_ID_LIMIT = 100  # Characters.
NAME_LIMIT = 200  # Characters of an event, a user, a visitor, a group.
DEPTH_LIMIT = 32  # Objects and lists inside each other.
OLDEST = datetime(2000, 1, 1, tzinfo=UTC)


class Call(IntEnum):
    """The six calls of a tracking client; the numbers are kept in the lake."""

    TRACK = 1
    PAGE = 2
    SCREEN = 3
    IDENTIFY = 4
    GROUP = 5
    ALIAS = 6


CALLS = {call.name.lower(): call for call in Call}

REASONS: dict[str, str] = {
    "not_an_object": _("The event is not a JSON object."),
    "wrong_type": _("A field holds a value of the wrong type."),
    "unknown_call": _("“type” is none of identify, track, page, screen, group, alias."),
    "wrong_call": _("“type” differs from the address that the event was sent to."),
    "no_person": _("The event names nobody: it needs a userId or an anonymousId."),
    "no_event": _("A track call needs the name of its event."),
    "no_group": _("A group call needs a groupId."),
    "no_previous": _("An alias call needs a previousId and a userId."),
    "name_too_long": _("A name is longer than 200 characters."),
    "message_id_too_long": _("The messageId is longer than 100 characters."),
    "too_large": _("The event is larger than 32 KB."),
    "too_deep": _("Objects and lists lie more than 32 levels inside each other."),
    "bad_text": _("A text holds a NUL or half a character, or is not UTF-8."),
    "bad_number": _("A number is larger than a computer holds."),
    "timestamp": _("The timestamp cannot be read; write it as 2026-03-12T02:18:00Z."),
    "sent_at": _("sentAt cannot be read; write it as 2026-03-12T02:18:00Z."),
    "too_old": _("The event would lie before the year 2000."),
    "unreadable": _("The event was taken, and could not be read when it was to be stored."),
}


Name = Annotated[str, msgspec.Meta(max_length=NAME_LIMIT)]
Number = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class Context(msgspec.Struct, rename="camel", omit_defaults=True, gc=False):
    """What is read of the context; the rest (addresses, devices, libraries) is not kept."""

    group_id: Name | Number | None = None
    traits: dict[str, Any] | None = None


class Event(msgspec.Struct, rename="camel", omit_defaults=True, gc=False):
    """One call of a client. Fields that are not named here are not kept.

    The inbox holds JSON arrays of these, each with `type` and `messageId`.
    """

    type: str | None = None
    message_id: Annotated[str, msgspec.Meta(max_length=MESSAGE_ID_LIMIT)] | None = None
    user_id: Name | Number | None = None
    anonymous_id: Name | Number | None = None
    previous_id: Name | Number | None = None
    group_id: Name | Number | None = None
    event: Name | None = None
    name: Name | None = None
    timestamp: str | None = None
    original_timestamp: str | None = None  # As RudderStack's clients call it.
    sent_at: str | None = None
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None
    context: Context | None = None

    @property
    def call(self) -> Call:
        return CALLS[self.type or ""]

    @property
    def title(self) -> str:
        """Return the name under which the event is kept; of no meaning for identify, group and alias."""
        return (self.event if self.type == "track" else self.name) or self.type or ""

    @property
    def group(self) -> str:
        """Return the groupId of the event's context, or ""."""
        return "" if self.context is None or self.context.group_id is None else str(self.context.group_id)


INBOX = msgspec.json.Decoder(list[Event])  # Reads the body of an inbox row.


def read_time(text: str) -> datetime | None:
    """Return an ISO 8601 time as UTC (without a zone it is UTC already), or None when it cannot be read."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is UTC:
            return moment
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def happened_at(timestamp: datetime | None, sent_at: datetime | None, received: datetime) -> datetime:
    """Return timestamp − sentAt + received, as Segment corrects a client's clock; never later than received.

    Without a timestamp the event happened when it was received, without sentAt the client's clock is believed.
    """
    if timestamp is None:
        return received
    try:
        moment = timestamp if sent_at is None else received - (sent_at - timestamp)
    except OverflowError:
        return received if timestamp > (sent_at or timestamp) else datetime.min.replace(tzinfo=UTC)
    return min(moment, received)
