"""Addresses of the plan."""

from django.urls import path

from zhike.decide.plans import pages

urlpatterns = [
    path("plan", pages.plan, name="plan"),
    path("plan/edit", pages.edit, name="plan-edit"),
    path("plan/check", pages.check, name="plan-check"),
    path("plan/publish", pages.publish, name="plan-publish"),
    path("plan/discard", pages.discard, name="plan-discard"),
    path("plan/versions/<int:number>", pages.version, name="plan-version"),
    path("plan/versions/<int:number>/file", pages.file, name="plan-file"),
    path("plan/versions/<int:number>/try-health", pages.try_health, name="plan-try-health"),
    path("plan/trials/<int:trial_id>", pages.trial, name="plan-trial"),
    path("plan/versions/<int:number>/rollback", pages.rollback, name="plan-rollback"),
]
