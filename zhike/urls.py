from django.urls import include, path

urlpatterns = [
    path("", include("zhike.web.urls")),  # First, for addresses are looked for in order, and these are asked for most.
    path("", include("zhike.org.urls")),
    path("", include("zhike.ui.urls")),
    path("", include("zhike.record.customers.urls")),
    path("", include("zhike.record.imports.urls")),
    path("", include("zhike.record.interactions.urls")),
    path("", include("zhike.record.privacy.urls")),
    path("", include("zhike.record.tracking.urls")),
    path("", include("zhike.decide.plans.urls")),
    path("", include("zhike.act.engagement.urls")),
    path("", include("zhike.review.kpis.urls")),
    path("api/", include("zhike.api.urls")),
]
handler500 = "zhike.ui.pages.server_error"
