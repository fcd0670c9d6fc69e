"""Forgetting a person, done by the worker: every file that names them is written anew."""

from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext

from zhike.org import works
from zhike.org.jobs import job
from zhike.org.models import Staff, Work, WorkState
from zhike.record.privacy import operations


@job("privacy.erase", retries=3)
def erase(work_id: int, people: list[int], contacts: list[int], reason: str, asked_by: int) -> None:
    """Erase people and contacts. May run twice: what is gone stays gone."""
    if not Work.objects.filter(pk=work_id).exclude(state=WorkState.DONE).exists():
        return
    by = Staff.objects.filter(pk=asked_by).first()
    with works.Progress(work_id) as progress:
        progress.step(gettext("Erasing from the lake and the record"))
        receipt = operations.erase(people, contacts, reason=reason, by=by, now=now())
        said = gettext("Erased: %(rows)s events from %(files)s files. Receipt %(number)s.")
        progress.result = {
            "text": said % {"rows": f"{receipt.rows:,}", "files": len(receipt.files), "number": receipt.pk},
            "url": reverse("privacy"),
            "link": gettext("See the receipt"),
        }
