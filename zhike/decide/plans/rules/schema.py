"""The plan as one typed document (requirements D1)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from zhike.decide.plans.rules.contact import Alert, Cadence, ChannelPolicy, OnboardingStep
from zhike.decide.plans.rules.wording import Key, Name, PartOf, Section, Text, best_words
from zhike.kit.calendars import WorkCalendar, work_calendar
from zhike.measure.specs import ChurnSpec, HealthSpec, LifecycleSpec, MeasureSpec, RfmSpec, TiersSpec, ValueSpec

KpiKey = Literal["retention_month", "retention_year", "nps", "csat", "clv_growth", "core_value", "complaints_solved"]
MonthDay = Annotated[int, Field(ge=1, le=28)]


class CalendarSpec(Section):
    """Which days are worked: the Chinese official calendar or Monday to Friday, and the company's own exceptions."""

    kind: Literal["china", "weekdays"] = "china"
    holidays: list[date] = []
    workdays: list[date] = []

    def days(self) -> WorkCalendar:
        return work_calendar(chinese=self.kind == "china", holidays=self.holidays, workdays=self.workdays)


class GoalStep(Section):
    name: Text
    by: date


class Goal(Section):
    """A quantified goal. With `kpi` its progress is measured; `baseline` and `target` are in the unit of that KPI."""

    key: Key
    name: Name
    kpi: KpiKey | None = None
    term: Literal["short", "long"] = "short"
    owner: str = ""
    unit: Annotated[str, Field(max_length=20)] = ""
    baseline: float | None = None
    target: float
    by: date
    steps: list[GoalStep] = []


class KpiTarget(Section):
    """What a KPI should reach: shares from 0 to 1, NPS in points from −100 to 100, core_value in times the cost."""

    target: Annotated[float, Field(ge=-100, le=100)]
    warn_below: Annotated[float, Field(ge=-100, le=100)] | None = None
    owner: str = ""


class PlanSegment(Section):
    """A group of customers by a rule over facts; everybody sees it as a view of the customer list."""

    key: Key
    name: Name
    rule: dict[str, Any]
    sort: Annotated[str, Field(pattern=r"^-?[a-z][a-z0-9_]*$", max_length=40)] = ""


class Standard(Section):
    """A service standard of one touchpoint."""

    key: Key
    name: Name
    tiers: list[Key] = []
    respond_minutes: Annotated[int, Field(ge=1, le=43_200)] | None = None
    resolve_hours: Annotated[int, Field(ge=1, le=8_760)] | None = None
    follow_up_hours: Annotated[int, Field(ge=1, le=8_760)] | None = None
    share: PartOf | None = None
    responsible: str = ""
    checklist: list[Text] = []


class Play(Section):
    """A play: for whom, and the steps in words."""

    key: Key
    name: Name
    when: dict[str, Any] | None = None
    steps: Annotated[list[Text], Field(min_length=1)]


class Incentive(Section):
    """Something that a customer can earn or is given."""

    key: Key
    name: Name
    tiers: list[Key] = []
    points: Annotated[int, Field(ge=0, le=100_000_000)] | None = None


class Review(Section):
    """When the plan is reviewed: the day of the month after a month, a quarter, a year."""

    monthly: MonthDay | None = None
    quarterly: MonthDay | None = None
    yearly: MonthDay | None = None


class Document(Section):
    """A plan as it is written."""

    name: Name
    company_kind: Literal["saas", "ecommerce", "retail", "hotel", "cars", "services", "other"]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    goals: list[Goal] = []
    calendar: CalendarSpec = CalendarSpec()
    rfm: RfmSpec = RfmSpec()
    tiers: TiersSpec
    lifecycle: LifecycleSpec = LifecycleSpec()
    health: HealthSpec
    login_events: list[Annotated[str, Field(min_length=1, max_length=100)]] = []
    value: ValueSpec = ValueSpec()
    churn: ChurnSpec | None = None
    segments: list[PlanSegment] = []
    channels: ChannelPolicy = ChannelPolicy()
    cadence: dict[Key, Cadence]
    alerts: dict[Key, Alert] = {}
    onboarding: list[OnboardingStep] = []
    standards: list[Standard] = []
    plays: list[Play] = []
    incentives: list[Incentive] = []
    kpis: dict[KpiKey, KpiTarget] = {}
    review: Review = Review()

    @property
    def measure(self) -> MeasureSpec:
        """What measuring needs from the plan."""
        return MeasureSpec(
            rfm=self.rfm,
            tiers=self.tiers,
            lifecycle=self.lifecycle,
            health=self.health,
            login_events=self.login_events,
            value=self.value,
            churn=self.churn,
        )

    def tier_name(self, key: str, language: str) -> str:
        """Return the name of a tier, or its key for a tier that this plan does not have."""
        return next((best_words(tier.name, language) for tier in self.tiers.tiers if tier.key == key), "") or key

    def tier_rank(self, key: str) -> int:
        """Return 1 for the most valuable tier; a tier that this plan does not have comes after the last."""
        keys = [tier.key for tier in self.tiers.tiers]
        return keys.index(key) + 1 if key in keys else len(keys) + 1

    def cadence_of(self, tier: str | None) -> Cadence | None:
        return self.cadence.get(tier or "")


class Plan(Document):
    """A plan that passed every check. `number` is its version, 0 while it has none."""

    number: int = 0


def numbered(document: Document, number: int) -> Plan:
    """Return a checked document as the plan of this version."""
    return Plan.model_construct(**{name: getattr(document, name) for name in Document.model_fields}, number=number)
