"""What customers bought: products, orders with their lines, and subscriptions, each in its own currency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from zhike.org.scopes import owned_by
from zhike.record.customers.models import Customer

if TYPE_CHECKING:
    from zhike.org.principals import Principal


class Product(models.Model):
    ref = models.CharField(_("product number"), max_length=100, unique=True)
    name = models.CharField(_("name"), max_length=200)
    category = models.CharField(_("category"), max_length=100, blank=True)
    is_fee = models.BooleanField(_("fee, not a product"), default=False)

    def __str__(self) -> str:
        return self.name


class OrderQuerySet(models.QuerySet["Order"]):
    def visible_to(self, principal: Principal) -> Self:
        return self.filter(owned_by(principal, "customer__"))


class Order(models.Model):
    """An order as the shop numbered it. Its lines say what was bought, given back or charged as a fee."""

    ref = models.CharField(_("order number"), max_length=100)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="orders")
    placed_at = models.DateTimeField(_("time"))
    currency = models.CharField(_("currency"), max_length=3)
    bought = models.DecimalField(_("bought"), max_digits=18, decimal_places=4, default=0)
    returned = models.DecimalField(_("returned"), max_digits=18, decimal_places=4, default=0)
    fees = models.DecimalField(_("fees"), max_digits=18, decimal_places=4, default=0)
    import_id = models.BigIntegerField(null=True, editable=False)

    objects = OrderQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ref", "customer"], name="order_once_per_customer")]
        indexes = [models.Index(fields=["customer", "-placed_at"], name="order_of_customer")]

    def __str__(self) -> str:
        return self.ref


class LineKind(models.TextChoices):
    SALE = "sale", _("Sale")
    RETURN = "return", _("Return")
    FEE = "fee", _("Fee")
    FREE = "free", _("Without a price")


class OrderLine(models.Model):
    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, models.PROTECT)
    kind = models.CharField(max_length=6, choices=LineKind)
    description = models.CharField(max_length=300, blank=True)
    quantity = models.DecimalField(max_digits=16, decimal_places=4)
    price = models.DecimalField(max_digits=16, decimal_places=4)
    amount = models.DecimalField(max_digits=18, decimal_places=4)
    key = models.CharField(max_length=64, unique=True, editable=False)
    import_id = models.BigIntegerField(null=True, editable=False)

    def __str__(self) -> str:
        return f"{self.quantity} × {self.description}"


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def visible_to(self, principal: Principal) -> Self:
        return self.filter(owned_by(principal, "customer__"))


class Subscription(models.Model):
    """A product that a customer pays for every month, from `start` up to, not including, `end`."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="subscriptions")
    product = models.ForeignKey(Product, models.PROTECT)
    start = models.DateField(_("start"))
    end = models.DateField(_("end"), null=True, blank=True)
    mrr = models.DecimalField(_("monthly recurring revenue"), max_digits=16, decimal_places=4)
    quantity = models.DecimalField(_("quantity"), max_digits=16, decimal_places=4, default=1)
    currency = models.CharField(_("currency"), max_length=3)
    key = models.CharField(max_length=64, unique=True, editable=False)
    import_id = models.BigIntegerField(null=True, editable=False)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(end__isnull=True) | models.Q(end__gte=models.F("start")),
                name="subscription_ends_after_start",
            )
        ]
        indexes = [models.Index(fields=["customer", "-start"], name="subscription_of_customer")]

    def __str__(self) -> str:
        return f"{self.product_id} {self.start}"
