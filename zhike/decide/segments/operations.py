"""Segments: saved, renamed, deleted; and the shared ones every installation starts with."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from zhike.decide.segments.models import Segment
from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.kit.ruletrees import RuleError, parse
from zhike.measure.facts import fields
from zhike.org import audit
from zhike.org.models import Staff
from zhike.org.roles import Permission

Tree = Mapping[str, Any]

# Names are messages: a view keeps the English one until somebody renames it, and pages translate it.
DEFAULT_SEGMENTS: list[tuple[str, Tree, str]] = [
    (gettext_noop("Renewal in 90 days"), {"days_to_renewal": {"between": [0, 90]}}, "days_to_renewal"),
    (gettext_noop("High risk"), {"health_band": {"is": "risk"}}, "health"),
    (gettext_noop("Silent for 30 days"), {"days_since_touch": {"at_least": 30}}, "-days_since_touch"),
    (gettext_noop("Onboarding"), {"stage": {"is": "onboarding"}}, "-joined"),
]


class NameTaken(Refusal):
    message = _("You have a view named %(name)s already.")


class NotASegment(Refusal):
    message = _("This condition cannot be saved: %(fault)s")


class NotYours(Refusal):
    message = _("Only its owner or somebody who publishes plans can change this view.")


@transaction.atomic(durable=True)
def save_view(name: str, rule: Tree, *, sort: str = "", by: Staff, shared: bool = False, now: datetime) -> Segment:
    """Save a rule under a name, for oneself or shared; raises when the name is taken or the rule is none."""
    _check_rule(rule)
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
    if "name" in changes and Segment.objects.filter(owner=segment.owner, name=changes["name"]).exclude(pk=segment.pk):
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


@transaction.atomic
def ensure_default_segments(*, now: datetime) -> None:
    """Make the shared views of a fresh installation; where any segment exists nothing is added."""
    if Segment.objects.exists():
        return
    for position, (name, rule, sort) in enumerate(DEFAULT_SEGMENTS):
        _check_rule(rule)
        Segment.objects.create(
            name=name, rule=dict(rule), sort=sort, owner=None, is_shared=True, position=position, created_at=now
        )


def _check_rule(rule: Tree) -> None:
    try:
        parse(rule, fields())
    except RuleError as error:
        raise NotASegment(fault=str(error)) from error


def _check_owner(segment: Segment, by: Staff) -> None:
    if segment.owner_id != by.pk and not by.may(Permission.PUBLISH_PLAN):
        raise NotYours
