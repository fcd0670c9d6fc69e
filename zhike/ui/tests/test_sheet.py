"""The style sheet keeps its promises of contrast, and every template of the product keeps to the sheet."""

import re
from pathlib import Path

import pytest

import zhike

PACKAGE = Path(zhike.__file__).parent
STATIC = PACKAGE / "ui" / "static" / "ui"
SHEET = (STATIC / "zhike.css").read_text("utf-8")
TEMPLATES = sorted(path for path in PACKAGE.rglob("templates/**/*.html"))
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "tests" not in path.parts)
ICONS = set(re.findall(r"\.i-([a-z]+)\{--i:", SHEET))


def relative_luminance(colour: str) -> float:
    """Return the luminance of #rrggbb after WCAG 2.2."""
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours after WCAG 2.2, from 1 to 21."""
    lighter, darker = sorted((relative_luminance(one), relative_luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def tokens(theme: str) -> dict[str, str]:
    group = {"light": 2, "dark": 3}[theme]
    pairs = re.finditer(r"--([\w-]+):\s*light-dark\((#[0-9a-f]{6}),\s*(#[0-9a-f]{6})\)", SHEET)
    return {match[1]: match[group] for match in pairs}


TEXT = [
    ("ink", "surface"),
    ("ink-2", "surface"),
    ("ink-3", "surface"),
    ("ink", "paper"),
    ("ink-2", "paper"),
    ("ink-3", "paper"),
    ("ink-2", "press"),
    ("ink-3", "sunken"),
    ("ink-3", "raised"),
    ("accent-ink", "surface"),
    ("accent-ink", "accent-soft"),
    ("on-accent", "accent"),
    ("ok-ink", "ok-soft"),
    ("warn-ink", "warn-soft"),
    ("risk-ink", "risk-soft"),
    ("ok-ink", "surface"),
    ("warn-ink", "surface"),
    ("risk-ink", "surface"),
    ("surface", "ink"),
]
MARKS = [("ok", "surface"), ("warn", "surface"), ("risk", "surface"), ("field", "raised"), ("focus", "surface")]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back"), TEXT)
def test_text_reads_on_its_ground(theme: str, front: str, back: str) -> None:
    colours = tokens(theme)
    assert contrast(colours[front], colours[back]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back"), MARKS)
def test_marks_and_outlines_are_seen(theme: str, front: str, back: str) -> None:
    colours = tokens(theme)
    assert contrast(colours[front], colours[back]) >= 3


def test_contrast_is_computed_as_the_standard_has_it() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def each(pattern: str, text: str) -> list[str]:
    return re.findall(pattern, text, re.DOTALL)


def ids(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def colours_in(text: str) -> list[str]:
    # Not an address in a link, not a character reference.
    return each(r"(?<![&\w/\"'#-])#(?:[0-9a-fA-F]{8}|[0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b(?=\s*[;\"')}])", text) + each(
        r"\b(?:rgba?|hsla?|oklch)\(", text
    )


def styles_in(text: str) -> list[str]:
    """Return style attributes that hold anything but custom properties."""
    found = each(r"""\sstyle=("[^"]*"|'[^']*')""", text)
    return [
        style for style in found if not re.fullmatch(r"""["'](?:\s*--[\w-]+\s*:[^;]*;?)*\s*["']""", without_tags(style))
    ]


ONLY_PROPERTIES = r"""["'](?:\s*--[\w-]+\s*:[^;]*;?)*\s*["']"""


def without_tags(text: str) -> str:
    return re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "1", text, flags=re.DOTALL)


def nameless_icon_buttons(text: str) -> list[str]:
    """Return buttons and links that show only an icon and have no name."""
    found = re.findall(r"<(button|a)\b((?:[^>\"']|\"[^\"]*\"|'[^']*')*)>(.*?)</\1>", text, re.DOTALL)
    bare = []
    for _, attributes, inside in found:
        visible = re.sub(r"<kbd.*?</kbd>|<[^>]*>", "", inside, flags=re.DOTALL)
        if not visible.strip() and "<i " in inside and "aria-label=" not in attributes:
            bare.append(attributes)
    return bare


def icons_in(text: str) -> set[str]:
    return set(re.findall(r"\bi i-([a-z]+)\b(?!\{)", text))


@pytest.mark.parametrize("path", TEMPLATES, ids=ids)
def test_a_template_keeps_to_the_sheet(path: Path) -> None:
    text = path.read_text("utf-8")
    assert colours_in(text) == [], "use tokens, not colours"
    assert styles_in(text) == [], "a style attribute may only set custom properties"
    assert nameless_icon_buttons(text) == [], "a button that is only an icon needs an aria-label"
    assert icons_in(text) - ICONS == set(), "no such icon in zhike.css"
    assert "<svg" not in text, "icons come from zhike.css"


@pytest.mark.parametrize("path", TEMPLATES, ids=ids)
def test_a_template_runs_under_the_content_policy(path: Path) -> None:
    text = path.read_text("utf-8")
    inline = each(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", text)
    assert inline == [], "scripts live in static files"
    assert "<style" not in text
    assert each(r"\son[a-z]+=[\"']", text) == [], "no inline handlers"
    assert each(r"hx-on|[\"']js:|hx-trigger=[\"'][^\"']*\[", text) == [], "nothing that is evaluated"
    assert each(r"https?://(?!www\.w3\.org)", text) == [], "nothing from other hosts"


def test_the_checks_catch_what_they_should() -> None:
    assert colours_in('<i style="--k:#c8483b">') == ["#c8483b"]
    assert colours_in('<a href="#main">') == []
    assert styles_in('<i style="color:red">') != []
    assert styles_in('<i style="--w:{{ w }};--k:var(--{{ k }})">') == []
    assert nameless_icon_buttons('<button class="btn"><i class="i i-x"></i></button>') != []
    assert nameless_icon_buttons('<button aria-label="x"><i class="i i-x"></i></button>') == []
    assert nameless_icon_buttons('<button><i class="i i-x"></i>{{ text }}</button>') == []
    assert icons_in('<i class="i i-nope s">') == {"nope"}


def test_icons_named_in_code_exist() -> None:
    from_code = {icon for path in SOURCES for icon in icons_in(path.read_text("utf-8"))}
    assert from_code - ICONS == set()


def test_the_budgets_of_scripts_hold() -> None:
    assert len((STATIC / "ui.js").read_bytes()) <= 15_000
    assert len((STATIC / "charts.js").read_bytes()) <= 8_000
