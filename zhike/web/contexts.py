"""What Django keeps of a request beside it: language, time zone, and where addresses begin.

It keeps them in asgiref's `Local`, each look at which takes a lock and walks through four functions; a page looks some
five hundred times. A variable of the context says the same: it is seen by the thread or task that set it and by those
that are begun with a copy of its context, which is how a request and the stream that answers it are run here.
"""

import contextvars
from typing import Any

from asgiref.local import Local
from django.urls import base
from django.utils import timezone
from django.utils.translation import trans_real

_NOTHING = object()
PLACES: tuple[tuple[Any, str], ...] = (
    (trans_real, "_active"),
    (timezone, "_active"),
    (base, "_prefixes"),
    (base, "_urlconfs"),
)


class Value:
    """An object with one attribute, `value`, of its own in each context; reading it unset raises AttributeError."""

    __slots__ = ("_variable",)

    def __init__(self, name: str) -> None:
        self._variable = contextvars.ContextVar[Any](name, default=_NOTHING)

    @property
    def value(self) -> Any:
        found = self._variable.get()
        if found is _NOTHING:
            raise AttributeError("value")
        return found

    @value.setter
    def value(self, given: Any) -> None:
        self._variable.set(given)

    @value.deleter
    def value(self) -> None:
        self._variable.set(_NOTHING)


def keep_in_context() -> None:
    """Let Django keep them in variables of the context, from now on and in this process; raises where it no longer can.

    Must be called before the first request: what was set until then is not carried over.
    """
    for module, name in PLACES:
        if not isinstance(getattr(module, name), Local | Value):
            raise TypeError(f"{module.__name__}.{name} is not what it was; see {__name__}")
        setattr(module, name, Value(f"{module.__name__}.{name}"))
