"""The command line: `zhike COMMAND`. Each command is a management command of its feature, run beside the database."""

import itertools
import os
import secrets
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from zhike import home
from zhike.bench import house
from zhike.environment import WrongSetting
from zhike.home import ServerDoesNotStart
from zhike.kit.refusal import Refusal

COMMANDS = {
    "init": "prepare the data folder: database, roles, plan, first administrator",
    "run": "serve the web pages, work the queue and turn the loop every night",
    "demo": "fill an empty data folder with a simulated company",
    "import": "bring in customers, contacts, orders, subscriptions, usage or interactions from a file",
    "turn": "go once round the loop for a day",
    "plan": "check, publish, list or show the plan",
    "export": "write facts to a file",
    "doctor": "check the installation and the audit chain",
    "lab": "try a measure on any file, without a data folder: customer value, RFM, churn, texts, effects",
    "bench": "measure speed in a data folder of its own",
}
REFUSED = 2


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process with its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in {"-h", "--help", "help"}:
        print_help()
        sys.exit(0 if given else REFUSED)
    if given[0] not in COMMANDS:
        complain(f"There is no command {given[0]!r}.")
        print_help()
        sys.exit(REFUSED)
    sys.exit(run(given))


def run(given: list[str]) -> int:
    """Run a known command beside its database; a refusal or wrong setting becomes a sentence and an exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhike.settings")
    try:
        with surroundings(given):
            return execute(given)
    except Refusal as refusal:
        complain(in_words(refusal, wanted_language(given)))
    except (WrongSetting, ServerDoesNotStart) as error:
        complain(str(error))
    except KeyboardInterrupt:
        complain("Stopped.")
        return 130
    return REFUSED


def surroundings(given: list[str]) -> AbstractContextManager[object]:
    """Return what a command needs around it: the database, a data folder that is gone afterwards, or nothing."""
    if given[0] == "lab" or given[:2] in (["bench", "clv"], ["bench", "rfm"], ["bench", "churn"]):
        # It keeps nothing, so it needs no secret either; without one of its own, the settings would write it down.
        os.environ.setdefault("ZHIKE_SECRET_KEY", secrets.token_urlsafe(64))
        return nullcontext()
    return house.own_home() if given[0] == "bench" else home.database()


def execute(given: list[str]) -> int:
    """Set Django up and hand the command to it; `import` is a word of Python, so its module has another name."""
    import django  # noqa: PLC0415  Settings may only be read once the environment above is complete.
    from django.core.management import CommandError, ManagementUtility  # noqa: PLC0415  The same.

    django.setup()
    name = {"import": "bring_in"}.get(given[0], given[0])
    try:
        ManagementUtility(["zhike", name]).fetch_command(name).run_from_argv(["zhike", *given])
    except CommandError as error:
        complain(str(error))
        return error.returncode
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def wanted_language(given: list[str]) -> str:
    """Return the language that a command was asked to speak, "" without a wish."""
    wished = dict(itertools.pairwise(given)).get("--language", "")
    wished = next((each.partition("=")[2] for each in given if each.startswith("--language=")), wished)
    return {"zh": "zh-hans", "en": "en"}.get(wished, "")


def in_words(refusal: Refusal, language: str = "") -> str:
    """Return a refusal's sentence with the place it names."""
    from django.utils import translation  # noqa: PLC0415  Needs the settings, which a refusal proves are read.

    with translation.override(language or translation.get_language()):
        said = translation.gettext(str(refusal.message))
        said = said % refusal.details if refusal.details else said
    place = refusal.place
    parts = (
        [place.file, place.line and f"line {place.line}", place.row and f"row {place.row}", place.field]
        if place
        else []
    )
    where = ", ".join(str(part) for part in parts if part)
    return f"{where}: {said}" if where else said


def complain(sentence: str) -> None:
    sys.stderr.write(f"zhike: {sentence}\n")


def print_help() -> None:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {what}" for name, what in COMMANDS.items()]
    sys.stderr.write("usage: zhike COMMAND [options]\n\n" + "\n".join(lines) + "\n\n")
    sys.stderr.write("`zhike COMMAND --help` tells a command's options. ZHIKE_HOME names the data folder (now ")
    sys.stderr.write(f"{home.folder()}), DATABASE_URL an outside PostgreSQL.\n")


if __name__ == "__main__":
    main()
