"""Drafting a plan, checking it while it is written, publishing it, going back to an earlier version."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from zhike.decide.plans import operations, queries
from zhike.decide.plans.forms import PlanForm
from zhike.decide.plans.models import PlanVersion
from zhike.decide.plans.pages import shown, words
from zhike.decide.plans.rules import Plan, PlanErrors, Problem, differences
from zhike.kit.refusal import Refusal
from zhike.org.middleware import StaffRequest
from zhike.org.pages import sentence
from zhike.org.roles import Permission

CONFLICTS = (operations.DraftChanged, operations.DraftGone, operations.PublishedMeanwhile)


@dataclass(frozen=True)
class Verdict:
    """What the checks say about a text: the plan, or what is wrong; and what it changes."""

    plan: Plan | None
    problems: list[tuple[Problem, str, str]]
    changes: list[shown.Change]

    @property
    def lines(self) -> str:
        """The numbers of the lines with problems, for the editor."""
        return " ".join(sorted({str(problem.line) for problem, _, _ in self.problems}, key=int))

    @property
    def added(self) -> int:
        return sum(change.op == "+" for change in self.changes)

    @property
    def removed(self) -> int:
        return sum(change.op == "−" for change in self.changes)

    @property
    def altered(self) -> int:
        return len(self.changes) - self.added - self.removed


def verdict_on(text: str) -> Verdict:
    """Check a text and compare it with the plan in force."""
    text = text.replace("\r\n", "\n")
    try:
        plan = queries.checked(text)
    except PlanErrors as errors:
        lines = text.split("\n")
        rows = [(each, words.sentence(each), _line(lines, each.line)) for each in errors.problems]
        return Verdict(None, rows, [])
    old = queries.in_force() if queries.version_in_force() else None
    return Verdict(plan, [], shown.changes(differences(old, plan), old, plan) if old else [])


def _line(lines: list[str], number: int) -> str:
    return lines[number - 1].strip()[:120] if 0 < number <= len(lines) else ""


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: StaffRequest) -> HttpResponse:
    """Show the editor with the draft, a ready plan or the plan in force; save what it sends."""
    if request.method != "POST":
        return _editor(request, _begun(request))
    form = PlanForm(request.POST)
    if not form.is_valid():
        return _editor(request, form, status=422)
    text, revision = form.cleaned_data["text"], form.cleaned_data["revision"]
    try:
        draft = operations.save_draft(text, revision=revision, by=request.staff, now=now())
    except Refusal as refusal:
        return _refused(request, form, refusal)
    messages.success(request, gettext("Draft v%(number)s saved.") % {"number": draft.number})
    return redirect("plan-edit")


@require_POST
def check(request: StaffRequest) -> HttpResponse:
    """Check the text of the editor; htmx takes the findings alone."""
    form = PlanForm(request.POST)
    if not form.is_valid():
        return _editor(request, form, status=422)
    if request.headers.get("HX-Request"):
        return render(request, "plans/edit.html#findings", _findings(request, form.cleaned_data["text"]))
    return _editor(request, form)


@require_POST
def publish(request: StaffRequest) -> HttpResponse:
    form = PlanForm(request.POST)
    if not form.is_valid():
        return _editor(request, form, status=422)
    data = form.cleaned_data
    try:
        row = operations.publish(
            data["text"],
            note=data["note"],
            based_on=data["based_on"],
            draft_revision=data["revision"],
            by=request.staff,
            now=now(),
        )
    except PlanErrors:
        return _editor(request, form, status=422)  # The editor checks the text itself and names every line.
    except Refusal as refusal:
        return _refused(request, form, refusal)
    said = gettext("Version %(number)s is in force. Customers are being measured anew.")
    messages.success(request, said % {"number": row.number})
    return redirect("plan")


@require_POST
def rollback(request: StaffRequest, number: int) -> HttpResponse:
    try:
        row = operations.roll_back(number, note=request.POST.get("note", ""), by=request.staff, now=now())
    except queries.NoSuchVersion as refusal:
        raise Http404 from refusal
    except PlanErrors as errors:
        first = words.sentence(errors.problems[0])
        messages.error(
            request, gettext("Version %(number)s no longer fits: %(why)s") % {"number": number, "why": first}
        )
        return redirect("plan-version", number)
    except Refusal as refusal:
        messages.error(request, sentence(refusal))
        return redirect("plan-version", number)
    said = gettext("Version %(number)s is in force, with the text of version %(earlier)s.")
    messages.success(request, said % {"number": row.number, "earlier": number})
    return redirect("plan")


@require_POST
def discard(request: StaffRequest) -> HttpResponse:
    revision = request.POST.get("revision", "")
    try:
        operations.discard_draft(revision=int(revision) if revision.isdecimal() else 0, by=request.staff, now=now())
    except Refusal as refusal:
        messages.error(request, sentence(refusal))
        return redirect("plan-edit")
    messages.success(request, gettext("Draft thrown away. Its text stays in the audit log."))
    return redirect("plan")


def _begun(request: StaffRequest) -> PlanForm:
    """Return the form as editing begins."""
    draft, force = queries.draft(), queries.version_in_force()
    based_on = force.number if force else None
    ready, fresh = request.GET.get("ready", ""), request.GET.get("from", "")
    initial: dict[str, Any] = {"based_on": based_on, "revision": draft.revision if draft else None}
    if ready in queries.ready_names():
        initial["text"] = queries.ready_text(ready)
    elif fresh.isdecimal():
        initial["text"] = _text_of(int(fresh))
    elif draft or force:
        initial["text"] = draft.text if draft else force.text if force else ""
    return PlanForm(initial=initial)


def _text_of(number: int) -> str:
    try:
        return queries.version(number).text
    except queries.NoSuchVersion as refusal:
        raise Http404 from refusal


def _refused(request: StaffRequest, form: PlanForm, refusal: Refusal) -> HttpResponse:
    """Show the refusal above the text, which is kept; after a conflict the next try knows what it overwrites."""
    conflict = isinstance(refusal, CONFLICTS)
    context: dict[str, Any] = {"refusal": sentence(refusal)}
    if conflict:
        context["why"] = gettext("Saving or publishing again now overwrites it.")
        draft, force = queries.draft(), queries.version_in_force()
        base = {"revision": draft.revision if draft else None, "based_on": force.number if force else None}
        form = PlanForm({**form.cleaned_data, **base})
        form.is_valid()
        theirs = force if isinstance(refusal, operations.PublishedMeanwhile) else draft
        context |= {"theirs": theirs, "between": _between(theirs, form.cleaned_data.get("text", ""))}
    return _editor(request, form, status=409 if conflict else 422, **context)


def _between(theirs: PlanVersion | None, mine: str) -> list[shown.Change]:
    """Return how the reader's text differs from the colleague's, where both are plans."""
    if theirs is None:
        return []
    try:
        old, new = queries.plan_of(theirs), queries.checked(mine)
    except PlanErrors:
        return []
    return shown.changes(differences(old, new), old, new)


def _editor(request: StaffRequest, form: PlanForm, *, status: int = 200, **context: Any) -> HttpResponse:
    text = form["text"].value() or ""
    draft = queries.draft()
    given = {"form": form, "draft": draft, "ready_names": queries.ready_names(), **_findings(request, text), **context}
    return render(request, "plans/edit.html", given, status=status)


def _findings(request: StaffRequest, text: str) -> dict[str, Any]:
    return {
        "verdict": verdict_on(text),
        "force": queries.version_in_force(),
        "may_publish": request.staff.may(Permission.PUBLISH_PLAN),
    }
