"""The company, its people, what they may do, what they did, and the long work that runs for them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from zhike.org.roles import Permission, Scope


class Company(models.Model):
    """The company that runs this installation; exactly one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    name = models.CharField(_("name"), max_length=100)
    seal = models.CharField(_("seal"), max_length=2, default="知")
    currency = models.CharField(_("reporting currency"), max_length=3, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=50, default="Asia/Shanghai")
    language = models.CharField(_("language"), max_length=10, default="zh-hans")
    is_demo = models.BooleanField(default=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="company_is_one")]

    def __str__(self) -> str:
        return self.name


class ExchangeRate(models.Model):
    """How many units of the reporting currency one unit of another currency is worth, from a day on."""

    currency = models.CharField(max_length=3)
    from_day = models.DateField()
    rate = models.DecimalField(max_digits=18, decimal_places=8)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["currency", "from_day"], name="rate_once_a_day"),
            models.CheckConstraint(condition=models.Q(rate__gt=0), name="rate_is_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.rate}"


class Team(models.Model):
    name = models.CharField(_("name"), max_length=80, unique=True)

    def __str__(self) -> str:
        return self.name


class Role(models.Model):
    """A named set of permissions with a scope and the fields it may see."""

    key = models.SlugField(unique=True)
    name = models.CharField(_("name"), max_length=60)
    permissions = ArrayField(models.CharField(max_length=40, choices=Permission), default=list)
    scope = models.CharField(_("scope"), max_length=4, choices=Scope, default=Scope.OWN)
    sees_personal = models.BooleanField(_("sees personal data"), default=False)
    sees_revenue = models.BooleanField(_("sees revenue"), default=False)
    built_in = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.name


class StaffManager(BaseUserManager["Staff"]):
    def get_queryset(self) -> models.QuerySet[Staff]:
        """Staff with role and team: nothing asks about a colleague without asking what they may do."""
        return super().get_queryset().select_related("role", "team")

    def get_by_natural_key(self, username: str | None) -> Staff:
        return self.get(email__iexact=username)


class Staff(AbstractBaseUser):
    """A colleague who signs in."""

    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=80)
    role = models.ForeignKey(Role, models.PROTECT, verbose_name=_("role"))
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, verbose_name=_("team"))
    language = models.CharField(_("language"), max_length=10, blank=True)
    theme = models.CharField(_("theme"), max_length=5, blank=True)
    weekly_touches = models.PositiveSmallIntegerField(_("touches a week"), default=36)
    is_active = models.BooleanField(_("may sign in"), default=True)
    created_at = models.DateTimeField()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    objects = StaffManager()

    def __str__(self) -> str:
        return self.name

    def may(self, permission: str) -> bool:
        return self.is_active and permission in self.role.permissions

    @property
    def scope(self) -> str:
        return self.role.scope

    @property
    def sees_personal(self) -> bool:
        return self.role.sees_personal

    @property
    def sees_revenue(self) -> bool:
        return self.role.sees_revenue


class SignInGuard(models.Model):
    """Failed sign-ins of one account or one source address; decides, in one statement, when it is locked."""

    key = models.CharField(primary_key=True, max_length=200)
    failures = models.PositiveIntegerField(default=0)
    last_failure_at = models.DateTimeField()
    locked_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.key


class AuditLine(models.Model):
    """One thing somebody did, chained to the line before by its digest."""

    id = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=10)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=80)
    action = models.CharField(max_length=60)
    object_kind = models.CharField(max_length=40)
    object_id = models.CharField(max_length=60)
    detail: models.JSONField[Any, Any] = models.JSONField(default=dict)
    before = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)

    class Meta:
        indexes = [
            models.Index(fields=["object_kind", "object_id", "-id"], name="audit_of_object"),
            models.Index(fields=["actor_id", "-id"], name="audit_of_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.action}"


class WorkState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class Work(models.Model):
    """A long piece of work that a person started or the clock did; its progress card reads this row."""

    kind = models.CharField(max_length=40)
    title = models.CharField(max_length=200)
    by = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=10, choices=WorkState, default=WorkState.QUEUED)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True)
    step = models.CharField(max_length=200, blank=True)
    result: models.JSONField[Any, Any] = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    cancel_asked = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["by", "-created_at"], name="work_of_person")]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"

    def seconds_left(self, *, now: datetime) -> int | None:
        """Return the seconds this will still take at its pace so far, or None while nobody can know."""
        if not self.started_at or not self.total or not self.done:
            return None
        passed = (now - self.started_at).total_seconds()
        return max(0, round(passed / self.done * (self.total - self.done)))
