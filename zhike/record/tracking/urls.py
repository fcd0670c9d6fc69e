"""Addresses of data sources and the event stream."""

from django.urls import path

from zhike.record.tracking import pages

urlpatterns = [
    path("settings/sources", pages.sources, name="sources"),
    path("settings/sources/new", pages.source_new, name="source-new"),
    path("settings/sources/<int:source_id>", pages.source, name="source"),
    path("settings/sources/<int:source_id>/rotate", pages.source_rotate, name="source-rotate"),
    path("settings/keys/<int:key_id>/end", pages.source_key_end, name="source-key-end"),
    path("stream", pages.live, name="stream"),
    path("stream/now", pages.live_now, name="stream-now"),
    path("stream/refused", pages.refused, name="stream-refused"),
    path("stream/refused/replay", pages.replay, name="stream-replay"),
    path("stream/refused/<int:refused_id>", pages.refused_one, name="stream-refused-one"),
    path("stream/features", pages.features, name="stream-features"),
    path("stream/features/<int:feature_id>", pages.feature, name="stream-feature"),
]
