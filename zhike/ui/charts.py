"""What a page says about a chart, and the HTML that carries it to charts.js.

A line chart::

    {"kind": "line", "unit": "分", "x": ["9/15", …], "min": 50, "max": 90, "interval": 10,
     "series": [{"name": "健康分", "values": [76, …, None], "color": "ink", "area": False, "dash": False,
                 "low": […], "high": […], "end": "risk"}],
     "limits": [{"value": 80, "band": "ok", "name": "健康"}],
     "marks": [{"at": 21, "name": "2/14 管理员离职"}]}

A bar chart has `"kind": "bar"`, `x` as the names, one to five series, and may have `"across": True` for horizontal
bars, `"ticks"` (a black tick per bar, such as the period before), `"stack": True`, and `"whole": True` where only
whole numbers make sense. Colours are names of tokens: ink, accent, mid, c1 … c5, ok, warn, risk, grey. At most 500
points: aggregate on the server.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.html import json_script
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from zhike.ui.markup import escaped, format_html
from zhike.ui.words import plain

MOST_POINTS = 500


def _cell(value: object) -> str:
    return plain(value) if isinstance(value, int | float) else "—"


def _rows(data: Mapping[str, Any]) -> Iterator[str]:
    columns = [one["values"] for one in data["series"]]
    for index, name in enumerate(data["x"]):
        cells = (_cell(values[index] if index < len(values) else None) for values in columns)
        drawn = "".join([f'<td class="n">{escaped(cell)}</td>' for cell in cells])
        yield f'<tr><th scope="row">{escaped(str(name))}</th>{drawn}</tr>'


def table_html(data: Mapping[str, Any]) -> SafeString:
    """Return the figures of a chart as a table."""
    unit = f" {data['unit']}" if data.get("unit") else ""
    heads = (escaped(f"{one.get('name', '')}{unit}") for one in data["series"])
    head = "".join([f'<th class="n" scope="col">{name}</th>' for name in heads])
    html = f'<table class="table tight"><thead><tr><td></td>{head}</tr></thead><tbody>{"".join(_rows(data))}</tbody>'
    return SafeString(f"{html}</table>")


def chart_html(chart_id: str, data: Mapping[str, Any], label: str, height: int = 180) -> SafeString:
    """Return a chart box, its data and its table; `label` says the finding, not the name of the chart.

    Raises ValueError for more than 500 points.
    """
    if len(data["x"]) > MOST_POINTS:
        raise ValueError(f"Chart {chart_id} has {len(data['x'])} points; aggregate to {MOST_POINTS} or fewer.")
    box = '<div class="chart" id="ch-{}" style="--h:{}px" role="img" aria-label="{}"></div>'
    html = '{}{}<details class="chart-data"><summary>{}</summary>{}</details>'
    parts = (format_html(box, chart_id, height, label), json_script(dict(data), f"ch-{chart_id}-data"))
    return format_html(html, *parts, gettext("See the figures"), table_html(data))
