"""Imports done by the worker, with a progress card."""

from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext, override

from zhike.kit.refusal import Refusal
from zhike.org import works
from zhike.org.jobs import job
from zhike.record.imports import operations, queries
from zhike.record.imports.models import Import


@job("imports.run")
def run(import_id: int, dry: bool = False) -> None:
    """Try an import or bring it in. May run twice: all of it is one transaction, and what is done stays done.

    A refusal is an answer to the person, who finds it on the card and on the import's page; the job itself is done.
    """
    given = queries.import_numbered(import_id)
    if given is None or given.work_id is None:
        return
    try:
        with works.Progress(given.work_id) as progress, override(operations.language_of(given)):
            done = operations.bring_in(given, dry=dry, now=now(), watcher=progress)
            progress.result = {
                "text": summary(done),
                "url": reverse("import", args=[given.pk]),
                "link": gettext("See the result"),
            }
    except Refusal:
        return


def summary(done: Import) -> str:
    """Return the result of an import in a sentence."""
    counts = done.counts
    said = gettext("%(created)s new, %(updated)s changed, %(unchanged)s unchanged, %(refused)s refused.")
    return said % {name: f"{counts.get(name, 0):,}" for name in ("created", "updated", "unchanged", "refused")}


@job("imports.tidy", every="41 2 * * *")
def tidy(_due: int) -> None:
    """Remove files that nobody needs any more."""
    operations.tidy(now())
