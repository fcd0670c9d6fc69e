"""Planning touches, and what people do with them."""

from zhike.act.engagement.operations.acting import (
    AlreadyClosed,
    NotClosed,
    NotInThePast,
    complete,
    not_needed,
    plan_by_hand,
    postpone,
    reopen,
)
from zhike.act.engagement.operations.planning import Planned, plan_touches

__all__ = [
    "AlreadyClosed",
    "NotClosed",
    "NotInThePast",
    "Planned",
    "complete",
    "not_needed",
    "plan_by_hand",
    "plan_touches",
    "postpone",
    "reopen",
]
