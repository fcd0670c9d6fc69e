"""Jobs of measuring: listening to what customers say, and learning from what colleagues make of it."""

from django.utils.timezone import now

from zhike.measure.voice import learning, listening, problems
from zhike.measure.voice.models import Aspect
from zhike.org.jobs import job


@job("voice.listen", every="*/2 * * * *", queueing_lock="voice.listen", lock="voice.listen")
def listen(timestamp: int) -> None:
    """Read what was said since; the problems of many are put together anew when there is something new."""
    if listening.listen():
        problems.find(now=now())


@job("voice.learn")
def learn(aspect: str) -> None:
    """Learn an aspect from what colleagues said and judge texts anew by it. May run twice."""
    at = now()
    one = Aspect(aspect)
    if learning.learn(one, now=at) is not None:
        listening.judge_anew(one, now=at)
        problems.find(now=at)


@job("voice.nightly", every="40 18 * * *", queueing_lock="voice.nightly")
def nightly(timestamp: int) -> None:
    """Once a night read what came in late, learn from every label, and put the problems of many together."""
    listening.listen(everything=True)
    for aspect in Aspect:
        learn(aspect)
    problems.find(now=now())
