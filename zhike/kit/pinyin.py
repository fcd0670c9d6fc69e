"""Toneless pinyin of Chinese names: common readings, readings of phrases (重庆) and of surnames (曾)."""

import unicodedata
from functools import cache, lru_cache

from pypinyin.constants import PHRASES_DICT, PINYIN_DICT

HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""The ranges of Chinese characters, to stand inside a class of a regular expression."""

_LONGEST_PHRASE = 4
_LONGEST_PERSON = 3

# Surnames read in another way than the same character elsewhere.
_SURNAMES = {
    "万俟": ("mo", "qi"),
    "单于": ("chan", "yu"),
    "尉迟": ("yu", "chi"),
    "澹台": ("tan", "tai"),
    "长孙": ("zhang", "sun"),
    "乐": ("yue",),
    "仇": ("qiu",),
    "冼": ("xian",),
    "区": ("ou",),
    "单": ("shan",),
    "召": ("shao",),
    "曾": ("zeng",),
    "朴": ("piao",),
    "柏": ("bai",),
    "查": ("zha",),
    "种": ("chong",),
    "缪": ("miao",),
    "翟": ("zhai",),
    "覃": ("qin",),
    "解": ("xie",),
    "谌": ("chen",),
    "逄": ("pang",),
    "隗": ("wei",),
    "盖": ("ge",),
    "盛": ("sheng",),
}


def _toneless(syllable: str) -> str:
    """`lǜ` becomes `lv`; anything but a–z is dropped."""
    plain = unicodedata.normalize("NFD", syllable.replace("ü", "v")).replace("u\u0308", "v")
    return "".join(letter for letter in plain if "a" <= letter <= "z")


@lru_cache(maxsize=50_000)
def reading(character: str) -> str:
    """Return the commonest toneless reading of one character, "" when none is known."""
    return _toneless(PINYIN_DICT.get(ord(character), "").partition(",")[0])


@cache
def _phrases() -> dict[str, tuple[str, ...]]:
    """Phrases of two to four characters that are not read as their characters are."""
    unusual: dict[str, tuple[str, ...]] = {}
    for phrase, syllables in PHRASES_DICT.items():
        if not 2 <= len(phrase) <= _LONGEST_PHRASE:
            continue
        said = tuple(_toneless(each[0]) for each in syllables)
        if len(said) == len(phrase) and said != tuple(map(reading, phrase)):
            unusual[phrase] = said
    return unusual


@cache
def _phrase_starts() -> frozenset[str]:
    return frozenset(phrase[0] for phrase in _phrases())


def syllables(run: str) -> list[str]:
    """Return the toneless reading of each character of a run of Chinese characters, phrases considered."""
    said = [reading(character) for character in run]
    starts, at, end = _phrase_starts(), 0, len(run)
    while at < end - 1:
        step = 1
        if run[at] in starts:
            for length in range(min(_LONGEST_PHRASE, end - at), 1, -1):
                phrase = _phrases().get(run[at : at + length])
                if phrase is not None:
                    said[at : at + length] = phrase
                    step = length
                    break
        at += step
    return said


def as_surname(run: str, said: list[str]) -> list[str] | None:
    """Return the reading with a surname at its start, None when that is no different from `said`."""
    for length in (2, 1):
        surname = _SURNAMES.get(run[:length])
        if surname is not None:
            other = [*surname, *said[length:]]
            return other if len(other) == len(said) and other != said else None
    return None


def for_sorting(run: str) -> list[str]:
    """Return the reading by which a name is sorted: a run of up to three characters is taken for a person."""
    said = syllables(run)
    return (as_surname(run, said) if len(run) <= _LONGEST_PERSON else None) or said
