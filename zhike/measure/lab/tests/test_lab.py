"""`zhike lab`: figures of a file before there is a company, and a clear word where there are none."""

import gzip
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from django.core.management import call_command
from openpyxl import Workbook
from pyarrow import parquet

from zhike.kit.refusal import Refusal
from zhike.measure.clv.simulating import pareto_histories
from zhike.measure.lab import drawing
from zhike.measure.management.commands.lab import LABS

BEGIN = date(2024, 1, 1)
TRUE = {"r": 0.8, "alpha": 6.0, "s": 0.7, "beta": 20.0}
Lab = Callable[..., dict[str, Any]]


def rows_of(customers: int, seed: int = 3) -> list[tuple[str, str, str]]:
    """Purchases of customers of Pareto/NBD over 104 weeks, the last observed day a purchase of somebody."""
    rng = np.random.default_rng(seed)
    rows = []
    x, t_x, T = pareto_histories(customers, seed=seed, weeks=104.0, **TRUE)
    for number, (count, last, watched) in enumerate(zip(x, t_x, T, strict=True)):
        first = BEGIN + timedelta(days=round((104 - watched) * 7))
        between: Any = np.sort(rng.uniform(0, last, max(0, int(count) - 1))) if count else []
        spend = rng.gamma(6, 20)
        for week in [0.0, *between, *([last] if count else [])]:
            day = first + timedelta(days=round(float(week) * 7))
            rows.append((f"客户{number}", day.isoformat(), f"{rng.gamma(6, spend / 6):.2f}"))
    rows.append(("末", (BEGIN + timedelta(weeks=104)).isoformat(), "10"))
    return rows


def text_of(rows: list[tuple[str, str, str]]) -> str:
    return "会员号,日期,金额\n" + "".join(",".join(row) + "\n" for row in rows)


@pytest.fixture(scope="module")
def rows() -> list[tuple[str, str, str]]:
    return rows_of(700)


