"""`{% url %}`, `{% static %}` and `{% translate %}` as Django has them, found once: a page asks for a hundred of them.

What they write depends on the address's name and number or on the sentence and the language, never on who reads. The
navigation, `{% navigation %}`, is drawn once for all that stands in it.
"""

from functools import lru_cache
from typing import Any

from django import template
from django.template import Context
from django.template.base import Parser, Token
from django.template.defaulttags import URLNode
from django.template.defaulttags import url as parse_url
from django.template.loader import get_template
from django.templatetags.i18n import TranslateNode, do_translate
from django.templatetags.static import StaticNode
from django.urls import NoReverseMatch, get_script_prefix, get_urlconf, reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from zhike.ui.nav import Nav

register = template.Library()
STAND_IN = 987_654_321_012  # A number that no address holds of itself.
PLAIN = frozenset("/-_.~abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


@lru_cache(maxsize=1024)
def _around(name: str, has_key: bool, _prefix: str, _urlconf: str | None) -> tuple[str, str] | None:
    """Return an address, or what stands around the number in it; None where Django has to be asked each time."""
    try:
        found = reverse(name, args=[STAND_IN] if has_key else [])
    except NoReverseMatch:
        return None
    head, _number, tail = found.partition(str(STAND_IN))
    return (head, tail) if set(found) <= PLAIN else None


def address(name: str, key: int | None = None) -> str:
    """Return what `reverse` does for a name without arguments, or with one number."""
    return _quick(name, key) or reverse(name, args=[] if key is None else [key])


def _quick(name: str, key: int | None) -> str:
    """Return an address that needs no escaping, "" where Django has to be asked."""
    if ":" in name or (key is not None and key < 0):
        return ""
    around = _around(name, key is not None, get_script_prefix(), get_urlconf())
    if around is None:
        return ""
    return around[0] if key is None else f"{around[0]}{key}{around[1]}"


class AddressNode(URLNode):
    """The tag `url`; an address with other arguments than one number is left to Django."""

    def render(self, context: Context) -> str:
        found = "" if self.kwargs or len(self.args) > 1 else self._found(context)
        if not found:
            return super().render(context)
        if self.asvar:
            context[self.asvar] = found
            return ""
        return found

    def _found(self, context: Context) -> str:
        name = self.view_name.resolve(context)
        key = self.args[0].resolve(context) if self.args else None
        if type(name) not in {str, SafeString} or (self.args and type(key) is not int):
            return ""
        return _quick(name, key)


class SentenceNode(TranslateNode):
    """The tag `translate` of a sentence that stands in the template."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.known: dict[str | None, str] = {}

    def render(self, context: Context) -> str:
        language = get_language()
        found = self.known.get(language)
        if found is None:
            found = self.known[language] = super().render(context)
        return found


class FileNode(StaticNode):
    """The tag `static` of a file that the template names; files do not change while a process runs."""

    found: str | None = None

    def render(self, context: Context) -> str:
        if self.found is None:
            self.found = super().render(context)
        return self.found


@register.tag
def static(parser: Parser, token: Token) -> StaticNode:
    """Write the address of a file that comes with a page."""
    node = StaticNode.handle_token(parser, token)
    if node.varname is not None or node.path.filters or node.path.is_var:
        return node
    return FileNode(None, node.path)


@register.tag
def url(parser: Parser, token: Token) -> AddressNode:
    """Write the address of a page."""
    node = parse_url(parser, token)
    return AddressNode(node.view_name, node.args, node.kwargs, node.asvar)


@register.tag
def translate(parser: Parser, token: Token) -> TranslateNode:
    """Write a sentence in the reader's language."""
    node = do_translate(parser, token)
    sentence = node.filter_expression
    if sentence.filters or node.asvar or node.message_context or sentence.var.lookups is not None:
        return node
    return SentenceNode(sentence, node.noop, node.asvar, node.message_context)


@register.simple_tag
def navigation(nav: Nav | None, name: str, seal: str) -> SafeString:
    """Write the navigation beside a page of the company of this name and seal."""
    return _navigation(nav or None, name, seal, get_language())


@lru_cache(maxsize=1024)
def _navigation(nav: Nav | None, name: str, seal: str, _language: str | None) -> SafeString:
    return SafeString(get_template("parts/nav.html").render({"nav": nav, "company": {"name": name, "seal": seal}}))
