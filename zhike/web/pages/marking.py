"""Marking in a name the part that somebody searched for, also when it was typed as pinyin or initials."""

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from zhike.kit.pinyin import syllables

NOTHING = SafeString("")


def marked(name: str, text: str) -> SafeString:
    """Return the name with what matches `text` in `<mark>`; without a visible match, the name as it is."""
    start, end = _place(name, text.strip())
    if end <= start:
        return format_html("{}", name)
    return format_html("{}<mark>{}</mark>{}", name[:start], name[start:end], name[end:])


def _place(name: str, text: str) -> tuple[int, int]:
    if not text:
        return 0, 0
    at = name.lower().find(text.lower())
    if at >= 0 and len(name.lower()) == len(name):
        return at, at + len(text)
    return _spelled(name, text.lower()) if text.isascii() and text.isalpha() else (0, 0)


def _spelled(name: str, text: str) -> tuple[int, int]:
    """Find the characters whose pinyin begins with the text, or whose initials do."""
    said = syllables(name)
    for start in range(len(name)):
        if not said[start]:
            continue
        spelled, initials = "", ""
        for end in range(start, min(len(name), start + len(text))):
            if not said[end]:
                break
            spelled, initials = spelled + said[end], initials + said[end][0]
            if spelled.startswith(text) or initials == text:
                return start, end + 1
    return 0, 0


def joined(parts: list[SafeString], separator: str) -> SafeString:
    return format_html_join(separator, "{}", ((part,) for part in parts))
