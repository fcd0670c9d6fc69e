"""The company's key figures, day by day."""

from __future__ import annotations

from typing import Any

from django.db import models


class KpiValue(models.Model):
    """One KPI on one day: `value` is None when there is nothing to measure it by; `basis` says on how many."""

    day = models.DateField()
    name = models.CharField(max_length=40)
    value = models.FloatField(null=True)
    basis = models.BigIntegerField(default=0)
    detail: models.JSONField[Any, Any] = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "name"], name="kpi_once_a_day")]

    def __str__(self) -> str:
        return f"{self.name} {self.day}"
