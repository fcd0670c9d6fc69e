"""Long work: started by a person or the clock, watched on a progress card, cancelled by asking."""

from __future__ import annotations

import time
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import psycopg
from django.db import connection
from django.utils import timezone, translation
from psycopg.types.json import Jsonb

from zhike.home import database_url
from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.org import company
from zhike.org.models import Staff, Work, WorkState

WRITE_EVERY = 0.5  # Seconds between two writes of progress: often enough to watch, rare enough to cost nothing.


class Cancelled(Refusal):
    message = _("Cancelled before it was finished; nothing was changed.")


def start(kind: str, title: str, *, by: Staff | None, now: datetime) -> Work:
    """Note a piece of long work as queued; the job that does it reports through `Progress`."""
    return Work.objects.create(kind=kind, title=title, by=by, created_at=now)


def ask_to_cancel(work: Work) -> None:
    """Ask running work to stop at its next step."""
    Work.objects.filter(pk=work.pk, state__in=[WorkState.QUEUED, WorkState.RUNNING]).update(cancel_asked=True)


class Silent:
    """Progress that nobody watches: for tests, and for work inside other work."""

    def step(self, words: str, done: int = 0, total: int | None = None) -> None:
        """Take no note."""


class Progress:
    """Reports of one running work, written on a connection of its own.

    The work's main transaction stays open for minutes; its progress must be seen meanwhile, hence the second
    connection. Leaving the block normally marks the work done, by `Cancelled` cancelled, by anything else failed.
    Inside the block the language is that of the person who started the work: the card shows its words as written here.
    """

    def __init__(self, work_id: int) -> None:
        self.work_id = work_id
        self.result: dict[str, Any] = {}
        self._written = 0.0

    def __enter__(self) -> Self:
        self._language = translation.override(_language_of(self.work_id))
        self._language.__enter__()
        self._connection = psycopg.connect(**_same_database(), autocommit=True)
        self._write("state = 'running', started_at = %s, error = ''", timezone.now())
        return self

    def step(self, words: str, done: int = 0, total: int | None = None) -> None:
        """Say what is being done and how far it is, in units of the trade; raises `Cancelled` when asked to stop."""
        if time.monotonic() - self._written < WRITE_EVERY and done not in {0, total}:
            return
        self._written = time.monotonic()
        if self._write("step = %s, done = %s, total = %s", words, done, total):
            raise Cancelled

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        state = WorkState.DONE if kind is None else WorkState.CANCELLED if kind is Cancelled else WorkState.FAILED
        said = _said(error) if isinstance(error, Refusal) else kind.__name__ if kind else ""
        result = Jsonb(self.result)
        self._write("state = %s, error = %s, result = %s, finished_at = %s", state, said, result, timezone.now())
        self._connection.close()
        self._language.__exit__(kind, error, trace)

    def _write(self, assignments: str, *values: object) -> bool:
        row = self._connection.execute(
            "UPDATE org_work SET " + assignments + " WHERE id = %s RETURNING cancel_asked",  # noqa: S608  Constants of this class.
            [*values, self.work_id],
        ).fetchone()
        return bool(row and row[0])


def _language_of(work_id: int) -> str:
    """Return the language of whoever started the work, or the company's for work of the clock."""
    chosen = Work.objects.filter(pk=work_id).values_list("by__language", flat=True).first()
    return chosen or company.current().language


def _said(refusal: Refusal) -> str:
    said = translation.gettext(str(refusal.message))
    return said % refusal.details if refusal.details else said


def _same_database() -> dict[str, Any]:
    """Return how to reach the very database that Django is using, a test's database included."""
    settings = connection.settings_dict
    given = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    found = {key: settings[name] for key, name in given.items() if settings[name]}
    return found or {"conninfo": database_url()}
