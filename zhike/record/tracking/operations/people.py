"""Who it was: the names of a batch become people, people become customers, in the order in which the calls came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from zhike.record.tracking.models import IdentityKind
from zhike.record.tracking.operations.decoding import Call, text, texts
from zhike.record.tracking.queries.people import Found, identified, known_names, matches

_TRAITS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)
_WRONG = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
EMAIL_LIMIT = 254
USER, VISITOR = str(IdentityKind.USER), str(IdentityKind.ANONYMOUS)
PLAIN = {"track", "page", "screen"}  # Calls that say nothing new about people.


@dataclass(slots=True, eq=False)
class Who:
    """A person, as known at one moment of a batch. `pk` is 0 until the row exists."""

    pk: int = 0
    customer: int = 0
    contact: int = 0
    group: str = ""
    email: str = ""
    has_user: bool = False
    last_seen: int = 0  # Microseconds since 1970.
    names: list[tuple[str, str]] = field(default_factory=list)  # Those that occur in this batch.
    traits: dict[str, msgspec.Raw] = field(default_factory=dict)
    merged_into: Who | None = None
    is_changed: bool = False

    def root(self) -> Who:
        return self if self.merged_into is None else self.merged_into.root()


NOBODY = Who()


@dataclass(slots=True)
class Placed:
    """Where the events of a batch belong, and what was learnt about people on the way."""

    whos: list[Who]
    customers: list[int]
    new: list[Who]
    merged: list[Who]
    changed: list[Who]
    new_names: list[tuple[str, str, Who]]


class Census:
    """The people of one batch. `place` goes through its events once, in order."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self._calls = calls
        self._users = texts([call.user_id for call in calls])
        self._visitors = texts([call.anonymous_id for call in calls])
        self._groups = texts([None if call.context is None else call.context.group_id for call in calls])
        self._by_user: dict[str, Who] = {}
        self._by_visitor: dict[str, Who] = {}
        self._new: list[Who] = []
        self._merged: list[Who] = []
        self._new_names: list[tuple[str, str, Who]] = []
        self._load()

    def _load(self) -> None:
        """Ask for everything that the batch needs to know, one question per kind."""
        special = [call for call in self._calls if call.type not in PLAIN]
        former = {text(call.previous_id) for call in special if call.type == "alias"}
        users = {*self._users, *former} - {""}
        visitors = {*self._visitors, *former} - {""}
        whos: dict[int, Who] = {}
        for kind, value, found in known_names(users, visitors):
            who = whos.get(found.pk) or whos.setdefault(found.pk, _as_who(found))
            (self._by_user if kind == USER else self._by_visitor)[value] = who
            who.names.append((kind, value))
            who.has_user = who.has_user or kind == USER
        self._tell_identified()
        self._traits = {id(call): _read_traits(call) for call in special if call.type == "identify"}
        unknown = {name for name in users if name not in self._by_user or not self._by_user[name].customer}
        emails = {email for _traits, email in self._traits.values() if email}
        emails |= {who.email for who in whos.values() if who.email and not who.customer}
        groups = {text(call.group_id) for call in special if call.type == "group"}
        groups |= set(self._groups)
        groups |= {who.group for who in whos.values() if who.group and not who.customer}
        self._match = matches(unknown, emails, groups - {""})

    def _tell_identified(self) -> None:
        """Find out which visitors are users already, where somebody else may be about to be taken for them."""
        asked = set()
        for user, visitor in set(zip(self._users, self._visitors, strict=True)):
            if user and visitor and (who := self._by_visitor.get(visitor)) and self._by_user.get(user) is not who:
                asked.add(who)
        asked = {who for who in asked if not who.has_user}
        has_user = identified({who.pk for who in asked})
        for who in asked:
            who.has_user = who.pk in has_user

    def place(self) -> Placed:
        whos, customers = [], []
        by_user, by_visitor, by_group = self._by_user, self._by_visitor, self._match.customers
        for call, user, visitor, group in zip(self._calls, self._users, self._visitors, self._groups, strict=True):
            who = by_user.get(user) if user else by_visitor.get(visitor)
            if who is None or call.type not in PLAIN or (user and visitor and by_visitor.get(visitor) is not who):
                who = self._learn(call, user, visitor)
            whos.append(who)
            customers.append(by_group.get(group, who.customer) if group else who.customer)
        roots = [who.root() for who in whos]
        # Who became known within the batch is attached at once.
        customers = [customer or root.customer for customer, root in zip(customers, roots, strict=True)]
        changed = {root for root in roots if root.is_changed and root.pk}
        new = [who for who in self._new if who.merged_into is None]
        merged = [who for who in self._merged if who.pk]
        changed |= {who.root() for who in merged} - set(new)
        return Placed(roots, customers, new, merged, [*changed], self._new_names)

    def _learn(self, call: Call, user: str, visitor: str) -> Who:
        """Take in what a call says about people, and return the person it is about."""
        if not user and not visitor:
            return NOBODY
        who = self._person(user, visitor)
        if call.type == "alias" and (former := text(call.previous_id)):
            for other in (self._by_user.get(former), self._by_visitor.get(former)):
                if other is not None and other is not who:
                    self._merge(other, who)
            self._name(USER, former, who)
            self._name(VISITOR, former, who)
        if call.type == "identify":
            self._describe(who, *self._traits[id(call)])
        group = text(call.group_id) if call.type == "group" else ""
        if group and group != who.group and (group in self._match.customers or not who.customer):
            who.group, who.is_changed = group, True
            who.customer = self._match.customers.get(group, who.customer)
        if not who.customer:
            self._recognise(who)
        return who

    def _person(self, user: str, visitor: str) -> Who:
        """Return the person of a user, a visitor, or both; both in one call are one person.

        Except a visitor who is another user already: two people at one screen stay two.
        """
        named, seen = self._by_user.get(user) if user else None, self._by_visitor.get(visitor) if visitor else None
        if user and seen is not None and seen.has_user:
            seen, visitor = (named, "") if named is not seen else (seen, visitor)
        if named is not None and seen is not None and named is not seen:
            self._merge(seen, named)
        who = named or seen
        if who is None:
            who = Who()
            self._new.append(who)
        if user:
            self._name(USER, user, who)
        if visitor:
            self._name(VISITOR, visitor, who)
        return who

    def _name(self, kind: str, value: str, who: Who) -> None:
        names = self._by_user if kind == USER else self._by_visitor
        who.has_user = who.has_user or kind == USER
        if value not in names:
            names[value] = who
            who.names.append((kind, value))
            self._new_names.append((kind, value, who))

    def _merge(self, other: Who, who: Who) -> None:
        """Make `other` the same person as `who`, who stays; what is known of either is known of both."""
        for kind, value in other.names:
            (self._by_user if kind == USER else self._by_visitor)[value] = who
        who.names += other.names
        who.has_user = who.has_user or other.has_user
        who.group, who.email = who.group or other.group, who.email or other.email
        if not who.customer:
            who.customer, who.contact = other.customer, other.contact
        who.traits = {**other.traits, **who.traits}
        who.is_changed = True
        other.merged_into = who
        self._merged.append(other)

    def _describe(self, who: Who, traits: dict[str, msgspec.Raw], email: str) -> None:
        if traits:
            who.traits.update(traits)
            who.is_changed = True
        if email and email != who.email:
            who.email, who.is_changed = email, True

    def _recognise(self, who: Who) -> None:
        users = [value for kind, value in who.names if kind == USER]
        found = self._match.of(who.group, users, who.email)
        if found is not None:
            who.customer, who.contact, who.is_changed = found.customer, found.contact, True


def _as_who(found: Found) -> Who:
    return Who(found.pk, found.customer, found.contact, found.group, found.email, last_seen=found.last_seen)


def _read_traits(call: Call) -> tuple[dict[str, msgspec.Raw], str]:
    """Return an identify call's traits, and the e-mail address among them as it is compared: in small letters."""
    try:
        traits = _TRAITS.decode(call.traits)
    except _WRONG:
        return {}, ""
    try:
        email = _TEXT.decode(traits["email"]).strip().lower() if "email" in traits else ""
    except _WRONG:
        email = ""
    return traits, email if len(email) <= EMAIL_LIMIT else ""


def joined_traits(who: Who) -> str:
    """Return traits as a JSON object."""
    return msgspec.json.encode(who.traits).decode()
