"""Every text is read once, whichever way it came, without looking through all that was read before."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from zhike.conftest import NOW, Person
from zhike.measure.voice import listening
from zhike.measure.voice.models import VoiceText
from zhike.record.customers.models import Customer
from zhike.record.interactions.models import Direction, Interaction

pytestmark = pytest.mark.django_db


@pytest.fixture
def said(mei: Person) -> list[Interaction]:
    customer = Customer.objects.create(ref="C1", name="C1", owner=mei.staff, created_at=NOW, updated_at=NOW)
    return Interaction.objects.bulk_create(
        Interaction(
            customer=customer,
            at=NOW,
            channel="phone",
            direction=Direction.OUT if number % 7 == 0 else Direction.IN,
            text=" " if number % 5 == 0 else f"系统第 {number} 次崩溃了",
            key=f"said {number}",
            created_at=NOW,
        )
        for number in range(60)
    )


def test_each_text_is_read_once_over_several_stretches(
    said: list[Interaction], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "STRETCH", 8)
    wanted = {one.pk for one in said if one.direction == Direction.IN and one.text.strip()}
    late = {pk for pk in wanted if pk % 3 == 0}
    VoiceText.objects.bulk_create(
        VoiceText(customer_id=one.customer_id, interaction=one, at=NOW)
        for one in said
        if one.pk in wanted and one.pk not in late
    )
    assert listening.listen(everything=True) == len(late)
    assert set(VoiceText.objects.values_list("interaction_id", flat=True)) == wanted
    assert listening.listen(everything=True) == listening.listen() == 0


def test_no_question_joins_what_was_read_to_what_is_new(said: list[Interaction]) -> None:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert listening.listen() > 0
    both = [
        one["sql"] for one in asked if "interactions_interaction" in one["sql"] and "measure_voicetext" in one["sql"]
    ]
    assert [sql for sql in both if sql.startswith("SELECT")] == []
