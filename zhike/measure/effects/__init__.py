"""What a treatment drawn by lot did: its effect on a rate or a mean, and who responds to it.

Lots are what makes the difference of two groups an effect and not a selection: these figures say nothing about
groups that chose themselves, or were chosen.
"""

from zhike.measure.effects.differences import Effect, TooFew, effect, effects, lots
from zhike.measure.effects.ranking import Ranking, TwoAnswers, judge
from zhike.measure.effects.responding import by_class, by_two_models, unseen

__all__ = [
    "Effect",
    "Ranking",
    "TooFew",
    "TwoAnswers",
    "by_class",
    "by_two_models",
    "effect",
    "effects",
    "judge",
    "lots",
    "unseen",
]
