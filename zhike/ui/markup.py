"""HTML from escaped parts, as Django's `format_html` writes it, without its detour for the commonest kinds of part."""

from html import escape

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString


def format_html(html: str, *parts: object) -> SafeString:
    """Put the parts in the places of `html`; every part that is not marked as safe is escaped."""
    return SafeString(html.format(*map(escaped, parts)))


def escaped(part: object) -> str:
    """Return a part as it may stand in HTML."""
    kind = type(part)
    if kind is SafeString:
        return part  # type: ignore[return-value]  # As the line above says.
    # What is lazy, or knows how to write itself as HTML, is for Django to tell.
    return escape(part) if kind is str else conditional_escape(part)  # type: ignore[arg-type]  # The same.