@pytest.fixture
def lab(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Lab:
    def run(kind: str, content: bytes | str, *options: str, name: str = "orders.csv") -> dict[str, Any]:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        columns = ("--customer", "会员号", "--date", "日期", "--amount", "金额")
        capsys.readouterr()
        call_command("lab", kind, str(path), *columns, "--language", "en", "--json", *options)
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    return run


def test_customer_value_of_a_file_is_found_and_held_to_what_came_later(lab: Lab, rows: Any) -> None:
    found = lab("clv", text_of(rows), "--calibration-end", "2025-03-31")
    assert set(found) >= {"bgnbd", "mbgnbd", "pareto_nbd", "gamma_gamma", "holdout", "warnings"}
    assert set(found["bgnbd"]) == {"r", "alpha", "a", "b", "log_likelihood", "standard_errors"}
    assert set(found["pareto_nbd"]) >= {"r", "alpha", "s", "beta", "log_likelihood"}
    assert set(found["gamma_gamma"]) >= {"p", "q", "v", "log_likelihood"}
    assert abs(found["pareto_nbd"]["r"] - TRUE["r"]) < 4 * found["pareto_nbd"]["standard_errors"]["r"]
    held = found["holdout"]
    assert held["actual"] > 0
    assert abs(held["models"]["pareto_nbd"]["error"]) < 0.25
    assert held["predicted"] == held["models"][found["best"]]["predicted"]
    assert sum(group["customers"] for group in held["by_frequency"]) == found["customers"]
    told = sum(group["customers"] * (group["actual"] or 0) for group in held["by_frequency"])
    assert told == pytest.approx(held["actual"])
    track = found["tracking"]
    assert track["actual"] == sorted(track["actual"])
    assert track["actual"][-1] <= found["repeat_purchases"] + held["actual"]


def test_money_per_customer_rises_with_the_horizon_and_falls_with_the_discount(lab: Lab, rows: Any) -> None:
    year = lab("clv", text_of(rows), "--horizon-weeks", "52")["value"]
    assert set(year) >= {"total", "mean", "median", "percentiles", "top", "expected_purchases"}
    assert year["total"] == pytest.approx(year["mean"] * year["customers"])
    best = [one["value"] for one in year["top"]]
    assert best == sorted(best, reverse=True)
    assert year["percentiles"]["p99"] <= best[0]
    names = {row[0] for row in rows}
    assert {one["customer"] for one in year["top"]} <= names
    # Without discount, money is expected purchases times what each is worth.
    plain = lab("clv", text_of(rows), "--horizon-weeks", "52", "--discount", "0")["value"]
    first = plain["top"][0]
    assert first["value"] == pytest.approx(first["expected_purchases"] * first["spend"], rel=1e-6)
    assert year["total"] < plain["total"]
    assert lab("clv", text_of(rows), "--horizon-weeks", "104", "--discount", "0")["value"]["total"] > plain["total"]


def test_a_few_unreadable_rows_are_left_out_and_told(lab: Lab, rows: Any) -> None:
    dirty = [*rows, ("x", "someday", "5"), ("x", "2024-05-01", "five"), ("x", "2024-05-01", "5", "6")]
    found = lab("rfm", text_of(dirty))
    assert found["customers"] == lab("rfm", text_of(rows))["customers"]
    told = {warning["column"]: warning["text"] for warning in found["warnings"] if warning["kind"] == "unreadable"}
    assert set(told) == {"日期", "金额", ""}
    assert f"line {len(rows) + 2}" in told["日期"]
    assert "someday" in told["日期"]


def test_every_format_and_encoding_gives_the_same(lab: Lab, rows: Any) -> None:
    plain = lab("rfm", text_of(rows))
    assert plain["customers"] == len({row[0] for row in rows})
    book = Workbook()
    book.active.append(["会员号", "日期", "金额"])
    for row in rows:
        book.active.append([row[0], date.fromisoformat(row[1]), float(row[2])])
    sheet = io.BytesIO()
    book.save(sheet)
    table = pa.table({name: [row[place] for row in rows] for place, name in enumerate(("会员号", "日期", "金额"))})
    packed = io.BytesIO()
    parquet.write_table(table, packed)
    for name, content in {
        "bom.csv": text_of(rows).encode("utf-8-sig"),
        "gbk.csv": text_of(rows).encode("gb18030"),
        "orders.csv.gz": gzip.compress(text_of(rows).encode()),
        "orders.xlsx": sheet.getvalue(),
        "orders.parquet": packed.getvalue(),
    }.items():
        assert lab("rfm", content, name=name) == plain, name


def test_rfm_is_that_of_the_product(lab: Lab) -> None:
    rows = [(f"c{n}", (BEGIN + timedelta(days=n)).isoformat(), str(10 * n)) for n in range(1, 11)]
    found = lab("rfm", text_of(rows))
    assert found["today"] == "2024-01-12"
    assert [step["customers"] for step in found["scores"]["recency"]] == [2, 2, 2, 2, 2]
    assert found["scores"]["recency"][4] == {"score": 5, "customers": 2, "from": 1, "to": 2}
    assert found["rfm"]["555"] == 2
    assert sum(one["customers"] for one in found["segments"]) == 10
    assert [warning["kind"] for warning in found["warnings"]] == ["no_difference"]
    assert lab("rfm", text_of(rows), "--today", "2024-01-07")["customers"] == 5


def test_five_repeat_buyers_among_three_thousand_get_no_forecast(lab: Lab) -> None:
    rows = [(f"c{n}", (BEGIN + timedelta(days=n % 300)).isoformat(), "10") for n in range(3000)]
    rows += [(f"c{n}", "2025-01-01", "12") for n in range(5)]
    found = lab("clv", text_of(rows), "--calibration-end", "2025-01-01")
    assert (found["bgnbd"], found["mbgnbd"], found["pareto_nbd"], found["gamma_gamma"]) == (None,) * 4
    few = [warning for warning in found["warnings"] if warning["kind"] == "few_repeat_buyers"]
    assert "Only 5 of 3000 customers bought again." in few[0]["text"]


def test_rows_without_a_value_and_returns_are_counted_not_hidden(lab: Lab, rows: Any) -> None:
    dirty = [*rows, ("", "2024-05-01", "5"), ("a", "", "5"), ("a", "2024-05-01", ""), ("客户1", "2024-06-01", "-20")]
    found = lab("clv", text_of(dirty))
    kinds = {warning["kind"]: warning for warning in found["warnings"]}
    assert {"no_customer", "no_date", "no_amount", "returns"} <= set(kinds)
    assert kinds["no_customer"]["text"] == "1 row has no value in 会员号 and is left out."
    assert kinds["no_customer"]["column"] == "会员号"
    assert found["holdout"] is None


@pytest.mark.parametrize(
    ("content", "options", "said", "line"),
    [
        ("会员号,日期,金额\na,2024-01-01,5\nb,2024-13-01,5\n", (), "2024-13-01", 3),
        ("会员号,日期,金额\na,2024-01-01,five\n", (), "five", 2),
        ("会员号,日期,金额\na,2024-01-01\n", (), "cells", 2),
        ("会员号,日期,金额\na,01/02/2024,5\n", (), "day-first", None),
        ("会员号,日期,金额\na,2024-01-01,5\n", ("--amount", "price"), "price", None),
        ("会员号,日期,金额\na,2024-01-01,5\n", ("--calibration-end", "2023-01-01"), "2023-01-01", None),
        ("会员号,日期,金额\n", (), "orders.csv", None),
        ("", (), "empty", None),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_place(
    lab: Lab, content: str, options: tuple[str, ...], said: str, line: int | None
) -> None:
    with pytest.raises(Refusal) as refused:
        lab("clv", content, *options)
    assert said in str(refused.value)
    if line is not None:
        assert refused.value.place is not None
        assert refused.value.place.line == line


def test_the_command_line_needs_no_data_folder_and_names_the_place(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("who,day,paid\na,2024-01-01,x\n", encoding="utf-8")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ZHIKE_", "DJANGO_", "DATABASE_"))}
    command = [sys.executable, "-m", "zhike", "lab", "rfm", "orders.csv"]
    columns = ["--customer", "who", "--date", "day", "--amount", "paid"]
    done = subprocess.run(
        [*command, *columns],
        env={**kept, "PYTHONPATH": str(Path(__file__).parents[4]), "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert "orders.csv" in done.stderr
    assert "paid" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["orders.csv"]


def test_reports_speak_both_languages_and_need_nothing_from_elsewhere(
    lab: Lab, rows: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    lab("clv", text_of(rows), "--calibration-end", "2025-03-31", "--html", str(page))
    html = page.read_text(encoding="utf-8")
    assert html.count("<svg") == 3
    assert "Held to what happened" in html
    assert re.findall(r"(?:src|href)=|url\(|@import|https?://", html) == []
    call_command("lab", "clv", str(tmp_path / "orders.csv"), "--customer=会员号", "--date=日期", "--amount=金额")
    said = capsys.readouterr().out
    assert "BG/NBD" in said
    assert "<svg" not in said


def test_drawings_escape_what_files_say() -> None:
    drawn = drawing.bars(["<script>"], {'a"b': [1.0]}, label='x"<y')
    assert "<script>" not in drawn
    assert 'aria-label="x&quot;&lt;y"' in drawn


def test_every_laboratory_is_explained() -> None:
    page = (Path(__file__).parents[4] / "docs/reference/commands.md").read_text(encoding="utf-8")
    assert [name for name in LABS if f"zhike lab {name} FILE" not in page] == []
