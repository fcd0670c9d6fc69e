"""What people do with the plan: draft it, publish it, go back to an earlier version."""

from datetime import datetime
from typing import cast

from django.db import connection, transaction
from django.db.models import Max
from django.utils.timezone import localtime
from django.utils.translation import gettext

from zhike.decide.plans import queries
from zhike.decide.plans.models import HealthTrial, PlanState, PlanVersion
from zhike.decide.plans.rules import MAX_BYTES, Plan, PlanErrors, PlanSegment
from zhike.decide.segments.models import PlanView, Segment
from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.measure import trials
from zhike.measure.computing import Watcher
from zhike.measure.specs import HealthSpec
from zhike.measure.trials import Outcome
from zhike.org import audit, works
from zhike.org.jobs import defer
from zhike.org.models import Staff

PLAN_LOCK = 7_164_301  # One number for the whole product: whoever changes versions holds it until commit.
NOTE_LIMIT = 300


class TextTooLarge(Refusal):
    message = _("A plan may have at most %(limit)d KiB; this text has more.")


class DraftChanged(Refusal):
    message = _("%(who)s saved the draft at %(when)s while you were editing. Your text is kept here; compare first.")


class DraftGone(Refusal):
    message = _("The draft was published or thrown away meanwhile. Your text is kept here; save it as a new draft.")


class PublishedMeanwhile(Refusal):
    message = _("%(who)s published version %(number)d at %(when)s, after your text was begun. Compare with it first.")


class NothingChanged(Refusal):
    message = _("This is exactly version %(number)d, which is in force already; nothing was published.")


class NothingToCompare(Refusal):
    message = _("Health is scored in version %(number)d as in the plan in force, so there is nothing to try.")


class NotPublished(Refusal):
    message = _("Version %(number)d was never in force, so there is nothing to go back to.")


@transaction.atomic(durable=True)
def save_draft(text: str, *, revision: int | None, by: Staff, now: datetime) -> PlanVersion:
    """Keep a text as the draft, right or not.

    `revision` is that of the draft the text was begun from, None when there was none. Raises DraftChanged when a
    colleague saved meanwhile, DraftGone when the draft is no more.
    """
    _lock()
    text = _tidy(text)
    draft = _draft_at(revision)
    name = _name_of(text)
    if draft is None:
        force = queries.version_in_force()
        draft = PlanVersion.objects.create(
            number=_next_number(), text=text, name=name, based_on=force, by=by, created_at=now, changed_at=now
        )
    elif draft.text != text:
        draft.text, draft.name, draft.by, draft.changed_at = text, name, by, now
        draft.revision += 1
        draft.save(update_fields=["text", "name", "by", "changed_at", "revision"])
    audit.note(by, "plan.drafted", draft, at=now, number=draft.number, revision=draft.revision)
    return draft


@transaction.atomic(durable=True)
def discard_draft(*, revision: int, by: Staff, now: datetime) -> None:
    """Throw the draft away. Raises DraftChanged and DraftGone like saving."""
    _lock()
    draft = _draft_at(revision)
    if draft is None:
        raise DraftGone
    audit.note(by, "plan.draft_discarded", draft, at=now, number=draft.number, text=draft.text)
    draft.delete()


@transaction.atomic(durable=True)
def publish(
    text: str,
    *,
    by: Staff | None,
    now: datetime,
    note: str = "",
    based_on: int | None = None,
    draft_revision: int | None = None,
) -> PlanVersion:
    """Check a text and put it in force; customers are measured anew afterwards.

    `based_on` is the number of the version in force that the text was compared with; None does not ask (a file from a
    repository is the truth). `draft_revision` says that the text is that of the draft, which becomes the version.
    Raises PlanErrors, NothingChanged, PublishedMeanwhile, DraftChanged or DraftGone; then nothing has changed.
    """
    _lock()
    force = queries.version_in_force()
    if based_on is not None and force is not None and force.number != based_on:
        who, when = _who_and_when(force.published_by, force.published_at)
        raise PublishedMeanwhile(number=force.number, who=who, when=when)
    draft = None if draft_revision is None else _draft_at(draft_revision)
    return _put_in_force(_tidy(text), force, draft, note=note, by=by, now=now)


@transaction.atomic(durable=True)
def roll_back(number: int, *, by: Staff | None, now: datetime, note: str = "") -> PlanVersion:
    """Put the text of an earlier version in force again, as a new version."""
    _lock()
    earlier = queries.version(number)
    if earlier.state == PlanState.DRAFT:
        raise NotPublished(number=number)
    return _put_in_force(earlier.text, queries.version_in_force(), None, note=note, by=by, now=now, back_to=number)


