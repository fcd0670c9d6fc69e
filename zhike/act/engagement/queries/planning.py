"""What planning asks of the database, in batches: facts, open touches, contacts made, people and their consents."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
from django.db.models import Case, CharField, DecimalField, F, Q, Value, When, Window
from django.db.models.functions import Coalesce, PercentRank

from zhike.act.engagement.models import Alert, Touch, TouchState
from zhike.act.engagement.rules.people import Person, refused_channels
from zhike.decide.plans.rules.schema import Plan
from zhike.kit.ruletrees import ATTRIBUTES, Rule, fields_of, parse
from zhike.measure import reading, snapshots
from zhike.measure.facts import FACTS, fields
from zhike.measure.models import CustomerFacts, CustomerFactsQuerySet, FactsDay
from zhike.org import company
from zhike.record.customers.models import Consent, Contact
from zhike.record.interactions.models import Direction, Interaction, Outcome

ALWAYS = (
    "ref",
    "industry",
    "joined",
    "owner_id",
    "tier",
    "stage",
    "last_touch",
    "days_since_touch",
    "recency_days",
    "days_since_usage",
    "usage_30d",
    "usage_prev_30d",
    "usage_90d",
    "usage_prev_90d",
    "logins_per_week",
    "days_to_renewal",
    "contract_end",
    "contract_days",
    "health",
    "health_30d_ago",
    "health_usage",
    "health_breadth",
    "health_relationship",
    "health_commercial",
    "health_feedback",
)


def parsed_rules(plan: Plan) -> dict[str, Rule]:
    """Return the rules of the alerts that have one, parsed for today's facts and attributes."""
    trees = {key: alert.when.rule for key, alert in plan.alerts.items() if alert.when.rule is not None}
    if not trees:
        return {}
    known = fields([tier.key for tier in plan.tiers.tiers])
    return {key: parse(tree, known) for key, tree in trees.items()}


def columns_for(rules: Iterable[Rule]) -> dict[str, str]:
    """Return the facts that planning reads: name → path from the facts row."""
    asked = {name.partition(".")[0] for rule in rules for name in fields_of(rule)}
    return {name: _path(name) for name in [*ALWAYS, *sorted(asked - set(ALWAYS))]}


def _path(name: str) -> str:
    if name == ATTRIBUTES or not FACTS[name].stored:
        return f"customer__{name}"
    return name


def customers_measured(only: Sequence[int] | None = None) -> int:
    return _measured(only).count()


def _measured(only: Sequence[int] | None) -> CustomerFactsQuerySet:
    found = CustomerFacts.objects.all()
    return found if only is None else found.filter(customer_id__in=only)


STAKE = Coalesce(
    Case(When(arr__gt=0, then=F("arr")), When(revenue_12m__gt=0, then=F("revenue_12m"))),
    Value(Decimal(0)),
    output_field=DecimalField(max_digits=18, decimal_places=2),
)
STAKE_OF = Case(When(arr__gt=0, then=Value("arr")), default=Value("revenue_12m"), output_field=CharField())


def rows_for_planning(
    columns: Mapping[str, str], *, size: int, only: Sequence[int] | None = None
) -> Iterator[list[dict[str, Any]]]:
    """Yield batches of facts rows as dicts, with `id`, `stake`, `stake_of` and `rank`, the place in a book."""
    names = ["id", *columns, "stake", "stake_of", "rank"]
    found = _measured(only).annotate(stake=STAKE, stake_of=STAKE_OF)
    # For a few customers it is cheaper to count whom they stand above than to rank everybody.
    rank = Window(PercentRank(), partition_by=[F("customer__owner_id")], order_by=F("stake").asc())
    found = found.annotate(rank=rank if only is None else Value(0.0))
    # In the order of customers, so that a batch is a range of them.
    found = found.order_by("customer_id")
    batch: list[dict[str, Any]] = []
    books = Books()
    for values in found.values_list("customer_id", *columns.values(), "stake", "stake_of", "rank").iterator(size):
        batch.append(dict(zip(names, values, strict=True)))
        if len(batch) == size:
            yield batch if only is None else books.ranked(batch)
            batch = []
    if batch:
        yield batch if only is None else books.ranked(batch)


