"""Whom to talk to, and on which channel."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from zhike.decide.plans.rules.contact import ChannelPolicy

ROLES = ("decision_maker", "champion", "user", "technical", "finance", "other")
NEEDS = {"phone": "phone", "sms": "phone", "email": "email"}
"""Channels that need a number or an address to be possible at all."""


@dataclass(frozen=True, slots=True)
class Person:
    """A contact as far as choosing needs it. `refused` holds the channels that this person has forbidden."""

    id: int
    role: str = "other"
    preferred: str = ""
    left_on: date | None = None
    has: frozenset[str] = field(default_factory=frozenset)
    refused: frozenset[str] = field(default_factory=frozenset)

    def takes(self, channel: str) -> bool:
        needed = NEEDS.get(channel)
        return channel not in self.refused and (needed is None or needed in self.has)


@dataclass(frozen=True, slots=True)
class Way:
    """The person and channel chosen. Without a channel, every person there has forbidden every channel."""

    person: int | None
    channel: str


def way_to(people: Iterable[Person], policy: ChannelPolicy, *, tier: str | None, asked: str | None, today: date) -> Way:
    """Choose the decision maker first, then by role; of each, the first channel that is possible and not forbidden."""
    there = [person for person in people if person.left_on is None or person.left_on > today]
    if not there:
        return Way(None, policy.order(tier, asked=asked)[0])
    for person in sorted(there, key=_rank):
        for channel in policy.order(tier, preferred=person.preferred, asked=asked):
            if person.takes(channel):
                return Way(person.id, channel)
    if any(person.refused for person in there):
        return Way(None, "")
    return Way(min(there, key=_rank).id, policy.order(tier, asked=asked)[0])


def _rank(person: Person) -> tuple[int, bool, int]:
    return ROLES.index(person.role) if person.role in ROLES else len(ROLES), not person.preferred, person.id


def refused_channels(consents: Sequence[Mapping[str, object]]) -> frozenset[str]:
    """Return the channels whose newest word, for any purpose, is no; `consents` stand oldest first."""
    latest = {(line["purpose"], line["channel"]): line["granted"] for line in consents}
    return frozenset(str(channel) for (_purpose, channel), granted in latest.items() if not granted)
