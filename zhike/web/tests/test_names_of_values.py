"""What a fact says is told in words, in the reader's language, wherever it stands: list, filter, form, file."""

import json
from collections.abc import Callable
from html import unescape
from urllib.parse import urlencode

import pytest

from zhike.conftest import Person
from zhike.decide.plans.pages import words
from zhike.kit.ruletrees import Kind
from zhike.measure.facts import FACTS
from zhike.org.models import Company
from zhike.record.commerce.models import Product
from zhike.record.customers.models import Customer

Make = Callable[..., Customer]
COLUMNS = "last_sentiment,need_orientation,need_reason,next_offer,kind,health_band,stage"
SAID = {
    "en": ("Negative", "Price", "pays 23% less than usual, spoke of it 5 times within a year", "Oolong tea", "Growing"),
    "zh-hans": ("负面", "价格", "23%", "Oolong tea", "成长"),
}
RAW = ("negative", "price", "discount=", "product:T-7", "organisation", "warning", "growth")


@pytest.fixture
def people(db: None, hire: Callable[..., Person], customer: Make) -> dict[str, Person]:
    Company.objects.create(id=1, name="云舟科技", currency="CNY")
    Product.objects.create(ref="T-7", name="Oolong tea")
    found = {"en": hire("Ana", "admin"), "zh-hans": hire("Ming", "admin", language="zh-hans")}
    said = {
        "last_sentiment": "negative",
        "need_orientation": "price",
        "need_reason": "discount=0.23;words=5",
        "next_offer": "product:T-7",
        "health_band": "warning",
        "stage": "growth",
    }
    customer("清茗茶业", **said)
    for place, offer in enumerate(("seats", "feature:report.exported", "product:gone")):
        customer(f"客户{place}", next_offer=offer)
    return found


def rows(person: Person, language: str) -> list[str]:
    page = person.get(f"/customers?view=all&cols={COLUMNS}", headers={"accept-language": language})
    body = unescape(page.content.decode()).split("<tbody", 1)[1].split("</tbody>", 1)[0]
    return [part.split("</td>", 1)[0].split(">", 1)[1] for part in body.split('<td data-col="')[1:]]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_no_key_stands_in_a_list_or_its_file(people: dict[str, Person], language: str) -> None:
    cells = rows(people[language], language)
    for said in SAID[language]:
        assert any(said in cell for cell in cells), said
    plain = [cell for cell in cells if "<" not in cell]
    assert not [cell for cell in plain if cell in RAW or cell.startswith(("product:", "feature:", "discount"))]
    assert any("report.exported" in cell for cell in cells)
    assert "gone" in cells  # A product that is no more on record is told by its number.
    file = people[language].get(f"/customers/export?view=all&cols={COLUMNS}")
    written = b"".join(file).decode("utf-8-sig")
    for said in SAID[language][:4]:
        assert said in written, said
    assert "product:" not in written
    assert ",negative" not in written


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_no_key_stands_in_a_filter_or_its_form(people: dict[str, Person], language: str) -> None:
    person = people[language]
    page = person.get("/customers?view=all&f=last_sentiment:in:negative,neutral&f=need_orientation:is:price")
    assert [chip.value for chip in page.context["chips"]] == (
        ["Negative, Neutral", "Price"] if language == "en" else ["负面、中性", "价格"]
    )
    form = unescape(person.get("/customers/condition?view=all&field=last_sentiment").content.decode())
    assert ("Positive" if language == "en" else "正面") in form
    assert ">positive<" not in form


def test_every_choice_of_every_fact_has_a_name_in_both_languages_and_in_rules() -> None:
    chosen = [fact for fact in FACTS.values() if fact.kind is Kind.CHOICE]
    assert {"last_sentiment", "need_orientation", "stage", "health_band", "kind"} <= {fact.name for fact in chosen}
    labels = words.names()
    for fact in chosen:
        assert set(fact.named) == set(fact.choices), fact.name
        for key in fact.choices:
            assert fact.said(key, "en") != key
            assert any("\u4e00" <= sign <= "\u9fff" for sign in fact.said(key, "zh-hans"))
            assert labels[f"{fact.name}={key}"] in fact.named[key]


def test_a_condition_on_the_owner_names_the_colleague(lead: Person, mei: Person, jun: Person) -> None:
    either = {"any": [{"owner_id": {"in": [mei.staff.pk, jun.staff.pk]}}, {"health": {"below": 60}}]}
    asked = [f"owner_id:is:{mei.staff.pk}", f"rule:{json.dumps(either)}", "owner_id:known:yes"]
    page = lead.get(f"/customers?{urlencode({'f': asked}, doseq=True)}")
    assert [chip.value for chip in page.context["chips"]] == [
        mei.staff.name,
        f"Owner is one of {mei.staff.name}, {jun.staff.name} or Health is below 60",
        "known",
    ]
