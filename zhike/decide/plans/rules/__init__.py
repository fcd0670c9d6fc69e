"""The plan document: what it may say, and how a text becomes a plan or a list of what is wrong, line by line."""

from zhike.decide.plans.rules.checking import Known, contradictions, rule_trees
from zhike.decide.plans.rules.contact import (
    Alert,
    Cadence,
    ChannelPolicy,
    Content,
    Limit,
    OnboardingStep,
    Sign,
)
from zhike.decide.plans.rules.differing import Difference, differences
from zhike.decide.plans.rules.problems import PlanErrors, Problem
from zhike.decide.plans.rules.schema import (
    CalendarSpec,
    Document,
    Goal,
    KpiTarget,
    Plan,
    PlanSegment,
    Review,
    numbered,
)
from zhike.decide.plans.rules.source import MAX_BYTES, read_source
from zhike.decide.plans.rules.structure import typed
from zhike.decide.plans.rules.wording import CHANNELS, Text, best_words

__all__ = [
    "CHANNELS",
    "MAX_BYTES",
    "Alert",
    "Cadence",
    "CalendarSpec",
    "ChannelPolicy",
    "Content",
    "Difference",
    "Document",
    "Goal",
    "Known",
    "KpiTarget",
    "Limit",
    "OnboardingStep",
    "Plan",
    "PlanErrors",
    "PlanSegment",
    "Problem",
    "Review",
    "Sign",
    "Text",
    "best_words",
    "differences",
    "read",
    "read_checked",
    "rule_trees",
]


def read(text: str, known: Known, *, number: int = 0) -> Plan:
    """Read a plan from its YAML text; `number` is the version it is read as.

    Raises PlanErrors with the line and column of everything that is wrong.
    """
    source = read_source(text)
    document = typed(source)
    problems = [finding.located(source) for finding in contradictions(document, known)]
    if problems:
        raise PlanErrors(problems)
    return numbered(document, number)


def read_checked(text: str, *, number: int) -> Plan:
    """Read a text that passed `read` before: what its rules ask about may have gone since, and is not asked again."""
    return numbered(typed(read_source(text)), number)
