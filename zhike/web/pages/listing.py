"""One look at the customer list: its view, conditions, order, totals and rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext

from zhike.decide.plans.rules import Plan
from zhike.kit.ruletrees import FieldType, Rule, RuleError, parse
from zhike.measure.facts import FACTS, fields
from zhike.measure.models import FactsDay
from zhike.org.models import Company, Staff
from zhike.web.pages import conditions
from zhike.web.pages.cells import Row
from zhike.web.pages.conditions import Vocabulary
from zhike.web.pages.names import Names, names_of_plan
from zhike.web.pages.past import past_of
from zhike.web.queries import rows as row_queries
from zhike.web.queries import status
from zhike.web.queries.kept import Condition, KeptListing, KeptSelection, as_now, counts
from zhike.web.queries.paging import Listing, Page
from zhike.web.queries.rows import Around
from zhike.web.queries.selection import Selection, Totals
from zhike.web.queries.sorting import is_sortable, order_by
from zhike.web.queries.views import View, counted, saved_views, standing_views
from zhike.web.rules import columns, filters, listing
from zhike.web.rules.listing import ListState
from zhike.web.rules.paging import Order, place_from

NOT_TOUCHED = Around()
NEEDED = {
    "tier": ("tier",),
    "stage": ("stage",),
    "health": ("health", "health_band", "health_change_30d", "health_weeks"),
    "worth": ("arr", "revenue_12m"),
    "renewal": ("contract_end",),
    "last_touch": (),
    "next_touch": ("next_touch",),
    "owner": (),
}
"""The facts that a column of its own kind reads."""


@dataclass
class CustomerList:
    """One look at the list, by one person, of one address."""

    staff: Staff
    firm: Company
    today: date
    given: QueryDict
    only: frozenset[int] | None = None
    plan: Plan | None = None
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.past = past_of(self.given.get("as_of", ""), self.today)
        self.kept = self.past.kept if self.past else None
        if self.kept is not None:
            self.today = self.kept.day

    @cached_property
    def fields(self) -> dict[str, FieldType]:
        """What this person may filter by, sort by and see."""
        known = fields(list(self.names.tiers))
        if self.staff.sees_revenue:
            return known
        return {name: kind for name, kind in known.items() if name not in FACTS or not FACTS[name].is_revenue}

    @cached_property
    def names(self) -> Names:
        return names_of_plan(self.plan)

    @cached_property
    def state(self) -> ListState:
        state, wrong = listing.read(dict(self.given.lists()), self.fields)
        for text in wrong:
            self.notes.append(gettext("The condition “%(text)s” cannot be read and was left out.") % {"text": text})
        return replace(state, as_of=self.past.asked.isoformat() if self.past else "")

    @cached_property
    def views(self) -> list[View]:
        standing = standing_views(self.staff, gettext("My customers"), gettext("All"))
        return [*standing, *saved_views(self.staff, self.fields)]

    @cached_property
    def counted_views(self) -> list[View]:
        """The views with their counts; that of the open one as it is right now."""
        if self.kept is not None:
            return self._counted_then(self.kept)
        found = counted(self.views, self.staff, self.fields, self.today)
        is_whole = self.state.conditions is None and not self.state.words and self.totals.is_exact
        if not is_whole:
            return found
        return [replace(view, count=self.totals.count) if view.key == self.view.key else view for view in found]

    def _counted_then(self, kept: FactsDay) -> list[View]:
        asked = {view.key: Condition(self._rule(view.conditions), "", view.owner) for view in self.views}
        found = counts(self.staff, kept, asked)
        return [replace(view, count=found[view.key]) for view in self.views]

    def _rule(self, conditions: Sequence[filters.Tree]) -> Rule | None:
        tree = filters.together(conditions)
        return parse(tree, self.fields) if tree else None

    @cached_property
    def view(self) -> View:
        """The view that is open: the named one, else the widest of those that are always there."""
        named = (view for view in self.views if view.key == self.state.view)
        return next(named, [view for view in self.views if view.id is None][-1])

    @cached_property
    def conditions(self) -> tuple[filters.Tree, ...]:
        """The conditions that hold, each of which can be understood."""
        wanted = self.view.conditions if self.state.conditions is None else self.state.conditions
        kept = []
        for condition in wanted:
            try:
                parse(condition, self.fields)
            except RuleError as error:
                self.notes.append(gettext("A condition was left out: %(why)s") % {"why": error})
            else:
                kept.append(condition)
        return tuple(kept)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        asked = [value for each in self.conditions for value in filters.values_of(each, "owner_id")]
        owners = {int(value) for value in asked if not isinstance(value, bool)}  # Whether there is one is no number.
        names = replace(self.names, owners=row_queries.owner_names(owners)) if owners else self.names
        return Vocabulary(self.fields, self.titles, names, self.firm.currency)

    @cached_property
    def titles(self) -> dict[str, str]:
        has_own = any(filters.attribute_of(name) for name in self.fields)
        return conditions.attribute_titles() if has_own else {}

    @cached_property
    def selection(self) -> Selection:
        rule = self._rule(self.conditions)
        return Selection(self.staff, rule, self.state.words, self.view.owner, self.today, self.only)

    @cached_property
    def kept_selection(self) -> KeptSelection | None:
        """The same customers on the past day that the address names, None for today."""
        if self.kept is None:
            return None
        condition = Condition(self._rule(self.conditions), self.state.words, self.view.owner)
        return KeptSelection(self.staff, self.kept, condition)

    @cached_property
    def totals(self) -> Totals:
        if self.kept_selection is not None:
            return self.kept_selection.totals()
        return self.selection.totals(is_paged=bool(self.state.after or self.state.before))

    @cached_property
    def worth(self) -> str:
        """The fact by which customers are weighed: what they pay a year, or what they bought in the last one."""
        return "arr" if status.company_status().has_subscriptions else "revenue_12m"

    @cached_property
    def sort(self) -> tuple[str, bool]:
        """The column of the order, and whether it runs downwards."""
        for text in (self.state.sort, self.view.sort, "-worth", "customer"):
            column, down = text.removeprefix("-"), text.startswith("-")
            if text and self.is_sortable(column):
                return column, down
        return "customer", False

    def fact_of(self, column: str) -> str:
        """Return the fact by which a column is ordered."""
        return self.worth if column == "worth" else columns.SPECIAL.get(column, column)

    def is_sortable(self, column: str) -> bool:
        """Say whether this list can be put in the order of a column."""
        fact = self.fact_of(column)
        if fact != "name" and fact not in self.fields:
            return False
        if self.kept is not None:
            return is_sortable(fact, few=True)
        # Counting is only asked for when the answer depends on it.
        return is_sortable(fact, few=False) or (is_sortable(fact, few=True) and self.totals.is_few)

    @cached_property
    def order(self) -> Order:
        column, down = self.sort
        return order_by(self.fact_of(column), down=down)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        open_to = set(self.fields) | ({"worth"} if self.staff.sees_revenue else set())
        return columns.chosen(self.state.columns, open_to)

    @cached_property
    def listing(self) -> Listing | KeptListing:
        needed = {fact for column in self.columns for fact in NEEDED.get(column, (column,))}
        read = ["name", "ref", "industry", "region", "owner_id"]
        read += [f"facts__{name}" for name in sorted(needed) if name == "health_weeks" or _is_stored(name)]
        if any(filters.attribute_of(column) for column in self.columns):
            read.append("attributes")
        read += [name for name in sorted(needed) if name in FACTS and not FACTS[name].stored and name not in read]
        if self.kept_selection is not None:
            if "last_touch" in self.columns:
                read.append("facts__last_touch")
            return KeptListing(self.kept_selection, self.order, read)
        return self.selection.listing(self.order, read)

    @cached_property
    def page(self) -> Page:
        kind = self.order.kind
        after, before = place_from(self.state.after, kind), place_from(self.state.before, kind)
        return self.listing.page(after=after, before=before)

    @cached_property
    def rows(self) -> list[Row]:
        return self._described(self.page)

    def all_rows(self, size: int) -> Iterator[list[Row]]:
        """Yield every row of the list, so many at a time."""
        page = self.listing.page(size=size)
        while page.rows:
            yield self._described(page)
            if not page.has_older:
                return
            page = self.listing.page(after=page.last(self.order), size=size)

    def _described(self, page: Page) -> list[Row]:
        ids = [row["id"] for row in page.rows]
        if self.kept is not None:
            return self._described_then(page, ids)
        is_asked = {"last_touch", "next_touch"} & set(self.columns)
        around = row_queries.touches_around(ids) if is_asked and ids else {}
        owners = row_queries.owner_names({row["owner_id"] for row in page.rows}) if "owner" in self.columns else {}
        return [_row(row, around.get(row["id"], NOT_TOUCHED), owners) for row in page.rows]

    def _described_then(self, page: Page, ids: list[int]) -> list[Row]:
        """Return the rows as they were kept, with what today's record says otherwise."""
        now = as_now(ids)
        owners = row_queries.owner_names(
            {row["owner_id"] for row in page.rows} | {record["owner_id"] for record in now.values()}
        )
        rows = [_row(row, Around(row.get("facts__last_touch")), owners) for row in page.rows]
        return [row._replace(later=_later(row, now.get(row.id, {}), owners)) for row in rows]

    @property
    def query(self) -> str:
        """The query of the address that shows these customers from the first page on."""
        return self.state.query()


def _later(row: Row, now: Mapping[str, Any], owners: Mapping[int, str]) -> dict[str, str]:
    """Return what the record says today, by field, where it says something else than was kept."""
    then = {"name": row.name, "industry": row.industry, "region": row.region, "owner_id": row.owner_id}
    differing = {name: now[name] for name in then if name in now and (now[name] or None) != (then[name] or None)}
    if "owner_id" in differing:
        owner = differing.pop("owner_id")
        differing["owner"] = owners.get(owner, "") if owner else gettext("Nobody yet")
    return differing


def _is_stored(name: str) -> bool:
    return name in FACTS and FACTS[name].stored


def _row(row: Mapping[str, Any], around: Around, owners: Mapping[int, str]) -> Row:
    owner = row["owner_id"]
    facts = row_queries.facts_in(row)
    return Row(
        id=row["id"],
        name=row["name"],
        industry=row["industry"],
        region=row["region"],
        owner_id=owner,
        owner=owners.get(owner, "") if owner else "",
        facts=facts,
        attributes=row.get("attributes") or {},
        touched=around.last,
        channel=around.channel,
        due=around.next,
        trend=facts.get("health_weeks") or (),
    )
