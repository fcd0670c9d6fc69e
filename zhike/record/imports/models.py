"""Imports: one file brought in, with its mapping, its counts and its refused rows."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from zhike.org.models import Staff, Work


class ImportKind(models.TextChoices):
    CUSTOMERS = "customers", _("Customers")
    CONTACTS = "contacts", _("Contacts")
    ORDERS = "orders", _("Orders")
    SUBSCRIPTIONS = "subscriptions", _("Subscriptions")
    USAGE = "usage", _("Usage")
    INTERACTIONS = "interactions", _("Interactions")


class ImportState(models.TextChoices):
    UPLOADED = "uploaded", _("Uploaded")
    TRIED = "tried", _("Tried")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    UNDONE = "undone", _("Undone")


class Import(models.Model):
    """A file and what became of it. `mapping` maps our field names to the file's columns.

    `options` holds how to read it: `date_format` and `fee_products`.
    """

    kind = models.CharField(max_length=14, choices=ImportKind)
    file_name = models.CharField(max_length=255)
    stored = models.CharField(max_length=255)
    mapping: models.JSONField[Any, Any] = models.JSONField(default=dict)
    defaults: models.JSONField[Any, Any] = models.JSONField(default=dict)
    options: models.JSONField[Any, Any] = models.JSONField(default=dict)
    create_customers = models.BooleanField(default=False)
    update_existing = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=ImportState, default=ImportState.UPLOADED)
    counts: models.JSONField[Any, Any] = models.JSONField(default=dict)
    refused_file = models.CharField(max_length=255, blank=True)
    error = models.TextField(blank=True)
    by = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+")
    work = models.ForeignKey(Work, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.file_name}"
