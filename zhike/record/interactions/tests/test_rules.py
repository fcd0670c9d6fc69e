"""What a typed line says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhike.record.interactions.rules import CHANNEL_WORDS, read_line

PEOPLE = {1: "王敏", 2: "Mei Wang", 3: "Tom Li", 4: "Tom Ray"}


@pytest.mark.parametrize(
    ("typed", "channel", "contact", "outcome", "direction", "text"),
    [
        ("/电话 王敏 下周给方案", "phone", 1, "reached", "out", "王敏 下周给方案"),
        ("电话：王敏没接", "phone", 1, "no_answer", "out", "王敏没接"),
        ("打电话给王敏，她留言了", "phone", 1, "left_message", "out", "打电话给王敏，她留言了"),
        ("会议 讨论续约", "meeting", None, "reached", "out", "会议 讨论续约"),
        ("/企微 发了方案", "wecom", None, "reached", "out", "发了方案"),
        ("Call with Mei: renewal in May", "phone", 2, "reached", "out", "Call with Mei: renewal in May"),
        ("callous remark by Tom", "", None, "reached", "out", "callous remark by Tom"),
        ("call: Tom Li did not answer", "phone", 3, "no_answer", "out", "Tom Li did not answer"),
        ("客户来电问发票", "", None, "reached", "in", "客户来电问发票"),
        ("met Tom Ray at the fair", "meeting", 4, "reached", "out", "met Tom Ray at the fair"),
        ("/nonsense hello", "", None, "reached", "out", "nonsense hello"),
        ("/phone", "phone", None, "reached", "out", "phone"),
    ],
)
def test_a_line_is_read(typed: str, channel: str, contact: int | None, outcome: str, direction: str, text: str) -> None:
    line = read_line(typed, PEOPLE)
    assert (line.channel, line.contact, line.outcome, line.direction, line.text) == (
        channel,
        contact,
        outcome,
        direction,
        text,
    )


@given(st.text(min_size=1, max_size=80).filter(str.strip))
def test_any_line_is_read_and_never_loses_all_of_its_text(typed: str) -> None:
    line = read_line(typed, PEOPLE)
    assert line.channel in {"", *CHANNEL_WORDS}
    assert line.text or typed.strip() in {"/"}
