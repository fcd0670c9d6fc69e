"""Taking the key figures of a day."""

from datetime import date

from django.db import transaction

from zhike.review.kpis import queries
from zhike.review.kpis.models import KpiValue
from zhike.review.kpis.rules import KPIS


@transaction.atomic(durable=True)
def note(day: date) -> dict[str, KpiValue]:
    """Compute every key figure for the morning of a day and keep it; noting a day again replaces it."""
    noted = {}
    for key, kpi in KPIS.items():
        taken = queries.take(kpi, day)
        noted[key], _new = KpiValue.objects.update_or_create(
            day=day, name=key, defaults={"value": taken.value, "basis": taken.basis, "detail": taken.detail}
        )
    return noted
