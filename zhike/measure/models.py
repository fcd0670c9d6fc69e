"""What measuring leaves behind: today's facts of every customer, the kept days, the moves and the totals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models

from zhike.kit.ruletrees import Kind
from zhike.measure.facts import STORED, Fact, Unit
from zhike.measure.voice.models import VoiceText as VoiceText  # Its tables are of this application.
from zhike.org.models import Staff
from zhike.record.commerce.models import Product
from zhike.record.customers.models import Customer

if TYPE_CHECKING:
    from zhike.org.principals import Principal

HEALTH_WEEKS = 26


IN_BOOK = [
    "customer",
    "health",
    "health_band",
    "health_change_30d",
    "mrr",
    "arr",
    "revenue",
    "revenue_12m",
    "contract_end",
    "last_usage",
    "last_touch",
    "next_touch",
]
"""What a list of one colleague's customers is mostly filtered and ordered by."""


class CustomerFactsQuerySet(models.QuerySet["CustomerFacts"]):
    def visible_to(self, principal: Principal) -> Self:
        """Facts of customers that this person may see."""
        if principal.scope == "all":
            return self
        return self.filter(customer__in=Customer.objects.visible_to(principal))


class CustomerFacts(models.Model):
    """What is known of a customer this morning. The columns come from `zhike.measure.facts.FACTS`.

    Facts that stand in the customer's own record are not repeated here. `health_weeks` holds the health of the last 26
    weeks, oldest first, the last one today's; None where no day of that week was kept. `book_id` is the customer's
    owner, kept up by the database itself: one colleague's customers are found by an index of this table alone.
    """

    customer = models.OneToOneField(Customer, models.CASCADE, primary_key=True, related_name="facts")
    health_weeks = ArrayField(models.PositiveSmallIntegerField(null=True), default=list)
    book_id = models.BigIntegerField(null=True, editable=False)

    objects = CustomerFactsQuerySet.as_manager()

    class Meta:
        # A list is read forwards or backwards through one of these; unknown values are a list of their own.
        indexes = [
            models.Index(fields=["revenue", "customer"], name="facts_by_revenue"),
            models.Index(fields=["revenue_12m", "customer"], name="facts_by_revenue_12m"),
            models.Index(fields=["arr", "customer"], name="facts_by_arr"),
            models.Index(fields=["health", "customer"], name="facts_by_health"),
            models.Index(fields=["health_change_30d", "customer"], name="facts_by_health_change"),
            models.Index(fields=["contract_end", "customer"], name="facts_by_contract_end"),
            models.Index(fields=["next_touch", "customer"], name="facts_by_next_touch"),
            models.Index(fields=["last_touch", "customer"], name="facts_by_last_touch"),
            models.Index(fields=["book_id", "arr", "customer"], name="facts_of_book_by_arr"),
            models.Index(fields=["book_id", "health", "customer"], name="facts_of_book_by_health"),
            # Without facts that change every day by themselves: nearly every row would need a new entry each night.
            models.Index(fields=["book_id", "tier", "stage"], include=IN_BOOK, name="facts_of_book"),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


def _column(fact: Fact) -> models.Field[Any, Any]:
    """Return the column that holds a fact; unknown is NULL, also for texts, because rules ask `known`."""
    if fact.unit is Unit.POINTS:
        return models.DecimalField(max_digits=5, decimal_places=1, null=True)
    match fact.kind:
        case Kind.INTEGER:
            return models.BigIntegerField(null=True)
        case Kind.NUMBER:
            return models.FloatField(null=True)
        case Kind.MONEY:
            return models.DecimalField(max_digits=18, decimal_places=2, null=True)
        case Kind.DATE:
            return models.DateField(null=True)
        case Kind.BOOLEAN:
            return models.BooleanField(null=True)
        case _:
            return models.CharField(max_length=fact.length, null=True)


for _fact in STORED:
    CustomerFacts.add_to_class(_fact.name, _column(_fact))


class FactsDay(models.Model):
    """A day whose facts are kept as a Parquet file, with the yardsticks they were made by.

    `cards` say how the models of that night were made, by the name of the model: parameters, rows, errors, or why there
    is none.
    """

    day = models.DateField(primary_key=True)
    path = models.CharField(max_length=200)
    rows = models.BigIntegerField()
    plan_number = models.PositiveIntegerField(null=True)
    spec: models.JSONField[Any, Any] = models.JSONField()
    warnings: models.JSONField[Any, Any] = models.JSONField(default=list)
    cards: models.JSONField[Any, Any] = models.JSONField(default=dict)
    computed_at = models.DateTimeField()
    seconds = models.FloatField()

    def __str__(self) -> str:
        return str(self.day)


class ChurnModel(models.Model):
    """A churn score learnt on a day, as plain numbers, and the card that says how good it is.

    `scorer` is None when the score is withheld; the card's `findings` say why. `made_by` is the digest of what the plan
    says about leaving.
    """

    day = models.DateField()
    made_by = models.CharField(max_length=64)
    scorer: models.JSONField[Any, Any] = models.JSONField(null=True)
    card: models.JSONField[Any, Any] = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["made_by", "day"], name="churn_model_once_a_day")]

    def __str__(self) -> str:
        return str(self.day)