@transaction.atomic(durable=True)
def try_health(version: PlanVersion, *, outcome: Outcome, horizon: int, by: Staff, now: datetime) -> HealthTrial:
    """Ask for the health score of a version to be tried on the past, beside the one in force.

    Raises PlanErrors for a draft that is no plan yet, and NothingToCompare.
    """
    draft, force = queries.plan_of(version).health, queries.in_force().health
    if draft == force:
        raise NothingToCompare(number=version.number)
    work = works.start("plans.try_health", gettext("Try a health score"), by=by, now=now)
    trial = HealthTrial.objects.create(
        version=version,
        revision=version.revision,
        draft=draft.model_dump(mode="json"),
        force=force.model_dump(mode="json"),
        outcome=outcome,
        horizon=horizon,
        by=by,
        created_at=now,
        work_id=work.pk,
    )
    audit.note(by, "plan.health_tried", version, at=now, trial=trial.pk, outcome=outcome, horizon=horizon)
    defer("plans.try_health", trial_id=trial.pk)
    return trial


def carry_out(trial: HealthTrial, *, watcher: Watcher) -> None:
    """Try a draft and keep what came of it; a refusal is kept as well, for the page. Twice gives the same."""
    plan = queries.plan_of(trial.version) if trial.version else queries.in_force()
    specs = (HealthSpec.model_validate(spec) for spec in (trial.draft, trial.force))
    try:
        told = trials.try_health(
            *specs, horizon=trial.horizon, outcome=cast(Outcome, trial.outcome), churn=plan.churn, watcher=watcher
        )
    except trials.NothingToTry as refusal:
        HealthTrial.objects.filter(pk=trial.pk).update(said=gettext(str(refusal.message)) % refusal.details)
        raise
    HealthTrial.objects.filter(pk=trial.pk).update(result=trials.plain(told), said="")


@transaction.atomic(durable=True)
def ensure_ready_plan(name: str, *, now: datetime) -> PlanVersion:
    """Put a ready plan in force where none is yet; an installation that has a plan is left as it is."""
    _lock()
    force = queries.version_in_force()
    text = queries.ready_text(name)
    return force or _put_in_force(text, None, None, note="", by=None, now=now)


def _put_in_force(
    text: str,
    force: PlanVersion | None,
    draft: PlanVersion | None,
    *,
    note: str,
    by: Staff | None,
    now: datetime,
    back_to: int | None = None,
) -> PlanVersion:
    plan = queries.checked(text)
    if force is not None and force.text == text:
        raise NothingChanged(number=force.number)
    version = draft or PlanVersion(created_at=now, by=by, based_on=force)
    # A draft keeps its number unless another text was published past it.
    number = draft.number if draft and (force is None or draft.number > force.number) else _next_number()
    version.number, version.text, version.name = number, text, _short_name(plan)
    version.note, version.published_by = note.strip()[:NOTE_LIMIT], by
    version.changed_at = version.published_at = now
    if force is not None:
        PlanVersion.objects.filter(pk=force.pk).update(state=PlanState.RETIRED)
    version.state = PlanState.IN_FORCE
    version.revision = (draft.revision if draft else 0) + 1
    version.save(force_insert=draft is None, update_fields=None if draft is None else WRITTEN)
    Segment.objects.follow_plan([_view(segment) for segment in plan.segments], now=now)
    before = force.number if force else None
    audit.note(by, "plan.published", version, at=now, number=number, before=before, note=version.note, back_to=back_to)
    if force is not None:
        defer("loop.remeasure", plan_number=number)
    return version


WRITTEN = [
    "number",
    "text",
    "name",
    "note",
    "published_by",
    "changed_at",
    "published_at",
    "state",
    "revision",
]


def _view(segment: PlanSegment) -> PlanView:
    names = {language: words for language, words in segment.name if words}
    return PlanView(segment.key, names, segment.rule, segment.sort)


def _lock() -> None:
    """Let one person at a time change versions: two publishers follow each other, never mix."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PLAN_LOCK])


def _draft_at(revision: int | None) -> PlanVersion | None:
    """Return the draft at this revision; None when no draft is expected and there is none."""
    draft = queries.draft()
    if draft is None:
        if revision is not None:
            raise DraftGone
        return None
    if draft.revision != revision:
        who, when = _who_and_when(draft.by, draft.changed_at)
        raise DraftChanged(who=who, when=when)
    return draft


def _who_and_when(who: Staff | None, when: datetime | None) -> tuple[str, str]:
    return who.name if who else "zhike", f"{localtime(when):%Y-%m-%d %H:%M}" if when else "—"


def _next_number() -> int:
    return (PlanVersion.objects.aggregate(last=Max("number"))["last"] or 0) + 1


def _tidy(text: str) -> str:
    """Return the text as it is stored: line ends as in files, so that page and file are the same document."""
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise TextTooLarge(limit=MAX_BYTES // 1024)
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").rstrip() + "\n"


def _name_of(text: str) -> str:
    """Return the name that a draft gives itself, as far as it can be read already."""
    try:
        return _short_name(queries.checked(text))
    except PlanErrors:
        return ""


def _short_name(plan: Plan) -> str:
    return plan.name.to("zh")[:120]
