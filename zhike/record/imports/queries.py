"""Questions about imports: which ones a person may see, and where their files are."""

from __future__ import annotations

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from zhike.org.models import Staff
from zhike.org.roles import Scope
from zhike.record.imports.models import Import


def import_numbered(number: int) -> Import | None:
    """Return an import for the owner of the data folder, who may see all of them."""
    return Import.objects.select_related("by").filter(pk=number).first()


def imports_of(staff: Staff) -> QuerySet[Import]:
    """Return the imports this person may see, newest first: their own, or with full scope everybody's."""
    rows = Import.objects.select_related("by", "work").order_by("-id")
    return rows if staff.scope == Scope.ALL and staff.sees_personal else rows.filter(by=staff)


def import_for(staff: Staff, import_id: int) -> Import:
    """Return an import this person may see, or raise Http404."""
    return get_object_or_404(imports_of(staff), pk=import_id)
