"""A storm on the lake: the process is killed at every fail point on the way from the inbox into the lake and out of it.

`storm(seeds)` is what `make storm` calls in full; the suite runs it with one seed.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from zhike.kit.failpoints import armed, registered
from zhike.record.events.models import ErasureReceipt, LakeFile
from zhike.record.events.operations import compact, sweep
from zhike.record.tracking.models import Inbox, Person
from zhike.record.tracking.operations import attach, drain, erase_person, recognise
from zhike.record.tracking.operations.decoding import InboxRow, as_bytes, read
from zhike.record.tracking.rules.packing import unpacked
from zhike.record.tracking.tests.flow import NOW, contact, customer, digest, event, live, messages, put_in, remembered

OF_BUCKETS = {"files.uploaded", "files.fetched"}
ROWS, GONE = 8, "gone"  # As many files as come together.


@dataclass
class Toll:
    """What a storm did and found."""

    points: int = 0
    rounds: int = 0
    kills: int = 0
    missing: int = 0
    twice: int = 0


def points() -> list[str]:
    ours = ("files.", "lake.", "drain.", "attach.", "compact.", "remove.", "erase.")
    return [name for name in registered() if name.startswith(ours) and name not in OF_BUCKETS]


def storm(seeds: Iterable[int], *, empty: Callable[[], None]) -> Toll:
    """Kill at every point, with each seed once: with the first when it is first reached, later at random."""
    toll = Toll(points=len(points()))
    for place, seed in enumerate(seeds):
        for point in points():
            empty()
            toll.rounds += 1
            chance = "1" if place == 0 else "0.2"
            toll.kills += strike(point, f"{point}:kill:{chance}/{seed}", toll)
    return toll


def strike(point: str, order: str, toll: Toll) -> bool:
    """Let a child work until the fail point kills it, look at what it left, and let another finish the work."""
    sent, gone = prepare()
    was_killed = in_child(order)
    look(point, sent - gone, toll)
    assert not in_child("")
    found = messages(live())
    assert set(found) == sent - gone, f"{point}: the work was not finished"
    toll.twice += len(found) - len(set(found))
    assert remembered() == sorted(sent)
    assert not Inbox.objects.exists()
    assert not Person.objects.filter(identities__value=GONE).exists()
    assert not ErasureReceipt.objects.filter(done_at=None).exists()
    named = set(LakeFile.objects.values_list("path", flat=True))
    left = {str(path.relative_to(settings.LAKE)) for path in settings.LAKE.rglob("*") if path.is_file()}
    assert left == named, f"{point}: files that nobody names are left"
    return was_killed


def prepare() -> tuple[set[bytes], set[bytes]]:
    """Put events into the inbox; returns the digests of all, and of those of the person who will be erased."""
    acme = customer("C1")
    contact(acme, "u1")
    for row in range(ROWS):
        put_in(
            event(f"a{row}", "u1"),
            event(f"b{row}", "u2"),
            event(f"c{row}", None, anonymousId="v1"),
            event(f"d{row}", GONE, context={"groupId": "C1"} if row % 2 else {}),
            event(f"b{max(row - 1, 0)}", "u2"),
        )
    put_in({"type": "identify", "messageId": "e", "userId": "u2", "anonymousId": "v1"})
    sent = {digest(f"{letter}{row}") for letter in "abcd" for row in range(ROWS)} | {digest("e")}
    return sent, {digest(f"d{row}") for row in range(ROWS)}


def work() -> None:
    """Go the whole way once; may be taken up anew wherever it broke off."""
    while drain(NOW, limit=1).rows:
        pass
    Person.objects.filter(identities__value="u2").update(group="C1")  # As an import that tells who they are would.
    recognise()
    while attach(NOW).events:
        pass
    while compact(NOW):
        pass
    gone = list(Person.objects.filter(identities__value=GONE).values_list("pk", flat=True))
    if gone or ErasureReceipt.objects.filter(done_at=None).exists():
        erase_person(gone, by=None, reason="storm", now=NOW)
    sweep(grace=-1)


def in_child(order: str) -> bool:
    """Work in a process of its own, with fail points armed; returns whether it was killed."""
    connection.close()  # Two processes must not talk on one connection.
    child = os.fork()
    if not child:
        code = 1
        try:
            with armed(order):
                work()
            code = 0
        finally:
            os._exit(code)
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def look(point: str, sent: set[bytes], toll: Toll) -> None:
    """Count what is neither in the lake nor in the inbox, and what is in the lake twice, right after the kill."""
    found = messages(live())
    rows = Inbox.objects.values_list("pk", "source_id", "received_at", "sent_at", "body")
    waiting = read(
        [InboxRow(pk, source, received, when, unpacked(bytes(body))) for pk, source, received, when, body in rows]
    )
    still = set(as_bytes(waiting.digests).to_pylist())
    missing = sent - set(found) - still
    twice = len(found) - len(set(found))
    toll.missing, toll.twice = toll.missing + len(missing), toll.twice + twice
    assert not missing, f"{point}: {len(missing)} events are lost"
    assert not twice, f"{point}: {twice} events are in the lake twice"
