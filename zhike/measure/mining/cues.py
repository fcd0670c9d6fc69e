"""What a text says by its words alone: our own short lists in Chinese and English, so that day one is not empty.

A cue within reach of a negation before it ("not good", 不太好) counts for the other side.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from zhike.measure.mining import words

Floats = npt.NDArray[np.float64]

_NEGATIONS = words.NEGATIONS.split()
_NOT_BEFORE = tuple(word for word in _NEGATIONS if not word.isascii())
_NOT_WORDS = frozenset(word for word in _NEGATIONS if word.isascii())
_NO_NEGATION = re.compile("|".join(words.NO_NEGATIONS.split()))
_WORD = re.compile(r"[a-z']+")
REACH = 3  # Words of English before a cue, characters of Chinese.


class Cues:
    """A list of cues, ready to be counted. Latin ones are whole words or phrases, the others any row of characters."""

    def __init__(self, listed: str) -> None:
        found = [cue.replace("_", " ") for cue in listed.split()]
        rows = sorted((cue for cue in found if not cue.isascii()), key=len, reverse=True)
        latin = sorted({cue for cue in found if cue.isascii()}, key=len, reverse=True)
        parts = ["|".join(map(re.escape, rows)), rf"\b(?:{'|'.join(map(re.escape, latin))})\b"]
        self.pattern = re.compile("|".join(part for part in parts if part))

    def counted(self, text: str) -> tuple[int, int]:
        """Return how many cues a plain text has, and how many with a negation before."""
        straight = turned = 0
        for found in self.pattern.finditer(text):
            if _negated(text, found.start()):
                turned += 1
            else:
                straight += 1
        return straight, turned


def _negated(text: str, start: int) -> bool:
    before = text[max(0, start - 24) : start]
    if text[start].isascii():
        near = _WORD.findall(re.split(r"[.,;!?]|\bbut\b", before)[-1])
        return any(word in _NOT_WORDS for word in near[-REACH:])
    before = _NO_NEGATION.sub(lambda found: " " * len(found[0]), before)
    return any(before[:end].endswith(_NOT_BEFORE) for end in range(max(0, len(before) - REACH + 1), len(before) + 1))


class Lists:
    """The lists of cues of this module, compiled once."""

    def __init__(self) -> None:
        self.positive, self.negative = Cues(words.POSITIVE), Cues(words.NEGATIVE)
        self.kinds = {
            "request": Cues(words.REQUEST),
            "problem": Cues(words.PROBLEM),
            "experience": Cues(words.EXPERIENCE),
        }
        self.topics = {name: Cues(listed) for name, listed in words.TOPICS.items()}


_LISTS = Lists()


def tones(plain_texts: Sequence[str]) -> Floats:
    """Return for each text how many cues speak for it and how many against."""
    rows = np.zeros((len(plain_texts), 2))
    for place, text in enumerate(plain_texts):
        good, not_good = _LISTS.positive.counted(text)
        bad, not_bad = _LISTS.negative.counted(text)
        rows[place] = good + 0.5 * not_bad, bad + not_good
    return rows


def sentiments(plain_texts: Sequence[str]) -> Floats:
    """Return the logarithms of how likely a text is negative, neutral, positive, by its cues alone."""
    found = tones(plain_texts)
    balance = (found[:, 0] - found[:, 1]) / np.sqrt(1.0 + found.sum(axis=1))
    scores = np.stack([-1.6 * balance, 0.5 - 0.6 * np.minimum(found.sum(axis=1), 4), 1.6 * balance], axis=1)
    return _logarithms(scores)


def kinds(plain_texts: Sequence[str]) -> Floats:
    """Return the logarithms of how likely a text is a product request, a service problem, an experience."""
    return _by_cues(plain_texts, _LISTS.kinds, rest=False)


def topics(plain_texts: Sequence[str]) -> Floats:
    """Return the logarithms of how likely a text is about each of `words.TOPICS`, and last about something else."""
    return _by_cues(plain_texts, _LISTS.topics, rest=True)


def _by_cues(plain_texts: Sequence[str], lists: Mapping[str, Cues], *, rest: bool) -> Floats:
    counts = np.array([[sum(cues.counted(text)) for cues in lists.values()] for text in plain_texts], dtype=np.float64)
    scores = 1.5 * np.sqrt(counts.reshape(len(plain_texts), len(lists)))
    if rest:
        scores = np.concatenate([scores, np.full((len(plain_texts), 1), 1.0)], axis=1)
    return _logarithms(scores)


def _logarithms(scores: Floats) -> Floats:
    highest = scores.max(axis=1, keepdims=True)
    return np.asarray(scores - highest - np.log(np.exp(scores - highest).sum(axis=1, keepdims=True)))
