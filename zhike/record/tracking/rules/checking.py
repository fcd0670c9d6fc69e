"""Reading what a client sent: what is accepted, as the inbox keeps it, and what is refused, one by one, and why."""

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from zhike.record.tracking.rules import (
    CALLS,
    DEPTH_LIMIT,
    EVENT_LIMIT,
    MESSAGE_ID_LIMIT,
    OLDEST,
    Call,
    Context,
    Event,
    read_time,
)


class Refused(NamedTuple):
    """An event that breaks a rule: where in its batch, from 0; why, a key of REASONS; more of that; what came."""

    place: int
    message_id: str
    reason: str
    detail: str
    body: str


class Row(NamedTuple):
    """Accepted events that were sent at the same moment, as the inbox keeps them."""

    sent_at: datetime | None
    events: int
    body: bytes


class Checked(NamedTuple):
    """What became of one request; `write_key` is the key when it came in the body."""

    rows: list[Row]
    refused: list[Refused]
    write_key: str


class Unreadable(Exception):
    """The whole request is refused: it is no JSON, or not of the shape of its address. The sentence says which."""


class Fault(Exception):
    """What is wrong with one event: a key of REASONS, and a detail."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


class _Given(NamedTuple):
    """What holds for every event of a request."""

    route: str
    sent_at: datetime | None
    earliest: datetime
    context: Context | None
    received: datetime
    make_id: Callable[[], str]


class _Envelope(msgspec.Struct, rename="camel"):
    """A batch whose events are all of the right types, which nearly every batch is."""

    batch: list[Event]
    sent_at: str | None = None
    context: Context | None = None
    write_key: str | None = None


class _Pieces(msgspec.Struct, rename="camel"):
    """A batch whose events are looked at one by one."""

    batch: list[msgspec.Raw]
    sent_at: msgspec.Raw = msgspec.Raw(b"null")
    context: msgspec.Raw = msgspec.Raw(b"null")
    write_key: msgspec.Raw = msgspec.Raw(b"null")


class _Key(msgspec.Struct, rename="camel"):
    write_key: str | None = None


class _Id(msgspec.Struct, rename="camel"):
    message_id: str | None = None


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_PIECES = msgspec.json.Decoder(_Pieces)
_EVENT = msgspec.json.Decoder(Event)
_CONTEXT = msgspec.json.Decoder(Context | None)
_TEXT = msgspec.json.Decoder(str | None)
_KEY = msgspec.json.Decoder(_Key)
_ID = msgspec.json.Decoder(_Id)
_ENCODER = msgspec.json.Encoder()
_HALF = re.compile("[\ud800-\udfff]")
_BATCHES = {"batch", "import"}
_NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def check(body: bytes, route: str, received: datetime, make_id: Callable[[], str]) -> Checked:
    """Return what of a request is accepted and what is refused, or raise Unreadable.

    route: "batch", "import", or the call of a single event.
    make_id: gives a messageId to an event that came without one.
    """
    if route in _BATCHES:
        return _all_at_once(body, received, make_id) or _one_by_one(body, received, make_id)
    try:
        write_key = _KEY.decode(body).write_key or ""
    except _NOT_JSON:
        write_key = ""
        body = _ensure_json(body)
    raw = msgspec.Raw(body)
    return _pieces([raw], None, _Given(route, None, OLDEST, None, received, make_id), write_key)


def _ensure_json(body: bytes) -> bytes:
    """Return the body as JSON whose pieces can be told apart, or raise Unreadable.

    Half a character stops msgspec at once, though it is one event that is wrong and not all: a NUL takes its place.
    """
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except RecursionError as error:
        raise Unreadable("The body lies too deep inside itself.") from error
    except _NOT_JSON as error:
        if b"\\u" not in body:
            raise Unreadable(f"The body is not JSON: {error}") from error
    else:
        return body
    try:
        anew = json.dumps(json.loads(body, parse_constant=_no_number), ensure_ascii=False)
        return _HALF.sub(r"\\u0000", anew).encode()
    except (ValueError, RecursionError) as error:
        raise Unreadable("The body is not JSON.") from error


def _no_number(word: str) -> None:
    raise ValueError(word)


def _all_at_once(body: bytes, received: datetime, make_id: Callable[[], str]) -> Checked | None:
    """Take a batch in which every event is right, or None: then each is looked at to find the wrong ones.

    Nearly all events come this way, so what can be asked of all of them at once is not asked of each.
    """
    try:
        given = _ENVELOPE.decode(body)
        sent_at = _sent_at(given.sent_at)
        shared = _Given("", sent_at, _earliest(sent_at, received), given.context, received, make_id)
        moments = [_read(event, shared) for event in given.batch]
    except (*_NOT_JSON, Fault):
        return None
    kept = _ENCODER.encode_lines(given.batch)
    parts = kept.split(b"\n")[:-1]  # A line feed within a text is written as \n, so each line is an event.
    if b"\\u0000" in kept or not all(map(_fits, parts)):
        return None
    if any(moment is not sent_at for moment in moments):
        return Checked(_rows(list(zip(moments, parts, strict=True))), [], given.write_key or "")
    rows = [Row(sent_at, len(parts), b"[" + b",".join(parts) + b"]")] if parts else []
    return Checked(rows, [], given.write_key or "")


def _fits(part: bytes) -> bool:
    return len(part) <= EVENT_LIMIT and part.count(b"{") + part.count(b"[") <= DEPTH_LIMIT


def _one_by_one(body: bytes, received: datetime, make_id: Callable[[], str]) -> Checked:
    body = _ensure_json(body)
    try:
        given = _PIECES.decode(body)
    except msgspec.ValidationError as error:
        raise Unreadable(f"The body is not a batch: {error}") from error
    except _NOT_JSON as error:
        raise Unreadable(f"The body is not JSON: {error}") from error
    try:
        write_key = _TEXT.decode(given.write_key) or ""
    except _NOT_JSON:
        write_key = ""
    try:
        context = _CONTEXT.decode(given.context)
    except _NOT_JSON as error:
        raise Unreadable(f"The context of the batch cannot be read: {error}") from error
    return _pieces(given.batch, given.sent_at, _Given("", None, OLDEST, context, received, make_id), write_key)


def _pieces(pieces: list[msgspec.Raw], sent: msgspec.Raw | None, given: _Given, write_key: str) -> Checked:
    kept: list[tuple[datetime | None, bytes]] = []
    refused: list[Refused] = []
    for index, raw in enumerate(pieces):
        try:
            event = _decoded(raw)
            sent_at = None if sent is None else _sent_at(_sent_text(sent))
            shared = given._replace(sent_at=sent_at, earliest=_earliest(sent_at, given.received))
            kept.append(_taken(event, shared))
        except Fault as fault:
            detail = fault.detail[:300].replace("\0", "")
            refused.append(Refused(index, _id_of(raw), fault.reason, detail, _readable(raw, given.route)))
    return Checked(_rows(kept), refused, write_key)


def _decoded(raw: msgspec.Raw) -> Event:
    if len(memoryview(raw)) > 2 * EVENT_LIMIT:  # Its escapes may shrink; twice the limit never does.
        raise Fault("too_large")
    try:
        return _EVENT.decode(raw)
    except RecursionError as error:
        raise Fault("too_deep") from error
    except UnicodeDecodeError as error:
        raise Fault("bad_text", str(error)) from error
    except msgspec.ValidationError as error:
        raise Fault(_kind_of(str(error)), str(error)) from error
    except msgspec.DecodeError as error:
        raise Fault("bad_text", str(error)) from error


def _kind_of(said: str) -> str:
    if "out of range" in said or "Expected `int`" in said:
        return "bad_number"
    if "of length" in said:
        return "message_id_too_long" if "$.messageId" in said else "name_too_long"
    return "wrong_type" if "`$." in said else "not_an_object"


def _sent_text(raw: msgspec.Raw) -> str | None:
    try:
        text: str | None = _TEXT.decode(raw)
    except _NOT_JSON as error:
        raise Fault("sent_at") from error
    return text


def _sent_at(text: str | None) -> datetime | None:
    if not text:
        return None
    moment = read_time(text)
    if moment is None:
        raise Fault("sent_at", text)
    return moment


def _taken(event: Event, given: _Given) -> tuple[datetime | None, bytes]:
    """Return when the event was sent and how it is kept, or raise Fault."""
    sent_at = _read(event, given)
    part = _ENCODER.encode(event)
    if len(part) > EVENT_LIMIT:
        raise Fault("too_large")
    if b"\\u0000" in part and _holds_nul(msgspec.to_builtins(event)):
        raise Fault("bad_text", "NUL")
    if not _fits(part) and _depth(msgspec.to_builtins(event)) > DEPTH_LIMIT:
        raise Fault("too_deep")
    return sent_at, part


def _read(event: Event, given: _Given) -> datetime | None:
    """Return when the event was sent, and make it as it is kept, or raise Fault. This runs for every event."""
    route, sent_at, earliest, context, received, make_id = given
    if route:
        _ensure_route(event, route)
    if context is not None:
        event.context = _merged(event.context, context)
    if event.type != "track" or not event.event or not event.user_id:
        _check_names(event)
    if event.sent_at:
        if sent_at is None:
            sent_at = _sent_at(event.sent_at)
            earliest = _earliest(sent_at, received)
        event.sent_at = None
    if event.original_timestamp:
        event.timestamp, event.original_timestamp = event.timestamp or event.original_timestamp, None
    if text := event.timestamp:
        _check_time(event, text, earliest)
    if not event.message_id:
        event.message_id = make_id()
    return sent_at


def _ensure_route(event: Event, route: str) -> None:
    if event.type is None:
        event.type = route
    elif event.type != route:
        raise Fault("wrong_call", event.type)


def _earliest(sent_at: datetime | None, received: datetime) -> datetime:
    """Return the earliest timestamp that a client whose clock stands like this may give."""
    if sent_at is None:
        return OLDEST
    try:
        return OLDEST + (sent_at - received)
    except OverflowError:
        return OLDEST


def _merged(own: Context | None, shared: Context) -> Context:
    if own is None:
        return shared
    group = shared.group_id if own.group_id is None else own.group_id
    return Context(group, shared.traits if own.traits is None else own.traits)


def _check_names(event: Event) -> None:
    """Raise Fault unless the event says what it is and whose; that names fit was seen when they were read."""
    call = CALLS.get(event.type or "")
    if call is None:
        raise Fault("unknown_call", event.type or "")
    nobody = _is_absent(event.user_id)
    if call is Call.ALIAS:
        if nobody or _is_absent(event.previous_id):
            raise Fault("no_previous")
    elif nobody and _is_absent(event.anonymous_id):
        raise Fault("no_person")
    if call is Call.TRACK and not event.event:
        raise Fault("no_event")
    if call is Call.GROUP and _is_absent(event.group_id):
        raise Fault("no_group")


def _is_absent(name: str | int | None) -> bool:
    return name is None or name == ""


def _check_time(event: Event, text: str, earliest: datetime) -> None:
    if len(text) in _USUAL and text[-1] == "Z" and text[10] == "T":
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise Fault("timestamp", text) from error
    else:
        found = read_time(text)
        if found is None:
            raise Fault("timestamp", text)
        moment = found
        event.timestamp = moment.isoformat()  # Other ways of writing a time are not for every reader.
    if moment < earliest:
        raise Fault("too_old", text)


_USUAL = {len("2026-03-12T02:18:00Z"), len("2026-03-12T02:18:00.000Z"), len("2026-03-12T02:18:00.000000Z")}


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any("\0" in key or _holds_nul(inner) for key, inner in value.items())
    return isinstance(value, list) and any(_holds_nul(inner) for inner in value)


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


def _rows(kept: list[tuple[datetime | None, bytes]]) -> list[Row]:
    """Put events that were sent at the same moment into one row each."""
    moments = {sent_at for sent_at, _part in kept}
    rows = []
    for moment in moments:
        parts = (
            [part for sent_at, part in kept if sent_at == moment] if len(moments) > 1 else [part for _, part in kept]
        )
        rows.append(Row(moment, len(parts), b"[" + b",".join(parts) + b"]"))
    return rows


def _id_of(raw: msgspec.Raw) -> str:
    try:
        return (_ID.decode(raw).message_id or "").replace("\0", "\N{REPLACEMENT CHARACTER}")[:MESSAGE_ID_LIMIT]
    except _NOT_JSON:
        return ""


def _readable(raw: msgspec.Raw, route: str) -> str:
    """Return the body of a refused event as a database can keep it, cut at the limit, and with its type."""
    body = bytes(raw).strip()
    if route and body.startswith(b"{") and b'"type"' not in body:  # Its address said it; a replay has none.
        rest = body[1:].lstrip()
        body = b'{"type":"' + route.encode() + (b'"' if rest.startswith(b"}") else b'",') + rest
    return body[:EVENT_LIMIT].decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
