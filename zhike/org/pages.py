"""Signing in and out, one's own account, and the settings: staff, roles, company, audit."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout, update_session_auth_hash
from django.core.exceptions import ValidationError
from django.db import connection
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.timezone import now
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from zhike.kit.refusal import Refusal
from zhike.org import operations, signin
from zhike.org.doors import DOORS
from zhike.org.forms import CompanyForm, PasswordForm, RoleForm, SignInForm, StaffForm
from zhike.org.middleware import StaffRequest
from zhike.org.models import AuditLine, Company, Role, Staff, Team
from zhike.org.roles import Permission, Public

BACKEND = "zhike.org.backends.StaffBackend"
AUDIT_PAGE = 100


def sentence(refusal: Refusal) -> str:
    """Return a refusal's sentence in the reader's language."""
    said = gettext(str(refusal.message))
    return said % refusal.details if refusal.details else said


@contextmanager
def refusals_shown_on(form: BaseForm) -> Iterator[None]:
    """Turn a refusal inside the block into an error on the form."""
    try:
        yield
    except Refusal as refusal:
        form.add_error(None, sentence(refusal))


@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    target = _own_path(request, request.POST.get("next") or request.GET.get("next", ""))
    if request.staff:  # type: ignore[attr-defined]  # Set by the sign-in rules.
        return HttpResponseRedirect(target)
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_shown_on(form):
            source = request.META.get("REMOTE_ADDR", "")
            staff = signin.check(**form.cleaned_data, source=source, now=now())
            login(request, staff, backend=BACKEND)
            request.session["seen"] = now().timestamp()
            return HttpResponseRedirect(target)
    status = 422 if form.errors else 200
    return render(request, "org/sign_in.html", {"form": form, "next": target}, status=status)


def _own_path(request: HttpRequest, path: str) -> str:
    allowed = url_has_allowed_host_and_scheme(path, allowed_hosts=None, require_https=request.is_secure())
    return path if path.startswith("/") and allowed else "/"


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("sign-in")


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    language = request.POST.get("language", "")
    response = HttpResponseRedirect(_own_path(request, request.POST.get("next", "")))
    if language in dict(settings.LANGUAGES):
        if request.staff:  # type: ignore[attr-defined]  # Set by the sign-in rules.
            operations.set_taste(request.staff, language=language, now=now())  # type: ignore[attr-defined]  # Set by the sign-in rules.
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, language, max_age=365 * 24 * 3600, secure=settings.SECURE, samesite="Lax"
        )
    return response


@require_POST
def set_theme(request: StaffRequest) -> HttpResponse:
    theme = request.POST.get("theme", "")
    operations.set_taste(request.staff, theme=theme if theme in {"light", "dark"} else "", now=now())
    if request.headers.get("HX-Request") or request.headers.get("X-Requested-With"):
        return HttpResponse(status=204)
    return HttpResponseRedirect(_own_path(request, request.POST.get("next", "")))


@require_safe
def health(_request: HttpRequest) -> HttpResponse:
    """Say that this process answers and reaches its database; for supervisors and load balancers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})


