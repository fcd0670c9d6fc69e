"""Taking an import back: the rows it made, as long as nothing else has come to use them."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.org import audit
from zhike.org.models import Staff
from zhike.record.customers.models import Contact, Customer
from zhike.record.events.operations import forget_files
from zhike.record.events.queries import customers_with_usage
from zhike.record.imports.models import Import, ImportState
from zhike.record.imports.operations.running import ask, do

# Children first. What a customer or order has got from elsewhere since keeps it, and is counted as kept.
REMOVE_LINES = "DELETE FROM commerce_orderline WHERE import_id = %(import_id)s"
EMPTIED = """
    UPDATE commerce_order o SET bought = n.bought, returned = n.returned, fees = n.fees FROM (
        SELECT o.id, coalesce(sum(l.amount) FILTER (WHERE l.kind = 'sale'), 0) AS bought,
            coalesce(-sum(l.amount) FILTER (WHERE l.kind = 'return'), 0) AS returned,
            coalesce(sum(l.amount) FILTER (WHERE l.kind = 'fee'), 0) AS fees
        FROM commerce_order o
        LEFT JOIN commerce_orderline l ON l.order_id = o.id AND l.import_id IS DISTINCT FROM %(import_id)s
        WHERE o.id IN (SELECT order_id FROM commerce_orderline WHERE import_id = %(import_id)s) GROUP BY o.id) n
    WHERE o.id = n.id
"""
REMOVE_ORDERS = """
    DELETE FROM commerce_order o WHERE import_id = %(import_id)s
    AND NOT EXISTS (SELECT 1 FROM commerce_orderline l WHERE l.order_id = o.id)
"""
REMOVE_SUBSCRIPTIONS = "DELETE FROM commerce_subscription WHERE import_id = %(import_id)s"
REMOVE_INTERACTIONS = "DELETE FROM interactions_interaction WHERE import_id = %(import_id)s"
UNUSED_CUSTOMERS = """
    SELECT c.id FROM customers_customer c WHERE c.import_id = %(import_id)s AND c.updated_at = c.created_at
    AND NOT EXISTS (SELECT 1 FROM commerce_order o WHERE o.customer_id = c.id)
    AND NOT EXISTS (SELECT 1 FROM commerce_subscription u WHERE u.customer_id = c.id)
    AND NOT EXISTS (SELECT 1 FROM customers_contact p WHERE p.customer_id = c.id)
    AND NOT EXISTS (SELECT 1 FROM interactions_interaction i WHERE i.customer_id = c.id)
    AND NOT EXISTS (SELECT 1 FROM customers_customer d WHERE d.parent_id = c.id)
"""
UNUSED_CONTACTS = """
    SELECT c.id FROM customers_contact c WHERE c.import_id = %(import_id)s AND c.updated_at = c.created_at
    AND NOT EXISTS (SELECT 1 FROM interactions_interaction i WHERE i.contact_id = c.id)
    AND NOT EXISTS (SELECT 1 FROM customers_consent s WHERE s.contact_id = c.id)
"""
AT_ONCE = 5_000


class CannotUndo(Refusal):
    message = _("This import cannot be taken back: it changed %(updated)s existing rows, whose former values are gone.")


class NotDone(Refusal):
    message = _("Only an import that is done can be taken back.")


@transaction.atomic(durable=True)
def undo(given: Import, *, by: Staff | None, now: datetime) -> dict[str, int]:
    """Remove what an import made and nothing else uses; returns counts of `removed` and `kept` rows.

    Customers and contacts that something refers to since are kept. Products stay: they are only names.
    """
    given = Import.objects.select_for_update().get(pk=given.pk)
    if given.state != ImportState.DONE:
        raise NotDone
    if given.counts.get("updated"):
        raise CannotUndo(updated=given.counts["updated"])
    removed = _remove_rows(given.pk)
    removed += _remove(Contact, {pk for (pk,) in ask(UNUSED_CONTACTS, import_id=given.pk)})
    unused = {pk for (pk,) in ask(UNUSED_CUSTOMERS, import_id=given.pk)}
    removed += _remove(Customer, unused - customers_with_usage(unused))
    kept = sum(model._default_manager.filter(import_id=given.pk).count() for model in (Contact, Customer))
    result = {"removed": removed, "kept": kept}
    Import.objects.filter(pk=given.pk).update(state=ImportState.UNDONE, counts={**given.counts, "undone": result})
    audit.note(by, "import.undone", given, at=now, file=given.file_name, **result)
    return result


def _remove_rows(import_id: int) -> int:
    do(EMPTIED, import_id=import_id)
    removed = do(REMOVE_LINES, import_id=import_id)
    do(REMOVE_ORDERS, import_id=import_id)
    for statement in (REMOVE_SUBSCRIPTIONS, REMOVE_INTERACTIONS):
        removed += do(statement, import_id=import_id)
    return removed + forget_files(import_id)


def _remove(model: type[Customer] | type[Contact], keys: set[int]) -> int:
    """Remove rows with what the system derived from them, such as their facts."""
    ordered = sorted(keys)
    for start in range(0, len(ordered), AT_ONCE):
        model._default_manager.filter(pk__in=ordered[start : start + AT_ONCE]).delete()
    return len(ordered)
