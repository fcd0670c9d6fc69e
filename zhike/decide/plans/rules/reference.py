"""The reference page of the plan document, made from its models."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from zhike.decide.plans.rules.schema import Document
from zhike.kit.ruletrees import Op

PLACE = "docs/reference/plan.md"
HEAD = """\
# The plan · 运营方案

A plan is one YAML document. `zhike plan check FILE` names the line of everything that is wrong; `zhike plan publish
FILE` puts it in force; the page Plan edits the same text. The two ready plans, `saas` and `retail`, are commented
examples: `zhike plan show` prints the one in force. Shares are written from 0 to 1, days as whole numbers, texts either
as one text or as `{ zh: …, en: … }`.

A **rule** is a tree: `all`, `any` or `not` over conditions such as `health: { below: 60 }`, or one condition alone.
What may be asked about are the [facts](facts.md) and `attributes.NAME`. The check says where a comparison does not fit
the kind of fact. Comparisons: {comparisons}.

This page is written by `zhike/decide/plans/rules/reference.py` from the models; a test holds both equal.
"""
_NAMES = {"str": "text", "int": "whole number", "float": "number", "Decimal": "number", "bool": "true or false"}
_BOUNDS = {"ge": "from {}", "gt": "above {}", "le": "up to {}", "lt": "below {}"}


def page() -> str:
    """Return the page in Markdown: the document first, then every section in the order in which it is named."""
    comparisons = ", ".join(f"`{op.value}`" for op in Op)
    return HEAD.replace("{comparisons}", comparisons) + "".join(_section(model) for model in sections())


def sections() -> list[type[BaseModel]]:
    """Return the models of the document, each once."""
    found: list[type[BaseModel]] = [Document]
    for model in found:
        for field in model.model_fields.values():
            found += [each for each in _models(field.annotation) if each not in found]
    return found


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _section(model: type[BaseModel]) -> str:
    said = re.sub(r"\s+", " ", model.__doc__ or "").strip()
    lines = [f"\n## {model.__name__}\n", said, "\n| field | what | default |", "|---|---|---|"]
    lines += [_row(name, field) for name, field in model.model_fields.items()]
    return "\n".join(line for line in lines if line) + "\n"


def _row(name: str, field: FieldInfo) -> str:
    what = _words(field.annotation, field.metadata).replace("|", "\\|")
    return f"| `{name}` | {what} | {_default(field)} |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**needed**"
    value = field.default
    if value is None or isinstance(value, BaseModel) or value in ("", [], {}):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{', '.join(value)}`" if isinstance(value, list) else f"`{value}`"


def _words(annotation: Any, metadata: list[Any]) -> str:
    """Return in words what a field takes."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _words(parts[0], [*parts[1:], *metadata])
    if origin in (Union, UnionType):
        return " or ".join(_words(part, metadata) for part in parts if part is not type(None))
    if origin is Literal:
        return "one of " + ", ".join(f"`{part}`" for part in parts)
    if origin is list:
        return f"list of {_words(parts[0], [])}"
    if origin is dict:
        return "a rule" if parts[1] is Any else f"{_words(parts[1], [])} by {_words(parts[0], [])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    named = _NAMES.get(getattr(annotation, "__name__", ""), getattr(annotation, "__name__", str(annotation)))
    return " ".join([named, *_limits(metadata)])


def _limits(metadata: list[Any]) -> Iterator[str]:
    for each in metadata:
        for limit in getattr(each, "metadata", None) or [each]:
            for bound, said in _BOUNDS.items():
                if (value := getattr(limit, bound, None)) is not None:
                    yield said.format(value)
