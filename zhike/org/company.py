"""The company of this installation: read often, so read cheaply."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from zhike.org.models import Company
from zhike.org.once import once
from zhike.org.prepared import Prepared


def current() -> Company:
    """Return the company's row, making the unnamed one of a fresh installation when there is none yet."""
    return once("company", _current)


def _current() -> Company:
    return _COMPANY.first() or Company.objects.get_or_create(id=1, defaults={"name": ""})[0]


_COMPANY: Prepared[Company] = Prepared(lambda _viewer: Company.objects.filter(id=1))


def zone() -> ZoneInfo:
    return ZoneInfo(current().time_zone)


def today(now: datetime) -> date:
    """Return the day it is for the company at this moment."""
    return now.astimezone(zone()).date()
