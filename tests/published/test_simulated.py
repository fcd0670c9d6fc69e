"""Scores held to the truth of a simulated company that went through the whole product: imports, turns, models."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.db import transaction
from pytest_django import DjangoDbBlocker

from tests.published import simulated
from tests.published.simulated import Company
from zhike.decide.plans import queries as plans
from zhike.demo import answers, bringing, files, opening, story
from zhike.demo.book import Size
from zhike.measure import turns
from zhike.measure.voice import listening
from zhike.org import company as firm
from zhike.org.models import Staff
from zhike.web import setting_up

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("simulated")]

SIZE = Size(customers=1_000, months=18, seed=5, until=date(2026, 3, 11))
STEP, DAYS = timedelta(days=14), 20


def lived(folder: Path) -> None:
    """Bring a simulated company in, and measure every second week; the last morning learns and says who will leave."""
    today = SIZE.until + timedelta(days=1)
    days = [today - STEP * back for back in range(DAYS - 1, -1, -1)]
    zone = firm.zone()
    now = datetime.combine(today, datetime.min.time(), zone)
    setting_up.prepare(now=now, email=story.COLLEAGUES[0].email)
    opening.open_company(SIZE, now=now)
    files.write(folder, SIZE, lambda _words: None)
    by = Staff.objects.get(email=story.COLLEAGUES[0].email)
    arrived = datetime.combine(days[0] - timedelta(days=1), datetime.min.time(), zone)
    bringing.bring_all_in(folder, by=by, now=arrived, say=lambda _words: None)
    answers.bring_in(folder / "surveys.csv", zone)
    listening.listen()
    spec = plans.in_force().measure
    known = arrived.date()
    for day in days:
        at = datetime.combine(day, datetime.min.time(), zone)
        bringing.bring_contracts_in(folder, known, day, by=by, now=at)
        known = day
        turns.measure(spec if day == today else spec.model_copy(update={"churn": None}), today=day, now=at)


@pytest.fixture(scope="module")
def company(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Company]:
    """Live the history once for all tests of this file, in a transaction that is taken back."""
    folder = tmp_path_factory.mktemp("simulated")
    before = settings.LAKE, settings.MEDIA_ROOT
    block = transaction.atomic()
    vars(block)["_from_testcase"] = True  # As Django's own test cases do: what is to be durable may stand inside.
    with django_db_blocker.unblock(), block:
        settings.LAKE, settings.MEDIA_ROOT = folder / "lake", folder / "files"
        lived(folder / "demo")
        found = simulated.company(folder / "demo")
        yield found
        settings.LAKE, settings.MEDIA_ROOT = before
        transaction.set_rollback(True)


def everybody(company: Company) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.ones(len(company.said), dtype=bool)


def test_the_score_is_calibrated_against_the_truth(company: Company) -> None:
    assert company.card["published"]
    assert company.card["ece"] <= 0.03
    assert simulated.error(company) <= 0.015
    assert abs(company.said.mean() - company.chance.mean()) <= 0.01


def test_score_and_health_rank_the_true_hazard(company: Company) -> None:
    assert simulated.rank(company.said, company.chance, everybody(company)) >= 0.75
    assert simulated.rank(company.said, company.chance, company.due) >= 0.5
    assert simulated.rank(-company.health, company.hazard, everybody(company)) >= 0.45
    assert company.card["auc_low"] >= 0.7


def test_no_later_end_of_a_contract_is_known_beforehand(company: Company) -> None:
    """Who pays by the month has no end until it leaves: a term of weeks would be the future in the facts of a day."""
    assert (np.isnan(company.until) | (company.until <= 365)).all()
    assert np.isnan(company.until).mean() > 0.1


def named(company: Company, drivers: list[set[str]]) -> dict[str, float]:
    """Return by how much more often a cause is named where it is true than where it is not."""
    shares = {cause.name: cause.named(drivers)[1:] for cause in company.causes}
    return {name: with_it - without for name, (with_it, without) in shares.items()}


def test_drivers_name_the_true_causes(company: Company) -> None:
    """Named by most who have the cause, clearly more than by those who have not; shuffled, drivers name nothing."""
    page = simulated.written(company)
    causes = [cause for cause in company.causes if cause.facts != simulated.VOICE]
    for cause in causes:
        many, with_it, without = cause.named(company.drivers)
        assert many >= 20, page
        assert with_it >= 0.5, page
        assert with_it - without >= 0.12, page
    draw = np.random.default_rng(1)
    for _turn in range(5):
        shuffled = [company.drivers[at] for at in draw.permutation(len(company.drivers))]
        gains = named(company, shuffled)
        assert max(abs(gains[cause.name]) for cause in causes) < 0.12
