"""`zhike doctor`: check the installation, switch by switch, and the audit chain; exit code 1 when one fails."""

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.timezone import now

from zhike.decide.plans.models import PlanState, PlanVersion
from zhike.measure.models import FactsDay
from zhike.org import audit
from zhike.org.models import AuditLine, Staff
from zhike.org.roles import Permission
from zhike.record.events.models import ErasureReceipt, LakeFile
from zhike.record.events.queries import store
from zhike.record.events.rules import KINDS
from zhike.record.tracking.models import Inbox

LEAST_FREE = 1024**3
LONGEST_LAG = timedelta(minutes=10)


class Finding(NamedTuple):
    good: bool
    what: str
    remedy: str = ""


class Command(BaseCommand):
    help = "Check the installation and the audit chain."

    def handle(self, *_args: Any, **_options: Any) -> None:
        findings = [finding for check in CHECKS for finding in check()]
        for finding in findings:
            mark = "ok  " if finding.good else "FAIL"
            self.stdout.write(f"{mark} {finding.what}" + (f" — {finding.remedy}" if finding.remedy else ""))
        failed = sum(not finding.good for finding in findings)
        if failed:
            self.stderr.write(f"{failed} of {len(findings)} checks failed.")
            raise SystemExit(1)


def database() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            cursor.execute("SELECT current_setting(%s)", [name])
            (value,) = cursor.fetchone()
            yield Finding(value == "on", f"PostgreSQL {name} is {value}", "" if value == "on" else "switch it on")
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        is_super = bool(cursor.fetchone()[0])
        remedy = "give the application a role of its own" if is_super else ""
        yield Finding(not is_super, "the application's database role is unprivileged", remedy)
    executor = MigrationExecutor(connection)
    pending = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    yield Finding(not pending, f"{pending} migrations pending", "run zhike init" if pending else "")


def switches() -> Iterator[Finding]:
    yield Finding(not settings.DEBUG, "debug pages are off", "unset ZHIKE_DEBUG" if settings.DEBUG else "")
    yield Finding(len(settings.SECRET_KEY) >= 50, "the secret key is long enough")
    key = settings.HOME / "secret.key"
    private = not key.exists() or key.stat().st_mode & 0o077 == 0
    yield Finding(private, "the secret key is readable by its owner alone", "" if private else f"chmod 600 {key.name}")
    local = any(host in settings.BASE_URL for host in ("127.0.0.1", "localhost"))
    safe = settings.SECURE or local
    yield Finding(safe, f"the address {settings.BASE_URL} is https or local", "" if safe else "serve behind https")
    free = shutil.disk_usage(settings.HOME).free
    yield Finding(free > LEAST_FREE, f"{free // 2**20:,} MiB of disk are free")


def people() -> Iterator[Finding]:
    managers = Staff.objects.filter(is_active=True, role__permissions__contains=[Permission.MANAGE_STAFF]).count()
    yield Finding(managers > 0, f"{managers} people can manage staff", "" if managers else "run zhike init")


def chain() -> Iterator[Finding]:
    breaks = list(audit.verify())
    count = AuditLine.objects.count()
    yield Finding(not breaks, f"the audit chain of {count:,} lines holds")
    for found in breaks[:20]:
        yield Finding(False, f"audit line {found.line}: {found.fault}", "compare with a backup")


def lake() -> Iterator[Finding]:
    kept = {each.path for kind in KINDS for each in store().kept(kind)}
    missing = [path for path in LakeFile.objects.values_list("path", flat=True) if path not in kept]
    yield Finding(not missing, f"{LakeFile.objects.count():,} files of the lake are in place")
    for path in missing[:20]:
        yield Finding(False, f"the lake's file {path} is missing", "restore it from a backup")


def stream() -> Iterator[Finding]:
    oldest = Inbox.objects.order_by("pk").values_list("received_at", flat=True).first()
    flows = oldest is None or now() - oldest < LONGEST_LAG
    lag = "is empty" if oldest is None else f"holds events since {oldest:%Y-%m-%d %H:%M:%S} UTC"
    yield Finding(flows, f"the inbox of tracked events {lag}", "" if flows else "keep zhike run running")
    unfinished = ErasureReceipt.objects.filter(done_at=None, asked_at__lt=now() - LONGEST_LAG).count()
    remedy = "" if not unfinished else "keep zhike run running; is the disk writable?"
    yield Finding(not unfinished, f"{unfinished} erasures are unfinished", remedy)


def loop() -> Iterator[Finding]:
    in_force = PlanVersion.objects.filter(state=PlanState.IN_FORCE).count()
    yield Finding(in_force == 1, f"{in_force} plan is in force", "" if in_force else "zhike plan publish FILE")
    last = FactsDay.objects.order_by("-day").first()
    if last is None:
        yield Finding(True, "no turn yet: import customers, then zhike turn")
        return
    fresh = now() - last.computed_at < timedelta(hours=36)
    remedy = "" if fresh else "keep zhike run running, or run zhike turn"
    yield Finding(fresh, f"the last turn was for {last.day}, computed {last.computed_at:%Y-%m-%d %H:%M} UTC", remedy)


CHECKS: list[Callable[[], Iterator[Finding]]] = [database, switches, people, chain, lake, stream, loop]
