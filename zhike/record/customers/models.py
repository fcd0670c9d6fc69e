"""Customers, the people at them, and the attributes that a company adds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from zhike.org.models import Staff
from zhike.org.scopes import owned_by

if TYPE_CHECKING:
    from zhike.org.principals import Principal


class CustomerKind(models.TextChoices):
    ORGANISATION = "organisation", _("Organisation")
    PERSON = "person", _("Person")


class Channel(models.TextChoices):
    """The ways a customer and the company talk to each other."""

    PHONE = "phone", _("Phone")
    EMAIL = "email", _("E-mail")
    WECOM = "wecom", _("WeCom")
    DINGTALK = "dingtalk", _("DingTalk")
    FEISHU = "feishu", _("Feishu")
    CHAT = "chat", _("Web chat")
    SMS = "sms", _("SMS")
    SOCIAL = "social", _("Social media")
    MEETING = "meeting", _("Meeting")
    VISIT = "visit", _("Visit")
    COMMUNITY = "community", _("Community")
    IN_APP = "in_app", _("In-app")


class CustomerQuerySet(models.QuerySet["Customer"]):
    def visible_to(self, principal: Principal) -> Self:
        """Customers that this person may see: their own, their team's, or all."""
        return self.filter(owned_by(principal))


class Customer(models.Model):
    """An organisation or person that the company keeps."""

    ref = models.CharField(_("customer number"), max_length=100, unique=True)
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=12, choices=CustomerKind, default=CustomerKind.ORGANISATION)
    industry = models.CharField(_("industry"), max_length=100, blank=True)
    region = models.CharField(_("region"), max_length=100, blank=True)
    size = models.CharField(_("size"), max_length=50, blank=True)
    joined = models.DateField(_("customer since"), null=True, blank=True)
    owner = models.ForeignKey(
        Staff, models.SET_NULL, null=True, blank=True, db_index=False, verbose_name=_("owner")
    )  # Three indexes begin with it.
    parent = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, verbose_name=_("parent company"))
    acquisition_cost = models.DecimalField(
        _("acquisition cost"), max_digits=16, decimal_places=2, null=True, blank=True
    )
    attributes: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    sort_key = models.CharField(max_length=300, db_collation="C", editable=False)
    terms = SearchVectorField(editable=False, null=True)
    import_id = models.BigIntegerField(null=True, editable=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        indexes = [
            GinIndex(fields=["terms"], name="customer_terms", fastupdate=False),
            models.Index(fields=["sort_key", "id"], name="customer_by_name"),
            models.Index(fields=["owner", "sort_key", "id"], name="customer_of_owner_by_name"),
            models.Index(fields=["owner", "region"], name="customer_of_owner_region"),
            models.Index(fields=["owner", "industry"], name="customer_of_owner_industry"),
            models.Index(fields=["import_id"], name="customer_import", condition=models.Q(import_id__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name


class AttributeKind(models.TextChoices):
    TEXT = "text", _("Text")
    NUMBER = "number", _("Number")
    DATE = "date", _("Date")
    CHOICE = "choice", _("Choice")
    MULTI = "multi", _("Several choices")
    MONEY = "money", _("Money")
    BOOLEAN = "boolean", _("Yes or no")
    LINK = "link", _("Link")


class AttributeDefinition(models.Model):
    """A field that the company added to its customers; values live in `Customer.attributes`, checked against this."""

    name = models.SlugField(_("name"), max_length=50, unique=True)
    title = models.CharField(_("title"), max_length=80)
    kind = models.CharField(_("kind"), max_length=8, choices=AttributeKind)
    choices: models.JSONField[Any, Any] = models.JSONField(_("choices"), default=list, blank=True)

    def __str__(self) -> str:
        return self.title


class ContactRole(models.TextChoices):
    DECISION_MAKER = "decision_maker", _("Decision maker")
    CHAMPION = "champion", _("Champion")
    USER = "user", _("User")
    FINANCE = "finance", _("Finance")
    TECHNICAL = "technical", _("Technical")
    OTHER = "other", _("Other")


class ContactQuerySet(models.QuerySet["Contact"]):
    def visible_to(self, principal: Principal) -> Self:
        """Contacts at customers that this person may see."""
        return self.filter(owned_by(principal, "customer__"))


class Contact(models.Model):
    """A person at a customer."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="contacts")
    ref = models.CharField(_("contact number"), max_length=100)
    name = models.CharField(_("name"), max_length=100)
    title = models.CharField(_("job title"), max_length=100, blank=True)
    role = models.CharField(_("role"), max_length=14, choices=ContactRole, default=ContactRole.OTHER)
    email = models.CharField(_("e-mail"), max_length=254, blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    birthday = models.DateField(_("birthday"), null=True, blank=True)
    birthday_is_lunar = models.BooleanField(_("lunar birthday"), default=False)
    preferred_channel = models.CharField(_("preferred channel"), max_length=10, choices=Channel, blank=True)
    reachable = models.CharField(_("reachable hours"), max_length=60, blank=True)
    left_on = models.DateField(_("left on"), null=True, blank=True)
    terms = SearchVectorField(editable=False, null=True)
    import_id = models.BigIntegerField(null=True, editable=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    objects = ContactQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "ref"], name="contact_ref_once_per_customer")]
        indexes = [
            GinIndex(fields=["terms"], name="contact_terms", fastupdate=False),
            models.Index(fields=["ref"], name="contact_by_ref"),  # A tracking client's userId may be one.
            models.Index(Lower("email"), name="contact_by_email", condition=~models.Q(email="")),
        ]

    def __str__(self) -> str:
        return self.name


class Consent(models.Model):
    """What a contact allowed or forbade, for one purpose on one channel, with its evidence; lines are only added."""

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="consents")
    purpose = models.CharField(_("purpose"), max_length=30)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel)
    granted = models.BooleanField(_("granted"))
    source = models.CharField(_("source"), max_length=60)
    evidence = models.TextField(_("evidence"), blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["contact", "purpose", "channel", "-at"], name="consent_latest")]

    def __str__(self) -> str:
        return f"{self.purpose} {self.channel}"
