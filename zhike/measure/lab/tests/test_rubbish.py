"""Purchases as people keep them: mixed dates and signs, refunds alone, one row, and who bought again too seldom."""

import io
import json
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from zhike.measure.lab.purchases import OnlyReturns

FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%Y年%m月%d日", "%Y.%m.%d", "%Y%m%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ")
AMOUNTS = ("¥{:.2f}", "￥{:,.2f}", "{:.2f} 元", "${:.2f}", "€ {:.2f}", "{:.2f}")


def written(tmp_path: Path, rows: list[tuple[str, str, str]]) -> Path:
    place = tmp_path / "orders.csv"
    place.write_text(
        "客户,日期,金额\n" + "\n".join(f'{who},{day},"{paid}"' for who, day, paid in rows), encoding="utf-8"
    )
    return place


def ran(kind: str, place: Path, *more: str) -> dict[str, Any]:
    out = io.StringIO()
    columns = ("--customer", "客户", "--date", "日期", "--amount", "金额")
    call_command("lab", kind, str(place), *columns, "--language", "en", "--json", *more, stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def mixed() -> list[tuple[str, str, str]]:
    rows = []
    for number in range(120):
        for step in range(1 + number % 4):
            day = date(2024, 1, 1) + timedelta(days=number + 31 * step + number % 5)
            paid = AMOUNTS[(number + step) % len(AMOUNTS)].format(1000 + number + step)
            rows.append((f"K{number}", day.strftime(FORMATS[(number + step) % len(FORMATS)]), paid))
    return rows


@pytest.mark.parametrize("kind", ["clv", "rfm"])
def test_dates_and_signs_of_many_kinds_are_read_and_several_currencies_named(kind: str, tmp_path: Path) -> None:
    found = ran(kind, written(tmp_path, mixed()))
    assert found["rows"] == len(mixed())
    told = [one for one in found["warnings"] if one["kind"] == "currencies"]
    assert [one["column"] for one in told] == ["金额"]
    assert "CNY × " in told[0]["text"]
    assert "USD × " in told[0]["text"]
    assert "unreadable" not in {one["kind"] for one in found["warnings"]}
    page = tmp_path / "report.html"
    ran(kind, written(tmp_path, mixed()), "--html", str(page))
    assert "<svg" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["clv", "rfm"])
def test_returns_alone_are_refused_and_one_row_is_answered(kind: str, tmp_path: Path) -> None:
    returns = [(f"A{number % 9}", f"2024-01-{1 + number % 28:02}", f"-{number + 1}") for number in range(50)]
    with pytest.raises(OnlyReturns, match="every amount in 金额 is negative"):
        ran(kind, written(tmp_path, returns))
    found = ran(kind, written(tmp_path, [("A", "2024-01-01", "5")]))
    said = [(one["kind"], one["column"], one["text"]) for one in found["warnings"]]
    assert said
    assert len(said) == len(set(said))
    if kind == "clv":
        assert found["bgnbd"] is found["pareto_nbd"] is None


def test_what_was_bought_only_after_the_calibration_is_refused(tmp_path: Path) -> None:
    rows = [("A", "2024-01-01", "-5"), *((f"B{number}", "2024-03-01", "5") for number in range(50))]
    with pytest.raises(OnlyReturns, match="2024-02-01"):
        ran("clv", written(tmp_path, rows), "--calibration-end", "2024-02-01")


def test_five_who_bought_again_among_three_thousand_carry_no_model(tmp_path: Path) -> None:
    rows = [(f"C{number}", f"2024-{1 + number % 9:02}-05", "20") for number in range(3000)]
    rows += [(f"C{number}", f"2024-12-{number + 10}", "30") for number in range(5)]
    found = ran("clv", written(tmp_path, rows))
    assert found["bgnbd"] is found["mbgnbd"] is found["pareto_nbd"] is found["gamma_gamma"] is None
    assert any("Only 5 of 3000 customers bought again" in one["text"] for one in found["warnings"])


@pytest.mark.slow
@pytest.mark.parametrize(("language", "said"), [("en", "is empty"), ("zh", "是空文件")])
def test_a_refusal_speaks_the_language_that_was_asked_for(tmp_path: Path, language: str, said: str) -> None:
    place = tmp_path / "empty.csv"
    place.write_text("", encoding="utf-8")
    options = ["--customer", "c", "--date", "d", "--amount", "a", f"--language={language}"]
    ended = subprocess.run(
        [sys.executable, "-m", "zhike", "lab", "clv", str(place), *options], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert said in ended.stderr
