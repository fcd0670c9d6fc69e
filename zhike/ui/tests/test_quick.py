"""Addresses and sentences that are found once say what Django says, to everybody."""

import pytest
from django.template import Context, Template
from django.test import override_settings
from django.urls import NoReverseMatch, path, reverse, set_script_prefix
from django.utils.functional import lazystr
from django.utils.html import format_html as django_format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy, override

from zhike.ui.markup import format_html
from zhike.ui.templatetags.quick import address


def _written(source: str, **given: object) -> str:
    return Template(source).render(Context(given))


def test_a_sentence_is_told_in_the_language_of_each_reader() -> None:
    one = Template('{% translate "Customers" %}')
    said = []
    for language in ("zh-hans", "en", "zh-hans", "en"):
        with override(language):
            said.append(one.render(Context()))
    assert said == ["客户", "Customers", "客户", "Customers"]


def test_a_sentence_that_is_given_is_not_remembered_and_is_escaped() -> None:
    one = Template("{% translate given %}")
    assert [one.render(Context({"given": text})) for text in ("<b>", "Undo & co")] == ["&lt;b&gt;", "Undo &amp; co"]
    assert _written('{% translate "Customers" as name %}[{{ name }}]{% translate "a"|upper %}') == "[客户]A"


def test_addresses_are_those_of_django() -> None:
    for key in (1, 7, 123_456_789):
        assert address("customer", key) == reverse("customer", args=[key])
        assert _written("{% url 'customer' key %}", key=key) == reverse("customer", args=[key])
        assert _written("{% url 'customer' key as there %}{{ there }}", key=key) == reverse("customer", args=[key])
    assert address("customers") == _written("{% url 'customers' %}") == reverse("customers")
    assert _written("{% url 'customer' '7' %}") == _written("{% url 'customer' pk %}", pk=lazystr("7"))


@pytest.mark.parametrize("key", [-1, "x", None, True])
def test_what_django_refuses_is_refused(key: object) -> None:
    with pytest.raises(NoReverseMatch):
        _written("{% url 'customer' key %}", key=key)
    assert _written("[{% url 'customer' key as there %}{{ there }}]", key=key) == "[]"
    with pytest.raises(NoReverseMatch):
        _written("{% url 'no-such-page' %}")


def test_an_address_stands_below_the_prefix_of_its_request() -> None:
    plain = address("customer", 7)
    set_script_prefix("/below/")
    try:
        assert address("customer", 7) == reverse("customer", args=[7]) == f"/below{plain}"
    finally:
        set_script_prefix("/")
    assert address("customer", 7) == plain


urlpatterns = [path("a'b/<int:key>", lambda _request: None, name="odd")]  # type: ignore[arg-type,return-value]  # Never called.


@override_settings(ROOT_URLCONF=__name__)
def test_an_address_that_needs_escaping_is_escaped() -> None:
    assert _written("{% url 'odd' 3 %}") == "/a&#x27;b/3"
    assert address("odd", 3) == "/a'b/3"


@pytest.mark.parametrize(
    "part", ["plain", "<&>\"'", SafeString("<b>"), 3, 2.5, None, lazystr("<i>"), gettext_lazy("Customers")]
)
def test_html_is_what_django_writes(part: object) -> None:
    ours = format_html("<p>{}{}</p>", part, "&")
    assert ours == django_format_html("<p>{}{}</p>", part, "&")
    assert type(ours) is SafeString
