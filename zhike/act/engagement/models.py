"""Touches: the contacts that the plan asks for, and the alerts behind some of them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from zhike.org.models import Staff
from zhike.org.scopes import in_book_of
from zhike.record.customers.models import Channel, Contact, Customer
from zhike.record.interactions.models import Interaction

if TYPE_CHECKING:
    from zhike.org.prepared import Slot
    from zhike.org.principals import Principal


class TouchKind(models.TextChoices):
    CADENCE = "cadence", _("Cadence")
    ALERT = "alert", _("Alert")
    ONBOARDING = "onboarding", _("Onboarding")
    RENEWAL = "renewal", _("Renewal")
    MANUAL = "manual", _("By hand")


class TouchState(models.TextChoices):
    OPEN = "open", _("Open")
    DONE = "done", _("Done")
    NOT_NEEDED = "not_needed", _("Not needed")
    SUPERSEDED = "superseded", _("Superseded")


OPEN = models.Q(state="open")
COUNTED = ("urgency", "kind", "minutes", "snoozed_until", "book_id")
BESIDE = ("book_id", "due_on", "urgency", "snoozed_until", "kind")


class TouchQuerySet(models.QuerySet["Touch"]):
    def visible_to(self, principal: Principal) -> Self:
        """Touches of customers that this person may see."""
        return self.filter(in_book_of(principal))

    def awake(self, day: date | Slot) -> Self:
        """Open touches that nobody has put off beyond this day."""
        asleep = models.Q(snoozed_until__gt=day)
        return self.filter(state=TouchState.OPEN).exclude(asleep)

    def due(self, day: date | Slot) -> Self:
        """Touches that somebody should make on this day, or should have made before."""
        return self.awake(day).filter(due_on__lte=day)

    def with_everything(self) -> Self:
        """Touches with their customer, its owner and facts, and the contact."""
        return self.select_related("customer__facts", "customer__owner", "contact")

    def in_order(self, priority: Any, number: Any) -> Self:
        """Touches of a queue, the most pressing first, after the one of this priority and number."""
        after = models.Q(priority__lt=priority) | models.Q(priority=priority, id__gt=number)
        # The outer bound lets the index begin there.
        return self.filter(models.Q(priority__lte=priority) & after).order_by("-priority", "id")


class Touch(models.Model):
    """One contact that the plan asks for: with whom, why, by when, by whom, on which channel, with what content.

    `key` names the plan's wish (for example `cadence:core:2026-03`), so that the same turn run twice wishes once.
    `reason` holds the code of a sentence and its figures; pages turn it into words of the reader's language.
    `book_id` is the customer's owner, kept up by the database: who may see a touch is known without its customer.
    """

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="touches", db_index=False)
    contact = models.ForeignKey(Contact, models.SET_NULL, null=True, blank=True)
    owner = models.ForeignKey(Staff, models.SET_NULL, null=True, blank=True, db_index=False)
    book_id = models.BigIntegerField(null=True, editable=False)
    kind = models.CharField(max_length=10, choices=TouchKind)
    key = models.CharField(max_length=120)
    reason: models.JSONField[Any, Any] = models.JSONField(default=dict)
    content: models.JSONField[Any, Any] = models.JSONField(default=dict)
    channel = models.CharField(max_length=10, choices=Channel, blank=True)
    minutes = models.PositiveSmallIntegerField(default=15)
    stake = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    urgency = models.PositiveSmallIntegerField(default=1)
    priority = models.FloatField(default=0)
    due_on = models.DateField()
    snoozed_until = models.DateField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=TouchState, default=TouchState.OPEN)
    plan_number = models.PositiveIntegerField(null=True)
    created_on = models.DateField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+")
    interaction = models.ForeignKey(Interaction, models.SET_NULL, null=True, related_name="+")
    note = models.CharField(max_length=500, blank=True)

    objects = TouchQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "key"], name="touch_wished_once")]
        # What the queue, its counts and the navigation ask is answered by an index alone. Touches that are alike share
        # one entry of a key, so the long keys cost little; where the number is in it, none are alike.
        indexes = [
            models.Index(fields=["owner", "-priority", "id"], include=BESIDE, name="touch_queue", condition=OPEN),
            models.Index(fields=["-priority", "id"], include=BESIDE, name="touch_queue_all", condition=OPEN),
            models.Index(fields=["due_on", *COUNTED], name="touch_due", condition=OPEN),
            models.Index(fields=["owner", "due_on", *COUNTED], name="touch_due_of_owner", condition=OPEN),
            models.Index(fields=["customer", "due_on"], name="touch_of_customer"),
            models.Index(fields=["owner", "closed_at"], name="touch_made_of_owner", condition=models.Q(state="done")),
            models.Index(fields=["owner", "due_on"], name="touch_made_by_due", condition=models.Q(state="done")),
            models.Index(fields=["closed_by", "closed_at"], name="touch_made_by", condition=models.Q(state="done")),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def next_day(self) -> date:
        """The day on which an open touch next asks for attention."""
        return max(self.due_on, self.snoozed_until or self.due_on)


class Alert(models.Model):
    """A warning sign that the plan asked to be told of, on the day it was first seen."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="alerts")
    rule = models.CharField(max_length=60)
    day = models.DateField()
    detail: models.JSONField[Any, Any] = models.JSONField(default=dict)
    touch = models.ForeignKey(Touch, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "rule", "day"], name="alert_once_a_day")]

    def __str__(self) -> str:
        return f"{self.rule} {self.day}"
