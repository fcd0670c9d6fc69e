"""`zhike lab churn`: what a table tells about leaving, what is wrong with it, and a word where nothing can be said."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command

from zhike.kit.refusal import Refusal

Lab = Callable[..., dict[str, Any]]
Table = dict[str, list[Any]]


def people(rows: int = 1500, seed: int = 1, strength: float = 1.0) -> Table:
    """Customers whose chance of leaving is known: few log-ins, late payment and a monthly plan raise it."""
    rng = np.random.default_rng(seed)
    logins = rng.poisson(8, rows)
    late = rng.random(rows) < 0.2
    plan = rng.choice(["monthly", "yearly", "两年"], rows, p=[0.5, 0.3, 0.2])
    price = np.round(rng.lognormal(4, 0.35, rows), 2)
    chance = 1 / (1 + np.exp(1.2 + strength * (0.35 * (logins - 8) - 1.2 * late - 1.1 * (plan == "monthly"))))
    left = rng.random(rows) < chance
    return {
        "customer": [f"C{number:05d}" for number in rng.permutation(rows)],
        "logins": [str(one) for one in logins],
        "paid_late": ["yes" if one else "no" for one in late],
        "plan": list(plan),
        "price": [f"¥{one:,.2f}" for one in price],
        "balance": [f"{one:.2f}" for one in rng.normal(50, 80, rows)],
        "region": list(rng.choice(["北京", "上海", "广州", ""], rows)),
        "churned": ["Yes" if one else "No" for one in left],
        "truth": [f"{one:.6f}" for one in chance],
    }


def text_of(table: Table, without: tuple[str, ...] = ("truth",)) -> str:
    names = [name for name in table if name not in without]
    lines = [names, *zip(*(table[name] for name in names), strict=True)]
    return "".join(",".join(f'"{cell}"' for cell in line) + "\n" for line in lines)


@pytest.fixture
def lab(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Lab:
    def run(table: Table | str, *options: str, test: Table | None = None, label: str = "churned") -> dict[str, Any]:
        path = tmp_path / "people.csv"
        path.write_text(table if isinstance(table, str) else text_of(table), encoding="utf-8")
        if test is not None:
            (tmp_path / "newer.csv").write_text(text_of(test), encoding="utf-8")
            options = (*options, "--test", str(tmp_path / "newer.csv"))
        capsys.readouterr()
        call_command("lab", "churn", str(path), "--label", label, "--language", "en", "--json", *options)
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    return run


def kinds(found: dict[str, Any]) -> set[tuple[str, str]]:
    return {(one["kind"], one["column"]) for one in found["warnings"]}


def test_a_clean_table_gives_a_calibrated_score_and_no_warning(lab: Lab) -> None:
    found = lab(people(), "--id", "customer")
    assert set(found) >= {"auc", "auc_low", "auc_high", "brier", "ece", "base_rate", "model", "excluded", "warnings"}
    assert found["warnings"] == []
    assert found["excluded"] == []
    assert 0.7 < found["auc_low"] < found["auc"] < found["auc_high"] < 0.9
    assert found["ece"] < 0.05
    assert {one["column"] for one in found["drivers"][:3]} == {"logins", "plan", "paid_late"}
    assert found["drivers"][0]["direction"] == "less"


def test_the_order_of_rows_changes_nothing(lab: Lab) -> None:
    table = people(400)
    order = np.random.default_rng(5).permutation(400)
    turned = {name: [cells[at] for at in order] for name, cells in table.items()}
    assert lab(table, "--id", "customer") == lab(turned, "--id", "customer")


def test_what_the_columns_add_sums_to_the_score_of_each_row(lab: Lab, tmp_path: Path) -> None:
    out = tmp_path / "scores.csv"
    found = lab(people(), "--id", "customer", "--scores", str(out))
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == found["scores_file"]["rows"] == 1500
    for row in rows[:200]:
        parts = [row["base"], row["others"], *(row[f"log_odds_{number}"] for number in (1, 2, 3))]
        total = sum(float(part) for part in parts)
        assert total == pytest.approx(float(row["log_odds"]), abs=1e-5)
        assert 1 / (1 + np.exp(-total)) == pytest.approx(float(row["probability"]), abs=1e-5)


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("cancel_date", lambda left: ["2024-03-05" if one else "" for one in left]),
        ("why", lambda left: [("price" if at % 2 else "service") if one else "" for at, one in enumerate(left)]),
        ("copy", lambda left: ["1" if one else "0" for one in left]),
        ("final_bill", lambda left: [str(at % 7 + (40 if one else 0)) for at, one in enumerate(left)]),
        ("churn score", lambda left: [str(at * 37 % 65 + (35 if one else 0)) for at, one in enumerate(left)]),
    ],
)
def test_a_column_that_gives_the_answer_away_is_named_and_left_out(lab: Lab, name: str, cells: Any) -> None:
    table = people()
    table[name] = cells([one == "Yes" for one in table["churned"]])
    found = lab(table, "--id", "customer")
    assert kinds(found) == {("leak", name)}
    assert found["excluded"] == [name]
    assert found["auc"] < 0.9


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_share_of_rows_in_cents_is_seen(lab: Lab, seed: int) -> None:
    table = people(seed=seed)
    rng = np.random.default_rng(seed)
    cells = [float(cell.lstrip("¥").replace(",", "")) for cell in table["price"]]
    table["price"] = [f"{cell * 100:.0f}" if rng.random() < 0.1 else f"{cell:.2f}" for cell in cells]
    assert kinds(lab(table, "--id", "customer")) == {("scale", "price")}


def test_another_unit_and_lost_minus_signs_in_the_test_file_are_seen(lab: Lab) -> None:
    newer = people(seed=9)
    newer["price"] = [f"{float(cell.lstrip('¥').replace(',', '')) * 1000:.0f}" for cell in newer["price"]]
    newer["balance"] = [cell.lstrip("-") for cell in newer["balance"]]
    found = lab(people(), "--id", "customer", test=newer)
    assert kinds(found) == {("scale", "price"), ("scale", "balance")}
    assert found["auc"] > 0.7


def test_a_clean_test_file_gives_no_warning_and_its_own_figures(lab: Lab) -> None:
    found = lab(people(), "--id", "customer", test=people(700, seed=8))
    assert found["warnings"] == []
    assert found["judged_rows"] == 700


def test_another_kind_of_customers_in_the_test_file_is_drift(lab: Lab) -> None:
    newer = people(seed=7)
    newer["logins"] = [str(int(cell) + 6) for cell in newer["logins"]]
    assert ("drift", "logins") in kinds(lab(people(), "--id", "customer", test=newer))


def test_nothing_to_learn_gives_no_score_but_still_its_figure(lab: Lab) -> None:
    table = people(800)
    table["churned"] = list(np.random.default_rng(4).permutation(table["churned"]))
    found = lab(table, "--id", "customer")
    assert kinds(found) == {("no_signal", "")}
    assert found["auc_low"] < 0.5
    assert not found["published"]


def test_thirty_rows_are_few(lab: Lab) -> None:
    found = lab(people(30), "--id", "customer")
    assert ("few_rows", "churned") in kinds(found)


def test_later_rows_judge_what_was_learnt_before_them(lab: Lab) -> None:
    table = people(1200)
    table["seen"] = [f"2024-{at % 12 + 1:02d}-{at % 28 + 1:02d}" for at in range(1200)]
    found = lab(table, "--id", "customer", "--time", "seen")
    assert found["warnings"] == []
    assert found["judged_rows"] < 1100
    assert found["auc"] > 0.7


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        ({"churned": ["a", "b", "c"] * 20}, (), "--positive"),
        ({"churned": ["Yes"] * 60}, (), "same answer"),
        ({"churned": [""] * 60}, (), "empty"),
        ({}, ("--positive", "Perhaps"), "never has the value Perhaps"),
        ({}, ("--time", "plan"), "days or numbers"),
        ({}, ("--id", "nobody"), "has no column nobody"),
    ],
)
def test_a_question_without_an_answer_is_refused_with_its_place(
    lab: Lab, change: Table, options: Any, words: str
) -> None:
    with pytest.raises(Refusal, match=words) as refused:
        lab({**people(60), **change}, *options)
    assert refused.value.place is not None
    assert refused.value.place.file == "people.csv"


def test_a_file_without_rows_is_refused(lab: Lab) -> None:
    with pytest.raises(Refusal, match="no rows"):
        lab("a,churned\n")
    with pytest.raises(Refusal, match="empty"):
        lab("")


def test_the_report_is_readable_in_both_languages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, page = tmp_path / "people.csv", tmp_path / "page.html"
    path.write_text(text_of(people(400)), encoding="utf-8")
    for language in ("en", "zh"):
        call_command("lab", "churn", str(path), "--label", "churned", "--language", language, "--html", str(page))
        assert "logins" in capsys.readouterr().out
        assert page.read_text(encoding="utf-8").count("<svg") == 3


def watched(seed: int = 3) -> Table:
    """Sixty months of customers whose log-ins fall for some months before they leave."""
    draw = np.random.default_rng(seed)
    rows: dict[str, list[str]] = {name: [] for name in ("customer", "month", "logins", "seats", "left_next")}
    for customer in range(260):
        begin, leaves = int(draw.integers(0, 8)), draw.random() < 0.5
        last = begin + int(draw.integers(6, 16))
        for month in range(begin, last + 1):
            fading = leaves and last - month < 3
            rows["customer"].append(f"C{customer:03}")
            rows["month"].append(f"{2020 + month // 12}-{month % 12 + 1:02}-01")
            rows["logins"].append(str(draw.poisson(6 if fading else 12)))
            rows["seats"].append(str(draw.integers(1, 30)))
            rows["left_next"].append("Yes" if fading else "No")
    return rows


def test_lead_time_is_told_and_drawn_where_customers_are_watched_over_time(
    lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    found = lab(watched(), "--id", "customer", "--time", "month", label="left_next")
    assert 0 < found["lead_time"] < 100
    assert sum(one["left"] for one in found["leads"]) > 40
    path = tmp_path / "people.csv"
    asked = ("--label", "left_next", "--id", "customer", "--time", "month", "--language", "en")
    call_command("lab", "churn", str(path), *asked, "--html", str(page))
    assert "Lead time" in page.read_text(encoding="utf-8")
    assert page.read_text(encoding="utf-8").count("<svg") == 4
    assert lab(people(400), "--id", "customer")["leads"] == []


def test_a_score_that_fits_no_longer_is_said_to_drift(lab: Lab) -> None:
    newer = people(seed=12)
    draw = np.random.default_rng(1)
    newer["churned"] = [
        "Yes" if one == "Yes" or draw.random() < 0.35 else "No" for one in newer["churned"]
    ]  # The same customers, but many more of them leave.
    found = lab(people(), "--id", "customer", test=newer)
    said = [one["text"] for one in found["warnings"] if (one["kind"], one["column"]) == ("drift", "churned")]
    assert any("no longer calibrated" in one for one in said), found["warnings"]
