"""`zhike turn`: go once round the loop for a day and print what changed."""

import json
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.timezone import now
from django.utils.translation import get_language, gettext

from zhike import loop
from zhike.act.engagement.models import TouchKind
from zhike.decide.plans.queries import in_force
from zhike.decide.plans.rules import Plan
from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.loop import Moved, TurnReport
from zhike.measure.facts import STAGE_NAMES
from zhike.measure.proving import Proof
from zhike.org import company, works
from zhike.review.kpis.queries import written
from zhike.review.kpis.rules import KPIS
from zhike.ui import words


class NotADay(Refusal):
    message = _("%(text)s is not a day; write it as 2026-03-31.")


class Reported:
    """Progress on the card and on the terminal: one line a step."""

    def __init__(self, card: works.Progress, command: BaseCommand) -> None:
        self.card, self.command, self.last = card, command, ""

    def step(self, said: str, done: int = 0, total: int | None = None) -> None:
        """Report a step; raises Cancelled when somebody asked on the card to stop."""
        self.card.step(said, done, total)
        if said != self.last:
            self.command.stderr.write(said)
            self.last = said


class Command(BaseCommand):
    help = "Measure every customer for a day, plan whom to contact, take the key figures; print what changed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--today", default="", metavar="DATE", help="the day to turn for; default: the company's day"
        )
        parser.add_argument("--json", action="store_true", help="print what changed as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        at = now()
        day = read_day(options["today"]) if options["today"] else company.today(at)
        plan = in_force()
        work = works.start(loop.WORK, gettext("Turn for %(day)s") % {"day": day.isoformat()}, by=None, now=at)
        with works.Progress(work.pk) as card:
            report = loop.turn(today=day, by=None, now=at, progress=Reported(card, self))
            card.result = loop.told(report)
        if options["json"]:
            self.stdout.write(json.dumps(loop.told(report), ensure_ascii=False, indent=2))
        else:
            self.stdout.write("\n".join(lines(report, plan)))


def read_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise NotADay(text=text) from error


def lines(report: TurnReport, plan: Plan) -> list[str]:
    """Return the report for people to read."""
    head = gettext("Turn for %(day)s: %(customers)s customers, %(seconds)s s") % {
        "day": report.today.isoformat(),
        "customers": words.plain(report.customers),
        "seconds": words.plain(report.seconds),
    }
    language = get_language() or "en"
    tiers = {tier.key: plan.tier_name(tier.key, language) for tier in plan.tiers.tiers}
    stages = {key: names[0 if language.startswith("zh") else 1] for key, names in STAGE_NAMES.items()}
    alerts = {key: alert.name.to(language) for key, alert in plan.alerts.items()}
    kinds = {kind.value: str(kind.label) for kind in TouchKind}
    told = [head]
    told += _section(gettext("Tiers moved"), [_moved(each, tiers) for each in report.tiers_moved])
    told += _section(gettext("Stages moved"), [_moved(each, stages) for each in report.stages_moved])
    told += _section(gettext("Touches planned"), _counts(report.touches_created, kinds))
    told += _section(gettext("Alerts raised"), _counts(report.alerts, alerts))
    if not report.changed:
        told.append(gettext("No changes: this day was turned before."))
    told += _section(gettext("Key figures"), _figures(report, language))
    told += _section(gettext("Proof of the day's facts"), _proof(report.proof))
    told += _section(gettext("Warnings"), [_warning(each) for each in report.warnings])
    return told


def _section(title: str, found: list[str]) -> list[str]:
    return [title, *(f"  {line}" for line in found)] if found else []


def _moved(moved: Moved, names: dict[str, str]) -> str:
    biggest = gettext("(biggest: %(names)s)") % {"names": ", ".join(moved.names)} if moved.names else ""
    before, after = names.get(moved.before, moved.before), names.get(moved.after, moved.after)
    return f"{before} → {after}: {words.plain(moved.count)} {biggest}".rstrip()


def _counts(counts: dict[str, int], names: dict[str, str]) -> list[str]:
    return [f"{names.get(key, key)}: {words.plain(count)}" for key, count in sorted(counts.items())]


def _figures(report: TurnReport, language: str) -> list[str]:
    told = []
    for taken in report.kpis:
        kpi = KPIS[taken.key]
        on = gettext("on %(count)s") % {"count": words.plain(taken.basis)}
        told.append(f"{kpi.name(language)}: {''.join(written(kpi, taken.value))} ({on})")
    return told


def _proof(proof: Proof | None) -> list[str]:
    if proof is None:
        return []
    told = [proof.sentence()]
    for each in proof.different:
        facts = ", ".join(map(str, each["facts"])) if isinstance(each["facts"], list) else ""
        told.append(gettext("customer %(id)s differs in %(facts)s") % {"id": each["customer_id"], "facts": facts})
    return told


def _warning(warning: dict[str, object]) -> str:
    match warning.get("code"):
        case "later_day_measured":
            return gettext("A later day was measured already, so only the facts of this day were kept anew.")
        case "no_rate":
            said = gettext("No exchange rate for %(currency)s: %(rows)s amounts, together %(amount)s, were left out.")
            return said % {**warning, "rows": words.plain(int(str(warning["rows"])))}
        case "no_channel_allowed":
            return gettext("%(touches)s touches were not planned: every channel was refused.") % warning
        case _:
            return ", ".join(f"{name} {value}" for name, value in warning.items())
