"""Questions that may be left unanswered: a count in the margin of a page must not hold up the page."""

from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

Answer = TypeVar("Answer")


def within(milliseconds: int, ask: Callable[[], Answer]) -> Answer | None:
    """Return what `ask` finds, or None when the database has not answered in time."""
    is_inside = connection.in_atomic_block
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(milliseconds)])
            answer = ask()
            if is_inside:  # In a longer transaction the setting would outlive this block.
                cursor.execute("SELECT set_config('statement_timeout', '0', true)")
            return answer
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            return None
        raise
