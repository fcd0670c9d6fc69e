"""Places where a test can make the program fail: between every two effects that must not come apart.

`ZHIKE_FAIL=name:kind[:chance[/seed]]`, several separated by commas, arms them in every process that inherits the
environment. `name` may hold `*`; `kind` is one of `KINDS`; `chance` lies in (0, 1], `seed` makes the draw repeatable.
Without it a fail point costs one look into an empty dictionary.
"""

import errno
import fnmatch
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

VARIABLE = "ZHIKE_FAIL"


class FailpointReached(Exception):
    """An armed fail point of the kind `raise` was reached."""


class UnknownFailpoint(Exception):
    """A fail point that nobody has registered, or an order that cannot be read."""


def _kill(_name: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _raise(name: str) -> None:
    raise FailpointReached(name)


def _hang(_name: str) -> None:
    while True:
        time.sleep(3600)


def _enospc(name: str) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)


KINDS: dict[str, Callable[[str], None]] = {"kill": _kill, "raise": _raise, "hang": _hang, "enospc": _enospc}

_registered: set[str] = set()
_orders: list[tuple[str, str, float, random.Random]] = []
_armed: dict[str, Callable[[], None]] = {}


def register(*names: str) -> tuple[str, ...]:
    """Make names of fail points known, once, when the module that holds them is imported; returns them."""
    for name in names:
        if name in _registered:
            raise UnknownFailpoint(f"the fail point {name} is registered twice")
        _registered.add(name)
    _arm()
    return names


def registered() -> list[str]:
    """Return the names of all fail points of the modules imported so far, sorted."""
    return sorted(_registered)


def failpoint(name: str) -> None:
    """Do nothing, unless the environment or a test has armed this place."""
    if _armed and (strike := _armed.get(name)) is not None:
        strike()


@contextmanager
def armed(order: str) -> Iterator[None]:
    """Arm fail points of this process inside the block; `order` is written as in the environment."""
    before = list(_orders)
    _orders.extend(_read(order))
    _arm()
    try:
        yield
    finally:
        _orders[:] = before
        _arm()


def _read(text: str) -> Iterator[tuple[str, str, float, random.Random]]:
    for order in filter(None, (part.strip() for part in text.split(","))):
        name, kind, chance, seed = _parts(order)
        if kind not in KINDS or not 0 < chance <= 1:
            raise UnknownFailpoint(
                f"{VARIABLE}={order} is not name:kind[:chance[/seed]], kind one of {', '.join(KINDS)}"
            )
        yield name, kind, chance, random.Random(seed)  # noqa: S311  The draw of a test, repeatable by its seed.


def _parts(order: str) -> tuple[str, str, float, int | None]:
    name, _colon, rest = order.partition(":")
    kind, _colon, often = rest.partition(":")
    chance, _slash, seed = often.partition("/")
    try:
        return name, kind, float(chance or 1), int(seed) if seed else None
    except ValueError as error:
        raise UnknownFailpoint(f"{VARIABLE}={order}: {error}") from error


def _arm() -> None:
    """Work out which of the registered places are armed."""
    _armed.clear()
    for pattern, kind, chance, draw in _orders:
        for name in fnmatch.filter(_registered, pattern):
            _armed[name] = _strike(name, kind, chance, draw)


def _strike(name: str, kind: str, chance: float, draw: random.Random) -> Callable[[], None]:
    def strike() -> None:
        if draw.random() < chance:
            KINDS[kind](name)

    return strike


_orders.extend(_read(os.environ.get(VARIABLE, "")))
