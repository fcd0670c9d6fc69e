"""What was found in each text, what people said about it, the models learnt from that, and problems of many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from zhike.org.models import Staff
from zhike.org.scopes import owned_by
from zhike.record.customers.models import Customer
from zhike.record.events.models import Event
from zhike.record.interactions.models import Interaction

if TYPE_CHECKING:
    from zhike.org.principals import Principal


class Aspect(models.TextChoices):
    """What a text is sorted by."""

    SENTIMENT = "sentiment", _("Sentiment")
    KIND = "kind", _("Kind of feedback")
    TOPIC = "topic", _("Topic")


class Sentiment(models.TextChoices):
    NEGATIVE = "negative", _("Negative")
    NEUTRAL = "neutral", _("Neutral")
    POSITIVE = "positive", _("Positive")


class FeedbackKind(models.TextChoices):
    REQUEST = "request", _("Product request")
    PROBLEM = "problem", _("Service problem")
    EXPERIENCE = "experience", _("Experience")


class Origin(models.TextChoices):
    """Who says so: a model that is sure, a model that is not, or a person."""

    MODEL = "model", _("Found by the model")
    UNSURE = "unsure", _("Unsure")
    PERSON = "person", _("Said by a colleague")


class JudgedBy(models.TextChoices):
    """Which judge: our own models, the language model that the company configured, or ours because that one failed."""

    LOCAL = "local", _("Our own models")
    LANGUAGE_MODEL = "model", _("The language model")
    INSTEAD = "instead", _("Our own models, because the language model did not answer")


def _answer() -> models.CharField[str, str]:
    return models.CharField(max_length=60, blank=True)


def _confidence() -> models.FloatField[float, float]:
    return models.FloatField(default=0.0)


def _origin() -> models.CharField[str, str]:
    return models.CharField(max_length=6, choices=Origin, default=Origin.UNSURE)


class VoiceTextQuerySet(models.QuerySet["VoiceText"]):
    def visible_to(self, principal: Principal) -> Self:
        return self.filter(owned_by(principal, "customer__"))


class VoiceText(models.Model):
    """What is thought of one text; the text itself stays where it was said: an interaction or an answer to a survey.

    Of each aspect: the best answer, how likely it is right, and who says so. `unsure` while any of them is.
    """

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    interaction = models.OneToOneField(Interaction, models.CASCADE, null=True, related_name="voice")
    event = models.OneToOneField(Event, models.CASCADE, null=True, related_name="voice")
    at = models.DateTimeField()
    sentiment = _answer()
    sentiment_confidence = _confidence()
    sentiment_origin = _origin()
    kind = _answer()
    kind_confidence = _confidence()
    kind_origin = _origin()
    topic = _answer()
    topic_confidence = _confidence()
    topic_origin = _origin()
    unsure = models.BooleanField(default=True)
    judged_by = models.CharField(max_length=7, choices=JudgedBy, default=JudgedBy.LOCAL, db_default=JudgedBy.LOCAL)

    objects = VoiceTextQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(interaction__isnull=False) ^ models.Q(event__isnull=False), name="voice_has_one_text"
            )
        ]
        indexes = [
            models.Index(fields=["-at", "-id"], name="voice_by_time"),
            models.Index(fields=["customer", "-at"], name="voice_of_customer"),
            models.Index(fields=["id"], name="voice_asked_again", condition=models.Q(judged_by="instead")),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.sentiment} {self.kind} {self.topic}"

    @property
    def text(self) -> str:
        """The customer's words."""
        if self.interaction is not None:
            return self.interaction.text
        return str(self.event.payload.get("comment") or "") if self.event else ""


class TextLabel(models.Model):
    """What a colleague says about an aspect of a text; the last word counts, earlier ones are in the audit log."""

    voice = models.ForeignKey(VoiceText, models.CASCADE, related_name="labels")
    aspect = models.CharField(max_length=10, choices=Aspect)
    value = models.CharField(max_length=60)
    by = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["voice", "aspect"], name="text_label_once")]

    def __str__(self) -> str:
        return f"{self.aspect} {self.value}"


class LearntModel(models.Model):
    """The model in use of one aspect, as plain numbers, and its card: labels, accuracy, calibration, threshold."""

    aspect = models.CharField(max_length=10, choices=Aspect, primary_key=True)
    made_at = models.DateTimeField()
    labels = models.PositiveIntegerField()
    data = models.BinaryField()
    card: models.JSONField[Any, Any] = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.aspect} {self.made_at}"


class Problem(models.Model):
    """Texts about the same thing within a period, as the last look found them; `weeks` counts texts, oldest first."""

    days = models.PositiveSmallIntegerField()
    terms = ArrayField(models.CharField(max_length=60))
    texts = models.PositiveIntegerField()
    customers = models.PositiveIntegerField()
    weeks = ArrayField(models.PositiveIntegerField(), default=list)
    found_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.days} {' '.join(self.terms)}"


class ProblemText(models.Model):
    """A text of a problem; the most typical has place 0."""

    problem = models.ForeignKey(Problem, models.CASCADE, related_name="members")
    voice = models.ForeignKey(VoiceText, models.CASCADE, related_name="+")
    place = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["problem", "voice"], name="problem_text_once")]

    def __str__(self) -> str:
        return f"{self.problem_id} {self.voice_id}"
