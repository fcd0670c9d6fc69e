"""Long work: one's own is watched, cancelled and listed; another's is nobody's business."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.translation import gettext

from zhike.conftest import Person
from zhike.loop import NoCustomers
from zhike.org import works
from zhike.org.models import Work, WorkState


@pytest.fixture
def work(mei: Person) -> Work:
    return works.start("imports.run", "Import customers.csv", by=mei.staff, now=timezone.now())


def test_the_card_follows_the_work(work: Work, mei: Person) -> None:
    url = f"/jobs/{work.pk}"
    waiting = mei.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "Waiting for its turn" in waiting
    assert 'hx-trigger="every 1s"' in waiting
    began = timezone.now() - timedelta(seconds=30)
    Work.objects.filter(pk=work.pk).update(state="running", step="row 400", done=400, total=1000, started_at=began)
    running = mei.get(url, headers={"HX-Request": "true"}).content.decode()
    assert 'aria-valuenow="40"' in running
    assert 'hx-trigger="every 3s"' in running
    assert "about 45 seconds" in running
    Work.objects.filter(pk=work.pk).update(
        state="done", finished_at=timezone.now(), result={"text": "1,000 customers", "url": "/customers", "link": "See"}
    )
    done = mei.get(url).content.decode()
    assert "1,000 customers" in done
    assert 'href="/customers"' in done
    assert 'hx-trigger="every' not in mei.get(url, headers={"HX-Request": "true"}).content.decode()


def test_only_the_person_who_started_it_sees_and_stops_it(work: Work, mei: Person, jun: Person, admin: Person) -> None:
    assert jun.get(f"/jobs/{work.pk}").status_code == 404
    assert jun.post(f"/jobs/{work.pk}/cancel").status_code == 404
    assert admin.get(f"/jobs/{work.pk}").status_code == 200
    assert mei.get("/jobs/999999").status_code == 404
    assert mei.get(f"/jobs/{work.pk}/cancel").status_code == 405
    assert mei.post(f"/jobs/{work.pk}/cancel").status_code == 302
    assert Work.objects.get(pk=work.pk).cancel_asked is True


def test_what_failed_says_why(work: Work, mei: Person) -> None:
    Work.objects.filter(pk=work.pk).update(state=WorkState.FAILED, error="The file is cut off.")
    assert "The file is cut off." in mei.get(f"/jobs/{work.pk}").content.decode()


def test_the_bell_lists_ones_own_work(work: Work, mei: Person, jun: Person) -> None:
    assert "Import customers.csv" in mei.get("/jobs").content.decode()
    empty = jun.get("/jobs").content.decode()
    assert "Import customers.csv" not in empty
    assert "Nothing has been started" in empty


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("language", "step", "reason"),
    [("en", "Reading the record", "There are no customers yet."), ("zh-hans", "正在读取记录", "还没有客户")],
)
def test_its_words_are_in_the_language_of_who_started_it(
    hire: Callable[..., Person], language: str, step: str, reason: str
) -> None:
    work = works.start("loop.turn", "Turn", by=hire("Mei", "csm", language=language).staff, now=timezone.now())
    with suppress(NoCustomers), works.Progress(work.pk) as progress:
        progress.step(gettext("Reading the record"))
        raise NoCustomers
    work.refresh_from_db()
    assert (work.state, work.step) == (WorkState.FAILED, step)
    assert work.error.startswith(reason)
