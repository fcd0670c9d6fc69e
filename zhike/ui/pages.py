"""The page that shows every part, for those who work on them."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from zhike.ui.samples import sample_context


def components(request: HttpRequest) -> HttpResponse:
    """Show every part with invented figures; there is no such page in production."""
    if not settings.DEBUG:
        raise Http404
    return render(request, "ui/components.html", sample_context())
