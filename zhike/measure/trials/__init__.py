"""Drafts of the health score tried on the past: how well they would have told who was lost, and how early.

Scores are computed from the facts as they were kept on each past day, and from nothing that was learned later; who was
lost is told by the days kept afterwards.
"""

from zhike.measure.trials.figures import Figure, Judged
from zhike.measure.trials.trying import (
    HORIZON,
    LEAST_HORIZON,
    MOST_HORIZON,
    NothingToTry,
    Outcome,
    Tried,
    plain,
    try_health,
)

__all__ = [
    "HORIZON",
    "LEAST_HORIZON",
    "MOST_HORIZON",
    "Figure",
    "Judged",
    "NothingToTry",
    "Outcome",
    "Tried",
    "plain",
    "try_health",
]