BOOKS = """
    SELECT coalesce(book_id, 0),
        (100 * CASE WHEN arr > 0 THEN arr WHEN revenue_12m > 0 THEN revenue_12m ELSE 0 END)::bigint
    FROM {facts} WHERE book_id = ANY({owners}::bigint[]) OR ({has_nobodys} AND book_id IS NULL)
"""
STAKES = pa.schema([("owner", pa.int64()), ("cents", pa.int64())])


class Books:
    """The stakes of whole books, each read once: where somebody stands among the customers of the same owner."""

    def __init__(self) -> None:
        self._stakes: dict[int, np.ndarray[tuple[int], np.dtype[np.int64]]] = {}

    def read(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Read the books of these customers, unless they are known."""
        owners = {row["owner_id"] or 0 for row in rows} - self._stakes.keys()
        if not owners:
            return
        found = reading.rows(
            BOOKS, STAKES, facts=CustomerFacts, owners=sorted(owners - {0}), has_nobodys=0 in owners
        ).sort_by([("owner", "ascending"), ("cents", "ascending")])
        owner, cents = found["owner"].to_numpy(), found["cents"].to_numpy()
        for each in owners:
            begin, end = np.searchsorted(owner, [each, each + 1])
            self._stakes[each] = cents[begin:end]

    def ranked(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Give each of these customers its place."""
        self.read(rows)
        for row in rows:
            row["rank"] = self.rank(row)
        return rows

    def rank(self, row: Mapping[str, Any]) -> float:
        """Return the share of the others in the book whose stake is smaller, 0 to 1, as PERCENT_RANK has it."""
        stakes = self._stakes[row["owner_id"] or 0]
        return float(np.searchsorted(stakes, int(100 * row["stake"]))) / max(len(stakes) - 1, 1)


def touched_since(ids: Sequence[int], *, day: date) -> dict[int, date]:
    """Return the latest day from `day` on, on which these customers were reached; the facts end the day before."""
    zone = company.zone()
    start = datetime.combine(day, time(), zone)
    made = Interaction.objects.filter(within(ids), at__gte=start, outcome=Outcome.REACHED)
    found = made.order_by("at").values_list("customer_id", "at")
    asked = set(ids)
    return {key: at.astimezone(zone).date() for key, at in found if key in asked}


NEAR = timedelta(days=7)


class Past:
    """Facts of days past, by the names under which signs ask for them (`rules.signs.past_facts`)."""

    def __init__(self, wanted: Mapping[str, tuple[str, int]], today: date) -> None:
        self._columns: dict[str, tuple[Any, Any]] = {}
        for days in {days for _fact, days in wanted.values()}:
            kept = _kept_near(today - timedelta(days=days))
            if kept is None:
                continue
            names = {name: fact for name, (fact, ago) in wanted.items() if ago == days}
            table = snapshots.read(kept, ["customer_id", *sorted(set(names.values()))])
            ids = table["customer_id"].to_numpy()
            for name, fact in names.items():
                self._columns[name] = ids, table[fact].cast(pa.float64()).to_numpy()

    def add_to(self, rows: Sequence[dict[str, Any]]) -> None:
        """Give every row its figures of the past; a customer or a day that is not known gives None."""
        asked = np.array([row["id"] for row in rows], dtype=np.int64)
        for name, (ids, values) in self._columns.items():
            # The kept rows are sorted by customer.
            places = np.minimum(np.searchsorted(ids, asked), max(len(ids) - 1, 0))
            for row, place in zip(rows, places.tolist(), strict=True):
                known = len(ids) > 0 and ids[place] == row["id"] and values[place] == values[place]
                row[name] = float(values[place]) if known else None


def _kept_near(day: date) -> FactsDay | None:
    """Return the kept day nearest to a day, at most a week off; of two, the earlier one."""
    kept = FactsDay.objects.filter(day__gte=day - NEAR, day__lte=day + NEAR)
    return min(kept, key=lambda each: (abs(each.day - day), each.day), default=None)


def planning_began() -> date | None:
    """Return the day of the first touch that was ever planned."""
    first = Touch.objects.filter(plan_number__isnull=False).order_by("id").values_list("created_on", flat=True)
    return first.first()


def within(ids: Sequence[int], name: str = "customer_id") -> Q:
    """Return the condition for these customers, and perhaps their neighbours: a dense batch is asked for as a range."""
    if len(ids) > 50 and len(ids) * 4 > max(ids) - min(ids):
        return Q(**{f"{name}__gte": min(ids), f"{name}__lte": max(ids)})
    return Q(**{f"{name}__in": ids})


def open_touches(ids: Sequence[int]) -> dict[int, list[Touch]]:
    found: dict[int, list[Touch]] = {key: [] for key in ids}
    for touch in Touch.objects.filter(within(ids), state=TouchState.OPEN).order_by("due_on", "id"):
        if touch.customer_id in found:
            found[touch.customer_id].append(touch)
    return {key: touches for key, touches in found.items() if touches}


def contact_days(ids: Sequence[int], *, today: date, days: int) -> dict[int, list[date]]:
    """Return the days, of the last so many, on which we contacted these customers; calls nobody took do not count."""
    zone = company.zone()
    start = datetime.combine(today - timedelta(days=days), time(), zone)
    end = datetime.combine(today + timedelta(days=1), time(), zone)
    made = (
        Interaction.objects.filter(within(ids), at__gte=start, at__lt=end, direction=Direction.OUT)
        .filter(outcome__in=[Outcome.REACHED, Outcome.LEFT_MESSAGE])
        .values_list("customer_id", "at")
    )
    found: dict[int, set[date]] = defaultdict(set)
    for key, at in made:
        found[key].add(at.astimezone(zone).date())
    return {key: sorted(days_made) for key, days_made in found.items()}


def latest_alerts(ids: Sequence[int], *, rules: Sequence[str]) -> dict[int, dict[str, tuple[date, bool]]]:
    """Return for each customer and rule the last day it was seen, and whether any of its touches is still open."""
    found: dict[int, dict[str, tuple[date, bool]]] = defaultdict(dict)
    seen = Alert.objects.filter(within(ids), rule__in=rules).order_by("day")
    for key, rule, day, state in seen.values_list("customer_id", "rule", "day", "touch__state"):
        was_open = found[key].get(rule, (day, False))[1]
        found[key][rule] = (day, was_open or state == TouchState.OPEN)
    return found


def wished_keys(ids: Sequence[int], *, since: date) -> dict[int, list[str]]:
    """Return the keys of wishes that were wished for a day since `since`; older ones are refused by their key."""
    found: dict[int, list[str]] = defaultdict(list)
    wished = Touch.objects.filter(within(ids), due_on__gte=since)
    for key, wish in wished.values_list("customer_id", "key"):
        found[key].append(wish)
    return found


def people_of(ids: Sequence[int]) -> dict[int, list[Person]]:
    """Return the people at these customers, with what they have and what they have forbidden."""
    consents: dict[int, list[Mapping[str, object]]] = defaultdict(list)
    lines = Consent.objects.filter(within(ids, "contact__customer_id")).order_by("at", "id")
    for line in lines.values("contact_id", "purpose", "channel", "granted"):
        consents[line["contact_id"]].append(line)
    found: dict[int, list[Person]] = defaultdict(list)
    fields_read = ("id", "customer_id", "role", "preferred_channel", "left_on", "phone", "email")
    for key, customer, role, preferred, left_on, phone, email in Contact.objects.filter(within(ids)).values_list(
        *fields_read
    ):
        has = frozenset(name for name, value in (("phone", phone), ("email", email)) if value)
        refused = refused_channels(consents.get(key, ()))
        found[customer].append(Person(key, role, preferred, left_on, has, refused))
    return found
