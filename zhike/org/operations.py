"""What administrators do: the company, its teams, its people and their roles."""

import secrets
from datetime import datetime
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.db import IntegrityError, transaction

from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.org import audit, company
from zhike.org.models import Company, Role, Staff, Team
from zhike.org.roles import BUILT_IN_ROLES, Permission


class EmailTaken(Refusal):
    message = _("Somebody else signs in with %(email)s already.")


class LastAdministrator(Refusal):
    message = _("This would leave nobody who can manage staff. Give another colleague that permission first.")


@transaction.atomic
def ensure_built_in_roles() -> None:
    """Make the roles every installation starts with; a role that was edited since is left as it is."""
    for key, (name, permissions, scope, personal, revenue) in BUILT_IN_ROLES.items():
        Role.objects.get_or_create(
            key=key,
            defaults={
                "name": name,
                "permissions": [permission.value for permission in permissions],
                "scope": scope,
                "sees_personal": personal,
                "sees_revenue": revenue,
                "built_in": True,
            },
        )


@transaction.atomic(durable=True)
def set_up_company(*, name: str, currency: str, language: str, time_zone: str, is_demo: bool, now: datetime) -> Company:
    """Name the company of a fresh installation."""
    found = company.current()
    found.name, found.currency, found.language = name, currency, language
    found.time_zone, found.is_demo = time_zone, is_demo
    found.save(update_fields=["name", "currency", "language", "time_zone", "is_demo"])
    audit.note(None, "company.set_up", found, at=now, name=name, currency=currency, is_demo=is_demo)
    return found


@transaction.atomic(durable=True)
def change_company(*, by: Staff, now: datetime, **changes: Any) -> None:
    """Change the company's settings; `changes` are fields of `Company` from its form."""
    found = company.current()
    before = {field: getattr(found, field) for field in changes}
    for field, value in changes.items():
        setattr(found, field, value)
    found.save(update_fields=list(changes))
    audit.note(by, "company.changed", found, at=now, before=before, after=changes)


@transaction.atomic(durable=True)
def add_staff(
    *,
    email: str,
    name: str,
    role: Role,
    team: Team | None,
    by: Staff | None,
    now: datetime,
    weekly_touches: int = 36,
    language: str = "",
    password: str | None = None,
) -> tuple[Staff, str]:
    """Add a colleague and return them with their first password, which is shown once and stored nowhere."""
    if Staff.objects.filter(email__iexact=email).exists():
        raise EmailTaken(email=email)
    first = password or first_password()
    staff = Staff(email=email.strip().lower(), name=name, role=role, team=team, created_at=now)
    staff.weekly_touches, staff.language = weekly_touches, language
    staff.set_password(first)
    try:
        with transaction.atomic():
            staff.save(force_insert=True)
    except IntegrityError as error:
        raise EmailTaken(email=email) from error
    audit.note(by, "staff.added", staff, at=now, email=email, role=role.key, team=team.name if team else None)
    return staff, first


@transaction.atomic(durable=True)
def change_staff(staff: Staff, *, by: Staff, now: datetime, **changes: Any) -> None:
    """Change a colleague's name, role, team, capacity or access; takes effect on their next click."""
    _keep_an_administrator(staff, changes.get("role", staff.role), changes.get("is_active", staff.is_active))
    before = {field: _plain(getattr(staff, field)) for field in changes}
    for field, value in changes.items():
        setattr(staff, field, value)
    staff.save(update_fields=list(changes))
    after = {field: _plain(value) for field, value in changes.items()}
    audit.note(by, "staff.changed", staff, at=now, before=before, after=after)


@transaction.atomic(durable=True)
def give_new_password(staff: Staff, *, by: Staff | None, now: datetime) -> str:
    """Give a colleague a new first password and end their sessions; returns the password, to be shown once."""
    first = first_password()
    staff.set_password(first)
    staff.save(update_fields=["password"])
    audit.note(by, "staff.password_given", staff, at=now)
    return first


@transaction.atomic(durable=True)
def choose_password(staff: Staff, password: str, *, now: datetime) -> None:
    """Let a colleague set their own password; raises Django's ValidationError for a weak one."""
    validate_password(password, staff)
    staff.set_password(password)
    staff.save(update_fields=["password"])
    audit.note(staff, "staff.password_changed", staff, at=now)


@transaction.atomic(durable=True)
def set_taste(staff: Staff, *, now: datetime, **changes: str) -> None:
    """Remember a colleague's own language or theme."""
    for field, value in changes.items():
        setattr(staff, field, value)
    staff.save(update_fields=list(changes))
    audit.note(staff, "staff.taste_changed", staff, at=now, **changes)


@transaction.atomic(durable=True)
def change_role(role: Role, *, by: Staff, now: datetime, **changes: Any) -> None:
    """Change what a role may do and see; takes effect for everybody who has it on their next click."""
    if Permission.MANAGE_STAFF not in changes.get("permissions", role.permissions):
        others = Staff.objects.filter(is_active=True, role__permissions__contains=[Permission.MANAGE_STAFF])
        if not others.exclude(role=role).exists():
            raise LastAdministrator
    before = {field: getattr(role, field) for field in changes}
    for field, value in changes.items():
        setattr(role, field, value)
    role.save(update_fields=list(changes))
    audit.note(by, "role.changed", role, at=now, before=before, after=changes)


@transaction.atomic(durable=True)
def add_team(name: str, *, by: Staff | None, now: datetime) -> Team:
    """Return the team of this name, made when there is none."""
    team, made = Team.objects.get_or_create(name=name.strip())
    if made:
        audit.note(by, "team.added", team, at=now, name=team.name)
    return team


def first_password() -> str:
    """Return a password that can be read aloud: four groups, about 80 bits."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _place in range(4)) for _group in range(4))


def _keep_an_administrator(staff: Staff, role: Role, is_active: bool) -> None:
    if is_active and Permission.MANAGE_STAFF in role.permissions:
        return
    others = Staff.objects.filter(is_active=True, role__permissions__contains=[Permission.MANAGE_STAFF])
    if staff.may(Permission.MANAGE_STAFF) and not others.exclude(pk=staff.pk).exists():
        raise LastAdministrator


def _plain(value: object) -> object:
    return value.pk if isinstance(value, Role | Team) else value
