"""The sentences of the checks of meaning, and the place each belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from zhike.decide.plans.rules.problems import Problem
from zhike.decide.plans.rules.source import Loc, Source, path_of
from zhike.kit.refusal import gettext_noop as _
from zhike.kit.ruletrees import RuleError


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong at a place of the document."""

    loc: Loc
    message: str
    details: Mapping[str, object] = field(default_factory=dict)
    path: str = ""

    def located(self, source: Source) -> Problem:
        """Return the problem with its line and column."""
        path = self.path or path_of(self.loc)
        places = {path_of(loc): loc for loc in source.values}
        loc = next((places[start] for start in _starts(path) if start in places), self.loc)
        about_name = isinstance(source.at(loc), dict | list)
        line, column = source.key_place(loc) if about_name else source.place(loc)
        return Problem(line, column, path, self.message, {"path": path, **self.details})


def of_rule(loc: Loc, error: RuleError) -> Finding:
    """Return what the reader of a rule tree complains about; its path goes on inside the tree."""
    return Finding(loc, str(error.message), error.details, path=error.path)


def _starts(path: str) -> list[str]:
    """Return the path and its beginnings, the longest first."""
    return [path, *(path[:index] for index in range(len(path) - 1, 0, -1) if path[index] in ".[")]


NEVER_TRUE = _("%(path)s: this can never be true: no customer has such a %(field)s.")
UNKNOWN_FACT = _("%(path)s: there is no fact %(fact)s.")
MISSPELT_FACT = _("%(path)s: there is no fact %(fact)s; did you mean %(suggestion)s?")
FACT_IS_NO_NUMBER = _("%(path)s: the fact %(fact)s is not a number, so it gives no points.")
FACT_COMES_LATER = _("%(path)s: the fact %(fact)s is itself made from health or tiers, so health cannot build on it.")
KEY_TWICE = _("%(path)s: the key %(key)s is taken by an earlier entry; give each its own.")
TIER_WITHOUT_NAME = _("%(path)s: a name in zh or en is needed.")
SHARE_DOES_NOT_RISE = _(
    "%(path)s: %(share)s does not rise above the %(before)s of the tiers before; shares are cumulated."
)
LAST_TIER_CHOOSES = _("%(path)s: the last tier takes everybody left, so it has no rule and no share below 1.")
TIER_TAKES_ALL = _(
    "%(path)s: %(tier)s has neither a rule nor a share below 1, so it takes everybody "
    "and the tiers after it stay empty."
)
NO_SUCH_TIER = _("%(path)s: there is no tier %(tier)s; the tiers are %(allowed)s.")
TIER_WITHOUT_CADENCE = _("%(path)s: the tier %(tier)s has no cadence; say under cadence how often it is contacted.")
NO_PLACEHOLDER = _("%(path)s: {%(name)s} names nothing that a touch knows; allowed are %(allowed)s.")
MORE_THAN_ALLOWED = _(
    "%(path)s: the cadence alone asks for %(asked)d touches in %(days)d days, more than the %(touches)d allowed."
)
MATURE_TOO_EARLY = _("%(path)s: growth would end after %(maturity)d days, before onboarding ends after %(onboarding)d.")
CHURNS_AT_ONCE = _("%(path)s: with churn_by: %(by)s at least 1 day is needed, or everybody is churned at once.")
CHURNED_BEFORE = _(
    "%(path)s: this alert can never be raised: after %(churn)d silent days a customer counts as churned, "
    "before the %(days)d days here."
)
NO_RENEWALS = _("%(path)s: this alert can never be raised: with churn_by: %(by)s customers have no contracts to renew.")
NO_CHURN_SCORE = _("%(path)s: this alert can never be raised: no churn section of the plan says what leaving means.")
AFTER_ONBOARDING = _("%(path)s: this step lies on day %(day)d, after onboarding ends on day %(end)d.")
BOTH_FREE_AND_WORKED = _("%(path)s: %(day)s stands among the holidays as well; a day is either free or worked.")
STEP_AFTER_GOAL = _("%(path)s: this step is due on %(day)s, after the goal itself on %(end)s.")
GOAL_IS_REACHED = _("%(path)s: target and baseline are both %(target)s, so there is nothing to reach.")
