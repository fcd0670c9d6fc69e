"""`zhike lab text`: texts of a known truth find their label, and nothing is believed too easily."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from django.core.management import call_command
from pyarrow import parquet

from zhike.kit.refusal import Refusal

SAID = {
    "delivery": ["快递三天才到", "物流太慢", "包装破了", "the parcel came late", "shipping took weeks", "box was torn"],
    "price": ["价格太贵", "比别家便宜", "又涨价了", "far too expensive", "a fair price", "the fee went up again"],
    "support": [
        "客服没人回",
        "态度很好",
        "电话打不通",
        "nobody answers the phone",
        "the agent was kind",
        "no reply yet",
    ],
    "product": ["屏幕有划痕", "电池很耐用", "按键失灵", "the battery died", "a bright screen", "buttons got stuck"],
}
FILLER = [
    "上周买的",
    "总的来说",
    "朋友推荐",
    "honestly",
    "since Monday",
    "for our team",
    "😀",
    "用了两个月",
    "once more",
    "",
]
Row = tuple[str, str]
Lab = Callable[..., dict[str, Any]]


def told(rows: int, *, wrong: float = 0.0, seed: int = 1, names: list[str] | None = None) -> list[Row]:
    """Texts in two languages with the topic they were made from; a share has another label than the true one."""
    rng = np.random.default_rng(seed)
    topics = names or list(SAID)
    found = []
    for _ in range(rows):
        topic = topics[rng.integers(len(topics))]
        parts = [
            str(rng.choice(FILLER)),
            str(rng.choice(SAID[topic])),
            str(rng.choice(FILLER)),
            str(rng.integers(1000)),
        ]
        label = str(rng.choice(topics)) if rng.random() < wrong else topic
        found.append((" ".join(parts), label))
    return found


def table(rows: list[Row], head: Row = ("评论", "主题")) -> str:
    file = io.StringIO()
    csv.writer(file).writerows([head, *rows])
    return file.getvalue()


@pytest.fixture
def lab(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Lab:
    def run(content: str | bytes, *options: str, test: str = "", name: str = "texts.csv") -> dict[str, Any]:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        more: list[str] = []
        if test:
            (tmp_path / "test.csv").write_text(test, encoding="utf-8")
            more = ["--test", str(tmp_path / "test.csv")]
        columns = () if "--text" in options else ("--text", "评论", "--label", "主题")
        capsys.readouterr()
        call_command("lab", "text", str(path), *columns, "--language", "en", "--json", *more, *options)
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    return run


def kinds(found: dict[str, Any]) -> set[str]:
    return {one["kind"] for one in found["warnings"]}


def test_texts_in_two_languages_find_their_label_and_confidence_comes_true(lab: Lab) -> None:
    found = lab(table(told(700, wrong=0.2)))
    assert set(found) >= {"accuracy", "macro_f1", "unsure_share", "ece", "warnings", "learning_curve", "labels"}
    assert 0.80 <= found["accuracy"] <= 0.92, "a fifth of the labels are drawn anew, a quarter of those by luck right"
    assert found["ece"] < 0.06
    assert abs(found["macro_f1"] - found["accuracy"]) < 0.05
    assert found["accuracy_low"] < found["accuracy"] < found["accuracy_high"]
    assert kinds(found) <= {"never_sure"}, "no model can be right in nine of ten such texts"
    curve = found["learning_curve"]
    assert curve[0]["labels"] == 20
    assert curve[-1]["accuracy"] > curve[0]["accuracy"] + 0.1
    delivery = next(one for one in found["labels"] if one["label"] == "delivery")
    assert any("物流" in term or "parcel" in term or "快递" in term for term in delivery["terms"])


def test_what_is_answered_is_right_as_often_as_was_asked(lab: Lab) -> None:
    """Half of the texts say nothing: these must be left unsure, and the others answered."""
    rng = np.random.default_rng(5)
    mute = [(f"收到 {rng.integers(10**4)} ok", str(rng.choice(list(SAID)))) for _ in range(400)]
    found = lab(table([*told(400), *mute]))
    assert found["accuracy"] < 0.75
    assert 0.35 < found["unsure_share"] < 0.65
    assert found["answered_accuracy"] > 0.88
    strict = lab(table([*told(400), *mute]), "--sure", "0.97")
    assert strict["answered_accuracy"] >= 0.95
    assert strict["unsure_share"] >= found["unsure_share"]


def test_the_same_text_on_both_sides_proves_nothing(lab: Lab) -> None:
    rng = np.random.default_rng(2)
    drawn = [
        (f"{rng.choice(FILLER)} 第 {n} 次 {rng.choice(SAID['price'])}", str(rng.choice(["a", "b"]))) for n in range(150)
    ]
    again = [(f" {text.upper()}！", label) for text, label in drawn]
    found = lab(table([*drawn, *again, *drawn, *again]))
    assert found["texts"] == 150
    assert found["accuracy"] < 0.65, "the label of a text can only be known from its copy"
    assert {"no_signal", "duplicates"} <= kinds(found)


def test_texts_of_the_test_file_are_not_learnt_from(lab: Lab) -> None:
    rng = np.random.default_rng(3)
    drawn = [(f"订单 {n} {rng.choice(SAID['support'])}", str(rng.choice(["a", "b"]))) for n in range(300)]
    found = lab(table(drawn), test=table(drawn[:120]))
    assert found["accuracy"] < 0.65
    assert found["learnt_from"] == 180
    assert "duplicates" in kinds(found)


def test_another_file_is_judged_and_its_new_labels_count_as_wrong(lab: Lab) -> None:
    test = [*told(200, seed=9), *[("何时开门", "opening")] * 10]
    found = lab(table(told(500)), test=table(test))
    assert found["judged"] == 210
    assert found["accuracy"] == pytest.approx(200 / 210, abs=0.02)
    assert "unseen_label" in kinds(found)
    new = next(one for one in found["labels"] if one["label"] == "opening")
    assert (new["rows"], new["f1"], new["learnt_from"]) == (10, 0.0, 0)


def test_chance_is_called_chance(lab: Lab) -> None:
    shuffled = [(text, label) for (text, _), (_, label) in zip(told(400), told(400, seed=8), strict=True)]
    found = lab(table(shuffled))
    assert found["accuracy"] < 0.4
    assert found["unsure_share"] == 1.0
    assert found["answered_accuracy"] is None
    assert {"no_signal", "never_sure"} <= kinds(found)


def test_an_answer_written_into_the_text_is_found(lab: Lab) -> None:
    rows = [(f"{text} [ref-{label[:2]}]" if label == "price" else text, label) for text, label in told(400, wrong=0.4)]
    found = lab(table(rows))
    leak = next(one for one in found["warnings"] if one["kind"] == "leak")
    assert leak["column"] == "评论"
    assert "price" in leak["text"]


def test_rubbish_is_left_out_and_said(lab: Lab) -> None:
    rows = [
        *told(60),
        ("", "price"),
        ("   ", "price"),
        ("好", ""),
        ("nan", "price"),
        ("长" * 10_000, "price"),
        ("🤷‍♀️!!", "support"),
    ]
    found = lab(table(rows) + "a,b,c,d\n")
    assert found["learnt_from"] == 62
    assert {"no_text", "no_label", "cells", "few_rows", "long_text"} <= kinds(found)


def test_eighty_labels_and_a_rare_one(lab: Lab) -> None:
    words = [f"thing{n:02d}" for n in range(80)]
    rows = [(f"about {word} please {n}", f"intent {word}") for n in range(9) for word in words]
    found = lab(table([*rows, ("alone", "once")]))
    assert len(found["labels"]) == 81
    assert found["accuracy"] > 0.95
    assert "few_of_label" in kinds(found)


def test_one_label_that_nearly_all_have(lab: Lab) -> None:
    rows = [*told(570, names=["product"]), *told(30, names=["price"], seed=4)]
    found = lab(table(rows))
    assert "unbalanced" in kinds(found)
    assert found["macro_f1"] > 0.9, "the rare label is learnt too"


def test_numbers_as_labels_and_parquet(lab: Lab) -> None:
    rows = told(200, names=["product", "price"])
    columns = {"评论": [text for text, _ in rows], "主题": [float(label == "price") for _, label in rows]}
    sink = io.BytesIO()
    parquet.write_table(pa.table(columns), sink)
    found = lab(sink.getvalue(), name="texts.parquet")
    assert [one["label"] for one in found["labels"]] == ["0", "1"]
    assert found["accuracy"] > 0.95


def test_a_few_labels_of_tone_go_far(lab: Lab) -> None:
    """Our own lists know most cues: forty labels are enough for texts whose words were hardly ever seen before."""
    good, bad = (
        ["很满意", "值得推荐", "非常方便", "works great", "so helpful", "喜欢", "顺手"],
        [
            "太差",
            "经常崩溃",
            "不满意",
            "not good",
            "terrible",
            "一直卡顿",
            "so slow",
        ],
    )
    rng = np.random.default_rng(4)
    rows = [
        (f"{rng.integers(10**4)} {rng.choice(good if tone else bad)} {rng.integers(10**4)}", "ok" if tone else "ko")
        for tone in rng.integers(2, size=40)
    ]
    assert lab(table(rows))["accuracy"] > 0.85


@pytest.mark.parametrize(
    ("options", "rows", "words"),
    [
        (("--text", "评", "--label", "主题"), told(30), "评论, 主题"),
        (("--text", "评论", "--label", "标签"), told(30), "no column 标签"),
        ((), [(text, "same") for text, _ in told(30)], "the same label"),
        ((), [("", "a"), ("b", "")], "no text"),
        ((), told(5), "only 5"),
        ((), [(text, text) for text, _ in told(80)], "no column of labels"),
    ],
)
def test_what_cannot_be_learnt_is_refused_by_name(
    lab: Lab, options: tuple[str, ...], rows: list[Row], words: str
) -> None:
    with pytest.raises(Refusal) as refused:
        lab(table(rows), *options)
    assert words in str(refused.value)
    assert refused.value.place is not None
    assert refused.value.place.file == "texts.csv"


def test_the_report_reads_in_chinese_and_as_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, page = tmp_path / "texts.csv", tmp_path / "page.html"
    path.write_text(table(told(120)), encoding="utf-8")
    options = ["--text", "评论", "--label", "主题", "--html", str(page)]
    call_command("lab", "text", str(path), *options, "--language", "zh")
    assert "delivery" in capsys.readouterr().out
    html = page.read_text(encoding="utf-8")
    assert html.count("<svg") >= 3
    assert "<script" not in html
