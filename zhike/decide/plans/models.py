"""The plan, in versions. Exactly one is in force."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from zhike.org.models import Staff


class PlanState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    IN_FORCE = "in_force", _("In force")
    RETIRED = "retired", _("Retired")


class PlanVersion(models.Model):
    """One version of the plan: the YAML text as people wrote it. What it means is parsed from the text."""

    number = models.PositiveIntegerField(unique=True)
    text = models.TextField()
    name = models.CharField(max_length=120)
    state = models.CharField(max_length=8, choices=PlanState, default=PlanState.DRAFT)
    based_on = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+")
    revision = models.PositiveIntegerField(default=1)
    by = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)
    published_by = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+")
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=models.Q(state="in_force"), name="one_plan_in_force")
        ]

    def __str__(self) -> str:
        return f"v{self.number}"


class HealthTrial(models.Model):
    """A draft of the health score tried on the past, beside the score that was in force when it was asked for.

    `result` is what `zhike.measure.trials` told, None until then; `said` is the sentence of a refusal.
    """

    version = models.ForeignKey(PlanVersion, models.SET_NULL, null=True, related_name="+")
    revision = models.PositiveIntegerField()
    draft: models.JSONField[Any, Any] = models.JSONField()
    force: models.JSONField[Any, Any] = models.JSONField()
    outcome = models.CharField(max_length=8)
    horizon = models.PositiveSmallIntegerField()
    by = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    work_id = models.BigIntegerField(null=True)
    result: models.JSONField[Any, Any] = models.JSONField(null=True)
    said = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.outcome} {self.created_at:%Y-%m-%d}"
