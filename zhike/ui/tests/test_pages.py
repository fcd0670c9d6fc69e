"""The components page shows every part; in production there is no such page."""

import re

import pytest
from django.http import Http404
from django.template.loader import render_to_string
from django.test import RequestFactory, override_settings
from django.utils import translation

from zhike.ui.pages import components, server_error
from zhike.ui.samples import sample_context


@pytest.fixture(autouse=True)
def plain_static(settings: object) -> object:
    """Static files by their own names: no manifest has been collected for tests."""
    with override_settings(
        STORAGES={"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    ):
        yield


def shown(language: str = "en") -> str:
    with translation.override(language):
        return render_to_string("ui/components.html", sample_context())


def test_every_part_is_on_the_page() -> None:
    html = shown()
    for name in (
        "health",
        "tier",
        "life",
        "spark",
        "meter",
        "sla",
        "who",
        "ch",
        "chg",
        "callout",
        "toast",
        "job",
        "empty",
    ):
        assert re.search(rf'class="{name}[ "]', html), name


def test_the_shell_has_its_landmarks_and_one_heading() -> None:
    html = shown()
    for mark in (
        '<a class="skip" href="#main">',
        '<main class="main" id="main"',
        "<nav ",
        'role="status"',
        'role="alert"',
    ):
        assert mark in html
    assert html.count("<title>") == 1
    assert 'data-state="due"' in html


def test_ids_are_unique() -> None:
    ids = re.findall(r'\sid="([^"]+)"', shown())
    assert sorted({one for one in ids if ids.count(one) > 1}) == []


def test_every_input_has_a_label() -> None:
    html = shown()
    labelled = set(re.findall(r'<label[^>]*\sfor="([^"]+)"', html))
    for attributes in re.findall(
        r"<(?:input|select|textarea)\b([^>]*)>", re.sub(r"<label.*?</label>", "", html, flags=re.S)
    ):
        own = re.search(r'\sid="([^"]+)"', attributes)
        hidden = 'type="hidden"' in attributes
        assert hidden or "aria-label" in attributes or (own and own[1] in labelled), attributes


def test_the_page_fits_its_budget() -> None:
    assert len(shown().encode()) < 60_000


def test_there_is_no_components_page_in_production() -> None:
    with pytest.raises(Http404):
        components(RequestFactory().get("/components"))


@pytest.mark.parametrize("name", ["403.html", "404.html", "500.html"])
def test_pages_of_errors_need_no_context_and_show_a_trace(name: str) -> None:
    assert "知客" in render_to_string(name)
    assert "7f3a-91" in render_to_string(name, {"trace_id": "7f3a-91"})


@pytest.mark.parametrize(("cookie", "expected"), [("dark", ' data-theme="dark"'), ('"><script>', ""), ("", "")])
def test_the_theme_of_the_reader_comes_with_the_page(cookie: str, expected: str) -> None:
    request = RequestFactory().get("/")
    request.COOKIES["zhike-theme"] = cookie
    html = (
        render_to_string("public.html", request=request)
        if False
        else render_to_string("public.html", {"request": request})
    )
    start = html[html.index("<html") : html.index(">", html.index("<html"))]
    assert ("data-theme" in start) is bool(expected)
    assert expected in start


def test_a_fault_is_answered_with_its_trace_even_when_everything_else_is_down() -> None:
    request = RequestFactory().get("/")
    request.trace = "7f3a-91"  # type: ignore[attr-defined]  # Set by the middleware on every request.
    answer = server_error(request)
    assert answer.status_code == 500
    assert "7f3a-91" in answer.content.decode()
