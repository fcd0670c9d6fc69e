"""What comes next with a customer: the open touches, each with what can be said of it with one click."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.middleware.csrf import get_token
from django.utils.safestring import SafeString

from zhike.act.engagement.queries import QueueRow
from zhike.org.middleware import StaffRequest
from zhike.org.roles import Permission
from zhike.ui.stencils import Stencil


@dataclass(frozen=True, slots=True)
class Ahead:
    """A touch in words; the first of them is what to do now."""

    id: int
    place: str
    what: str
    why: str
    due: str
    due_look: str
    via: str
    stake: str
    stake_of: str
    is_first: bool
    may_work: bool


_TOUCH = Stencil(
    "web/customer.html#touch",
    "touch",
    texts=("place", "what", "why", "due", "due_look", "via", "stake", "stake_of"),
    numbers=("id",),
    shape=("is_first", "may_work"),
    beside=("csrf_token", "path"),
)


def drawn(request: StaffRequest, touches: Sequence[QueueRow]) -> list[SafeString]:
    if not touches:
        return []
    may_work, token = request.staff.may(Permission.WORK_TOUCHES), get_token(request)
    shown = (_shown(one, place, may_work=may_work) for place, one in enumerate(touches, start=1))
    return _TOUCH.draw(shown, token, request.path)


def _shown(one: QueueRow, place: int, *, may_work: bool) -> Ahead:
    return Ahead(
        id=one.id,
        place=str(place),
        what=one.what or one.kind_name,
        why=one.why,
        due=one.due,
        due_look=one.due_look,
        via=one.via,
        stake=one.stake,
        stake_of=one.stake_of,
        is_first=place == 1,
        may_work=may_work,
    )
