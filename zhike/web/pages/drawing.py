"""The customer list as its template is given it."""

from dataclasses import dataclass
from html import escape
from typing import Any

from django.http import QueryDict
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from zhike.org.roles import Permission
from zhike.ui import words
from zhike.ui.templatetags.quick import address
from zhike.web.pages import cells, conditions
from zhike.web.pages.cells import Frame
from zhike.web.pages.listing import CustomerList
from zhike.web.pages.marking import marked
from zhike.web.queries import status
from zhike.web.queries.selection import Totals
from zhike.web.rules import columns
from zhike.web.rules.paging import PAGE


@dataclass(frozen=True, slots=True)
class Chip:
    label: str
    value: str
    remove_url: str
    edit_url: str


class Drawing:
    """What the template is given."""

    def __init__(self, found: CustomerList) -> None:
        self.found, self.staff, self.state = found, found.staff, found.state
        self.address = address("customers")

    def url(self, **changes: Any) -> str:
        query = self.state.query(**changes)
        return f"{self.address}?{query}" if query else self.address

    def view_url(self, key: str) -> str:
        day = {"as_of": self.state.as_of} if self.found.kept else {}
        return f"{self.address}?{urlencode({'view': key, **day})}"

    def context(self) -> dict[str, Any]:
        found = self.found
        chips = self.chips()
        shown = len(found.rows)
        newer, older = self.pages()
        changed = self.state.conditions is not None and list(self.state.conditions) != list(found.view.conditions)
        return {
            "state": self.state,
            "state_query": found.query,
            "current": found.view,
            "tabs": self.tabs(),
            "chips": chips,
            "add_url": f"{address('customers-condition')}?{found.query}",
            "changed": changed,
            "restore_url": self.view_url(found.view.key),
            "notes": found.notes,
            "totals": self.totals(),
            "heads": self.heads(),
            "table": self.table() if shown else "",
            "may_select": self.may_select,
            "summary": self.summary(shown),
            "newer_url": newer,
            "older_url": older,
            "empty": None if shown else self.empty(),
            "carried": self.carried(without="q"),
            "columns_url": f"{address('customers-columns')}?{found.query}",
            "export_url": f"{address('customers-export')}?{found.query}",
            "headline": self.headline(),
        }

    def tabs(self) -> list[dict[str, Any]]:
        current = self.found.view
        return [
            {
                "name": view.name,
                "count": shown_count(view.count),
                "url": self.view_url(view.key),
                "current": view.key == current.key,
            }
            for view in self.found.counted_views
        ]

    def chips(self) -> list[Chip]:
        own, chips = self.found.conditions, []
        for index, condition in enumerate(own):
            label, value = conditions.said(condition, self.found.vocabulary)
            remove = self.url(conditions=own[:index] + own[index + 1 :])
            edit = f"{address('customers-condition')}?{self.state.query(conditions=own)}&place={index}"
            chips.append(Chip(label, value, remove, edit))
        return chips

    def carried(self, *, without: str) -> list[tuple[str, str]]:
        """Return the state as hidden fields for a form that gives one part of it anew."""
        given = QueryDict(self.found.query)
        return [(name, value) for name, values in given.lists() for value in values if name != without]

    def headline(self) -> str:
        """Return how many customers there are in view, whatever the conditions."""
        everybody = next((view for view in reversed(self.found.counted_views) if view.id is None), None)
        count = everybody.count if everybody else None
        return _customers(Totals(count, is_exact=count is not None and count <= status.COUNTED_TO))

    def totals(self) -> dict[str, Any] | None:
        totals = self.found.totals
        if not totals.count:
            return None
        drawn: dict[str, Any] = {"count": _customers(totals)}
        currency = self.found.firm.currency
        if totals.worth is not None and self.staff.sees_revenue and currency:
            drawn["worth"] = words.money(totals.worth, currency)
            drawn["worth_name"] = gettext("ARR") if self.found.worth == "arr" else gettext("12-month revenue")
        if totals.health is not None:
            drawn["health"] = words.plain(round(totals.health, 1))
        if totals.bands and sum(totals.bands.values()):
            healthy, warning, risk = (totals.bands.get(band, 0) for band in ("healthy", "warning", "risk"))
            said = gettext("%(healthy)s healthy, %(warning)s at watch, %(risk)s high risk")
            shown = {"healthy": words.plain(healthy), "warning": words.plain(warning), "risk": words.plain(risk)}
            drawn |= {"split": True, "healthy": healthy, "warning": warning, "risk": risk, "split_words": said % shown}
            if totals.risk_worth and self.staff.sees_revenue and currency:
                drawn["risk_worth"] = words.money(totals.risk_worth, currency)
        return drawn

    def heads(self) -> list[dict[str, Any]]:
        sorted_by, down = self.found.sort
        heads = []
        for column in ("customer", *self.found.columns):
            is_sorted = column == sorted_by
            # Names and worst health first, the largest amounts first: what is looked for stands on top.
            first_down = cells.is_number(column) and column != "renewal"
            turn = ("" if down else "-") if is_sorted else ("-" if first_down else "")
            heads.append(
                {
                    "key": column,
                    "title": self.title(column),
                    "number": cells.is_number(column),
                    "order": ("descending" if down else "ascending") if is_sorted else "",
                    "url": self.url(sort=turn + column) if self.found.is_sortable(column) else "",
                }
            )
        return heads

    def title(self, column: str) -> str:
        if column == "customer":
            return gettext("Customer")
        if column == "worth" and self.found.worth != "arr":
            return gettext("12 months")
        return str(cells.TITLES.get(column) or self.found.vocabulary.label(column))

    @property
    def may_assign(self) -> bool:
        return self.found.kept is None and self.staff.may(Permission.ASSIGN_CUSTOMERS)

    @property
    def may_select(self) -> bool:
        """Whether this person can do anything with ticked customers."""
        return self.may_assign or (self.found.kept is None and self.staff.may(Permission.EXPORT))

    def table(self) -> SafeString:
        found = self.found
        searched = self.state.words
        frame = Frame(
            today=found.today,
            currency=found.firm.currency,
            names=found.names,
            staff_id=self.staff.pk,
            titles=found.titles,
            worth=found.worth,
            marks=(lambda name: marked(name, searched)) if searched else None,
        )
        day = {"as_of": self.state.as_of} if found.kept else {}
        back = escape(urlencode({**day, "list": found.query})) if found.query else ""
        place = cells.Place(f"{self.address}/", f"?{back}" if back else "", self.may_select)
        return cells.table_html(found.rows, found.columns, frame, place)

    def pages(self) -> tuple[str, str]:
        page, order, start = self.found.page, self.found.order, self.state.start
        first, last = page.first(order), page.last(order)
        newer = self.url(before=first.text(), after="", start=max(1, start - PAGE)) if page.has_newer and first else ""
        older = self.url(after=last.text(), before="", start=start + PAGE) if page.has_older and last else ""
        return newer, older

    def summary(self, shown: int) -> str:
        totals, start = self.found.totals, self.state.start
        said = {"first": words.plain(start), "last": words.plain(start + shown - 1)}
        if totals.count is None:
            return gettext("%(first)s–%(last)s") % said
        many = words.plain(totals.count) if totals.is_exact else f"{words.plain(status.COUNTED_TO)}+"
        return gettext("%(first)s–%(last)s of %(all)s customers") % {**said, "all": many}

    def empty(self) -> dict[str, str]:
        """Say why nothing is shown, and what would show something."""
        if self.state.words:
            return {
                "icon": "search",
                "what": gettext("Nothing here is called “%(words)s”") % {"words": self.state.words},
                "why": gettext("Names are found by characters, pinyin or first letters."),
                "action": gettext("Without the search"),
                "url": self.url(words=""),
            }
        own = self.found.conditions
        if own:
            label, value = conditions.said(own[-1], self.found.vocabulary)
            return {
                "icon": "filter",
                "what": gettext("No customer meets all conditions"),
                "why": gettext("Together they leave nobody; the last one is %(label)s %(value)s.")
                % {"label": label, "value": value},
                "action": gettext("Without “%(label)s %(value)s”") % {"label": label, "value": value},
                "url": self.url(conditions=own[:-1]),
            }
        return {
            "icon": "users",
            "what": gettext("No customers yet"),
            "why": gettext("Bring them in from a file, or add the first one by hand."),
            "action": gettext("Import a file"),
            "url": address("imports"),
        }


def column_choice(drawing: Drawing) -> dict[str, Any]:
    """Return the columns to choose from, for the form that is asked for when somebody wants it."""
    found = drawing.found
    shown = set(found.columns)
    special = [column for column in columns.DEFAULT if column != "worth" or found.staff.sees_revenue]
    others = [name for name in found.fields if name not in {"name", "owner_id", *columns.SPECIAL.values(), *special}]
    listed = [*special, *others]
    return {
        "all_columns": [{"key": name, "title": drawing.title(name), "on": name in shown} for name in listed],
        "carried": drawing.carried(without="cols"),
        "default_url": drawing.url(columns=""),
    }


def _customers(totals: Totals) -> str:
    """Write a number of customers; a bounded count that reached its bound says so."""
    if totals.count is None:
        return ""
    if not totals.is_exact:
        return gettext("%(count)s+ customers") % {"count": words.plain(status.COUNTED_TO)}
    count = totals.count
    return ngettext("%(count)s customer", "%(count)s customers", count) % {"count": words.plain(count)}


def shown_count(count: int | None) -> str:
    """Write the count of a tab."""
    if count is None:
        return ""
    return words.plain(count) if count <= status.COUNTED_TO else f"{words.plain(status.COUNTED_TO)}+"
