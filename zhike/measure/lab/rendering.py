"""Reports for people: as text for a terminal, as one HTML file that needs nothing else."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from html import escape

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from zhike.measure.lab.reports import Report, Section, Table

STYLE = """
body{margin:2rem auto;max-width:56rem;padding:0 1rem;font:15px/1.6 system-ui,"PingFang SC","Microsoft YaHei",sans-serif;
color:#1c1c1e;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem;border-top:1px solid #ddd;padding-top:1rem}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}th,td{padding:.2rem .8rem;border-bottom:1px solid #eee;
text-align:right}th:first-child,td:first-child{text-align:left}thead th{border-bottom:1px solid #999;font-weight:600}
.warn{border-left:3px solid #b45309;padding:.1rem .8rem;background:#fff7ed}.scroll{overflow-x:auto}
svg{max-width:100%;height:auto}svg text{font:12px system-ui,"PingFang SC",sans-serif;fill:#444}
@media (prefers-color-scheme:dark){body{background:#1c1c1e;color:#eee}svg text{fill:#bbb}h2{border-color:#444}
th,td{border-color:#333}.warn{background:#3b2a14}}
"""


def width(text: str) -> int:
    """Return how many columns of a terminal a text takes; Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def as_text(report: Report) -> str:
    """Return the report for a terminal."""
    lines = [report.title, "=" * width(report.title), ""]
    if report.warnings:
        lines += [_("Warnings"), *(f"  ! {one.text}" for one in report.warnings), ""]
    for section in report.sections:
        lines += [section.title, "-" * width(section.title), *section.words]
        if section.table:
            lines += _aligned(section.table)
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _aligned(table: Table) -> Iterator[str]:
    rows = [list(table.head), *(list(row) for row in table.rows)]
    widths = [max(width(row[place]) for row in rows) for place in range(len(table.head))]
    for row in rows:
        cells = [" " * (size - width(cell)) + cell for cell, size in zip(row, widths, strict=True)]
        cells[0] = row[0] + " " * (widths[0] - width(row[0]))
        yield "  " + "  ".join(cells).rstrip()


def as_html(report: Report) -> str:
    """Return the report as a whole HTML document without anything from elsewhere."""
    language = get_language() or "en"
    warnings = "".join(f'<p class="warn">{escape(one.text)}</p>' for one in report.warnings)
    body = f"<h1>{escape(report.title)}</h1>{warnings}{''.join(map(_section, report.sections))}"
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><style>{STYLE}</style>'
    title = f"<title>{escape(report.title)}</title>"
    return f'<!doctype html><html lang="{language}"><head>{head}{title}</head><body>{body}</body></html>\n'


def _section(section: Section) -> str:
    words = "".join(f"<p>{escape(line)}</p>" for line in section.words)
    table = _table(section.table) if section.table else ""
    return f"<section><h2>{escape(section.title)}</h2>{words}{section.drawing}{table}</section>"


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.head)
    rows = "".join(
        f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in rest)}</tr>'
        for first, *rest in table.rows
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
