"""Whose customers a principal sees, as one condition for every table that hangs on a customer."""

from django.db.models import Q

from zhike.org.models import Staff
from zhike.org.principals import Principal
from zhike.org.roles import Scope


def owned_by(principal: Principal, path: str = "") -> Q:
    """Return the condition for rows of visible customers; `path` leads from the row to its customer (`customer__`)."""
    if principal.scope == Scope.ALL:
        return Q()
    if principal.scope == Scope.TEAM and principal.team_id is not None:
        return Q(**{f"{path}owner__team_id": principal.team_id})
    return Q(**{f"{path}owner_id": principal.pk}) & Q(**{f"{path}owner_id__isnull": False})


def in_book_of(principal: Principal) -> Q:
    """Return the same condition for a table that keeps the owner of its customer in `book_id`."""
    if principal.scope == Scope.ALL:
        return Q()
    if principal.scope == Scope.TEAM and principal.team_id is not None:
        return Q(book_id__in=Staff.objects.filter(team_id=principal.team_id).values("pk"))
    return Q(book_id=principal.pk, book_id__isnull=False)
