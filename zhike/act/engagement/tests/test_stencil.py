"""A closed row of the queue, filled in, is what the template draws of it."""

from datetime import date
from itertools import product

import pytest
from django.template import Context, engines
from django.template.loader import get_template
from django.utils.translation import override

from zhike.act.engagement.queries import QueueRow
from zhike.ui import words
from zhike.ui.stencils import FIRST_NUMBER, Stencil

ROW = QueueRow(
    id=41,
    customer_id=7,
    customer="云舟",
    kind="alert",
    kind_name="Churn alert",
    icon="health",
    tier=("core", "Core", 1),
    health=61.0,
    health_look="warn",
    health_change=-13.0,
    why="Health 74 → 61 in 30 days",
    what="Call about the log-ins",
    say="",
    via="Wang Li · Phone",
    channel="phone",
    contact="Wang Li",
    stake=words.money(240_000, "CNY"),
    stake_of="ARR",
    due="Today",
    due_on=date(2026, 3, 12),
    due_note="15 min",
    due_look="warn",
    minutes=15,
    parts=[],
    is_open=False,
    is_primary=True,
)
HOSTILE = "<b onclick=\"x('&amp;')\">\ue0001\ue001 {{ row.why }} " + str(FIRST_NUMBER + 1)


def by_template(row: QueueRow, token: str) -> str:
    return get_template("engagement/queue.html#row").render({"row": row, "csrf_token": token})


def by_stencil(row: QueueRow, token: str) -> str:
    template = engines["django"].from_string("{% load queue %}{% queue_rows rows %}").template  # type: ignore[attr-defined]  # Django's own kind.
    return str(template.render(Context({"rows": [row], "csrf_token": token})))


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_closed_row_is_what_the_template_draws(language: str) -> None:
    rows = [
        ROW._replace(id=number, stake=stake, due_look=look, is_primary=primary, health=health, tier=tier)
        for number, (stake, look, primary, health, tier) in enumerate(
            product(
                (ROW.stake, ""), ("", "warn", "risk"), (True, False), (None, 61.0), (("", "", 4), ("core", "核心", 1))
            )
        )
    ]
    rows += [ROW._replace(customer=HOSTILE, why=HOSTILE, what=HOSTILE, via=HOSTILE), ROW._replace(what="", via="")]
    with override(language):
        for row in rows:
            drawn = by_stencil(row, "token-1")
            assert drawn == by_template(row, "token-1")
            assert f"/{row.id}/" in drawn
            assert "token-1" in drawn
            assert by_stencil(row, "token-2") == drawn.replace("token-1", "token-2")


def test_what_a_person_wrote_stays_text() -> None:
    drawn = by_stencil(ROW._replace(customer=HOSTILE), "t")
    assert "<b onclick" not in drawn
    assert "{{ row.why }}" in drawn


def test_each_language_has_a_drawing_of_its_own() -> None:
    with override("en"):
        english = by_stencil(ROW, "t")
    with override("zh-hans"):
        assert ">完成<" in by_stencil(ROW, "t")
    assert ">Done<" in english


def test_a_stencil_may_be_of_one_word() -> None:
    stencil = Stencil("parts/toast.html", "toast", texts=(), numbers=(), shape=(), beside=("text", "undo_url"))
    expected = get_template("parts/toast.html").render({"text": HOSTILE, "undo_url": ""})
    assert stencil.draw([ROW, ROW], HOSTILE, "") == [expected, expected]
