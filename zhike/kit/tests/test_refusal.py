import pickle

import pytest

from zhike.kit.refusal import Place, Refusal


class NotEnoughPoints(Refusal):
    message = "There are %(have)d points, %(need)d are needed."


class Lazy:
    def __str__(self) -> str:
        return "还差 %(need)d 分。"


class LazyRefusal(Refusal):
    message = Lazy()


def test_the_sentence_names_the_details() -> None:
    refusal = NotEnoughPoints(have=3, need=5)
    assert str(refusal) == "There are 3 points, 5 are needed."
    assert refusal.details == {"have": 3, "need": 5}
    assert refusal.place is None


def test_a_sentence_without_details_may_hold_a_per_cent_sign() -> None:
    class Full(Refusal):
        message = "100% is the most."

    assert str(Full()) == "100% is the most."


def test_a_lazy_message_is_read_when_shown() -> None:
    assert str(LazyRefusal(need=2)) == "还差 2 分。"


def test_it_says_where_and_survives_another_process() -> None:
    with pytest.raises(Refusal) as caught:
        raise NotEnoughPoints(place=Place(file="points.csv", line=7), have=1, need=2)
    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own bytes
    assert str(copy) == str(caught.value)
    assert copy.place == Place(file="points.csv", line=7)
