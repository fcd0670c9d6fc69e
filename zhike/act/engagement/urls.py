"""Addresses of the queue's actions."""

from django.urls import path

from zhike.act.engagement import pages

urlpatterns = [
    path("touches/<int:touch_id>", pages.touch_open, name="touch-open"),
    path("touches/<int:touch_id>/done", pages.touch_done, name="touch-done"),
    path("touches/<int:touch_id>/later", pages.touch_later, name="touch-later"),
    path("touches/<int:touch_id>/not-needed", pages.touch_not_needed, name="touch-not-needed"),
    path("touches/<int:touch_id>/reopen", pages.touch_reopen, name="touch-reopen"),
]
