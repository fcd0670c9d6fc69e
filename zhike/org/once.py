"""What a page asks in many places and the database needs to answer once.

The memory is as long as one request that only reads; jobs, commands and requests that change something have none, and
ask each time.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar, cast

Answer = TypeVar("Answer")
_memory: ContextVar[dict[str, Any] | None] = ContextVar("asked in this request", default=None)


@contextmanager
def remembering() -> Iterator[None]:
    """Remember, until the end of the block, what `once` was answered."""
    token = _memory.set({})
    try:
        yield
    finally:
        _memory.reset(token)


def once(question: str, ask: Callable[[], Answer]) -> Answer:
    """Return what `ask` finds, or found before in the same request under the same name."""
    memory = _memory.get()
    if memory is None:
        return ask()
    if question not in memory:
        memory[question] = ask()
    return cast("Answer", memory[question])
