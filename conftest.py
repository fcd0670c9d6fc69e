"""Tests run on a real PostgreSQL: the embedded one, in a data folder of their own, one fresh database per run."""

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parent
os.environ["ZHIKE_HOME"] = os.environ.get("ZHIKE_TEST_HOME", str(ROOT / ".cache" / "test-home"))
os.environ["ZHIKE_POOL"] = "0"
os.environ.pop("DATABASE_URL", None)
os.environ["DJANGO_SETTINGS_MODULE"] = "zhike.settings"

# The server of static files wants its folder when it is imported, which some tests do; and static files collected
# by an earlier run would ask for names with digests of files that have changed since.
STATIC = Path(os.environ["ZHIKE_HOME"], "static")
STATIC.mkdir(parents=True, exist_ok=True)
Path(STATIC, "staticfiles.json").unlink(missing_ok=True)

import django  # noqa: E402  The environment above must be set before anything reads it.

django.setup()

import hypothesis  # noqa: E402  The same.
import psycopg  # noqa: E402  Django must be ready before the conftest of the package imports models.
import pytest  # noqa: E402  The same.
from django.db import connection, transaction  # noqa: E402  The same.
from psycopg import sql  # noqa: E402  The same.
from pytest_django import DjangoDbBlocker, Settings  # noqa: E402  The same.

from zhike import home  # noqa: E402  The same.

KEPT = {"django_content_type", "auth_permission"}  # Written by migrating, and the same for ever.


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pictures", action="store_true", help="take the README's pictures anew")


def pytest_configure(config: pytest.Config) -> None:
    """Give property tests no deadline, as machines differ, and fewer examples in the quick suite."""
    hypothesis.settings.register_profile("whole", deadline=None)
    hypothesis.settings.register_profile("quick", deadline=None, max_examples=25)
    hypothesis.settings.load_profile("quick" if "not slow" in str(config.getoption("markexpr")) else "whole")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what was measured to be slow (tools/slow.py writes the list)."""
    slow = set((ROOT / "tests" / "slow.txt").read_text(encoding="utf-8").split())
    for item in items:
        if item.nodeid.partition("[")[0] in slow:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def server() -> Iterator[None]:
    with home.using_server():
        with _alone():
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):  # These data may be lost.
                _admin(f"ALTER SYSTEM SET {setting} = off", user=home.OWNER)
            _admin("SELECT pg_reload_conf()", user=home.OWNER)
            _admin("GRANT SET ON PARAMETER session_replication_role TO {}", home.APP, user=home.OWNER)
        yield


@pytest.fixture(scope="session")
def django_db_setup(server: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Give this run a database of its own, copied from a migrated template that is kept between runs."""
    name = f"test_{os.getpid()}"
    with django_db_blocker.unblock():
        template = _template()
        _admin("CREATE DATABASE {} TEMPLATE {}", name, template)
        _use(name)
        connection.ops.sql_flush = _empty  # type: ignore[method-assign]  # What it does says why.
    yield
    with django_db_blocker.unblock():
        connection.close()
        # As the owner of the server: only it may end an autovacuum that is at work there.
        _admin("DROP DATABASE {} WITH (FORCE)", name, user=home.OWNER)


def _template() -> str:
    """Return the name of the migrated template database for the migrations as they are now."""
    content = hashlib.sha256()
    for path in sorted(ROOT.glob("zhike/**/migrations/*.py")):
        content.update(path.read_bytes())
    content.update(Path(__file__).read_bytes())
    name = f"template_{content.hexdigest()[:16]}"
    with _alone():
        if not _exists(name):
            from django.core.management import call_command  # noqa: PLC0415  Django is not set up at import time.

            draft = f"{name}_draft"
            _admin("DROP DATABASE IF EXISTS {} WITH (FORCE)", draft, user=home.OWNER)
            _admin("CREATE DATABASE {}", draft)
            _use(draft)
            call_command("migrate", verbosity=0)
            connection.close()
            _admin("ALTER DATABASE {} RENAME TO {}", draft, name)
    return name


def _empty(_style: object, tables: Sequence[str], **_options: object) -> list[str]:
    """Empty the tables that hold rows after a test that commits, past triggers and keys; nothing is left to be done.

    Django would truncate every table and then write down again what kinds of models there are: half a second a test.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        emptied = [one for one in tables if one not in KEPT]
        asked = (sql.SQL("SELECT {} WHERE EXISTS (TABLE {})").format(one, sql.Identifier(one)) for one in emptied)
        cursor.execute(sql.SQL(" UNION ALL ").join(asked))
        full = [str(name) for (name,) in cursor.fetchall()]
        cursor.execute("SET LOCAL session_replication_role = replica")
        for one in full:
            cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(one)))
    return []


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    with psycopg.connect(home.database_url(), autocommit=True) as guard:
        guard.execute("SELECT pg_advisory_lock(20261)")
        yield


def _exists(name: str) -> bool:
    with psycopg.connect(home.database_url()) as admin:
        return admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def _admin(statement: str, *names: str, user: str = home.APP) -> None:
    address = f"host={home.socket_folder()} user={user} dbname=postgres"
    with psycopg.connect(address, autocommit=True) as admin:
        admin.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _use(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name


@pytest.fixture(autouse=True)
def folders_of_their_own(settings: Settings, tmp_path: Path) -> None:
    """Keep what a test writes out of every other test's way."""
    settings.LAKE = tmp_path / "lake"
    settings.MEDIA_ROOT = tmp_path / "files"
