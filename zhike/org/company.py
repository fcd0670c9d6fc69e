"""The company of this installation: read often, so read cheaply."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from zhike.org.models import Company


def current() -> Company:
    """Return the company's row, making the unnamed one of a fresh installation when there is none yet."""
    company, _created = Company.objects.get_or_create(id=1, defaults={"name": ""})
    return company


def zone() -> ZoneInfo:
    return ZoneInfo(current().time_zone)


def today(now: datetime) -> date:
    """Return the day it is for the company at this moment."""
    return now.astimezone(zone()).date()
