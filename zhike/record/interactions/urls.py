"""Addresses of logging interactions."""

from django.urls import path

from zhike.record.interactions import pages

urlpatterns = [
    path("interactions/new", pages.interaction_new, name="interaction-new"),
    path("interactions/log", pages.interaction_log, name="interaction-log-any"),
    path("customers/<int:customer_id>/log", pages.interaction_log, name="interaction-log"),
    path("interactions/<int:interaction_id>/undo", pages.interaction_undo, name="interaction-undo"),
]
