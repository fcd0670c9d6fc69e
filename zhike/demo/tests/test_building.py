"""`zhike demo`: from an empty data folder to a morning on which everybody has something to do."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from io import StringIO
from itertools import pairwise
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from pytest_django import Settings

from zhike.act.engagement.models import Alert, Touch, TouchState
from zhike.conftest import NOW, Person
from zhike.demo import building, story
from zhike.measure.models import CustomerFacts, FactsDay, StageMove
from zhike.org import audit, company, operations
from zhike.org.models import Staff
from zhike.record.customers.models import Contact, Customer
from zhike.record.events.models import Event, EventKind
from zhike.record.imports.models import Import, ImportState
from zhike.record.interactions.models import CONTACTS, Interaction
from zhike.review.kpis.models import KpiValue
from zhike.web import setting_up

TODAY = date(2026, 3, 12)
SMALL = {"customers": 60, "months": 6, "today": TODAY}


@pytest.fixture(autouse=True)
def own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.HOME = tmp_path


def demo(**options: object) -> str:
    output = StringIO()
    call_command("demo", stdout=output, **options)
    return output.getvalue()


@pytest.mark.slow
@pytest.mark.django_db
def test_the_demo_company_stands_on_the_last_morning(hire: Callable[..., Person]) -> None:
    said = demo(**SMALL)
    _people_can_sign_in(said)
    _the_next_start_shows_a_sign_in(said)
    assert Customer.objects.count() == 60
    assert Contact.objects.exists()
    assert set(Import.objects.values_list("state", flat=True)) == {ImportState.DONE}
    assert [each.counts["refused"] for each in Import.objects.all() if each.counts["refused"]] == []
    _history_exists()
    _there_is_work()
    assert list(audit.verify()) == []
    assert demo(**SMALL).startswith("The demo company is there already")
    assert demo(**SMALL, if_empty=True) == ""


def _people_can_sign_in(said: str) -> None:
    shown = dict(re.findall(r"(\S+@yunzhou\.example)  password: (\S+)", said))
    assert {f"{key}@yunzhou.example" for key in ("admin", "shen.ruolan", "lin.zhixia")} == set(shown)
    assert [email for email, password in shown.items() if not authenticate(username=email, password=password)] == []
    assert Staff.objects.filter(email__endswith="@yunzhou.example").count() == len(story.COLLEAGUES)
    assert company.current().is_demo


def _the_next_start_shows_a_sign_in(said: str) -> None:
    first = setting_up.demo_sign_in()
    assert f"{first.first_email}  password: {first.first_password}" in said
    assert building.folder().joinpath("sign-ins.tsv").stat().st_mode & 0o077 == 0
    chosen = Staff.objects.get(email=first.first_email)
    operations.choose_password(chosen, "a sentence of my own", now=NOW)
    second = setting_up.demo_sign_in()
    assert second.first_email not in {"", first.first_email}
    assert f"{second.first_email}  password: {second.first_password}" in said


def _history_exists() -> None:
    days = list(FactsDay.objects.order_by("day").values_list("day", flat=True))
    assert days[-1] == TODAY
    assert {later - earlier for earlier, later in pairwise(days)} == {timedelta(days=7)}
    assert len(days) >= 10
    assert KpiValue.objects.filter(day=TODAY).exists()
    assert StageMove.objects.exclude(before="").exists()
    facts = CustomerFacts.objects.filter(health__isnull=False)
    assert len({fact.health_band for fact in facts}) >= 2
    assert facts.filter(health_30d_ago__isnull=False).count() > 40
    assert Event.objects.filter(kind=EventKind.SURVEY_ANSWERED).exists()


def _there_is_work() -> None:
    assert Touch.objects.filter(state=TouchState.OPEN, owner__isnull=False).exists()
    assert Touch.objects.filter(state=TouchState.DONE, interaction__isnull=False).exists()
    assert Alert.objects.filter(day=TODAY).exists() or Alert.objects.exists()
    assert not Interaction.objects.filter(at__date__gt=TODAY).exists()
    logged = pq.read_table(building.folder() / "truth_touches.parquet")
    made = sum(not withheld for withheld in logged["withheld"].to_pylist())
    assert (
        Interaction.objects.filter(direction="out", outcome__in=CONTACTS).count() == made
    )  # Not one talk more than the truth knows of.


@pytest.mark.django_db
def test_a_folder_with_a_real_company_is_left_alone(admin: Person) -> None:
    operations.set_up_company(
        name="真实科技",
        currency="CNY",
        language="zh-hans",
        time_zone="Asia/Shanghai",
        is_demo=False,
        now=admin.staff.created_at,
    )
    with pytest.raises(building.HasRealData, match="真实科技"):
        demo(**SMALL)
    assert demo(**SMALL, if_empty=True) == ""
    assert not Customer.objects.exists()
    assert not building.folder().exists()


@pytest.mark.parametrize("wrong", [{"customers": 5}, {"customers": 10**6}, {"months": 1}])
@pytest.mark.django_db
def test_sizes_beyond_the_model_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(CommandError, match="must lie between"):
        demo(**{**SMALL, **wrong})
