"""Addresses of imports."""

from django.urls import path

from zhike.record.imports import pages

urlpatterns = [
    path("imports", pages.imports, name="imports"),
    path("imports/new", pages.import_new, name="import-new"),
    path("imports/<int:import_id>", pages.import_one, name="import"),
    path("imports/<int:import_id>/columns", pages.import_map, name="import-map"),
    path("imports/<int:import_id>/run", pages.import_run, name="import-run"),
    path("imports/<int:import_id>/undo", pages.import_undo, name="import-undo"),
    path("imports/<int:import_id>/refused.csv", pages.import_refused, name="import-refused"),
]
