"""The import itself: one transaction from the first row to the last, tried or for good."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext, override

from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.org import audit, company, works
from zhike.org.jobs import defer
from zhike.org.models import Staff, Work
from zhike.record.imports.models import Import, ImportState
from zhike.record.imports.operations import contacts, people, refusing, selling, talks, usage
from zhike.record.imports.operations.files import NoRows
from zhike.record.imports.operations.preparing import open_file, prepare, stored_path
from zhike.record.imports.operations.running import Run, Watcher, do

ONE_AT_A_TIME = 7_164_202  # Advisory lock: imports come one after another, so each sees all of the one before.
ALREADY_DONE = {ImportState.DONE, ImportState.UNDONE}
KINDS: dict[str, Callable[[Run], None]] = {
    "customers": people.bring_in,
    "contacts": contacts.bring_in,
    "orders": selling.bring_in_orders,
    "subscriptions": selling.bring_in_subscriptions,
    "usage": usage.bring_in,
    "interactions": talks.bring_in,
}


class Undone(Refusal):
    message = _("This import was taken back; hand the file in again to import it once more.")


class StillRunning(Refusal):
    message = _("This import is running already.")


@transaction.atomic(durable=True)
def ask_for(given: Import, *, dry: bool, by: Staff | None, now: datetime) -> Work:
    """Have an import tried or brought in by a job, with a progress card."""
    if given.state == ImportState.UNDONE:
        raise Undone
    if given.work and given.state == ImportState.RUNNING and given.work.state in {"queued", "running"}:
        raise StillRunning
    title = gettext("Try %(file)s") if dry else gettext("Import %(file)s")
    work = works.start("imports.try" if dry else "imports.run", title % {"file": given.file_name[:150]}, by=by, now=now)
    Import.objects.filter(pk=given.pk).update(work=work)
    defer("imports.run", import_id=given.pk, dry=dry)
    return work


def bring_in(given: Import, *, dry: bool, now: datetime, watcher: Watcher) -> Import:
    """Try an import or bring it in, and return it as it stands then; raises the Refusal of a file that cannot be.

    An import that is done already is returned as it is, so a job that runs twice does no harm. Whatever happens,
    either everything of the file was brought in or nothing.
    """
    if not dry:
        Import.objects.filter(pk=given.pk).exclude(state__in=ALREADY_DONE).update(state=ImportState.RUNNING, error="")
    ended: dict[str, Any] = {
        "state": ImportState.FAILED,
        "error": gettext("The program ended unexpectedly; try again."),
    }
    try:
        with override(language_of(given)):
            ended = run(given.pk, dry=dry, now=now, watcher=watcher)
    except works.Cancelled:
        ended = {"state": ImportState.UPLOADED, "error": ""}
        raise
    except Refusal as refusal:
        with override(language_of(given)):
            said = gettext(str(refusal.message))
            ended = {"state": ImportState.FAILED, "error": said % refusal.details if refusal.details else said}
        ended.update(getattr(refusal, "outcome", {}))
        raise
    finally:
        _note_end(given, ended, now)
    given.refresh_from_db()
    return given


def language_of(given: Import) -> str:
    """Return the language in which an import speaks to the person who asked for it."""
    return (given.by.language if given.by else "") or company.current().language


def _note_end(given: Import, ended: dict[str, Any], now: datetime) -> None:
    """Note how a run ended, unless the import is done, which its own transaction noted."""
    if not ended:
        return
    former = Import.objects.filter(pk=given.pk).values_list("refused_file", flat=True).first()
    moved = Import.objects.filter(pk=given.pk).exclude(state__in=ALREADY_DONE).update(finished_at=now, **ended)
    if moved and former and former != ended.get("refused_file"):
        (refusing.folder() / Path(former).name).unlink(missing_ok=True)


@transaction.atomic(durable=True)
def run(import_id: int, *, dry: bool, now: datetime, watcher: Watcher) -> dict[str, Any]:
    """Carry out one import in one transaction and return what is left to note: nothing after a real one."""
    do("SELECT pg_advisory_xact_lock(%(key)s)", key=ONE_AT_A_TIME)
    given = Import.objects.select_for_update(of=("self",)).select_related("by").get(pk=import_id)
    if given.state == ImportState.DONE:
        return {}
    if given.state == ImportState.UNDONE:
        raise Undone
    with ExitStack() as stack:
        source = stack.enter_context(open_file(stored_path(given), given.file_name))
        prepared = prepare(given, source, now=now, dry=dry, watcher=watcher)
        KINDS[given.kind](prepared)
        if not prepared.counts["rows"]:
            raise NoRows(name=given.file_name)
        outcome = _outcome(prepared)
        try:
            refusing.check_share(prepared)
        except refusing.TooManyRefused as refusal:
            refusal.outcome = outcome
            raise
    if dry:
        transaction.set_rollback(True)
        return {"state": ImportState.TRIED, "error": "", **outcome}
    _settle(given, prepared, outcome, now)
    return {}


def _outcome(run: Run) -> dict[str, Any]:
    run.counts["refused"] = len(run.refused)
    counts: dict[str, Any] = {"rows": 0, "created": 0, "updated": 0, "unchanged": 0, "duplicates": 0, "refused": 0}
    counts.update({name: number for name, number in run.counts.items() if number or name in counts})
    counts["reasons"] = refusing.by_reason(run)
    counts["named"] = {what: dict(which.most_common(20)) for what, which in run.named.items()}
    return {"counts": counts, "refused_file": refusing.write(run)}


def _settle(given: Import, run: Run, outcome: dict[str, Any], now: datetime) -> None:
    """Note inside the transaction that the import is done."""
    stored = refusing.folder() / Path(given.stored).name
    former = given.refused_file
    Import.objects.filter(pk=given.pk).update(state=ImportState.DONE, finished_at=now, error="", stored="", **outcome)
    plain = {name: number for name, number in outcome["counts"].items() if isinstance(number, int)}
    audit.note(given.by, "import.done", given, at=now, import_kind=given.kind, file=given.file_name, **plain)
    transaction.on_commit(lambda: stored.unlink(missing_ok=True))
    if former:
        transaction.on_commit(lambda: (refusing.folder() / Path(former).name).unlink(missing_ok=True))