class KeptFacts(models.Model):
    """What the facts of the latest day are freshened from; there is at most one row, and files no row names are waste.

    `gathered` and `written` are files of the lake: what was gathered of each customer, and the scores that the rows in
    the database have. They hold at `moment`; `due_us` is when, in microseconds since 1970, more of the record begins to
    count. `made_from` tells whether yardsticks or rates have changed since. `passes` counts how often rows were put in
    the place of others since the day's turn.
    """

    day = models.DateField(primary_key=True)
    moment = models.DateTimeField()
    made_from = models.CharField(max_length=64)
    gathered = models.CharField(max_length=200)
    written = models.CharField(max_length=200)
    due_us = models.BigIntegerField(null=True)
    passes = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.day} {self.moment}"


class Move(models.Model):
    """A customer's change from one class to another. The first row, from nothing, says where the history begins."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    before = models.CharField(max_length=40, blank=True)
    after = models.CharField(max_length=40)
    day = models.DateField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.day} {self.before} → {self.after}"


class StageMove(Move):
    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "day"], name="stage_move_once_a_day")]
        indexes = [models.Index(fields=["day"], name="stage_move_day")]


class TierMove(Move):
    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "day"], name="tier_move_once_a_day")]
        indexes = [models.Index(fields=["day"], name="tier_move_day")]


class FactsSummary(models.Model):
    """Totals of today's facts by owner, tier, stage and health band, so that a list need not count."""

    owner_id = models.BigIntegerField(null=True)
    tier = models.CharField(max_length=40, blank=True)
    stage = models.CharField(max_length=40, blank=True)
    band = models.CharField(max_length=40, blank=True)
    customers = models.BigIntegerField()
    revenue = models.DecimalField(max_digits=20, decimal_places=2)
    revenue_12m = models.DecimalField(max_digits=20, decimal_places=2)
    mrr = models.DecimalField(max_digits=20, decimal_places=2)
    health_sum = models.DecimalField(max_digits=14, decimal_places=1)
    health_known = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["owner_id"], name="facts_summary_owner")]

    def __str__(self) -> str:
        return f"{self.owner_id} {self.tier} {self.stage} {self.band}"


class OfferPair(models.Model):
    """Two products that customers have together, as the last night learnt it; with itself, a product's own popularity.

    `both` customers have the two of them, `owners` the first; `weight` is how alike they are (`offers.together`).
    """

    item = models.ForeignKey(Product, models.CASCADE, related_name="+")
    other = models.ForeignKey(Product, models.CASCADE, related_name="+")
    both = models.BigIntegerField()
    owners = models.BigIntegerField()
    weight = models.FloatField()

    def __str__(self) -> str:
        return f"{self.item_id} {self.other_id} {self.weight}"


class PeerShare(models.Model):
    """How many customers of a group (`all`, `industry:…`, `size:…`, `tier:…`) have a product or use a feature."""

    kind = models.CharField(max_length=8)
    group = models.CharField(max_length=120)
    item = models.CharField(max_length=300)
    customers = models.BigIntegerField()
    among = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["kind", "group"], name="peer_share_of_group")]

    def __str__(self) -> str:
        return f"{self.group} {self.item} {self.customers}/{self.among}"


class DismissedOffer(models.Model):
    """An offer that a colleague found unfit for a customer; it is not made again."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    key = models.CharField(max_length=110)
    by = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "key"], name="offer_dismissed_once")]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.key}"


class StatedNeed(models.Model):
    """What a colleague says a customer looks for; it wins over what is told from its behaviour."""

    customer = models.OneToOneField(Customer, models.CASCADE, primary_key=True, related_name="+")
    need = models.CharField(max_length=8)
    by = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.customer_id} {self.need}"
