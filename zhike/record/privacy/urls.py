"""Addresses of retention and erasure."""

from django.urls import path

from zhike.record.privacy import pages

urlpatterns = [
    path("settings/privacy", pages.privacy, name="privacy"),
    path("settings/privacy/rules", pages.privacy_rule, name="privacy-rule"),
    path("settings/privacy/rules/<int:rule_id>/drop", pages.privacy_rule_drop, name="privacy-rule-drop"),
    path("settings/privacy/erase", pages.privacy_erase, name="privacy-erase"),
]
