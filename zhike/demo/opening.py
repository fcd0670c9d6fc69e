"""The company itself: its name, teams, colleagues with their sign-ins, and what foreign money is worth."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from zhike.demo import story, vocabulary
from zhike.demo.book import Size
from zhike.org import company, operations
from zhike.org.models import ExchangeRate, Role, Staff, Team

NAME = "云舟科技"
SHOWN = ("admin", "shen.ruolan", "lin.zhixia")


@dataclass(frozen=True)
class SignIn:
    """A first password. That of an invented company may lie in its data folder, for whoever starts it again."""

    name: str
    email: str
    password: str


def open_company(size: Size, *, now: datetime) -> list[SignIn]:
    """Make the company of a prepared data folder the simulated one and return the sign-ins worth showing.

    Where an earlier attempt was interrupted, it is carried on.
    """
    ours = company.current()
    operations.set_up_company(
        name=NAME, currency="CNY", language=ours.language, time_zone=ours.time_zone, is_demo=True, now=now
    )
    operations.change_company(by=Staff.objects.get(email=story.COLLEAGUES[0].email), now=now, seal="云")
    for name in story.TEAMS:
        operations.add_team(name, by=None, now=now)
    signed = [_hire(one, now) for one in story.COLLEAGUES]
    for currency, rate in vocabulary.RATES.items():
        ExchangeRate.objects.get_or_create(
            currency=currency, from_day=size.day(-3650), defaults={"rate": Decimal(str(rate))}
        )
    return [signed[number] for number, one in enumerate(story.COLLEAGUES) if one.key in SHOWN]


def _hire(one: story.Colleague, now: datetime) -> SignIn:
    found = Staff.objects.filter(email=one.email).first()
    team = Team.objects.get(name=one.team) if one.team else None
    if found is None:
        role = Role.objects.get(key=one.role)
        _staff, password = operations.add_staff(email=one.email, name=one.name, role=role, team=team, by=None, now=now)
        return SignIn(one.name, one.email, password)
    if found.name != one.name:
        operations.change_staff(found, by=found, now=now, name=one.name)
    return SignIn(one.name, one.email, operations.give_new_password(found, by=None, now=now))
