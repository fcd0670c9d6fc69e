"""From YAML text to plain values, with the place of every value. Only the plain part of YAML is let in."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from zhike.decide.plans.rules.problems import PlanErrors, Problem
from zhike.decide.plans.rules.shape import Step
from zhike.kit.refusal import gettext_noop as _

MAX_BYTES = 128 * 1024  # Ten times a long plan; reading this much YAML takes about two seconds.
MAX_VALUES = 6_000  # A long plan has a thousand.
MAX_DEPTH = 30
MAX_DIGITS = 30
MOST_PROBLEMS = 50

_NULL = re.compile(r"(?:~|null|Null|NULL|)")
_YES = re.compile(r"(?:true|True|TRUE)")
_NO = re.compile(r"(?:false|False|FALSE)")
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_BRACKETS = re.compile(r"(?:[\[{] *){31}")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")

Place = tuple[int, int]
Loc = tuple[Step, ...]


@dataclass
class Source:
    """Plain values of a document; `keys` and `values` give line and column of names and of what they hold."""

    data: Any = None
    keys: dict[Loc, Place] = field(default_factory=dict)
    values: dict[Loc, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def place(self, loc: Sequence[Step]) -> Place:
        """Return where something stands: a single value itself, a section by its name, else what contains it."""
        found = tuple(loc)
        while found:
            if found in self.values and (found not in self.keys or self._is_single(found)):
                return self.values[found]
            if found in self.keys:
                return self.keys[found]
            found = found[:-1]
        return self.values.get((), (1, 1))

    def key_place(self, loc: Sequence[Step]) -> Place:
        """Return where the name of something stands."""
        return self.keys.get(tuple(loc)) or self.place(loc)

    def at(self, loc: Sequence[Step]) -> Any:
        """Return the value at a place, or None where there is none."""
        value = self.data
        for step in loc:
            inside = (isinstance(value, dict) and step in value) or (
                isinstance(value, list) and isinstance(step, int) and step < len(value)
            )
            if not inside:
                return None
            value = value[step]
        return value

    def _is_single(self, loc: Loc) -> bool:
        return not isinstance(self.at(loc), dict | list) and self.at(loc) is not None


def path_of(loc: Sequence[Step]) -> str:
    """Write a place as people read it: `tiers.tiers[0].name`."""
    text = ""
    for step in loc:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def read_source(text: str) -> Source:
    """Read the text of a plan. Raises PlanErrors for anything but one plain YAML mapping."""
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        _stop((1, 1), TOO_LARGE, limit=MAX_BYTES // 1024)
    control = _CONTROL.search(text)
    if control:
        _stop(_place_of(control.start(), text), CONTROL_CHARACTER, code=f"U+{ord(control.group()):04X}")
    deep = _BRACKETS.search(text)
    if deep:  # The parser would look a thousand brackets ahead, which takes seconds, before it gives the first event.
        _stop(_place_of(deep.start(), text), TOO_DEEP, limit=MAX_DEPTH)
    source = Source()
    try:
        _Builder(source, YAML(typ="rt", pure=True).parse(text)).document()
    except MarkedYAMLError as error:
        raise PlanErrors([*source.problems, syntax_problem(error, text)]) from error
    if not isinstance(source.data, dict):
        _stop(source.values.get((), (1, 1)), NOT_A_PLAN)
    if source.problems:
        raise PlanErrors(source.problems)
    return source


def _place_of(position: int, text: str) -> Place:
    return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)


def _stop(place: Place, message: str, **details: object) -> NoReturn:
    raise PlanErrors([Problem(*place, path="", message=message, details=details)])


class _Builder:
    """Builds values from parser events: an alias or a foreign tag never becomes a value."""

    def __init__(self, source: Source, events: Iterator[Event]) -> None:
        self.source = source
        self.events = events

    def document(self) -> None:
        """Read the only document of the stream."""
        documents = 0
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    _stop(_place(event), SEVERAL_DOCUMENTS)
            elif isinstance(event, NodeEvent):
                self.source.data = self.node(event, ())

    def node(self, event: NodeEvent, loc: Loc) -> Any:
        self.source.values[loc] = _place(event)
        if len(self.source.values) > MAX_VALUES:
            _stop(_place(event), TOO_MANY, limit=MAX_VALUES)
        if isinstance(event, AliasEvent) or event.anchor:
            _stop(_place(event), ANCHOR)
        if len(loc) > MAX_DEPTH:
            _stop(_place(event), TOO_DEEP, limit=MAX_DEPTH)
        if getattr(event, "ctag", None):
            self.complain(_place(event), loc, TAG)
        if isinstance(event, MappingStartEvent):
            return self.mapping(loc)
        if isinstance(event, SequenceStartEvent):
            return self.sequence(loc)
        return self.scalar(event, loc)

    def sequence(self, loc: Loc) -> list[Any]:
        values: list[Any] = []
        for event in self.events:
            if isinstance(event, SequenceEndEvent):
                break
            values.append(self.node(_node(event), (*loc, len(values))))
        return values

    def mapping(self, loc: Loc) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for event in self.events:
            if isinstance(event, MappingEndEvent):
                break
            key = self.key(event, loc)
            here = (*loc, key)
            if key in values:
                self.complain(_place(event), here, TWICE, key=key, line=self.source.keys[here][0])
            else:
                self.source.keys[here] = _place(event)
            held = self.node(_node(next(self.events)), here)
            values.setdefault(key, held)
        return values

    def key(self, event: Event, loc: Loc) -> str:
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            _stop(_place(event), ANCHOR)
        if not isinstance(event, ScalarEvent) or (event.style is None and _INT.fullmatch(event.value)):
            _stop(_place(event), KEY_IS_NO_TEXT)
        if event.value == "<<":
            _stop(_place(event), ANCHOR)
        return str(event.value)

    def scalar(self, event: NodeEvent, loc: Loc) -> Any:
        text = str(getattr(event, "value", ""))
        if _CONTROL.search(text):
            self.complain(_place(event), loc, ESCAPED_CONTROL)
        if getattr(event, "style", None) not in (None, ""):
            return text
        return self.plain(text, _place(event), loc)

    def plain(self, text: str, place: Place, loc: Loc) -> Any:
        """Return what an unquoted scalar means (the core schema of YAML 1.2; dates stay texts)."""
        if _NULL.fullmatch(text):
            return None
        if _YES.fullmatch(text) or _NO.fullmatch(text):
            return _YES.fullmatch(text) is not None
        number = _FLOAT.fullmatch(text)
        if (number and len(text) > MAX_DIGITS) or _NOT_FINITE.fullmatch(text):
            self.complain(place, loc, NO_ORDINARY_NUMBER, value=text[:MAX_DIGITS])
            return None
        if _INT.fullmatch(text):
            return int(text)
        if number and not math.isfinite(float(text)):
            self.complain(place, loc, NO_ORDINARY_NUMBER, value=text)
            return None
        return float(text) if number else text

    def complain(self, place: Place, loc: Loc, message: str, **details: object) -> None:
        self.source.problems.append(Problem(*place, path_of(loc), message, {"path": path_of(loc), **details}))
        if len(self.source.problems) >= MOST_PROBLEMS:
            raise PlanErrors(self.source.problems)


def _node(event: Event) -> NodeEvent:
    if not isinstance(event, NodeEvent):
        raise TypeError(f"The parser gave {event!r} where a value belongs.")
    return event


def _place(event: Event) -> Place:
    mark = event.start_mark
    return mark.line + 1, mark.column + 1


def syntax_problem(error: MarkedYAMLError, text: str) -> Problem:
    """Turn the parser's complaint into a sentence for people, at the place where they should look."""
    said, about = error.problem or "", error.context or ""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    opened = error.context_mark
    lines = text.splitlines()
    for number in (line, line - 1):
        if 0 < number <= len(lines) and _has_wide_colon(lines[number - 1]):
            return Problem(number, lines[number - 1].index("：") + 1, "", WIDE_COLON)
    if "'\\t'" in said:
        return Problem(line, column, "", TAB)
    if "quoted scalar" in about and opened and "unexpected end" in said:
        return Problem(opened.line + 1, opened.column + 1, "", QUOTE_OPEN)
    if "unknown escape" in said:
        return Problem(line, column, "", ESCAPE)
    if "flow" in about and opened and "node" not in about:
        return Problem(opened.line + 1, opened.column + 1, "", BRACKET_OPEN)
    if "cannot start any token" in said:
        return Problem(line, column, "", STRANGE_CHARACTER, {"character": lines[line - 1][column - 1 : column]})
    if "could not find expected ':'" in said and opened:
        return Problem(opened.line + 1, opened.column + 1, "", COLON_MISSING)
    if "not allowed here" in said:
        return Problem(line, column, "", NOT_HERE)
    if "<block end>" in said:
        return Problem(line, column, "", INDENTATION)
    return Problem(line, column, "", UNREADABLE)


