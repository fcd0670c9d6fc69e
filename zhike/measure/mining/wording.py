"""One spelling of a text, so that what reads alike is alike; and the key of texts that are the same."""

from __future__ import annotations

import re
import unicodedata

HEAD, TAIL = 3_000, 1_000
_SPACE = re.compile(r"\s+")
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<>\"'，。）)]+|[\w.+-]+@[\w-]+\.[\w.]+")
_LONG_NUMBER = re.compile(r"\d{5,}")
_STRETCHED = re.compile(r"(.)\1{3,}")
_UNSEEN = dict.fromkeys([0xFE0E, 0xFE0F, 0x200B, 0xFEFF, *range(0x1F3FB, 0x1F400)])  # Tints and invisible signs.
_CURLED = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "、": ","})


def plain(text: str) -> str:
    """Return a text in one width and case, its addresses and long numbers masked, its stretched sounds cut to three.

    Negations, numbers of up to four digits, punctuation and emoji stay. Of a text longer than 4,000 characters the
    first 3,000 and the last 1,000 are kept: what it is about stands there.
    """
    if len(text) > HEAD + TAIL:
        text = f"{text[:HEAD]} {text[-TAIL:]}"
    text = unicodedata.normalize("NFKC", text).lower().translate(_UNSEEN).translate(_CURLED)
    text = _LONG_NUMBER.sub("000", _ADDRESS.sub(" @ ", text))
    return _SPACE.sub(" ", _STRETCHED.sub(r"\1\1\1", text)).strip()


def masked(text: str) -> str:
    """Return a text as it was said, its addresses and long numbers masked: what may leave the machine."""
    return _LONG_NUMBER.sub("000", _ADDRESS.sub(" @ ", unicodedata.normalize("NFKC", text)))


def same(plain_text: str) -> str:
    """Return what two texts share that say the same word for word: their letters, digits and emoji, nothing else."""
    kept = "".join(sign for sign in plain_text if sign.isalnum() or unicodedata.category(sign) == "So")
    return kept or plain_text
