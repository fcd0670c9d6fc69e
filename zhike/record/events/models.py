"""What happened: domain events in PostgreSQL, and the catalogue of the usage events that lie in the lake."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.db import connection, models
from django.utils.translation import gettext_lazy as _
from psycopg import sql

from zhike.org.models import Staff
from zhike.org.scopes import owned_by

if TYPE_CHECKING:
    from zhike.org.principals import Principal


class EventKind(models.TextChoices):
    """Everything that is worth measuring, by name. Names are stored for ever: add, never rename."""

    CUSTOMER_CREATED = "customer.created", _("Customer created")
    CUSTOMER_UPDATED = "customer.updated", _("Customer updated")
    CUSTOMER_HANDED_OVER = "customer.handed_over", _("Customer handed over")
    INTERACTION_LOGGED = "interaction.logged", _("Interaction logged")
    TIER_CHANGED = "tier.changed", _("Tier changed")
    STAGE_CHANGED = "stage.changed", _("Lifecycle stage changed")
    ALERT_RAISED = "alert.raised", _("Alert raised")
    TOUCH_PLANNED = "touch.planned", _("Touch planned")
    TOUCH_MADE = "touch.made", _("Touch made")
    TOUCH_POSTPONED = "touch.postponed", _("Touch postponed")
    TOUCH_DROPPED = "touch.dropped", _("Touch found not needed")
    TOUCH_REOPENED = "touch.reopened", _("Touch reopened")
    SURVEY_ANSWERED = "survey.answered", _("Survey answered")
    COMPLAINT_SOLVED = "complaint.solved", _("Complaint solved")
    FEEDBACK_LABELLED = "feedback.labelled", _("Feedback sorted by a colleague")


class EventQuerySet(models.QuerySet["Event"]):
    def visible_to(self, principal: Principal) -> Self:
        return self.filter(owned_by(principal, "customer__"))


class Event(models.Model):
    """One thing that happened to a customer. Rows are only ever added."""

    customer = models.ForeignKey("customers.Customer", models.CASCADE)
    kind = models.CharField(max_length=40, choices=EventKind)
    at = models.DateTimeField()
    by = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+")
    payload: models.JSONField[Any, Any] = models.JSONField(default=dict)

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["customer", "-at"], name="event_of_customer"),
            models.Index(fields=["kind", "at"], name="event_of_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at}"

    @classmethod
    def append(
        cls, customer_id: int, kind: EventKind, *, at: datetime, by: Staff | None = None, **payload: Any
    ) -> Event:
        """Note that something happened; belongs in the transaction that made it happen."""
        return cls.objects.create(customer_id=customer_id, kind=kind, at=at, by=by, payload=payload)


class LakeFile(models.Model):
    """One live Parquet file of the lake. A file without a row here does not exist for any reader."""

    path = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=20)
    month = models.DateField()
    rows = models.BigIntegerField()
    bytes = models.BigIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    least_customer = models.BigIntegerField()
    most_customer = models.BigIntegerField()
    import_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["kind", "month"], name="lake_kind_month")]

    def __str__(self) -> str:
        return self.path


class ChangedCustomer(models.Model):
    """A note that something of a customer has changed on record since the facts were last freshened.

    A customer may be noted many times over, and a note waits for nobody: whoever freshens removes the notes it has
    seen, and those made meanwhile stay. Triggers write it for tables of the record; what changes the lake notes itself.
    """

    customer_id = models.BigIntegerField()

    def __str__(self) -> str:
        return str(self.customer_id)

    @classmethod
    def note(cls, customer_ids: Collection[int]) -> None:
        """Note these customers; belongs in the transaction that made the change."""
        table = sql.Identifier(cls._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(
                sql.SQL("INSERT INTO {} (customer_id) SELECT unnest(%s::bigint[])").format(table), [list(customer_ids)]
            )


class RetentionRule(models.Model):
    """How long events of one name are kept; `*` stands for all that have no rule of their own."""

    event = models.CharField(_("event"), max_length=200, unique=True)
    days = models.PositiveIntegerField(_("days kept"))

    def __str__(self) -> str:
        return f"{self.event}: {self.days}"


class ErasureReceipt(models.Model):
    """The proof that a person's events were removed; it names the person by digest only."""

    subject = models.CharField(max_length=64)
    asked_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    by = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+")
    reason = models.CharField(max_length=200, blank=True)
    rows = models.BigIntegerField(default=0)
    files: models.JSONField[Any, Any] = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"{self.pk} {self.subject[:12]}"
