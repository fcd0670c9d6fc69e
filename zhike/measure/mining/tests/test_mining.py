"""Wording, terms, folds, calibration and clusters: what must hold for any text."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from zhike.measure.mining import calibrating, clusters, cues, folds, sorting, terms, titles, wording
from zhike.measure.mining.corpus import Corpus


def test_one_spelling_keeps_what_matters() -> None:
    assert wording.plain("ＧＯＯＤ！！！！！！  Don’t…  138001380001") == "good!!! don't... 000"
    assert wording.plain("写信到 a.b@c.example 或看 https://x.example/y?z=1") == "写信到 @ 或看 @"
    assert wording.same(wording.plain("很好！")) == wording.same(wording.plain(" 很 好。"))
    assert wording.same(wording.plain("很好👍")) != wording.same(wording.plain("很好👎"))
    assert len(wording.plain("好" * 50_000)) <= wording.HEAD + wording.TAIL + 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=8))
def test_any_texts_can_be_counted_alone_as_together(texts: list[str]) -> None:
    plain = [wording.plain(text) for text in texts]
    together = terms.matrix(plain, pieces=True)
    for row, text in enumerate(plain):
        assert (together[row] != terms.matrix([text], pieces=True)).nnz == 0
    assert wording.plain(plain[0]) == plain[0] or "@" in plain[0]


def test_negation_turns_a_cue_round_and_what_only_looks_like_one_does_not() -> None:
    said = ["服务不好", "服务非常好", "not helpful at all", "not fast but helpful", "没什么问题"]
    tones = cues.tones([wording.plain(text) for text in said])
    assert [bool(good > bad) for good, bad in tones] == [False, True, False, False, True]
    assert tones[3].tolist() == [1.0, 1.0]


def test_a_group_is_never_on_both_sides_and_labels_are_spread() -> None:
    rng = np.random.default_rng(0)
    group = rng.integers(0, 120, 400)
    labels = (group % 4).astype(np.int64)
    part = folds.dealt(labels, group, 5)
    for one in np.unique(group):
        assert len(set(part[group == one])) == 1
    for number in range(5):
        shares = np.bincount(labels[part == number], minlength=4) / (part == number).sum()
        assert np.abs(shares - 0.25).max() < 0.15


def test_calibrated_probabilities_come_true() -> None:
    rng = np.random.default_rng(1)
    true = rng.dirichlet([0.6, 0.6, 0.6], 6_000)
    labels = np.array([rng.choice(3, p=row) for row in true])
    scores = 4.0 * np.log(true + 1e-9) + np.array([3.0, 0.0, -1.0])
    learn, hold = slice(0, 3_000), slice(3_000, None)
    found = calibrating.calibrate(scores[learn], labels[learn]).probabilities(scores[hold])
    assert np.abs(found - true[hold]).max() < 0.06
    right = found.argmax(axis=1) == labels[hold]
    assert calibrating.calibration_error(found.max(axis=1), right) < 0.02


def test_the_threshold_keeps_its_word_and_proves_nothing_by_luck() -> None:
    rng = np.random.default_rng(2)
    confidence = rng.uniform(0.3, 1.0, 4_000)
    right = rng.random(4_000) < confidence
    cut = calibrating.threshold(confidence, right, sure=0.9)
    later = rng.uniform(cut, 1.0, 4_000)
    assert 0.88 < later.mean() < 0.94
    assert calibrating.threshold(np.array([0.99, 0.98]), np.array([True, True])) == calibrating.NEVER
    assert calibrating.threshold(np.array([]), np.array([], dtype=bool)) == calibrating.NEVER
    assert calibrating.threshold(np.full(500, 0.5), np.ones(500, dtype=bool)) == calibrating.LEAST


def test_a_model_kept_as_numbers_says_the_same() -> None:
    texts = Corpus.of([f"{word} {n}" for n in range(12) for word in ("快递慢", "价格贵", "service rude")])
    labels = np.arange(36) % 3
    model = sorting.TextModel.learn(texts, labels, ["a", "b", "c"], sorting.tried(texts, labels, 3))
    again = sorting.TextModel.from_bytes(model.as_bytes())
    assert np.allclose(again.probabilities(texts), model.probabilities(texts), atol=1e-5)
    assert (again.labels, again.threshold, again.bend) == (model.labels, model.threshold, model.bend)
    assert b"pickle" not in model.as_bytes()


def test_the_same_problem_in_other_words_is_one_cluster() -> None:
    said = [f"导出报表总是超时失败，等了 {n} 分钟" for n in range(4)]
    said += [f"导出报表又超时失败了，第 {n} 次" for n in range(4)]
    said += ["nobody answers the support phone", "the support phone is never answered", "希望增加短信提醒", "下午再说"]
    found = clusters.clusters(Corpus.of(said))
    assert sorted(found[0].rows.tolist()) == list(range(8))
    assert any("导出报表" in term or "超时失败" in term for term in found[0].terms)
    assert sorted(found[1].rows.tolist()) == [8, 9]
    assert all(11 not in one.rows for one in found)
    assert clusters.clusters(Corpus.of(["alone"])) == []


def test_titles_are_words_and_no_halves_of_them() -> None:
    said = [
        "水平对置发动机的声音不一样吧",
        "这款车是水平对置发动机来的",
        "水平对置发动机费油",
        "我的油耗也很高啊",
        "你这个油耗真高",
    ]
    found = titles.readable({"置发动机": 3.0, "来的": 2.0, "的油耗": 2.0, "耗真": 1.0, "9是": 1.0, "用户": 1.0}, said)
    assert found == {"水平对置发动机": 3.0, "油耗": 2.0}
    english = ["how do i get the exchange rate", "what is the exchange rate today", "is the exchange rate wrong"]
    said_of = {"the": 5.0, "how do": 4.0, "the exchange rate": 3.0, "exchange rate": 2.0, "rate": 1.0, "today": 1.0}
    assert titles.readable(said_of, english) == {"exchange rate": 3.0, "rate": 1.0}
    texts = [
        "系统登录不上去了",
        "今天系统又登录不上",
        "登录不上，请处理",
        "登录页面打不开",
        "发票抬头错了",
        "发票抬头要改",
    ]
    for one in clusters.clusters(Corpus.of(texts)):
        for term in one.terms:
            assert term in titles.KEPT or not {term[0], term[-1]} & titles.EDGES or term[-2:] in titles.KEPT, term
