"""The demo company from nothing to a morning on which everybody has something to do."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from django.conf import settings
from numpy.random import default_rng

from zhike.demo import answers, bringing, files, opening, story
from zhike.demo.book import Size
from zhike.demo.opening import SignIn
from zhike.demo.working import Weeks
from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.measure.voice import listening
from zhike.org import company
from zhike.org.models import Staff
from zhike.record.customers.models import Customer
from zhike.web import setting_up

HISTORY_WEEKS = 26  # Of facts kept before the last day, so that trends have something to show.
Say = Callable[[str], None]


class HasRealData(Refusal):
    message = _(
        "This data folder belongs to %(name)s. The demo fills empty data folders only; choose another ZHIKE_HOME."
    )


@dataclass(frozen=True)
class Built:
    """What building did: the sign-ins worth showing, none when the company was there already."""

    size: Size
    sign_ins: list[SignIn]


def folder() -> Path:
    """Return where the files of the simulated company lie, its hidden truth among them."""
    return Path(settings.HOME) / "demo"


def is_there() -> bool:
    """Say whether the whole demo company stands in this data folder."""
    return (folder() / "complete").exists() and company.current().is_demo


def check_room() -> None:
    """Raise HasRealData when somebody's own company lives in this data folder."""
    ours = company.current()
    if not ours.is_demo and (ours.name or Customer.objects.exists()):
        raise HasRealData(name=ours.name or "somebody")


def _begun() -> Size | None:
    """Return the size of the company that an earlier attempt began, or None."""
    note = folder() / "company.json"
    if not note.exists():
        return None
    found = json.loads(note.read_text(encoding="utf-8"))
    return Size(found["customers"], found["months"], found["seed"], date.fromisoformat(found["until"]))


def build(size: Size, *, now: datetime, say: Say) -> Built:
    """Fill the data folder with a simulated company whose history ends with `size.until`, the day before today.

    Something half-built by an interrupted attempt is completed with the size and days of that attempt. Raises
    HasRealData. The last turn is for the day after the history.
    """
    setting_up.prepare(now=now, email=story.COLLEAGUES[0].email)
    check_room()
    size = _begun() or size
    if is_there():
        return Built(size, [])
    today = size.until + timedelta(days=1)
    zone = company.zone()
    weeks = min(HISTORY_WEEKS, size.days // 7 - 5)
    days = [today - timedelta(days=7 * back) for back in range(weeks, -1, -1)]
    arrived = datetime.combine(days[0] - timedelta(days=1), datetime.min.time(), zone) + timedelta(hours=20)
    sign_ins = opening.open_company(size, now=now)
    say(f"{opening.NAME}: {len(story.COLLEAGUES)} colleagues in {len(story.TEAMS)} teams")
    if not (folder() / "company.json").exists():
        files.write(folder(), size, say)
    by = Staff.objects.get(email=story.COLLEAGUES[0].email)
    bringing.bring_all_in(folder(), by=by, now=arrived, say=say)
    say(f"surveys: {answers.bring_in(folder() / 'surveys.csv', zone):,}")
    say(f"texts read: {listening.listen():,}")
    planned_from = today - timedelta(days=files.PLANNED_DAYS)
    random = default_rng(size.seed)
    weeks_of = Weeks(
        folder(), by=by, random=random, zone=zone, arrived=arrived.date(), planned_from=planned_from, now=now
    )
    weeks_of.live_through(days, say)
    (folder() / "complete").touch()
    _keep(sign_ins)
    return Built(size, sign_ins)


def _keep(sign_ins: list[SignIn]) -> None:
    """Note the first passwords beside the demo's files, for the owner's eyes; `zhike run` shows one that still fits."""
    path = settings.HOME / setting_up.DEMO_SIGN_INS
    path.touch(mode=0o600)
    path.write_text("".join(f"{one.email}\t{one.password}\n" for one in sign_ins), encoding="utf-8")
