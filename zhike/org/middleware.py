"""What happens around every request: response rules, who is signed in, their language, and the doors."""

import logging
import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user, logout
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import urlencode

from zhike.org import company
from zhike.org.doors import DOORS
from zhike.org.models import Staff
from zhike.org.once import remembering
from zhike.org.roles import Permission, Public

log = logging.getLogger(__name__)
Handler = Callable[[HttpRequest], HttpResponse]

POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "style-src-attr 'unsafe-inline'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
SEEN_EVERY = 60  # Seconds between two notes of a session being alive; a write per click would be waste.


class StaffRequest(HttpRequest):
    """A request as pages behind a door get it: somebody is signed in."""

    staff: Staff


def response_rules(get_response: Handler) -> Handler:
    """Give every answer, errors included, its safety headers and a trace id that the log knows too."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.trace = uuid.uuid4().hex[:12]  # type: ignore[attr-defined]  # Read by the error pages.
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        response.headers.setdefault("X-Trace", request.trace)  # type: ignore[attr-defined]  # Set by this module itself.
        if settings.SECURE:
            response.headers.setdefault("Strict-Transport-Security", f"max-age={settings.SECURE_HSTS_SECONDS}")
        if not request.path.startswith(settings.STATIC_URL):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return middleware


def remember_answers(get_response: Handler) -> Handler:
    """Let a request that only reads ask the same question of the database once."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            return get_response(request)
        with remembering():
            return get_response(request)

    return middleware


def sign_in_rules(get_response: Handler) -> Handler:
    """Set `request.staff`; end sessions that were idle for too long or whose person may no longer sign in."""

    def middleware(request: HttpRequest) -> HttpResponse:
        user = get_user(request)
        request.user = user
        staff = user if isinstance(user, Staff) else None
        if staff and not _still_alive(request):
            logout(request)
            staff = None
        request.staff = staff  # type: ignore[attr-defined]  # None only where the door is open to everybody.
        return get_response(request)

    return middleware


def _still_alive(request: HttpRequest) -> bool:
    now = timezone.now().timestamp()
    seen = request.session.get("seen", now)
    if now - seen > settings.SESSION_IDLE_SECONDS:
        return False
    if now - seen > SEEN_EVERY or "seen" not in request.session:
        request.session["seen"] = now
    return True


def language_of_staff(get_response: Handler) -> Handler:
    """Answer in the person's language; without one, in the chosen, the browser's or the company's."""

    def middleware(request: HttpRequest) -> HttpResponse:
        staff: Staff | None = getattr(request, "staff", None)
        language = (staff and staff.language) or _language_of_visitor(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = get_response(request)
            response.headers.setdefault("Content-Language", language)
        return response

    return middleware


def _language_of_visitor(request: HttpRequest) -> str:
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    if chosen in dict(settings.LANGUAGES):
        return chosen
    if getattr(request, "staff", None) is None and request.headers.get("Accept-Language"):
        return translation.get_language_from_request(request)
    return company.current().language


class doors:  # noqa: N801  Named like the other middleware; Django asks for a class to use process_view.
    """Let nobody through a door that the table does not open to them. A URL without a row is a fault, never open."""

    sync_capable, async_capable = True, False

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, _view: Any, _args: Any, _kwargs: Any) -> HttpResponse | None:
        match = request.resolver_match
        name = match.view_name if match else None
        if name not in DOORS:
            raise ImproperlyConfigured(f"the URL {request.path} ({name}) has no row in the doors table")
        needed = DOORS[name]
        if needed == Public.OPEN:
            return None
        staff: Staff | None = request.staff  # type: ignore[attr-defined]  # Set by this module itself.
        if staff is None:
            return _to_sign_in(request)
        if needed != Public.SIGNED_IN and not staff.may(needed):
            log.warning("door %s closed to staff %s", name, staff.pk)
            return _closed(request, Permission(needed))
        return None


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse({"error": "sign_in_needed"}, status=401)
    address = f"{reverse('sign-in')}?{urlencode({'next': request.get_full_path()})}"
    if request.headers.get("HX-Request"):
        return HttpResponse(status=401, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def _closed(request: HttpRequest, needed: Permission) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse({"error": "not_allowed", "needs": needed.value}, status=403)
    return render(request, "403.html", {"needs": needed.label}, status=403)
