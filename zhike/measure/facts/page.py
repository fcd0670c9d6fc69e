"""The reference page of all facts, made from their declarations."""

from zhike.measure.facts.fact import Fact

PLACE = "docs/reference/facts.md"
HEAD = """\
# Facts · 客户事实

What is known of a customer on the morning of a day: one typed row per customer. Rules of the plan, segments, the API
and `zhike export facts` use these names. Days, windows and sums reach up to the end of the day before; a day begins at
midnight in the company's time zone. Unknown differs from 0: a comparison with something unknown never holds, and
`known` asks for it.

This page is written by `zhike/measure/facts/page.py` from the declarations; a test holds both equal.

"""


def page(facts: dict[str, Fact]) -> str:
    """Return the page in Markdown."""
    lines = [HEAD + "| name 名称 | kind 类型 | unit 单位 | meaning 含义 |", "|---|---|---|---|"]
    lines += [_line(fact) for fact in facts.values()]
    return "\n".join(lines) + "\n\n" + TAIL


def _line(fact: Fact) -> str:
    unit = " · ".join(name for name in (fact.unit_name("en"), fact.unit_name("zh")) if name)
    allowed = f": {', '.join(f'`{choice}`' for choice in fact.choices)}" if fact.choices else ""
    names = f"`{fact.name}`<br>{fact.zh} · {fact.en}"
    return f"| {names} | {fact.kind.value}{allowed} | {unit} | {fact.meaning_zh}<br>{fact.meaning_en} |"


TAIL = """\
`attributes.NAME` are the fields that the company added to its customers, with the kind they were given.

`zhike export facts` calls the customer's number `customer` and adds `attributes` as JSON.
"""
