"""The REST API: routers of the features under one roof, behind the same doors as the pages."""

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.security import django_auth

from zhike.kit.refusal import Refusal
from zhike.org.pages import sentence
from zhike.record.customers.endpoints import router as customers

api = NinjaAPI(
    title="知客 Zhike",
    version="1",
    description="Customers, and what is known of them. Sign in as on the pages; you read what you may see there.",
    urls_namespace="api",
    auth=django_auth,
    docs_url=None,
)
api.add_router("/customers", customers)


@api.exception_handler(Refusal)
def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Answer 409 with the refusal's sentence in the reader's language."""
    return api.create_response(request, {"error": type(refusal).__name__, "sentence": sentence(refusal)}, status=409)
