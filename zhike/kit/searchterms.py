"""Terms under which a customer is found, and the question that finds them, for a PostgreSQL tsvector.

A customer's terms go through `array_to_tsvector`, a query is passed as a bound parameter and cast to tsquery.

    张 张三       each Chinese character and each pair of neighbours
    p:zhangsan    pinyin from each syllable on, matched by prefix
    i:zs          initials from each syllable on, matched by prefix
    w:acme        words and codes, case and accents folded, matched by prefix
    d:0008310083  telephone digits backwards, so that a tail of four or more is a prefix      (personal)
    e:mei@x.cn    the e-mail address and its parts, matched by prefix                          (personal)
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from zhike.kit.pinyin import HAN, as_surname, for_sorting, syllables

LONGEST_NAME = 512
LONGEST_QUERY = 256
_LONGEST_WORD = 64
_LONGEST_PINYIN = 32
_LONGEST_RUN = 64
_LONGEST_MAIL = 254
_LONGEST_KEY = 128
_MOST_TOKENS = 12
_SHORTEST_TAIL = 4
_LONGEST_TAIL = 11  # Of a mobile number: what is longer may carry a prefix, and 0086 alone may be where one ends.

_WORD = rf"[^\W_{HAN}]+"
_TOKEN = re.compile(
    rf"(?P<mail>[a-z0-9._%+\-]+@[a-z0-9.\-]*)"
    rf"|(?P<phone>\+?\d[\d() .\-]{{5,}}\d(?![^\W_]))"
    rf"|(?P<han>[{HAN}]+)"
    rf"|(?P<word>{_WORD})"
)
_RUN = re.compile(rf"(?P<han>[{HAN}]+)|(?P<word>{_WORD})")
_COMPOUND = re.compile(rf"{_WORD}(?:['’.&/_\-]{_WORD})+")
_PART = re.compile(_WORD)
_HAN_RUN = re.compile(f"[{HAN}]+")
_MARKS = re.compile("[\u0300-\u036f]")
_EXTENSION = re.compile(r"转|ext|[x#,;/]", re.IGNORECASE)
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ð": "d"})


def terms_of(
    name: str, *, phones: Iterable[str] = (), emails: Iterable[str] = (), codes: Iterable[str] = ()
) -> list[str]:
    """Return the distinct lexemes under which a customer is found.

    `name` may hold several names separated by spaces (name, short name, contacts); only its first 512 characters
    count. No lexeme is longer than 260 characters or holds a NUL, so any text is safe.
    """
    terms: dict[str, None] = {}
    folded = _folded(name[:LONGEST_NAME])
    for found in _RUN.finditer(folded):
        if found.lastgroup == "han":
            _add_han(terms, found[0][:_LONGEST_RUN])
        else:
            terms["w:" + found[0][:_LONGEST_WORD]] = None
    _add_compounds(terms, folded)
    for code in codes:
        folded = _folded(code[:LONGEST_NAME])
        terms |= dict.fromkeys("w:" + part[:_LONGEST_WORD] for part in _PART.findall(folded))
        _add_compounds(terms, folded)
    for email in emails:
        terms |= dict.fromkeys(_mail_terms(email))
    for phone in phones:
        terms |= dict.fromkeys("d:" + digits[::-1] for digits in _numbers(phone))
    return list(terms)


def query_of(text: str, *, personal: bool = True) -> str:
    """Return a tsquery for what a person typed, to be bound as a parameter and cast to tsquery.

    Every run of Chinese characters, letters or digits must be found; each may be found in several ways. The result
    is valid for any input. It is "" when the text holds nothing to look for: ask no question then. Only the first
    256 characters and 12 runs count. With `personal` False telephone numbers and e-mail addresses are not searched.
    """
    asked: list[str] = []
    for found in _TOKEN.finditer(_folded(text[:LONGEST_QUERY])):
        match found.lastgroup:
            case "han":
                asked.append(_han_query(found[0][:_LONGEST_RUN]))
            case "mail":
                asked.append(_mail_query(found[0], personal=personal))
            case "phone":
                asked.append(_phone_query(found[0], personal=personal))
            case _:
                asked.append(_word_query(found[0], personal=personal))
        if len(asked) == _MOST_TOKENS:
            break
    return " & ".join(part for part in asked if part)


def sort_key(name: str) -> str:
    """Return the key that sorts names by pinyin under the "C" collation.

    Each Chinese character becomes its toneless reading and itself (`zhang 张 san 三`), so that a surname stays
    together; other text is folded. Only the first 128 characters of the name count.
    """
    folded = _folded(name[:_LONGEST_KEY])
    spelled = _HAN_RUN.sub(lambda run: _spelled(run[0]), folded)
    return " ".join("".join(c if c.isprintable() else " " for c in spelled).split())


def _spelled(run: str) -> str:
    pairs = zip(for_sorting(run), run, strict=True)
    return "".join(f" {said} {character}" for said, character in pairs) + " "


def _folded(text: str) -> str:
    """Lower case, full-width and compatibility forms made plain, accents removed."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    if decomposed != text:
        decomposed = unicodedata.normalize("NFC", _MARKS.sub("", decomposed))
    # Case folding can make a mark of its own (İ), hence the second look.
    return _MARKS.sub("", decomposed.casefold()).translate(_LETTERS)


