"""Plans for tests: a small right one, and a way to change one line of it."""

from zhike.decide.plans.rules import Known
from zhike.measure import facts

KNOWN = Known(facts.fact_fields(), for_tiers=facts.TIER_INPUTS, for_health=facts.HEALTH_INPUTS)

SMALL = """\
name: Small plan
company_kind: saas
goals:
  - key: keep
    name: { zh: 留住客户, en: Keep customers }
    kpi: retention_year
    target: 0.8
    by: 2026-12-31
tiers:
  revenue: revenue
  tiers:
    - key: core
      name: { zh: 核心, en: Core }
      revenue_up_to: 0.5
      where:
        logins_per_week: { at_least: 3 }
    - key: general
      name: { zh: 一般, en: Standard }
lifecycle:
  onboarding_days: 90
  maturity_days: 365
health:
  healthy_from: 80
  warning_from: 60
  parts:
    usage: { fact: active_days_30d, weight: 60, zero_at: 0, full_at: 20 }
    feedback: { fact: last_nps, weight: 40, zero_at: 4, full_at: 9 }
segments:
  - key: risky
    name: High risk
    rule: { health: { below: 60 } }
cadence:
  core:
    times: 2
    per: month
    at_most: { touches: 4, days: 30 }
    contents:
      - title: Strategy talk
  general:
    every_days: 365
    contents:
      - title: Greetings
alerts:
  silent:
    name: Silent
    when: { silence: { days: 30 } }
    content: { title: Call }
onboarding:
  - key: welcome
    after_days: 0
    content: { title: Welcome }
  - key: call
    after_workdays: 1
    content: { title: First call }
"""


def line_of(text: str, part: str) -> int:
    """Return the number of the first line that holds a part."""
    return text[: text.index(part)].count("\n") + 1


def changed(old: str, new: str, *, text: str = SMALL) -> str:
    """Return the plan with one place changed; fails when the place is not there."""
    assert old in text, old
    return text.replace(old, new, 1)
