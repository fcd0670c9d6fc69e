"""`zhike plan`: check, publish, show and list plans; print a ready one to start from."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser, OutputWrapper
from django.utils.timezone import localtime, now
from django.utils.translation import gettext

from zhike.decide.plans import operations, queries
from zhike.decide.plans.rules import MAX_BYTES, Plan, PlanErrors
from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.measure import trials
from zhike.measure.trials import wording

WRONG = 1


class Said:
    """Tells how far a trial is, on the standard error."""

    def __init__(self, out: OutputWrapper) -> None:
        self.out = out

    def step(self, words: str, done: int = 0, total: int | None = None) -> None:
        self.out.write(f"{words} ({done}/{total})" if total else words)


class FileMissing(Refusal):
    message = _("%(file)s does not exist or cannot be read.")


class FileTooLarge(Refusal):
    message = _("%(file)s is too large for a plan: at most %(limit)d KiB are read.")


class NotText(Refusal):
    message = _("%(file)s is not a text file: byte %(byte)d does not belong to UTF-8. Save it as UTF-8.")


class Command(BaseCommand):
    help = "Check, publish, list or show the plan."

    def add_arguments(self, parser: CommandParser) -> None:
        kinds = parser.add_subparsers(dest="what", required=True, metavar="check|publish|show|list|ready|try-health")
        check = kinds.add_parser("check", help="say line by line what is wrong with a plan file")
        check.add_argument("file", type=Path)
        publish = kinds.add_parser("publish", help="put a plan file in force")
        publish.add_argument("file", type=Path)
        publish.add_argument("--note", default="", help="what changes, and why")
        show = kinds.add_parser("show", help="print the plan in force, or version N")
        show.add_argument("number", type=int, nargs="?")
        kinds.add_parser("list", help="list the versions")
        tried = kinds.add_parser("try-health", help="try the health score of a plan file on the past")
        tried.add_argument("file", type=Path)
        tried.add_argument("--outcome", choices=["churn", "renewal"], default="churn", help="what counts as lost")
        tried.add_argument("--horizon", type=int, default=trials.HORIZON, metavar="DAYS", help="within how many days")
        tried.add_argument("--json", action="store_true", help="print the figures as JSON")
        ready = kinds.add_parser("ready", help="list the ready plans, or print one")
        ready.add_argument("name", nargs="?")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the asked part. Messages go to stderr, plans and lists to stdout."""
        parts = {
            "check": self._check,
            "publish": self._publish,
            "show": self._show,
            "list": self._list,
            "ready": self._ready,
            "try-health": self._try_health,
        }
        parts[options["what"]](options)

    def _check(self, options: dict[str, Any]) -> None:
        plan = self._checked(options["file"], read(options["file"]))
        self.stdout.write(_sum(plan))

    def _publish(self, options: dict[str, Any]) -> None:
        text = read(options["file"])
        self._checked(options["file"], text)
        row = operations.publish(text, note=options["note"], by=None, now=now())
        said = gettext("Version %(number)d is in force: %(name)s.")
        self.stdout.write(said % {"number": row.number, "name": row.name})

    def _show(self, options: dict[str, Any]) -> None:
        number = options["number"]
        row = queries.version_in_force() if number is None else queries.version(number)
        if row is None:
            raise queries.NoPlanInForce
        self.stdout.write(row.text, ending="")

    def _list(self, _options: dict[str, Any]) -> None:
        for row in queries.versions():
            when = localtime(row.published_at or row.changed_at)
            columns = [f"v{row.number}", row.state, f"{when:%Y-%m-%d %H:%M}", row.name, row.note]
            self.stdout.write("\t".join(column for column in columns if column))

    def _ready(self, options: dict[str, Any]) -> None:
        if options["name"]:
            self.stdout.write(queries.ready_text(options["name"]), ending="")
            return
        for name in queries.ready_names():
            self.stdout.write(f"{name}\t{queries.checked(queries.ready_text(name)).name.to('en')}")

    def _try_health(self, options: dict[str, Any]) -> None:
        plan = self._checked(options["file"], read(options["file"]))
        force = queries.in_force().health
        horizon = min(max(options["horizon"], trials.LEAST_HORIZON), trials.MOST_HORIZON)
        told = trials.try_health(
            plan.health, force, horizon=horizon, outcome=options["outcome"], churn=plan.churn, watcher=Said(self.stderr)
        )
        if options["json"]:
            self.stdout.write(json.dumps(trials.plain(told), ensure_ascii=False, indent=2))
            return
        for line in wording.lines(trials.plain(told)):
            self.stdout.write(line)

    def _checked(self, file: Path, text: str) -> Plan:
        """Return the plan; what is wrong is printed as FILE:line:column: sentence and ends the command."""
        try:
            return queries.checked(text)
        except PlanErrors as errors:
            for problem in errors.problems:
                said = gettext(problem.message) % problem.details if problem.details else gettext(problem.message)
                self.stderr.write(f"{file}:{problem.line}:{problem.column}: {said}")
            raise SystemExit(WRONG) from errors


def read(file: Path) -> str:
    """Return the text of a plan file. Raises a refusal for a file that is missing, too large or no UTF-8 text."""
    try:
        with file.open("rb") as source:
            data = source.read(MAX_BYTES + 4)
    except OSError as error:
        raise FileMissing(file=file) from error
    if len(data) > MAX_BYTES + 3:  # A mark at the beginning may take three bytes.
        raise FileTooLarge(file=file, limit=MAX_BYTES // 1024)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotText(file=file, byte=error.start + 1) from error


def _sum(plan: Plan) -> str:
    said = gettext("The plan is right: %(tiers)d tiers, %(alerts)d alerts, %(steps)d steps of onboarding.")
    return said % {"tiers": len(plan.tiers.tiers), "alerts": len(plan.alerts), "steps": len(plan.onboarding)}