def _add_han(terms: dict[str, None], run: str) -> None:
    for character in run:
        terms[character] = None
    for at in range(len(run) - 1):
        terms[run[at : at + 2]] = None
    said = syllables(run)
    for at in range(len(said)):
        _add_spelling(terms, said[at:])
    surname = as_surname(run, said)
    if surname:
        _add_spelling(terms, surname)


def _add_spelling(terms: dict[str, None], said: list[str]) -> None:
    full = "".join(said)[:_LONGEST_PINYIN]
    if not full:
        return
    terms["p:" + full] = None
    if "v" in full:  # 吕 is typed lv, lu or lü.
        terms["p:" + full.replace("v", "u")] = None
    initials = "".join(syllable[:1] for syllable in said)[:_LONGEST_PINYIN]
    if len(initials) > 1:
        terms["i:" + initials] = None


def _add_compounds(terms: dict[str, None], folded: str) -> None:
    """`C-000123` is also found as c000123, O'Brien as obrien."""
    for compound in _COMPOUND.findall(folded):
        terms["w:" + "".join(_PART.findall(compound))[:_LONGEST_WORD]] = None


def _mail_terms(email: str) -> Iterator[str]:
    whole = "".join(_folded(email[:_LONGEST_MAIL]).split())[:_LONGEST_MAIL]
    if "@" not in whole or not whole.isprintable():
        return
    yield "e:" + whole
    for part in _PART.findall(whole):
        yield "e:" + part[:_LONGEST_WORD]


def _numbers(phone: str) -> Iterator[str]:
    """The digits of a telephone number and of its extension, without the prefix of China."""
    for part in _EXTENSION.split(unicodedata.normalize("NFKC", phone[:_LONGEST_WORD])):
        digits = "".join(c for c in part if c in "0123456789")
        if digits.startswith("0086") and len(digits) > _LONGEST_TAIL:
            digits = digits[2:]
        if len(digits) == 13 and digits.startswith("861"):
            digits = digits[2:]
        if len(digits) >= _SHORTEST_TAIL:
            yield digits


def _lexeme(term: str, *, prefix: bool) -> str:
    quoted = term.replace("\\", "\\\\").replace("'", "''")
    return f"'{quoted}':*" if prefix else f"'{quoted}'"


def _either(terms: Iterable[str]) -> str:
    found = [_lexeme(term, prefix=True) for term in dict.fromkeys(terms)]
    return found[0] if len(found) == 1 else f"({' | '.join(found)})"


def _han_query(run: str) -> str:
    pairs = [run] if len(run) == 1 else [run[at : at + 2] for at in range(len(run) - 1)]
    return " & ".join(_lexeme(pair, prefix=False) for pair in dict.fromkeys(pairs))


def _word_query(word: str, *, personal: bool) -> str:
    terms = ["w:" + word[:_LONGEST_WORD]]
    if word.isascii() and word.isalpha():
        spelled = word.replace("lyu", "lu").replace("nyu", "nu")[:_LONGEST_PINYIN]
        terms += ["p:" + word[:_LONGEST_PINYIN], "p:" + spelled]
        if len(word) > 1:
            terms.append("i:" + word[:_LONGEST_PINYIN])
    if personal:
        terms.append("e:" + word[:_LONGEST_WORD])
        if word.isascii() and word.isdigit():
            terms += ["d:" + digits[::-1] for digits in _numbers(word)]
    return _either(terms)


def _mail_query(mail: str, *, personal: bool) -> str:
    if personal and mail[0] != "@":
        return _either(["e:" + mail[:_LONGEST_MAIL]])
    return " & ".join(_word_query(part, personal=personal) for part in _PART.findall(mail))


def _phone_query(text: str, *, personal: bool) -> str:
    """`138-0013 8000` may be a telephone number or several words; a run of digits alone is a word."""
    parts = " & ".join(_word_query(part, personal=personal) for part in _PART.findall(text))
    if text.isdigit() or not personal:
        return parts
    numbers = ["d:" + digits[::-1] for digits in _numbers(text)]
    return f"({_either(numbers)} | ({parts}))" if numbers else parts
