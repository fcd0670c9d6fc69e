"""Segments: saved rule trees over facts, shown as views of the customer list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from zhike.org.models import Staff

if TYPE_CHECKING:
    from zhike.org.principals import Principal


class SegmentQuerySet(models.QuerySet["Segment"]):
    def visible_to(self, principal: Principal) -> Self:
        """Shared segments, and one's own."""
        return self.filter(models.Q(is_shared=True) | models.Q(owner_id=principal.pk))


class Segment(models.Model):
    name = models.CharField(_("name"), max_length=60)
    rule: models.JSONField[Any, Any] = models.JSONField(default=dict)
    sort = models.CharField(max_length=40, blank=True)
    owner = models.ForeignKey(Staff, models.CASCADE, null=True)
    is_shared = models.BooleanField(_("shared"), default=False)
    position = models.PositiveSmallIntegerField(default=100)
    created_at = models.DateTimeField()

    objects = SegmentQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="segment_name_once")]
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name
