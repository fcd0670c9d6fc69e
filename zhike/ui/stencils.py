"""Pieces of a page that are alike, drawn by their template once and filled in for each.

A queue shows fifty rows that differ in a dozen words, and a template walks through all its tags for each of them. A
stencil lets the template draw one row with marks in the places of the words; the others are that row with their own
words, escaped, in the places of the marks. What changes more than words, the shape, has a drawing of its own.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from django.template.loader import get_template
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from zhike.ui.markup import escaped

FIRST_NUMBER = 987_654_321_100  # Stands for a number; no address or word of a template holds it of itself.
_MARK = re.compile("\ue000([0-9]+)\ue001|" + str(FIRST_NUMBER)[:-2] + "([0-9]{2})")


class Stencil:
    """A template for one thing, `name`, of which it draws many.

    `texts` are its attributes that the template writes as they are, `numbers` those it may make addresses of, and
    `shape` those that decide what is drawn; that a text is empty is part of the shape. Nothing else is known to the
    template, except `beside`: texts that are the same for all and stand beside the thing.
    """

    def __init__(
        self,
        template: str,
        name: str,
        *,
        texts: Sequence[str],
        numbers: Sequence[str],
        shape: Sequence[str],
        beside: Sequence[str] = (),
    ) -> None:
        self.template, self.name = template, name
        self.texts, self.numbers, self.shape, self.beside = texts, numbers, shape, beside
        self._cut = lru_cache(maxsize=256)(self._drawn)

    def draw(self, many: Iterable[Any], *beside: str) -> list[SafeString]:
        """Return the template's drawing of each of many."""
        language, same = get_language(), [escaped(text) for text in beside]
        drawn = []
        for one in many:
            texts = [escaped(getattr(one, name)) for name in self.texts] + same
            shape = tuple([getattr(one, name) for name in self.shape])
            parts, places = self._cut(language, shape, tuple(map(bool, texts)))
            texts += [str(getattr(one, name)) for name in self.numbers]
            parts = parts.copy()
            parts[1::2] = [texts[number] for number in places]
            drawn.append(SafeString("".join(parts)))
        return drawn

    def _drawn(
        self, _language: str | None, shape: tuple[Any, ...], has_text: tuple[bool, ...]
    ) -> tuple[list[str], list[int]]:
        """Return the parts of a drawing, every other of them a place, and whose these places are."""
        marks = [f"\ue000{number}\ue001" if has else "" for number, has in enumerate(has_text)]
        of_one = {**dict(zip(self.shape, shape, strict=True)), **dict(zip(self.texts, marks, strict=False))}
        of_one |= {name: FIRST_NUMBER + number for number, name in enumerate(self.numbers)}
        context = {self.name: of_one, **dict(zip(self.beside, marks[len(self.texts) :], strict=True))}
        html = get_template(self.template).render(context)
        parts: list[str] = []
        places: list[int] = []
        end = 0
        for mark in _MARK.finditer(html):
            parts += [html[end : mark.start()], ""]
            places.append(int(mark[1]) if mark[1] else len(marks) + int(mark[2]))
            end = mark.end()
        return [*parts, html[end:]], places
