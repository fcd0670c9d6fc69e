"""Making a data folder ready: tables, static files, roles, plan, views, and somebody who can sign in."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.staticfiles.management.commands import collectstatic
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from zhike.decide.plans import operations as plans
from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.org import company, operations
from zhike.org.models import Role, Staff

OLDEST_POSTGRES = 150000
DEMO_SIGN_INS = "demo/sign-ins.tsv"


class PostgresTooOld(Refusal):
    message = _("The database is PostgreSQL %(version)s; version 15 or newer is needed.")


@dataclass(frozen=True)
class Ready:
    """What preparing did: the first sign-in, only when it was made just now."""

    first_email: str = ""
    first_password: str = ""


def prepare(*, now: datetime, name: str = "", email: str = "", currency: str = "", plan: str = "saas") -> Ready:
    """Bring a data folder to the state of this version; on one that is ready it changes nothing."""
    _check_server()
    _migrate()
    _collect_static()
    operations.ensure_built_in_roles()
    ready = Ready()
    if not Staff.objects.exists():
        operations.set_up_company(
            name=name,
            currency=currency,
            language=settings.LANGUAGE_CODE,
            time_zone=settings.TIME_ZONE,
            is_demo=False,
            now=now,
        )
        ready = _first_administrator(email or "admin@zhike.example", now)
    plans.ensure_ready_plan(plan, now=now)
    return ready


def _first_administrator(email: str, now: datetime) -> Ready:
    role = Role.objects.get(key="admin")
    staff, password = operations.add_staff(email=email, name="Admin", role=role, team=None, by=None, now=now)
    return Ready(staff.email, password)


def _check_server() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int")
        (version,) = cursor.fetchone()
    if version < OLDEST_POSTGRES:
        raise PostgresTooOld(version=version // 10000)


def _migrate() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)


def _collect_static() -> None:
    """Collect static files when the installed ones are newer than the collected ones."""
    manifest = settings.STATIC_ROOT / "staticfiles.json"
    sources = [
        settings.PACKAGE / "ui" / "static",
        *settings.PACKAGE.glob("*/*/static"),
        *settings.PACKAGE.glob("*/static"),
    ]
    newest = max(
        (path.stat().st_mtime for folder in sources for path in folder.rglob("*") if path.is_file()), default=0
    )
    if manifest.exists() and manifest.stat().st_mtime > newest:
        return
    collect = collectstatic.Command()
    collect.storage = ManifestStaticFilesStorage()  # Whatever this process itself would name them.
    call_command(collect, verbosity=0, interactive=False)


def demo_sign_in() -> Ready:
    """Return the first of the demo company's own sign-ins whose password was not changed since; nothing elsewhere."""
    path = settings.HOME / DEMO_SIGN_INS
    if not company.current().is_demo or not path.exists():
        return Ready()
    for line in path.read_text(encoding="utf-8").splitlines():
        email, _tab, password = line.partition("\t")
        staff = Staff.objects.filter(email=email, is_active=True).first()
        if staff is not None and staff.check_password(password):
            return Ready(email, password)
    return Ready()
