"""Interactions: every contact between a customer and the company, on any channel, in or out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from zhike.org.models import Staff
from zhike.org.scopes import owned_by
from zhike.record.customers.models import Channel, Contact, Customer

if TYPE_CHECKING:
    from zhike.org.principals import Principal


class Direction(models.TextChoices):
    IN = "in", _("From the customer")
    OUT = "out", _("To the customer")


class Outcome(models.TextChoices):
    REACHED = "reached", _("Reached")
    NO_ANSWER = "no_answer", _("No answer")
    LEFT_MESSAGE = "left_message", _("Left a message")
    POSTPONED = "postponed", _("Put off by us")
    NOT_NEEDED = "not_needed", _("Found not needed")


# How a contact can have ended; the other outcomes note that we decided against one.
CONTACTS = (Outcome.REACHED, Outcome.NO_ANSWER, Outcome.LEFT_MESSAGE)


class InteractionQuerySet(models.QuerySet["Interaction"]):
    def visible_to(self, principal: Principal) -> Self:
        return self.filter(owned_by(principal, "customer__"))


class Interaction(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="interactions")
    contact = models.ForeignKey(Contact, models.SET_NULL, null=True, blank=True)
    at = models.DateTimeField(_("time"))
    channel = models.CharField(_("channel"), max_length=10, choices=Channel)
    direction = models.CharField(_("direction"), max_length=3, choices=Direction, default=Direction.OUT)
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome, default=Outcome.REACHED)
    by = models.ForeignKey(Staff, models.SET_NULL, null=True, blank=True, related_name="+")
    by_name = models.CharField(max_length=80, blank=True)
    text = models.TextField(_("what was said"), blank=True)
    key = models.CharField(max_length=64, unique=True, editable=False)
    import_id = models.BigIntegerField(null=True, editable=False)
    created_at = models.DateTimeField(editable=False)

    objects = InteractionQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["customer", "-at"], name="interaction_of_customer")]

    def __str__(self) -> str:
        return f"{self.channel} {self.at}"
