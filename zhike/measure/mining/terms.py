"""Terms of texts as numbers: characters in rows for scripts without spaces, words and their pieces for the others.

Everything is computed on arrays of code points, so that a million characters take a moment. A term is the number of a
bucket; what it reads is found again by `spellings`.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

BITS = 21
BUCKETS = 1 << BITS
BLOCKS = 3  # Rows of characters, words, pieces of words: each weighs the same in a text that has them.
ROWS_AT_ONCE = 4_000
MOST_LETTERS = 6_000_000  # With more, pieces of words cost more than they tell.
GAP, LETTER, DENSE, SIGN = range(4)
_DENSE_NAMES = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN", "BOPOMOFO")
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX = 0xD6E8FEB86659FD93
_BACK = np.uint64(pow(0x9E3779B97F4A7C15, -1, 1 << 64))


@dataclass(frozen=True, slots=True)
class Found:
    """Occurrences of terms: in which text, which bucket, and where in the joined texts it stands."""

    text: Ints
    bucket: Ints
    start: Ints
    length: Ints


def matrix(plain_texts: Sequence[str], *, pieces: bool) -> sparse.csr_matrix:
    """Return how often each term stands in each text, one row per text and BLOCKS * BUCKETS columns."""
    parts = []
    for _joined, first, size, found in _chunks(plain_texts, pieces):
        ones = np.ones(len(found.text), dtype=np.float32)
        shape = (size, BLOCKS * BUCKETS)
        parts.append(sparse.coo_matrix((ones, (found.text - first, found.bucket)), shape=shape).tocsr())
    if not parts:
        return sparse.csr_matrix((0, BLOCKS * BUCKETS), dtype=np.float32)
    return sparse.vstack(parts, format="csr")


def spellings(plain_texts: Sequence[str], buckets: Ints, *, pieces: bool) -> dict[int, str]:
    """Return how the terms of these buckets read in these texts, each by its most frequent spelling."""
    wanted = np.unique(buckets)
    seen: dict[int, Counter[str]] = {int(bucket): Counter() for bucket in wanted}
    for joined, _first, _size, found in _chunks(plain_texts, pieces):
        here = np.flatnonzero(np.isin(found.bucket, wanted))
        for at in here[:200_000]:
            start = int(found.start[at])
            seen[int(found.bucket[at])][joined[start : start + int(found.length[at])].strip()] += 1
    return {bucket: counts.most_common(1)[0][0] for bucket, counts in seen.items() if counts}


def pieces_pay(plain_texts: Sequence[str]) -> bool:
    """Say whether the pieces of words are worth their cost for so many texts."""
    return sum(map(len, plain_texts)) <= MOST_LETTERS


def _chunks(plain_texts: Sequence[str], pieces: bool) -> Iterator[tuple[str, int, int, Found]]:
    for first in range(0, len(plain_texts), ROWS_AT_ONCE):
        texts = plain_texts[first : first + ROWS_AT_ONCE]
        joined = " " + "  ".join(texts) + " "
        yield joined, first, len(texts), _terms(joined, texts, first, pieces)


def _terms(joined: str, texts: Sequence[str], first: int, pieces: bool) -> Found:
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    lengths = np.fromiter((len(text) + 2 for text in texts), dtype=np.int64, count=len(texts))
    text = np.repeat(np.arange(first, first + len(texts), dtype=np.int64), lengths)
    kinds = _kinds(codes)
    found = [*_rows(codes, kinds), *_words(codes, kinds, text)]
    if pieces:
        found += _pieces(codes, kinds)
    starts = np.concatenate([start for start, _length, _bucket in found])
    return Found(
        text=text[starts],
        bucket=np.concatenate([bucket for _start, _length, bucket in found]),
        start=starts,
        length=np.concatenate([length for _start, length, _bucket in found]),
    )


def _kinds(codes: npt.NDArray[np.uint32]) -> npt.NDArray[np.int8]:
    distinct, places = np.unique(codes, return_inverse=True)
    return np.array([_kind(chr(code)) for code in distinct], dtype=np.int8)[places]


def _kind(sign: str) -> int:
    category = unicodedata.category(sign)
    if sign == "'":
        return LETTER  # don't is one word.
    if category[0] in "ZC":
        return GAP
    if category[0] in "LMN":
        return DENSE if unicodedata.name(sign, "").startswith(_DENSE_NAMES) else LETTER
    return SIGN


Terms = tuple[Ints, Ints, Ints]


def _rows(codes: npt.NDArray[np.uint32], kinds: npt.NDArray[np.int8]) -> Iterator[Terms]:
    """Rows of one to four characters with one of a script without spaces among them; signs alone and in pairs."""
    gaps, dense, signs = (_sums(kinds == kind) for kind in (GAP, DENSE, SIGN))
    rolled = np.zeros(len(codes), dtype=np.uint64)
    for n in range(1, 5):
        size = len(codes) - n + 1
        rolled = rolled[:size] * _STEP + codes[n - 1 :].astype(np.uint64)
        good = gaps[n:] == gaps[:-n]
        wanted = (dense[n:] > dense[:-n]) | ((signs[n:] - signs[:-n] == n) if n <= 2 else False)
        start = np.flatnonzero(good & wanted)
        yield start, np.full(len(start), n), _bucket(rolled[start], n, 0)


def _words(codes: npt.NDArray[np.uint32], kinds: npt.NDArray[np.int8], text: Ints) -> Iterator[Terms]:
    """Words, and pairs of words of the same text with nothing but spaces between them."""
    inside = np.concatenate([[False], kinds == LETTER, [False]])
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    start, end = edges[::2], edges[1::2]
    if not len(start):
        return
    powers = np.cumprod(np.concatenate([[np.uint64(1)], np.full(len(codes), _STEP)]))
    inverse = np.cumprod(np.concatenate([[np.uint64(1)], np.full(len(codes), _BACK)]))
    sums = np.concatenate([[np.uint64(0)], np.cumsum(codes.astype(np.uint64) * powers[:-1])])
    word = (sums[end] - sums[start]) * inverse[start] + (end - start).astype(np.uint64)
    yield start, end - start, _bucket(word, 7, 1)
    together = (text[start[1:]] == text[start[:-1]]) & (start[1:] - end[:-1] == 1) & (kinds[end[:-1]] == GAP)
    left = np.flatnonzero(together)
    pair = word[left] * _STEP + word[left + 1]
    yield start[left], end[left + 1] - start[left], _bucket(pair, 8, 1)


def _pieces(codes: npt.NDArray[np.uint32], kinds: npt.NDArray[np.int8]) -> Iterator[Terms]:
    """Pieces of three to five letters of a word, its edges told from its middle."""
    letter = kinds == LETTER
    signs = np.where(letter, codes, 32).astype(np.uint64)
    letters = _sums(letter)
    rolled = np.zeros(len(codes), dtype=np.uint64)
    for n in range(1, 6):
        size = len(codes) - n + 1
        rolled = rolled[:size] * _STEP + signs[n - 1 :]
        if n < 3:
            continue
        middle = letters[n - 1 : size + n - 1] - letters[1 : size + 1] == n - 2
        start = np.flatnonzero(middle & (letters[n:] - letters[:-n] >= 2))
        yield start, np.full(len(start), n), _bucket(rolled[start], 16 + n, 2)


def _sums(here: npt.NDArray[np.bool_]) -> Ints:
    return np.concatenate([[0], np.cumsum(here)]).astype(np.int64)


def _bucket(hashes: Hashes, salt: int, block: int) -> Ints:
    mixed = hashes + np.uint64(salt * _MIX % (1 << 64))
    for _ in range(2):
        mixed = (mixed ^ (mixed >> np.uint64(32))) * np.uint64(_MIX)
    return (mixed >> np.uint64(64 - BITS)).astype(np.int64) + block * BUCKETS


def column_blocks(columns: Ints) -> Any:
    """Return which block each column belongs to."""
    return columns // BUCKETS
