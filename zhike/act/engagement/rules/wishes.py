"""What planning decides for one customer: new wishes, alerts, and open touches that change."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from zhike.decide.plans.rules.contact import Content

Reason = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wish:
    """A contact that the plan asks for. `asked` is the channel that the plan names for it."""

    key: str
    kind: str
    due_on: date
    urgency: int
    minutes: int
    reason: Reason
    content: Content
    asked: str | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """An alert seen today. `answer` is the key of the touch, open or new, that answers it."""

    rule: str
    figures: Reason
    urgency: int
    answer: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of an open touch: closed as `superseded` with its cause, or another due day, urgency or reason."""

    touch: int
    superseded: Reason | None = None
    due_on: date | None = None
    urgency: int | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class OpenTouch:
    id: int
    key: str
    kind: str
    due_on: date
    urgency: int
    reason: Reason
    created_on: date


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a customer stands with us: open touches, contacts made, alerts of late, and wishes wished before.

    `contacts` are the days on which we contacted the customer; `alerts` gives for each rule the last day it was seen
    and whether the touch that answered it is still open.
    """

    open: tuple[OpenTouch, ...] = ()
    contacts: tuple[date, ...] = ()
    alerts: dict[str, tuple[date, bool]] = field(default_factory=dict)
    wished: frozenset[str] = frozenset()


@dataclass(slots=True)
class Decision:
    wishes: list[Wish] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
