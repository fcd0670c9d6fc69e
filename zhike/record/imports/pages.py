"""Handing in a file, saying what its columns mean, trying it, bringing it in, and what came of it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import get_valid_filename
from django.utils.timezone import now
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from zhike.kit.refusal import Refusal
from zhike.org.middleware import StaffRequest
from zhike.org.pages import refusals_shown_on, sentence
from zhike.record.imports import operations, queries
from zhike.record.imports.forms import MapForm, UploadForm, initial_of
from zhike.record.imports.models import Import, ImportKind, ImportState
from zhike.record.imports.operations.sentences import COUNTS, FIELDS, REASON_NAMES
from zhike.record.imports.rules.kinds import KINDS, takes_attributes
from zhike.record.imports.rules.problems import Reason

LISTED = 50
SAMPLE_SHOWN = 8
GOING = {"queued", "running"}


@require_safe
def imports(request: StaffRequest) -> HttpResponse:
    found = queries.imports_of(request.staff)[:LISTED]
    return render(request, "imports/list.html", {"imports": found, "form": UploadForm(), "fields": _fields()})


def _fields() -> list[tuple[str, str]]:
    """Return per kind the fields a file of it may have."""
    labels = dict(ImportKind.choices)
    more = gettext("any further column as a field of your own")
    return [
        (
            str(labels[ImportKind(kind)]),
            gettext(", ").join(
                [*(str(FIELDS[field.name]) for field in fields), *([more] if takes_attributes(kind) else [])]
            ),
        )
        for kind, fields in KINDS.items()
    ]


@require_http_methods(["GET", "HEAD", "POST"])
def import_new(request: StaffRequest) -> HttpResponse:
    """Take a file; a file that cannot be read is refused here and not kept."""
    if request.method != "POST":
        return redirect("imports")
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid():
        with refusals_shown_on(form):
            file = form.cleaned_data["file"]
            given = operations.hand_in(form.cleaned_data["kind"], file, file.name, by=request.staff, now=now())
            return redirect("import", import_id=given.pk)
    found = queries.imports_of(request.staff)[:LISTED]
    context = {"imports": found, "form": form, "fields": _fields()}
    return render(request, "imports/list.html", context, status=422)


@require_safe
def import_one(request: StaffRequest, import_id: int) -> HttpResponse:
    """Show an import where it stands: mapping, progress, trial or result."""
    given = queries.import_for(request.staff, import_id)
    going = given.work is not None and given.work.state in GOING
    asked_to_map = given.state == ImportState.UPLOADED or "map" in request.GET
    if asked_to_map and not going and given.state not in operations.ALREADY_DONE:
        return _mapping(request, given)
    context = {"given": given, "going": going, "step": _step(given, going), **_result(given)}
    return render(request, "imports/one.html", context)


def _step(given: Import, going: bool) -> int:
    """Return which of the four steps an import is at: file, columns, trial, done."""
    if given.state in {ImportState.DONE, ImportState.UNDONE}:
        return 4
    return 3 if going or given.state in {ImportState.TRIED, ImportState.FAILED, ImportState.RUNNING} else 2


def _result(given: Import) -> dict[str, Any]:
    counts = given.counts
    shown = ["rows", "created", "updated", "unchanged", "duplicates", "refused"]
    rows = counts.get("rows", 0)
    cells = [
        {
            "label": COUNTS[name],
            "value": counts.get(name, 0),
            "share": _share(counts.get(name, 0), rows) if name != "rows" else given.get_kind_display(),
        }
        for name in shown
    ]
    special = [
        (COUNTS[name], counts[name], _listed(counts, name)) for name in COUNTS if name not in shown and counts.get(name)
    ]
    reasons = [(REASON_NAMES[Reason(key)], times) for key, times in counts.get("reasons", {}).items()]
    return {
        "cells": cells if counts else [],
        "special": special,
        "reasons": reasons,
        "undone": counts.get("undone"),
        "may_undo": given.state == ImportState.DONE and not counts.get("updated"),
    }


def _share(number: int, rows: int) -> str:
    return f"{number * 100 / rows:.1f} %" if rows else ""


def _listed(counts: dict[str, Any], name: str) -> str:
    named = counts.get("named", {}).get(name, {})
    return gettext(", ").join(f"{key} {times:,}" for key, times in named.items())


def _mapping(request: StaffRequest, given: Import, form: MapForm | None = None) -> HttpResponse:
    try:
        look = operations.look_at(given)
    except Refusal as refusal:
        context = {"given": given, "step": 1, "unreadable": sentence(refusal)}
        return render(request, "imports/map.html", context, status=422)
    if form is None:
        form = MapForm(given=given, look=look, initial=initial_of(given, look, operations.guess_mapping(given, look)))
    table = [[look.sample[column][at] for column in look.columns] for at in range(min(SAMPLE_SHOWN, len(look.lines)))]
    context = {"given": given, "form": form, "look": look, "table": table, "step": 2}
    return render(request, "imports/map.html", context, status=422 if form.errors else 200)


@require_POST
def import_map(request: StaffRequest, import_id: int) -> HttpResponse:
    """Note what the columns mean and try the import."""
    given = queries.import_for(request.staff, import_id)
    if given.state in operations.ALREADY_DONE:
        return redirect("import", import_id=given.pk)
    form = MapForm(request.POST, given=given, look=operations.look_at(given))
    if form.is_valid():
        with refusals_shown_on(form):
            operations.map_columns(given, **form.settings())
            operations.ask_for(given, dry=True, by=request.staff, now=now())
            return redirect("import", import_id=given.pk)
    return _mapping(request, given, form)


@require_POST
def import_run(request: StaffRequest, import_id: int) -> HttpResponse:
    """Bring in what was tried, or try again what was interrupted."""
    given = queries.import_for(request.staff, import_id)
    try:
        operations.ask_for(given, dry=False, by=request.staff, now=now())
    except Refusal as refusal:
        messages.error(request, sentence(refusal))
    return redirect("import", import_id=given.pk)


@require_POST
def import_undo(request: StaffRequest, import_id: int) -> HttpResponse:
    given = queries.import_for(request.staff, import_id)
    try:
        done = operations.undo(given, by=request.staff, now=now())
    except Refusal as refusal:
        messages.error(request, sentence(refusal))
    else:
        said = gettext("Taken back: %(removed)s rows removed, %(kept)s kept because they are in use")
        messages.success(request, said % {name: f"{number:,}" for name, number in done.items()})
    return redirect("import", import_id=given.pk)


@require_safe
def import_refused(request: StaffRequest, import_id: int) -> FileResponse:
    """Hand out the file of refused rows, to whoever may see the import."""
    given = queries.import_for(request.staff, import_id)
    path = operations.refused_path(given)
    if path is None:
        raise Http404
    stem = get_valid_filename(given.file_name.split(".")[0] or "import")
    name = gettext("refused-%(file)s.csv") % {"file": stem}
    return FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type="text/csv; charset=utf-8")
