"""What tracking clients send: where from, with which keys, what still waits, who they are, and what was refused."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from zhike.org.models import Staff
from zhike.record.customers.models import Contact, Customer


class Source(models.Model):
    """A product, site or app that sends events."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    origins: models.JSONField[Any, Any] = models.JSONField(_("allowed web origins"), default=list, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(editable=False)
    created_by = models.ForeignKey(Staff, models.SET_NULL, null=True, editable=False, related_name="+")

    def __str__(self) -> str:
        return self.name


class WriteKey(models.Model):
    """A key that can only send events, kept as its SHA-256; `hint` is how a person tells keys apart."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="keys")
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=12)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+")
    ends_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"…{self.hint}"


class Inbox(models.Model):
    """One batch of accepted events, from the answer to the client until a file of the lake holds them."""

    source_id = models.BigIntegerField()
    received_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    events = models.IntegerField()
    body = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.pk}: {self.events}"


class Person(models.Model):
    """Somebody whom tracking clients tell of; attached to a contact and a customer once it is known who that is."""

    contact = models.ForeignKey(Contact, models.SET_NULL, null=True, related_name="+")
    customer = models.ForeignKey(Customer, models.SET_NULL, null=True, related_name="+")
    group = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=254, blank=True)
    traits: models.JSONField[Any, Any] = models.JSONField(default=dict)
    merged_into = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+")
    waiting = models.BigIntegerField(default=0)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["group"], name="person_of_group", condition=~models.Q(group="")),
            models.Index(fields=["email"], name="person_by_email", condition=~models.Q(email="")),
            models.Index(fields=["-waiting"], name="person_waiting", condition=models.Q(waiting__gt=0)),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class IdentityKind(models.TextChoices):
    USER = "user", _("User number")
    ANONYMOUS = "anonymous", _("Anonymous visitor")


class Identity(models.Model):
    """A name under which clients know a person; merging two people points the names of one at the other."""

    kind = models.CharField(max_length=9, choices=IdentityKind)
    value = models.CharField(max_length=200)
    person = models.ForeignKey(Person, models.CASCADE, related_name="identities")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "value"], name="identity_names_one_person")]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


class RefusedEvent(models.Model):
    """An event that was not accepted, and why; kept for a week so that a person can read, mend and replay it."""

    source = models.ForeignKey(Source, models.CASCADE)
    received_at = models.DateTimeField()
    message_id = models.CharField(max_length=100, blank=True)
    reason = models.CharField(max_length=40)
    detail = models.CharField(max_length=300, blank=True)
    body = models.TextField(blank=True)
    replayed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["-received_at", "-id"], name="refused_latest")]

    def __str__(self) -> str:
        return f"{self.reason} {self.message_id}"


class Feature(models.Model):
    """An event name found in the stream: the catalogue of what a product lets people do."""

    name = models.CharField(_("event"), max_length=200, unique=True)
    title = models.CharField(_("title"), max_length=120, blank=True)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    count = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.title or self.name


class FeatureDay(models.Model):
    """How often a feature was used on one day of the company's calendar, by everybody who tracks."""

    feature = models.ForeignKey(Feature, models.CASCADE, related_name="days")
    day = models.DateField()
    count = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["feature", "day"], name="feature_day_once")]

    def __str__(self) -> str:
        return f"{self.feature_id} {self.day}"


class StreamMinute(models.Model):
    """What one source sent within one minute, by the time of receipt."""

    source = models.ForeignKey(Source, models.CASCADE)
    minute = models.DateTimeField()
    accepted = models.BigIntegerField(default=0)
    duplicates = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "minute"], name="stream_minute_once")]

    def __str__(self) -> str:
        return f"{self.source_id} {self.minute}"
