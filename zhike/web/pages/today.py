"""Today: the queue of what to do now, beside one's own figures."""

from datetime import date
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode
from django.utils.translation import gettext, gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from zhike.act.engagement import queries as engagement
from zhike.act.engagement.queries import Capacity, Queue
from zhike.act.engagement.queries.queue import duration
from zhike.org.middleware import StaffRequest
from zhike.org.models import Staff
from zhike.org.principals import Principal
from zhike.org.roles import Permission
from zhike.record.customers.models import Customer
from zhike.ui import words
from zhike.web.pages.goals import drawn_goals
from zhike.web.pages.here import Here, here
from zhike.web.queries import status
from zhike.web.queries.goals import book_of
from zhike.web.queries.news import touches_changed
from zhike.web.queries.onbehalf import OnBehalf, colleagues_of

BAR_PIXELS = 7  # The style sheet draws the line of the capacity at this many pixels a touch.
TALLEST = 70
WEEKDAYS = (
    gettext_lazy("Mon"),
    gettext_lazy("Tue"),
    gettext_lazy("Wed"),
    gettext_lazy("Thu"),
    gettext_lazy("Fri"),
    gettext_lazy("Sat"),
    gettext_lazy("Sun"),
)


def home(request: StaffRequest) -> HttpResponse:
    """Lead to where the work is."""
    return redirect("today" if request.staff.may(Permission.WORK_TOUCHES) else "customers")


@require_safe
def today(request: StaffRequest) -> HttpResponse:
    place = here(request)
    day = place.today
    colleagues = colleagues_of(request.staff)
    whose = _whose(request, colleagues)
    given = {name: request.GET.get(name, "").replace("\0", "") for name in ("kind", "after", "open")}
    opened = int(given["open"]) if given["open"].isdigit() and len(given["open"]) < 19 else None
    principal = _principal(request.staff, whose)
    queue = engagement.today_queue(principal, day, kind=given["kind"][:20], after=given["after"][:60], opened=opened)
    context = {
        "queue": queue,
        # Translators: a day with its weekday, in the order of the language.
        "day": gettext("%(weekday)s %(day)s") % {"weekday": _weekday(day), "day": words.date_text(day, day)},
        "week": gettext("week %(number)s") % {"number": day.isocalendar().week},
        "colleagues": colleagues,
        "whose": whose,
        "first_use": _first_use(request.staff) if not queue.all else None,
        "news_url": f"{reverse('today-news')}?{urlencode([('since', place.now.isoformat()), ('of', whose.pk)])}",
        **_rail(principal, whose, place, queue),
    }
    return render(request, "web/today.html", context)


@require_safe
def news(request: StaffRequest) -> HttpResponse:
    """Say how many touches others, or the turn, have changed since the page was read; nothing is an empty answer."""
    whose = _whose(request, colleagues_of(request.staff))
    since = parse_datetime(request.GET.get("since", ""))
    if since is None or since.tzinfo is None:
        raise Http404
    count = touches_changed(whose, since=since, reader=request.staff)
    if not count:
        return HttpResponse(status=204)
    said = ngettext("%(count)s touch updated", "%(count)s touches updated", count) % {"count": words.plain(count)}
    return render(request, "web/today.html#news", {"news": said, "news_url": request.get_full_path(), "whose": whose})


def _whose(request: StaffRequest, colleagues: list[Staff]) -> Staff:
    """Return whose queue is asked for; somebody whose work this reader may not see is as good as nobody."""
    asked = request.GET.get("of", "")
    if not asked or asked == str(request.staff.pk):
        return request.staff
    found = next((one for one in colleagues if str(one.pk) == asked), None)
    if found is None:
        raise Http404
    return found


def _principal(reader: Staff, whose: Staff) -> Principal:
    return reader if whose == reader else OnBehalf(reader, whose)


def _weekday(day: date) -> str:
    return str(WEEKDAYS[day.weekday()])


def _rail(principal: Principal, whose: Staff, place: Here, queue: Queue) -> dict[str, Any]:
    book = book_of(principal, whose.weekly_touches)
    capacity = engagement.capacity(principal, book.weekly, place.today)
    return {
        "goals": drawn_goals(book, place),
        "is_shared": book.is_shared,
        "capacity": _week(capacity),
        "room": _room(capacity),
        "available": _available(queue, capacity),
    }


def _available(queue: Queue, capacity: Capacity) -> str:
    """Say how much of the queue a day has room for: its touches at the length that those of the queue have."""
    count = sum(section.count for section in queue.sections)
    if not count:
        return ""
    each = sum(section.minutes for section in queue.sections) / count
    return gettext("a day has room for about %(time)s") % {"time": duration(round(each * capacity.daily))}


def _week(capacity: Capacity) -> dict[str, Any]:
    """Return the bars of the week; a tall week is scaled down so that the capacity stays in the picture."""
    most = max([each.done + each.planned for each in capacity.days] + [capacity.daily, 1])
    scale = min(1.0, TALLEST / BAR_PIXELS / most)
    bars = [
        {
            "name": gettext("today") if each.is_today else _weekday(each.day),
            "count": str(each.done + each.planned),
            "done": _pixels(each.done * scale),
            "planned": _pixels(each.planned * scale),
            "is_today": each.is_today,
        }
        for each in capacity.days
    ]
    said = ", ".join(f"{bar['name']} {bar['count']}" for bar in bars)
    return {
        "bars": bars,
        "cap": str(round(capacity.daily * scale, 1)),
        "daily": gettext("%(count)s a day") % {"count": words.plain(capacity.daily)},
        "said": gettext("Touches per day: %(days)s") % {"days": said},
        "sum": gettext("%(sum)s of %(most)s touches")
        % {
            "sum": words.plain(capacity.done + capacity.planned) + ("+" if capacity.is_capped else ""),
            "most": words.plain(capacity.weekly),
        },
    }


def _pixels(touches: float) -> str:
    """Return the height of a part of a bar, nothing for none."""
    height = round(touches * BAR_PIXELS)
    return str(height) if height else ""


def _room(capacity: Capacity) -> dict[str, str]:
    if capacity.room < 0:
        over = ngettext("%(count)s too many", "%(count)s too many", -capacity.room)
        return {"text": over % {"count": words.plain(-capacity.room)}, "look": "warn"}
    room = ngettext("room for %(count)s more", "room for %(count)s more", capacity.room)
    return {"text": room % {"count": words.plain(capacity.room)}, "look": ""}


def _first_use(staff: Staff) -> list[dict[str, Any]] | None:
    """Return the three steps to a first queue while one of them has not been made."""
    state = status.company_status()
    steps = [
        (Customer.objects.exists(), gettext("Import your customers"), "imports", Permission.RUN_IMPORTS),
        (state.plan is not None, gettext("Publish a plan"), "plan", Permission.PUBLISH_PLAN),
        (state.measured_at is not None, gettext("Let the first turn run"), "", Permission.RUN_TURN),
    ]
    if all(done for done, _name, _url, _permission in steps):
        return None
    return [
        {"done": done, "name": name, "url": reverse(url) if url and staff.may(permission) and not done else ""}
        for done, name, url, permission in steps
    ]
