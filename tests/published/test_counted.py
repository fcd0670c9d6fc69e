"""Published figures that are counted, not fitted: what an NPS is, which days are worked on in China."""

import csv
import gzip
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.published import counted, page
from tests.published.rows import DATA, Published, published
from zhike.kit.calendars import CHINA
from zhike.org.models import Company
from zhike.record.customers.models import Customer
from zhike.record.events.models import Event, EventKind
from zhike.review.kpis.queries import take
from zhike.review.kpis.rules import KPIS

needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data are not beside the checkout")
SURVEY = DATA / "survey_nps_sfo" / "survey.csv.gz"
ASKED = datetime(2017, 5, 17, 4, tzinfo=UTC)


def figure(key: str, dataset: str) -> Published:
    return next(row for row in published(dataset) if row.id == key)


@needs_data
def test_the_net_promoter_score_is_the_published_one(db: None) -> None:
    with gzip.open(SURVEY, "rt", encoding="utf-8", newline="") as file:
        answers = [int(float(row["NETPRO"])) for row in csv.DictReader(file) if row["NETPRO"]]
    scores = [score for score in answers if score <= 10]
    assert len(scores) < len(answers), "11 stands for no answer"
    Company.objects.create(id=1, name="Airport", currency="USD")
    people = Customer.objects.bulk_create(
        Customer(ref=f"R{place}", name=f"R{place}", sort_key=f"R{place}", terms="", created_at=ASKED, updated_at=ASKED)
        for place in range(len(scores))
    )
    Event.objects.bulk_create(
        Event(customer=one, kind=EventKind.SURVEY_ANSWERED, at=ASKED, payload={"nps": score})
        for one, score in zip(people, scores, strict=True)
    )
    found = take(KPIS["nps"], ASKED.date() + timedelta(days=1))
    assert found.basis == len(scores)
    # The second figure is weighted by how people were drawn; a company that asks all its customers draws nobody.
    assert figure("P118", "survey_nps_sfo").first(1).agrees([found.value or 0.0])


@needs_data
def test_the_workdays_of_ten_years_are_the_published_ones() -> None:
    found = []
    for year in range(2015, 2025):
        days = (date(year, 1, 1) + timedelta(days=offset) for offset in range(366))
        found.append(float(sum(CHINA.is_workday(day) for day in days if day.year == year)))
    assert figure("P121", "cn_calendar").agrees(found)


@needs_data
@pytest.mark.slow
@pytest.mark.parametrize("row", published(*counted.DATASETS), ids=lambda row: row.id)
def test_counts_and_means_of_a_table_are_the_published_ones(row: Published) -> None:
    ours = counted.OURS[row.id]()
    assert row.agrees(ours), f"{row.quantity}: published {row.value}, ours {ours}"


@needs_data
@pytest.mark.slow
def test_groups_that_were_not_drawn_are_told() -> None:
    for found in (counted.bookings(), counted.pipeline()):
        assert "uneven_lot" in {one["kind"] for one in found["warnings"]}


@needs_data
@pytest.mark.slow
def test_the_page_holds_what_is_counted_today() -> None:
    assert page.part("counted") == page.counted_of_tables()


def test_a_number_may_be_written_with_thousands_apart() -> None:
    assert Published("P", "d", "q", "63.15 %; 10,005,534", "0").numbers == [63.15, 10_005_534]
    assert Published("P", "d", "q", "22.62, 13.98", "0").numbers == [22.62, 13.98]


@needs_data
def test_every_published_number_is_on_the_page() -> None:
    text = page.PLACE.read_text(encoding="utf-8")
    assert [row.id for row in published() if row.id not in text] == []