def _has_wide_colon(line: str) -> bool:
    bare = line.split("#")[0]
    return "：" in bare and ": " not in bare and not bare.rstrip().endswith(":") and '"' not in bare and "'" not in bare


TOO_LARGE = _("A plan may have at most %(limit)d KiB; this text has more.")
CONTROL_CHARACTER = _("The character %(code)s is not allowed in a plan; delete it.")
ESCAPED_CONTROL = _("%(path)s: control characters are not allowed, not even escaped ones.")
NOT_A_PLAN = _("A plan is a list of sections, each written as its name, a colon and its content.")
SEVERAL_DOCUMENTS = _("One file holds one plan: delete the line --- and what follows it.")
ANCHOR = _("Anchors (&), aliases (*) and merges (<<) are not allowed in a plan; write the values out.")
TOO_DEEP = _("Sections may be nested at most %(limit)d deep.")
TOO_MANY = _("A plan may hold at most %(limit)d values; this text has more.")
TAG = _("%(path)s: tags (!) are not allowed in a plan.")
TWICE = _("%(path)s: %(key)s stands here for the second time; the first is in line %(line)d.")
KEY_IS_NO_TEXT = _("A name is needed before the colon: a word, not a number or a list.")
NO_ORDINARY_NUMBER = _("%(path)s: %(value)s is not an ordinary number.")
WIDE_COLON = _("Put a plain colon and a space (: ) instead of the full-width colon.")
TAB = _("This line is indented with a tab; use spaces.")
QUOTE_OPEN = _("The quotation mark that opens here is never closed.")
ESCAPE = _("A backslash in double quotes starts an escape; use single quotes or write two backslashes.")
BRACKET_OPEN = _("The bracket that opens here is not closed, or a comma is missing inside.")
STRANGE_CHARACTER = _("A value may not begin with %(character)s; put it in quotes.")
COLON_MISSING = _("A colon and a space are missing after the name in this line.")
NOT_HERE = _("This does not belong here: check the indentation, and the colon or dash in this line and the one above.")
INDENTATION = _("The indentation of this line does not match the lines above.")
UNREADABLE = _("This line cannot be read as YAML: check its indentation, colons, quotation marks and brackets.")
