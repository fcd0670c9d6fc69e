"""What pages say to ui.js beside their HTML."""

import json

from django.http import HttpResponse


def toast(response: HttpResponse, text: str, undo: str = "") -> HttpResponse:
    """Let a line appear at the foot of the page, with a way back when there is one."""
    # Headers carry ASCII only; json.dumps escapes every other character.
    response.headers["HX-Trigger"] = json.dumps({"toast": {"text": text, **({"undo": undo} if undo else {})}})
    return response
