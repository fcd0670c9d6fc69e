"""Segments: saved rule trees over facts, shown as views of the customer list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from zhike.org.models import Staff

if TYPE_CHECKING:
    from zhike.org.principals import Principal


FIRST = 10  # The plan's segments stand before those that people saved, which have position 100.


@dataclass(frozen=True)
class PlanView:
    """A segment as the plan names it; `names` holds its name in zh, en or both."""

    key: str
    names: Mapping[str, str]
    rule: Mapping[str, Any]
    sort: str


class SegmentQuerySet(models.QuerySet["Segment"]):
    def follow_plan(self, views: Sequence[PlanView], *, now: datetime) -> None:
        """Make the plan's segments, and only them, those of the newly published plan; saved views stay."""
        self.exclude(plan_key="").exclude(plan_key__in=[view.key for view in views]).delete()
        for position, view in enumerate(views, start=FIRST):
            names = dict(view.names)
            first = names.get("zh") or names.get("en") or view.key
            kept = {"name": first, "names": names, "rule": dict(view.rule), "sort": view.sort, "position": position}
            made = {**kept, "owner": None, "is_shared": True, "created_at": now}
            self.update_or_create(plan_key=view.key, defaults=kept, create_defaults=made)

    def visible_to(self, principal: Principal) -> Self:
        """Shared segments, and one's own."""
        return self.filter(models.Q(is_shared=True) | models.Q(owner_id=principal.pk))


class Segment(models.Model):
    """A view of the customer list. With `plan_key` it belongs to the plan in force and changes with the plan alone."""

    name = models.CharField(_("name"), max_length=60)
    rule: models.JSONField[Any, Any] = models.JSONField(default=dict)
    sort = models.CharField(max_length=40, blank=True)
    owner = models.ForeignKey(Staff, models.CASCADE, null=True)
    is_shared = models.BooleanField(_("shared"), default=False)
    position = models.PositiveSmallIntegerField(default=100)
    created_at = models.DateTimeField()
    plan_key = models.CharField(max_length=40, blank=True, editable=False)
    names: models.JSONField[Any, Any] = models.JSONField(default=dict, editable=False)

    objects = SegmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="segment_name_once"),
            models.UniqueConstraint(fields=["plan_key"], condition=~models.Q(plan_key=""), name="segment_of_plan_once"),
        ]
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        """The name for the reader: the plan may give one in each language."""
        language = "zh" if (get_language() or "").startswith("zh") else "en"
        return str(self.names.get(language) or self.name)
