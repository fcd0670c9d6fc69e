"""What every page shows around its content: the navigation with the loop's live status, the person, the day."""

from datetime import datetime, time
from functools import cache
from typing import Any

from django.contrib.messages import get_messages
from django.http import HttpRequest
from django.utils.translation import get_language, gettext, pgettext

from zhike.act.engagement.queries import DUE_TO
from zhike.org.doors import DOORS
from zhike.org.models import Staff
from zhike.org.roles import Permission, Public
from zhike.ui import words
from zhike.ui.nav import Nav, NavGroup, NavItem
from zhike.ui.templatetags.quick import address
from zhike.web.pages.here import Here, here
from zhike.web.queries import status

Items = tuple[NavItem, ...]
BELONGS = {
    "customer": "customers",
    "contact": "customers",
    "view": "customers",
    "import": "imports",
    "plan": "plan",
    "role": "staff",
    "staff": "staff",
    "company": "staff",
    "audit": "staff",
    "source": "staff",
    "privacy": "staff",
    "sources": "staff",
    "stream": "stream",
    "churn": "churn-model",
}
"""The navigation's link for a page that has none of its own, by the first word of its name."""

AT_RISK_FIRST = "?view=all&f=stage:not_in:churned&sort=health"


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return company, person, day and navigation; for somebody who is not signed in, only the company and the day."""
    place = here(request)
    common: dict[str, Any] = {"company": place.firm, "today": place.today, "language": get_language()}
    staff: Staff | None = getattr(request, "staff", None)
    if staff is None:
        return common
    toasts = [{"text": str(message)} for message in get_messages(request)]
    # A part of a page has no navigation, and need not find out how the loop stands.
    nav = cache(lambda: Navigation(request, staff, place).drawn())
    return {**common, "staff": staff, "theme": staff.theme, "toasts": toasts, "nav": nav}


class Navigation:
    """The five phases of the loop as this person may walk them, each with how it stands right now."""

    def __init__(self, request: HttpRequest, staff: Staff, place: Here) -> None:
        self.staff = staff
        self.now = place.now.astimezone(place.zone)
        name = (request.resolver_match.url_name or "") if request.resolver_match else ""
        self.here = BELONGS.get(name.split("-")[0], name)
        monday = datetime.combine(status.week_start(place.today), time(), place.zone)
        self.company = status.company_status()
        self.mine = status.status_of(staff, place.today, monday)

    def drawn(self) -> Nav:
        due = f"{DUE_TO}+" if self.mine.due > DUE_TO else str(self.mine.due or "")
        today = self._link("today", pgettext("page", "Today"), "today", go="t", badge=due, name="nav-today")
        groups = tuple(self._group(*each) for each in self._phases())
        return Nav(today[0] if today else None, groups, self._foot())  # type: ignore[arg-type]  # Drawn only if there.

    def _phases(self) -> list[tuple[str, str, Items]]:
        many = f"{words.plain(status.COUNTED_TO)}+"
        seen = many if self.mine.customers > status.COUNTED_TO else words.plain(self.mine.customers)
        draft = gettext("v%(number)s draft") % {"number": self.company.draft} if self.company.draft else ""
        record = self._link("customers", gettext("Customers"), "users", go="c", fact=seen)
        record += self._link("imports", gettext("Import"), "upload")
        record += self._link("stream", gettext("Event stream"), "bolt")
        health = self._link("customers", gettext("Health"), "health", query=AT_RISK_FIRST, own="health")
        voice = self._link("voice", gettext("Voice of customers"), "quote", go="v")
        plan = self._link("plan", gettext("Plan"), "plan", go="p", fact=draft)
        figures = self._link("review", gettext("Key figures"), "review", go="r")
        leaving = self._link("churn-model", gettext("Churn score"), "health")
        return [
            (gettext("Record"), self._complete(), record),
            (gettext("Measure"), self._measured(), health + voice),
            (gettext("Decide"), self._in_force(), plan),
            (gettext("Act"), self._week(), ()),
            (gettext("Review"), "", figures + leaving),
        ]

    def _group(self, title: str, said: str, items: Items) -> NavGroup:
        is_here = any(item.current for item in items) or (title == gettext("Act") and self.here == "today")
        return NavGroup(title, said, items, state="on" if is_here else "")

    def _link(
        self,
        url_name: str,
        label: str,
        icon: str,
        *,
        query: str = "",
        fact: str = "",
        badge: str = "",
        go: str = "",
        name: str = "",
        own: str = "",
    ) -> Items:
        if not self._may(url_name):
            return ()
        current = self.here == (own or url_name)
        return (NavItem(label, address(url_name) + query, icon, fact, badge, current, go, name),)

    def _may(self, url_name: str) -> bool:
        needed = DOORS.get(url_name)
        return needed is not None and (needed in set(Public) or self.staff.may(Permission(needed)))

    def _complete(self) -> str:
        share = self.company.completeness
        return gettext("%(share)s%% complete") % {"share": int(share * 100)} if share is not None else ""

    def _measured(self) -> str:
        at = self.company.measured_at
        if at is None:
            return gettext("not yet")
        local = at.astimezone(self.now.tzinfo)
        if local.date() == self.now.date():
            return gettext("%(clock)s today") % {"clock": f"{local:%H:%M}"}
        return words.relative(local.date(), self.now.date())

    def _in_force(self) -> str:
        number = self.company.plan
        return gettext("v%(number)s live") % {"number": number} if number else gettext("no plan yet")

    def _week(self) -> str:
        if not self.staff.may(Permission.WORK_TOUCHES):
            return ""
        return gettext("%(made)s / %(most)s this week") % {"made": self.mine.made, "most": self.mine.capacity}

    def _foot(self) -> Items:
        settings = self._link("staff", gettext("Settings"), "settings")
        me = NavItem(self.staff.name, address("account"), "me", current=self.here == "account")
        return (*settings, me)
