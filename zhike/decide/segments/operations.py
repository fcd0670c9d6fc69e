"""Segments: saved, changed, deleted. Those of the plan change with the plan alone."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from zhike.decide.segments.models import Segment
from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.kit.ruletrees import RuleError, parse
from zhike.measure.facts import fields
from zhike.org import audit
from zhike.org.models import Staff
from zhike.org.roles import Permission

Tree = Mapping[str, Any]
NAME_LENGTH = 60


class NameTaken(Refusal):
    message = _("You have a view named %(name)s already.")


class NotASegment(Refusal):
    message = _("This condition cannot be saved: %(fault)s")


class NameMissing(Refusal):
    message = _("Give the view a name of at most %(most)d characters.")


class OfThePlan(Refusal):
    message = _("The view %(name)s belongs to the plan. Change it there, and publish.")


class NotYours(Refusal):
    message = _("Only its owner or somebody who publishes plans can change this view.")


@transaction.atomic(durable=True)
def save_view(name: str, rule: Tree, *, sort: str = "", by: Staff, shared: bool = False, now: datetime) -> Segment:
    """Save a rule under a name, for oneself or shared; raises when the name is taken or the rule is none."""
    _check_rule(rule)
    name = _checked_name(name)
    if Segment.objects.filter(owner=by, name=name).exists():
        raise NameTaken(name=name)
    segment = Segment.objects.create(name=name, rule=dict(rule), sort=sort, owner=by, is_shared=shared, created_at=now)
    audit.note(by, "segment.saved", segment, at=now, name=name, rule=rule, shared=shared)
    return segment


@transaction.atomic(durable=True)
def change_view(segment: Segment, *, by: Staff, now: datetime, **changes: Any) -> None:
    """Change a view's name, rule, order or sharing."""
    _check_owner(segment, by)
    if "rule" in changes:
        _check_rule(changes["rule"])
    if "name" in changes:
        changes["name"] = _checked_name(changes["name"])
        if Segment.objects.filter(owner=segment.owner, name=changes["name"]).exclude(pk=segment.pk).exists():
            raise NameTaken(name=changes["name"])
    before = {field: getattr(segment, field) for field in changes}
    for field, value in changes.items():
        setattr(segment, field, value)
    segment.save(update_fields=list(changes))
    audit.note(by, "segment.changed", segment, at=now, before=before, after=changes)


@transaction.atomic(durable=True)
def delete_view(segment: Segment, *, by: Staff, now: datetime) -> None:
    """Delete a view; the customers in it stay as they are."""
    _check_owner(segment, by)
    audit.note(by, "segment.deleted", segment, at=now, name=segment.name, rule=segment.rule)
    segment.delete()


def _checked_name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= NAME_LENGTH:
        raise NameMissing(most=NAME_LENGTH)
    return name


def _check_rule(rule: Tree) -> None:
    try:
        parse(rule, fields())
    except RuleError as error:
        raise NotASegment(fault=gettext(str(error.message)) % error.details) from error


def _check_owner(segment: Segment, by: Staff) -> None:
    if segment.plan_key:
        raise OfThePlan(name=segment.label)
    if segment.owner_id != by.pk and not by.may(Permission.PUBLISH_PLAN):
        raise NotYours
