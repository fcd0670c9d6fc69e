"""What the side navigation shows: the loop as five groups, with today above it and the person below.

`zhike.web.shell` fills these in and gives every page what makes it as `nav`; the tag `navigation` draws it by
`templates/parts/nav.html`.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class NavItem:
    """One link: `fact` is a grey figure at its end, `badge` the red one (only for Today), `go` the key after G."""

    label: str
    url: str
    icon: str
    fact: str = ""
    badge: str = ""
    current: bool = False
    go: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class NavGroup:
    """One phase of the loop with its live status, of 18 characters at most in English.

    state: "on" when the current page belongs to this phase, "due" when a deadline is today or tomorrow.
    """

    title: str
    status: str
    items: tuple[NavItem, ...]
    state: Literal["on", "due", ""] = ""


@dataclass(frozen=True, slots=True)
class Nav:
    today: NavItem
    groups: tuple[NavGroup, ...]
    foot: tuple[NavItem, ...] = ()
