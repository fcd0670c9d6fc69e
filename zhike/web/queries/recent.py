"""Customers with whom somebody dealt lately."""

from zhike.act.engagement.models import Touch
from zhike.org.models import Staff
from zhike.record.interactions.models import Interaction

REMEMBERED = 6


def recent_ids(staff: Staff) -> list[int]:
    """Return the customers of this person's last entries, newest first; without any, of the next touches."""
    logged = Interaction.objects.filter(by=staff).order_by("-id").values_list("customer_id", flat=True)[:40]
    found = list(dict.fromkeys(logged))[:REMEMBERED]
    if len(found) < REMEMBERED:
        open_touches = Touch.objects.filter(owner=staff, state="open").order_by("-priority", "id")
        found += list(open_touches.values_list("customer_id", flat=True)[:REMEMBERED])
    return list(dict.fromkeys(found))[:REMEMBERED]
