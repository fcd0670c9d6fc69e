"""How the loop stands: a handful of figures for the navigation of every page, asked as cheaply as they are often."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.core.cache import cache

from zhike.act.engagement.queries import load_of
from zhike.decide.plans.models import PlanState, PlanVersion
from zhike.measure.models import FactsDay, FactsSummary
from zhike.org.models import Staff
from zhike.record.customers.models import Contact, Customer

COUNTED_TO = 10_000
REMEMBERED = 60  # Seconds; none of the remembered figures changes what anybody may do.
SAMPLE = 500


@dataclass(frozen=True, slots=True)
class Company:
    """What is the same for everybody. `completeness` is a share of 0 to 1, None without customers."""

    measured_at: datetime | None
    plan: int | None
    draft: int | None
    completeness: float | None
    has_subscriptions: bool


@dataclass(frozen=True, slots=True)
class Mine:
    """What concerns one person: touches due today (at most DUE_TO + 1), made this week, customers in view (at most
    COUNTED_TO + 1).
    """

    due: int
    made: int
    capacity: int
    customers: int


def company_status() -> Company:
    found: Company | None = cache.get("shell:company")
    if found is None:
        found = _company_status()
        cache.set("shell:company", found, REMEMBERED)
    return found


def _company_status() -> Company:
    plans = PlanVersion.objects.filter(state__in=[PlanState.IN_FORCE, PlanState.DRAFT]).order_by("number")
    numbers = dict(plans.values_list("state", "number"))
    day = FactsDay.objects.order_by("-day").values_list("computed_at", flat=True).first()
    paid = FactsSummary.objects.filter(mrr__gt=0).exists()
    return Company(day, numbers.get(PlanState.IN_FORCE), numbers.get(PlanState.DRAFT), completeness(), paid)


def completeness() -> float | None:
    """Return how complete the newest customers' records are: industry, region, owner, and somebody to talk to."""
    sample = list(Customer.objects.order_by("-id").values_list("id", "industry", "region", "owner_id")[:SAMPLE])
    if not sample:
        return None
    # Asked for together with the customers, the database would look through all contacts there are.
    contacts = Contact.objects.filter(customer__in=[key for key, *_known in sample], left_on=None)
    known = sum(bool(value) for _key, *values in sample for value in values)
    return (known + contacts.order_by().values("customer").distinct().count()) / (4 * len(sample))


def status_of(staff: Staff, today: date, week_began: datetime) -> Mine:
    """Return a person's figures: two counts of touches now, and the customers as they were a minute ago."""
    load = load_of(staff, today, week_began)
    return Mine(load.due, load.made, staff.weekly_touches, _customers(staff))


def _customers(staff: Staff) -> int:
    key = f"shell:customers:{staff.pk}"
    found: int | None = cache.get(key)
    if found is None:
        # A count without a bound reads the whole table; what lies past the bound is shown as “10,000+”.
        found = Customer.objects.visible_to(staff)[: COUNTED_TO + 1].count()
        cache.set(key, found, REMEMBERED)
    return found


def week_start(today: date) -> date:
    return today - timedelta(days=today.weekday())
