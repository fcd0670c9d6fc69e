"""The page that shows every part, for those who work on them, and the one for when all else broke."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from zhike.ui.samples import sample_context


def components(request: HttpRequest) -> HttpResponse:
    """Show every part with invented figures; there is no such page in production."""
    if not settings.DEBUG:
        raise Http404
    return render(request, "ui/components.html", sample_context())


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a fault with its trace; asks neither database nor context processors, for they may be what broke."""
    html = render_to_string("500.html", {"trace_id": getattr(request, "trace", "")})
    return HttpResponse(html, status=500)
