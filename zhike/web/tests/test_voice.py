"""The voice of customers: heard, sorted, set right by people, learnt from, and counted by customer."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from django.utils import timezone

from zhike.conftest import Person
from zhike.measure import jobs
from zhike.measure.reading import Morning
from zhike.measure.voice import learning, listening, problems, queries
from zhike.measure.voice.models import Aspect, LearntModel, Origin, TextLabel, VoiceText
from zhike.org import company
from zhike.org.models import AuditLine
from zhike.record.customers.models import Customer
from zhike.record.events.models import Event, EventKind
from zhike.record.interactions import operations
from zhike.record.interactions.models import Interaction

Make = Callable[..., Customer]


def says(customer: Customer, text: str, *, days: float = 1, direction: str = "in") -> Interaction:
    at = timezone.now() - timedelta(days=days)
    return operations.log(customer, channel="phone", text=text, at=at, by=None, now=timezone.now(), direction=direction)


def heard(interaction: Interaction) -> VoiceText:
    return VoiceText.objects.get(interaction=interaction)


@pytest.fixture
def ours(customer: Make, mei: Person) -> Customer:
    return customer("澜庭家居", mei.staff)


def test_words_of_customers_are_heard_once_and_ours_are_not(ours: Customer) -> None:
    bad = says(ours, "系统又崩溃了，客服态度太差，要投诉！")
    good = says(ours, "Thanks, the training was excellent and very helpful.")
    says(ours, "例行回访", direction="out")
    says(ours, "   ")
    answer = Event.append(ours.pk, EventKind.SURVEY_ANSWERED, at=timezone.now(), nps=2, comment="太慢了，很失望")
    Event.append(ours.pk, EventKind.SURVEY_ANSWERED, at=timezone.now(), nps=9)
    assert listening.listen() == 3
    assert listening.listen() == 0
    assert (heard(bad).sentiment, heard(bad).sentiment_origin) == ("negative", "model")
    assert heard(good).sentiment == "positive"
    assert VoiceText.objects.get(event=answer).sentiment == "negative"
    assert heard(bad).kind == "problem"


def test_a_text_without_a_sign_is_unsure(ours: Customer) -> None:
    text = heard_after(says(ours, "嗯，下午再说"))
    assert text.unsure
    assert text.sentiment_origin == Origin.UNSURE


def heard_after(interaction: Interaction) -> VoiceText:
    listening.listen()
    return heard(interaction)


def test_the_filters_count_sure_answers_of_visible_customers(
    ours: Customer, customer: Make, mei: Person, jun: Person
) -> None:
    theirs = customer("远帆物流", jun.staff)
    said = [("negative", "model"), ("negative", "person"), ("positive", "model"), ("positive", "unsure"), ("", "model")]
    for owned, times in ((ours, 1), (theirs, 2)):
        for sentiment, origin in said * times:
            text = VoiceText(customer=owned, interaction=says(owned, "嗯"), at=timezone.now(), sentiment=sentiment)
            text.sentiment_origin, text.unsure = origin, origin == "unsure"
            text.save()
    for reader, times in ((mei, 1), (jun, 2)):
        page = reader.get("/voice")
        counted = {chip["name"]: int(chip["count"]) for chip in page.context["chips"]}
        assert counted == {"All": 5 * times, "Unsure first": times, "Negative": 2 * times, "Positive": times}
        assert list(counted)[2:] == ["Negative", "Positive"]  # The most frequent first.


def test_a_colleague_sets_it_right_with_one_click(ours: Customer, mei: Person, jun: Person, viewer: Person) -> None:
    text = heard_after(says(ours, "嗯，下午再说"))
    url = f"/voice/{text.pk}"
    assert jun.post(url, {"aspect": "sentiment", "value": "neutral"}).status_code == 404
    assert viewer.post(url, {"aspect": "sentiment", "value": "neutral"}).status_code == 403
    assert mei.post(url, {"aspect": "sentiment", "value": "neutral"}).status_code == 302
    shown = mei.post(url, {"aspect": "kind", "value": "experience"}, headers={"HX-Request": "true"})
    assert 'data-key="6" aria-pressed="true"' in shown.content.decode()
    mei.post(url, {"aspect": "topic", "value": "other", "own": "  门店  报表 "})
    text.refresh_from_db()
    assert (text.sentiment, text.kind, text.topic) == ("neutral", "experience", "门店 报表")
    assert {text.sentiment_origin, text.kind_origin, text.topic_origin} == {"person"}
    assert not text.unsure
    lines = AuditLine.objects.filter(action="feedback.labelled")
    assert [line.detail["aspect"] for line in lines.order_by("id")] == ["sentiment", "kind", "topic"]
    assert Event.objects.filter(kind=EventKind.FEEDBACK_LABELLED, customer=ours).count() == 3
    refused = mei.post(url, {"aspect": "kind", "value": "nonsense"}, headers={"HX-Request": "true"})
    assert refused.status_code == 422
    assert "is no answer here" in refused.content.decode()
    assert TextLabel.objects.get(voice=text, aspect="kind").value == "experience"


def teach(customer: Customer, person: Person, rows: list[tuple[str, str]], aspect: str) -> None:
    made = [(says(customer, text, days=5 + place / 100), value) for place, (text, value) in enumerate(rows)]
    listening.listen()
    for interaction, value in made:
        person.post(f"/voice/{heard(interaction).pk}", {"aspect": aspect, "value": value})


def in_house(count: int) -> list[tuple[str, str]]:
    """Words that no list knows: what they mean is only known in this house."""
    words = {"negative": ["红单又来", "三号口跳闸"], "positive": ["绿灯放行", "全线达产"], "neutral": ["照旧", "按表"]}
    return [
        (f"{words[name][n % 2]}，第 {n} 批", name) for n in range(count) for name in ("negative", "positive", "neutral")
    ]


def test_twenty_corrections_teach_the_house_words(ours: Customer, mei: Person) -> None:
    teach(ours, mei, in_house(6), "sentiment")
    jobs.learn("sentiment")
    assert not LearntModel.objects.exists(), "eighteen are too few"
    later = says(ours, "今天三号口跳闸两次")
    assert heard_after(later).sentiment_origin == Origin.UNSURE
    teach(ours, mei, [(f"{text} 之二", value) for text, value in in_house(9)], "sentiment")
    jobs.learn("sentiment")
    card = LearntModel.objects.get(aspect="sentiment").card
    assert card["accuracy"] > card["by_cues_alone"] + 0.3
    found = heard(later)
    assert (found.sentiment, found.sentiment_origin) == ("negative", "model")
    said = VoiceText.objects.filter(sentiment_origin=Origin.PERSON)
    assert said.count() == 45, "what was said by a person is not judged anew"


def test_learning_is_asked_for_when_enough_was_said(
    ours: Customer, mei: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "LEAST_LABELS", 4)
    monkeypatch.setattr(learning, "LEARN_AFTER", 2)
    teach(ours, mei, in_house(2)[:4], "sentiment")
    assert learning.learn(Aspect.SENTIMENT, now=timezone.now()) is not None
    assert not learning.due(Aspect.SENTIMENT)
    teach(ours, mei, [("又一条", "negative"), ("再一条", "neutral")], "sentiment")
    assert learning.due(Aspect.SENTIMENT)


def test_a_problem_is_counted_by_customer_within_what_one_may_see(
    customer: Make, mei: Person, jun: Person, admin: Person
) -> None:
    mine = [customer(f"甲{n}", mei.staff) for n in range(3)]
    other = customer("乙", jun.staff)
    for place, one in enumerate([*mine, other]):
        says(one, f"导出报表总是超时失败，等了 {place + 3} 分钟")
        says(one, f"导出报表又超时失败了，第 {place} 次")
    says(mine[0], "希望增加短信提醒功能")
    says(mine[1], "发票抬头开错了，请重开", days=60)
    listening.listen()
    problems.find(now=timezone.now())
    page = mei.get("/voice?days=7").content.decode()
    assert "3 customers mention" in page
    assert "超时" in page
    assert "4 customers mention" in admin.get("/voice?days=7").content.decode()
    assert "customers mention" not in jun.get("/voice?days=7").content.decode(), "one customer is no pattern"


def test_filters_and_the_texts_of_others(ours: Customer, customer: Make, mei: Person, jun: Person) -> None:
    says(ours, "客服态度很差，非常失望")
    says(ours, "界面清晰，操作方便，很满意")
    says(customer("别家", jun.staff), "别家的秘密，太差了")
    listening.listen()
    page = mei.get("/voice").content.decode()
    assert "非常失望" in page
    assert "很满意" in page
    assert "别家的秘密" not in page
    negative = mei.get("/voice?sentiment=negative").content.decode()
    assert "非常失望" in negative
    assert "很满意" not in negative
    assert mei.get("/voice?sentiment=x&page=-3&days=9&text=1e9&problem=99").status_code == 200


def test_the_story_of_a_customer_shows_and_takes_a_correction(ours: Customer, mei: Person) -> None:
    text = heard_after(says(ours, "客服态度很差，非常失望"))
    story = mei.get(f"/customers/{ours.pk}/story").content.decode()
    assert f'hx-post="/voice/{text.pk}"' in story
    answer = mei.post(
        f"/voice/{text.pk}",
        {"aspect": "sentiment", "value": "neutral", "from": "story"},
        headers={"HX-Request": "true"},
    )
    assert answer.content.decode().startswith('<span class="voice-line">')
    text.refresh_from_db()
    assert (text.sentiment, text.sentiment_origin) == ("neutral", "person")


def test_an_empty_page_says_how_to_begin(mei: Person) -> None:
    assert "Nothing has been said yet" in mei.get("/voice").content.decode()


def test_queries_do_not_grow_with_the_list(
    ours: Customer, mei: Person, django_assert_max_num_queries: Any, hire: Callable[..., Person]
) -> None:
    for n in range(30):
        says(ours, f"第 {n} 次投诉，太慢了")
    listening.listen()
    problems.find(now=timezone.now())
    mei.get("/voice")
    with django_assert_max_num_queries(26):
        mei.get("/voice")


def test_feedback_becomes_facts_of_the_morning_and_never_of_one_before(ours: Customer, customer: Make) -> None:
    silent = customer("静悄悄")
    says(ours, "客服态度很差，非常失望", days=3)
    says(ours, "太慢了，又崩溃，投诉！", days=100)
    says(ours, "培训很专业，非常满意，谢谢", days=1.5)
    says(ours, "嗯，下午再说", days=1.2)
    listening.listen()
    known = pa.table({"customer_id": pa.array(sorted([ours.pk, silent.pk]), pa.int64())})
    today = company.today(timezone.now())
    now_known = queries.said_of(known, Morning(today + timedelta(days=1), company.zone()))
    assert now_known["negative_feedback_90d"].to_pylist() == [1, 0]
    assert now_known["last_sentiment"].to_pylist() == ["positive", None]
    before = queries.said_of(known, Morning(today - timedelta(days=2), company.zone()))
    assert before["last_sentiment"].to_pylist() == ["negative", None]
    assert queries.said_of(known, Morning(today - timedelta(days=200), company.zone()))[
        "negative_feedback_90d"
    ].to_pylist() == [0, 0]
