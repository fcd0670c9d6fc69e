"""What a plan may say about measuring. The plan document holds these; the conductor passes them in."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0, le=1)]
Days = Annotated[int, Field(ge=1, le=3650)]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RfmSpec(Spec):
    """How recency, frequency and money are counted and scored 1 (worst) to 5 (best).

    `source` is what counts as an occasion: an order, or a day with usage. `window_days` limits frequency and money to
    the days before the turn; None counts all history. With `bounds` a score is 1 plus the number of bounds reached
    (for recency: of bounds not exceeded); without, scores are fifths of the customers.
    """

    source: Literal["orders", "usage"] = "orders"
    window_days: Days | None = None
    scores: Literal["quantile", "bounds"] = "quantile"
    recency_bounds: list[Annotated[int, Field(ge=0)]] = []
    frequency_bounds: list[Annotated[int, Field(ge=0)]] = []
    monetary_bounds: list[Annotated[Decimal, Field(ge=0)]] = []

    @model_validator(mode="after")
    def _four_rising_bounds(self) -> RfmSpec:
        if self.scores == "bounds":
            for name in ("recency_bounds", "frequency_bounds", "monetary_bounds"):
                bounds = getattr(self, name)
                if len(bounds) != 4 or sorted(set(bounds)) != bounds:
                    raise ValueError(f"{name} needs four rising numbers, for the scores 1 to 5")
        return self


class TierSpec(Spec):
    """One tier. A customer is in the first tier, from the top, whose share is not used up and whose rule holds.

    `revenue_up_to` is the cumulated share of revenue, customers ordered by revenue, at which the tier ends: 0.5 means
    the customers who together bring the first half. `where` is a rule tree over facts that must hold as well.
    """

    key: Key
    name: dict[Literal["zh", "en"], str]
    revenue_up_to: Share | None = None
    where: dict[str, Any] | None = None


class TiersSpec(Spec):
    """The tiers from the most valuable to the least; the last one takes everybody left."""

    revenue: Literal["revenue", "revenue_12m", "arr"] = "revenue"
    tiers: Annotated[list[TierSpec], Field(min_length=2, max_length=8)]


class LifecycleSpec(Spec):
    """Stages by age and movement (requirements B5). Lengths are days.

    A customer is in onboarding for the first `onboarding_days`; growing until `maturity_days` or while value still
    rises by more than `stable_within`; mature afterwards; declining when `decline_measure` has fallen by at least
    `decline_by` against the window before, over `decline_days`; churned `churn_after_days` after the last sign of life
    (`churn_by`: contract end, last order or last usage); won back when a churned customer returns, for
    `won_back_days`, then judged by age again.
    """

    onboarding_days: Days = 90
    maturity_days: Days = 365
    stable_within: Share = 0.3
    decline_measure: Literal["usage", "revenue"] = "usage"
    decline_days: Days = 180
    decline_by: Share = 0.3
    churn_by: Literal["subscription", "orders", "usage"] = "subscription"
    churn_after_days: Annotated[int, Field(ge=0, le=3650)] = 0
    won_back_days: Days = 90


HEALTH_PARTS = ("usage", "breadth", "relationship", "commercial", "feedback")


class HealthPart(Spec):
    """One part of the health score: a fact, scaled from `zero_at` (0 points) to `full_at` (all points)."""

    fact: str
    weight: Annotated[float, Field(gt=0, le=100)]
    zero_at: float
    full_at: float

    @model_validator(mode="after")
    def _has_a_slope(self) -> HealthPart:
        if self.zero_at == self.full_at:
            raise ValueError("zero_at and full_at must differ")
        return self


PartKey = Literal["usage", "breadth", "relationship", "commercial", "feedback"]
HealthParts = Annotated[dict[PartKey, HealthPart], Field(min_length=1)]


class HealthSegment(Spec):
    """Customers whose health is weighed in a way of its own: those whom the rule `where` finds.

    The rule may ask about everything that is known before health is, the company's own attributes included.
    """

    key: Key
    name: dict[Literal["zh", "en"], str] = {}
    where: dict[str, Any]
    parts: HealthParts


class HealthSpec(Spec):
    """Health 0–100: a weighted mean of parts. A part whose fact is unknown leaves its weight to the others.

    A customer is weighed by the first of the `segments` whose rule holds, and by `parts` when none does.
    """

    healthy_from: Annotated[float, Field(ge=0, le=100)] = 80
    warning_from: Annotated[float, Field(ge=0, le=100)] = 60
    parts: dict[PartKey, HealthPart]
    segments: Annotated[list[HealthSegment], Field(max_length=12)] = []

    @model_validator(mode="after")
    def _bands_in_order(self) -> HealthSpec:
        if self.warning_from >= self.healthy_from:
            raise ValueError("warning_from must lie below healthy_from")
        if not self.parts:
            raise ValueError("at least one part is needed")
        return self


class ValueSpec(Spec):
    """How customer value is counted: what is expected within the horizon, discounted to today.

    `discount` is per year (0.1 is ten per cent), `margin` the share of revenue that is left after what it costs to
    deliver, `times_cost` how many times the cost of winning a customer the value of the first tier should be.
    """

    horizon_months: Annotated[int, Field(ge=1, le=120)] = 36
    discount: Annotated[float, Field(gt=0, le=1)] = 0.1
    margin: Annotated[float, Field(gt=0, le=1)] = 1.0
    times_cost: Annotated[float, Field(gt=0, le=1000)] = 10.0


class ChurnSpec(Spec):
    """What leaving means, and how far ahead it is foretold.

    A customer has left when it has not ordered (`orders`) or not used the product (`usage`) for `days` days, or when no
    contract of it runs any more (`contract`; `days` says nothing then). The churn probability is that of leaving within
    the next `horizon_days` days.
    """

    by: Literal["orders", "usage", "contract"] = "contract"
    days: Days = 90
    horizon_days: Annotated[int, Field(ge=14, le=365)] = 60


class MeasureSpec(Spec):
    """Everything that one day's measuring needs from the plan."""

    rfm: RfmSpec = RfmSpec()
    tiers: TiersSpec
    lifecycle: LifecycleSpec = LifecycleSpec()
    health: HealthSpec
    login_events: list[str] = []
    value: ValueSpec = ValueSpec()
    churn: ChurnSpec | None = None
