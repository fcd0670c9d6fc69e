"""`zhike lab effect`: what a treatment drawn by lot did, and a warning where it was not drawn by lot."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command

from zhike.kit.refusal import Refusal
from zhike.measure.lab import effect

Table = dict[str, list[str]]


def campaign(rows: int = 3000, seed: int = 1, *, chosen: bool = False) -> Table:
    """Calls raise answers by 10 points among small customers and by nothing among others; mails do nothing."""
    draw = np.random.default_rng(seed)
    seats = draw.integers(1, 60, rows)
    arm = draw.choice(["无", "电话", "邮件"], rows)
    if chosen:
        arm = np.where(draw.random(rows) < 0.02 * seats, "电话", "无")
    answered = draw.random(rows) < 0.1 + np.where((arm == "电话") & (seats < 30), 0.2, 0.0)
    paid = np.round(np.where(answered, draw.lognormal(4, 0.5, rows), 0), 2)
    return {
        "seats": [str(one) for one in seats],
        "treatment": list(arm),
        "answered": ["是" if one else "否" for one in answered],
        "paid": [f"¥{one:,.2f}" for one in paid],
    }


def ran(tmp_path: Path, table: Table, *options: str, control: str = "无") -> dict[str, Any]:
    path, out = tmp_path / "campaign.csv", io.StringIO()
    lines = [table, *zip(*table.values(), strict=True)]
    path.write_text("".join(",".join(f'"{cell}"' for cell in line) + "\n" for line in lines), encoding="utf-8")
    columns = ("--arm", "treatment", "--control", control, *(options or ("--outcome", "answered", "--outcome", "paid")))
    call_command("lab", "effect", str(path), *columns, "--language", "en", "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_what_worked_is_proven_and_what_did_not_is_not(tmp_path: Path) -> None:
    found = ran(tmp_path, campaign())
    answered, paid = found["outcomes"]
    call, mail = ({one["arm"]: one for one in answered["effects"]}[name] for name in ("电话", "邮件"))
    assert (answered["kind"], paid["kind"]) == ("rate", "mean")
    assert call["proven"]
    assert call["low"] < 0.2 * 29 / 59 < call["high"]
    assert not mail["proven"]
    assert mail["low"] < 0 < mail["high"]
    assert {one["arm"]: one["proven"] for one in paid["effects"]} == {"电话": True, "邮件": False}
    assert sum(found["arms"].values()) == found["rows"] == 3000
    assert found["warnings"] == []


def test_who_responds_is_learnt_from_what_was_known_before(tmp_path: Path) -> None:
    table = campaign(6000) | {"customer": [f"C{place:05d}" for place in range(6000)]}
    found = ran(tmp_path, table, "--outcome", "answered", "--responders")
    call, mail = ({one["arm"]: one for one in found["responders"]}[name] for name in ("电话", "邮件"))
    assert call["qini"] > 0.08 > abs(mail["qini"])
    assert call["uplift_at_30"] > 0.14
    # What was paid came after the call, and says who answered.
    assert [(one["kind"], one["column"]) for one in found["warnings"]] == [("leak", "paid")]
    assert max(found["told_apart"].values()) < effect.TOLD_APART


def test_a_treatment_for_whom_one_chose_is_told(tmp_path: Path) -> None:
    found = ran(tmp_path, campaign(chosen=True), "--outcome", "answered", "--responders")
    assert {one["kind"] for one in found["warnings"]} == {"not_by_lot", "uneven_lot", "leak"}


def test_rows_without_an_answer_and_many_comparisons_are_told(tmp_path: Path) -> None:
    table = campaign(600)
    table["answered"][:5] = [""] * 5
    table["treatment"] = [f"{one}{place % 4}" if one != "无" else one for place, one in enumerate(table["treatment"])]
    found = ran(tmp_path, table, "--outcome", "answered")
    assert {one["kind"]: one["text"] for one in found["warnings"] if one["kind"] == "no_outcome"} == {
        "no_outcome": "5 rows have nothing in answered and are left out there."
    }
    assert "many_comparisons" in {one["kind"] for one in found["warnings"]}
    known = found["outcomes"][0]["control_rows"] + sum(one["rows"] for one in found["outcomes"][0]["effects"])
    assert known == 595


@pytest.mark.parametrize(
    ("options", "control", "said"),
    [
        (("--outcome", "answered"), "nobody", "treatment never has the value nobody"),
        (("--outcome", "treatment"), "无", "cannot be both the treatment and an outcome"),
        (("--outcome", "bought"), "无", "bought"),
    ],
)
def test_what_cannot_be_compared_is_refused(tmp_path: Path, options: tuple[str, ...], control: str, said: str) -> None:
    with pytest.raises(Refusal, match=said):
        ran(tmp_path, campaign(300), *options, control=control)


def test_words_are_no_outcome_and_a_column_of_many_values_no_treatment(tmp_path: Path) -> None:
    table = campaign(300) | {"colour": ["red", "blue", "green"] * 100}
    with pytest.raises(Refusal, match="holds neither numbers nor yes and no"):
        ran(tmp_path, table, "--outcome", "colour")
    table["treatment"] = [f"T{place}" for place in range(300)]
    with pytest.raises(Refusal, match="300 values"):
        ran(tmp_path, table, control="T1")
    table["treatment"] = ["无", *["电话"] * 299]
    with pytest.raises(Refusal, match="fewer than two rows of 无"):
        ran(tmp_path, table)


def test_the_report_reads_in_both_languages(tmp_path: Path) -> None:
    path, page = tmp_path / "campaign.csv", tmp_path / "report.html"
    ran(tmp_path, campaign(600), "--outcome", "answered", "--outcome", "paid", "--responders")
    for language, said in (("en", "Relative effect"), ("zh", "相对效果")):
        columns = ("--arm", "treatment", "--control", "无", "--outcome", "answered", "--outcome", "paid")
        call_command(
            "lab", "effect", str(path), *columns, "--language", language, "--html", str(page), stdout=io.StringIO()
        )
        assert said in page.read_text(encoding="utf-8")
