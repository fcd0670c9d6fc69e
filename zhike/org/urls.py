"""Addresses of signing in, one's account and the settings."""

from django.urls import path

from zhike.org import pages

urlpatterns = [
    path("sign-in", pages.sign_in, name="sign-in"),
    path("sign-out", pages.sign_out, name="sign-out"),
    path("health", pages.health, name="health"),
    path("language", pages.set_language, name="set-language"),
    path("theme", pages.set_theme, name="set-theme"),
    path("account", pages.account, name="account"),
    path("settings/staff", pages.staff_list, name="staff"),
    path("settings/staff/new", pages.staff_new, name="staff-new"),
    path("settings/staff/<int:staff_id>", pages.staff_edit, name="staff-edit"),
    path("settings/roles", pages.roles, name="roles"),
    path("settings/roles/<slug:key>", pages.role_edit, name="role-edit"),
    path("settings/company", pages.company_settings, name="company"),
    path("settings/audit", pages.audit_log, name="audit"),
]