def settings_page(request: StaffRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Render a page of the settings with the tabs that this person may open."""
    tabs = [("account", gettext("My account")), ("staff", gettext("Staff")), ("roles", gettext("Roles"))]
    tabs += [("company", gettext("Company")), ("sources", gettext("Data sources"))]
    tabs += [("privacy", gettext("Privacy"))]
    tabs += [("audit", gettext("Audit log"))]
    current = (request.resolver_match.url_name or "") if request.resolver_match else ""
    shown = [
        {"label": label, "url": reverse(name), "current": name == current}
        for name, label in tabs
        if DOORS[name] == Public.SIGNED_IN or request.staff.may(DOORS[name])
    ]
    return render(request, template, {**context, "settings_tabs": shown}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def account(request: StaffRequest) -> HttpResponse:
    form = PasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if not request.staff.check_password(form.cleaned_data["old"]):
            form.add_error("old", gettext("This is not your present password."))
        else:
            try:
                operations.choose_password(request.staff, form.cleaned_data["new"], now=now())
            except ValidationError as error:
                form.add_error("new", error)
            else:
                update_session_auth_hash(request, request.staff)
                messages.success(request, gettext("Password changed; your other sessions were ended."))
                return redirect("account")
    return settings_page(request, "org/account.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
def staff_list(request: StaffRequest) -> HttpResponse:
    people = Staff.objects.order_by("-is_active", "team__name", "name")
    roles = Role.objects.order_by("id")
    return settings_page(request, "org/staff.html", {"people": people, "roles": roles})


@require_http_methods(["GET", "HEAD", "POST"])
def staff_new(request: StaffRequest) -> HttpResponse:
    form = StaffForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_shown_on(form):
            team = _team_named(request, form.cleaned_data.pop("team_name"))
            staff, first = operations.add_staff(**form.cleaned_data, team=team, by=request.staff, now=now())
            return settings_page(request, "org/first_password.html", {"person": staff, "password": first})
    return settings_page(request, "org/staff_form.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def staff_edit(request: StaffRequest, staff_id: int) -> HttpResponse:
    staff = get_object_or_404(Staff, pk=staff_id)
    if request.method == "POST" and "new_password" in request.POST:
        first = operations.give_new_password(staff, by=request.staff, now=now())
        return settings_page(request, "org/first_password.html", {"person": staff, "password": first})
    form = StaffForm(request.POST or None, instance=get_object_or_404(Staff, pk=staff_id))
    if request.method == "POST" and form.is_valid():
        with refusals_shown_on(form):
            changes = {key: value for key, value in form.cleaned_data.items() if key not in {"email", "team_name"}}
            team = _team_named(request, form.cleaned_data["team_name"])
            operations.change_staff(staff, by=request.staff, now=now(), team=team, **changes)
            messages.success(request, gettext("Saved. It holds from their next click."))
            return redirect("staff")
    context = {"form": form, "person": staff}
    return settings_page(request, "org/staff_form.html", context, status=422 if form.errors else 200)


def _team_named(request: StaffRequest, name: str) -> Team | None:
    return operations.add_team(name, by=request.staff, now=now()) if name.strip() else None


@require_safe
def roles(request: StaffRequest) -> HttpResponse:
    return settings_page(
        request, "org/roles.html", {"roles": Role.objects.order_by("id"), "permissions": Permission.choices}
    )


@require_http_methods(["GET", "HEAD", "POST"])
def role_edit(request: StaffRequest, key: str) -> HttpResponse:
    role = get_object_or_404(Role, key=key)
    form = RoleForm(request.POST or None, instance=get_object_or_404(Role, key=key))
    if request.method == "POST" and form.is_valid():
        with refusals_shown_on(form):
            operations.change_role(role, by=request.staff, now=now(), **form.cleaned_data)
            messages.success(request, gettext("Saved. It holds from everybody's next click."))
            return redirect("roles")
    return settings_page(
        request, "org/role_form.html", {"form": form, "role": role}, status=422 if form.errors else 200
    )


@require_http_methods(["GET", "HEAD", "POST"])
def company_settings(request: StaffRequest) -> HttpResponse:
    form = CompanyForm(request.POST or None, instance=Company.objects.filter(pk=1).first())
    if request.method == "POST" and form.is_valid():
        operations.change_company(by=request.staff, now=now(), **form.cleaned_data)
        messages.success(request, gettext("Saved."))
        return redirect("company")
    return settings_page(request, "org/company.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
def audit_log(request: StaffRequest) -> HttpResponse:
    """Show the newest lines first; `before` continues below a line's number."""
    lines = AuditLine.objects.order_by("-id")
    before = request.GET.get("before", "")
    if before.isdigit():
        lines = lines.filter(id__lt=int(before))
    page = list(lines[: AUDIT_PAGE + 1])
    older = page[AUDIT_PAGE - 1].id if len(page) > AUDIT_PAGE else None
    return settings_page(request, "org/audit.html", {"lines": page[:AUDIT_PAGE], "older": older})
