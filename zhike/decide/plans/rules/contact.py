"""The parts of the plan that act reads: whom to contact how often, on which channel, with what, and on which sign."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from zhike.decide.plans.rules.wording import Channel, Days, Key, Minutes, Name, PartOf, Section, Text

PERIOD_DAYS: dict[str, int] = {"month": 30, "quarter": 91, "half_year": 182, "year": 365}
"""Days of each period when touches are spread over it."""


PLACEHOLDERS = frozenset(
    {
        "customer",
        "contact",
        "owner",
        "company",
        "tier",
        "industry",
        "health",
        "health_before",
        "days_silent",
        "last_touch",
        "usage_change",
        "usage",
        "usage_before",
        "contract_end",
        "days_to_renewal",
        "seats",
        "features",
    }
)
"""What words of the plan may name in braces; a touch puts the customer's figures in their place."""


class Content(Section):
    """What a touch is about: a title, and words that may be said or sent as they are, such as `您好 {contact}`."""

    title: Text
    words: Text | None = None


class Limit(Section):
    """At most so many touches of one customer within so many days, whatever the reason."""

    touches: Annotated[int, Field(ge=1, le=100)]
    days: Days


class ChannelPolicy(Section):
    """Which channel a touch takes: the contact's preferred one when there is one, then these in order."""

    preferred_first: bool = True
    fallbacks: Annotated[list[Channel], Field(min_length=1)] = ["phone", "email"]
    tiers: dict[Key, Annotated[list[Channel], Field(min_length=1)]] = {}

    def order(self, tier: str | None, preferred: str = "", asked: str | None = None) -> list[str]:
        """Return the channels to try, best first.

        `asked` is the channel that the wish itself names, `preferred` the contact's own.
        """
        own = [preferred] if preferred and self.preferred_first else []
        wished = [asked] if asked else []
        listed = [*own, *wished, *self.tiers.get(tier or "", []), *self.fallbacks]
        return list(dict.fromkeys(listed))


class Cadence(Section):
    """How often the customers of one tier are contacted, and with what.

    Either `every_days`, or `times` within `per`. The contents are taken in turn. `at_most` is the upper limit for all
    touches of a customer together; an urgent alert does not wait for it, but counts.
    """

    every_days: Days | None = None
    times: Annotated[int, Field(ge=1, le=31)] | None = None
    per: Literal["month", "quarter", "half_year", "year"] | None = None
    at_most: Limit | None = None
    channel: Channel | None = None
    minutes: Minutes = 20
    contents: Annotated[list[Content], Field(min_length=1, max_length=24)]

    @model_validator(mode="after")
    def _one_rhythm(self) -> Cadence:
        counted = self.times is not None and self.per is not None
        half = (self.times is None) != (self.per is None)
        if half or counted == (self.every_days is not None):
            raise ValueError("either every_days, or times with per")
        return self

    @property
    def days(self) -> int:
        """Days from one touch to the next, rounded down so that the promised number is kept."""
        if self.every_days is not None:
            return self.every_days
        return max(1, PERIOD_DAYS[self.per or "year"] // (self.times or 1))


class HealthDrop(Section):
    """Health fell by at least so many points within so many days (85 → 50 is 35 points)."""

    points: Annotated[float, Field(gt=0, le=100)]
    within_days: Annotated[int, Field(ge=1, le=365)] = 30


class Silence(Section):
    """No usage, no contact, or no order for so many days."""

    days: Days
    of: Literal["usage", "contact", "orders"] = "usage"


class UsageDrop(Section):
    """Usage in a window is lower than in the window before it by at least this share."""

    share: PartOf
    window_days: Literal[30, 90] = 30


class LoginsDrop(Section):
    """Log-ins a week are lower than so many days ago by at least this share."""

    share: PartOf
    within_days: Annotated[int, Field(ge=7, le=365)] = 90


class RenewalDue(Section):
    """The contract ends within so many days; contracts that run for less than `contracts_from_days` do not count."""

    days: Days
    contracts_from_days: Annotated[int, Field(ge=0, le=3660)] = 0


class ChurnLikely(Section):
    """The churn probability of the night is at least this; the reason names what raises it most."""

    probability: Annotated[float, Field(gt=0, lt=1)]


SIGNS = ("health_drop", "silence", "usage_drop", "logins_drop", "renewal_due", "churn_likely", "rule")


class Sign(Section):
    """The sign that raises an alert: exactly one of the built-in ones, or a rule over facts."""

    health_drop: HealthDrop | None = None
    silence: Silence | None = None
    usage_drop: UsageDrop | None = None
    logins_drop: LoginsDrop | None = None
    renewal_due: RenewalDue | None = None
    churn_likely: ChurnLikely | None = None
    rule: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Sign:
        if sum(getattr(self, kind) is not None for kind in SIGNS) != 1:
            raise ValueError("exactly one sign is needed")
        return self

    @property
    def kind(self) -> str:
        """The name of the sign that is given."""
        return next(kind for kind in SIGNS if getattr(self, kind) is not None)


class Alert(Section):
    """A warning sign that the owner is told of, with the touch that answers it.

    `urgency` 1 waits for a quiet hour, 3 is for today. `again_after_days`: the same customer is not alerted for the
    same rule within these days.
    """

    name: Name
    when: Sign
    tiers: list[Key] = []
    urgency: Literal[1, 2, 3] = 2
    minutes: Minutes = 20
    within_workdays: Annotated[int, Field(ge=0, le=60)] = 1
    again_after_days: Days = 30
    channel: Channel | None = None
    content: Content


class OnboardingStep(Section):
    """One touch of the first weeks, so many days or workdays after the customer joined."""

    key: Key
    after_days: Annotated[int, Field(ge=0, le=365)] | None = None
    after_workdays: Annotated[int, Field(ge=0, le=250)] | None = None
    urgency: Literal[1, 2, 3] = 2
    minutes: Minutes = 20
    channel: Channel | None = None
    content: Content
    by_industry: dict[str, Content] = {}

    @model_validator(mode="after")
    def _one_offset(self) -> OnboardingStep:
        if (self.after_days is None) == (self.after_workdays is None):
            raise ValueError("either after_days or after_workdays")
        return self

    @property
    def latest_day(self) -> int:
        """Calendar days after joining by which the step lies at the latest in ordinary weeks."""
        if self.after_days is not None:
            return self.after_days
        return -(-(self.after_workdays or 0) * 7 // 5)

    def content_for(self, industry: str) -> Content:
        return self.by_industry.get(industry, self.content)
