"""The saved views of the customer list: one's own customers, all in view, and the segments that one may see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.core.cache import cache

from zhike.decide.segments.models import Segment
from zhike.kit.ruletrees import FieldType, Rule, RuleError, parse
from zhike.measure.queries import counts_in_books
from zhike.org.models import Staff
from zhike.org.prepared import Prepared
from zhike.org.roles import Permission, Scope
from zhike.web.queries.budget import within
from zhike.web.queries.selection import Selection, seen_by
from zhike.web.queries.status import COUNTED_TO
from zhike.web.rules import filters
from zhike.web.rules.listing import ALL, MINE

BOOKS_MS = 300
MINUTES = 180  # Seconds. The number in a tab says how large a view is; opened, the list counts anew.


@dataclass(frozen=True, slots=True)
class View:
    """One tab: `id` is a segment's, None for the two that are always there; `owner` limits it to one's customers."""

    key: str
    name: str
    conditions: tuple[filters.Tree, ...] = ()
    sort: str = ""
    count: int | None = None
    id: int | None = None
    owner: int | None = None
    is_own: bool = False


def saved_views(staff: Staff, fields: Mapping[str, FieldType]) -> list[View]:
    """Return the segments that this person may see, those left out that ask about what they may not."""
    found = []
    for segment in _SEGMENTS.list(staff):
        conditions = tuple(filters.conditions_of(segment.rule))
        try:
            for condition in conditions:
                parse(condition, fields)
        except RuleError:
            continue
        may_change = segment.owner_id == staff.pk or staff.may(Permission.PUBLISH_PLAN)
        is_own = may_change and not segment.plan_key
        found.append(View(str(segment.pk), segment.label, conditions, segment.sort, id=segment.pk, is_own=is_own))
    return found


_SEGMENTS: Prepared[Segment] = Prepared(lambda viewer: Segment.objects.visible_to(viewer))


def standing_views(staff: Staff, mine: str, everybody: str) -> list[View]:
    """Return the views that are always there; who sees only the own customers needs one of them."""
    own = View(MINE, mine, owner=staff.pk)
    if staff.scope == Scope.OWN:
        return [own]
    return [own, View(ALL, everybody)]


def counted(views: Sequence[View], staff: Staff, fields: Mapping[str, FieldType], today: date) -> list[View]:
    """Return the views with how many customers each holds, as of some minutes ago at most."""
    keys = {
        view.key: f"view:{seen_by(staff)}:{view.owner}:{view.key}:{hash(repr(view.conditions))}:{today}"
        for view in views
    }
    known = cache.get_many(keys.values())
    counts: dict[str, int | None] = {key: known.get(keys[key]) for key in keys}
    wanted = {view.key: _rule(view, fields) for view in views if counts[view.key] is None}
    whole = _in_books({key: rule for key, rule in wanted.items() if rule is not None}, views, staff, today)
    for view in views:
        if view.key in wanted:
            rule = wanted[view.key]
            found = whole[view.key] if view.key in whole else Selection(staff, rule, "", view.owner, today).count()
            counts[view.key] = -1 if found is None else found
            cache.set(keys[view.key], counts[view.key], MINUTES)
    return [replace(view, count=counts[view.key] if counts[view.key] != -1 else None) for view in views]


def _in_books(rules: Mapping[str, Rule], views: Sequence[View], staff: Staff, today: date) -> dict[str, int | None]:
    """Return the counts of the views of somebody who sees the own or the team's customers, from one look at them.

    All are None when that takes too long for a page. Among everybody's customers, indexes find a bounded number sooner.
    """
    owner = staff.pk if staff.scope == Scope.OWN else None
    asked = {view.key: rules[view.key] for view in views if view.key in rules and view.owner in {None, owner}}
    if staff.scope == Scope.ALL or not asked:
        return {}
    found = within(BOOKS_MS, lambda: counts_in_books(asked, staff, today=today))
    if found is None:
        return dict.fromkeys(asked)
    return {key: min(number, COUNTED_TO + 1) for key, number in found.items()}


def _rule(view: View, fields: Mapping[str, FieldType]) -> Rule | None:
    tree = filters.together(view.conditions)
    return parse(tree, fields) if tree else None
