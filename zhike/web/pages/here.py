"""The company, the moment and the day of a request, read once."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.utils.timezone import now

from zhike.org import company
from zhike.org.models import Company


@dataclass(frozen=True, slots=True)
class Here:
    firm: Company
    now: datetime

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.firm.time_zone)

    @property
    def today(self) -> date:
        """The day it is for the company."""
        return self.now.astimezone(self.zone).date()


def here(request: HttpRequest) -> Here:
    """Return where and when this request is answered; pages and the shell around them agree on it."""
    found: Here | None = getattr(request, "here", None)
    if found is None:
        found = Here(company.current(), now())
        request.here = found  # type: ignore[attr-defined]  # Read again by the shell.
    return found
