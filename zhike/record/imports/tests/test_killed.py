"""An import that is killed half-way leaves nothing half-done and can be carried out again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from zhike.org import company
from zhike.record.commerce.models import Order, OrderLine
from zhike.record.customers.models import Customer
from zhike.record.events import operations as lake
from zhike.record.events.models import LakeFile
from zhike.record.imports.models import Import, ImportState

pytestmark = pytest.mark.slow
ROWS = 20_000
PATIENCE = 60


def address() -> str:
    given = connection.settings_dict
    return f"postgresql://{given['USER']}@/{given['NAME']}?host={quote(str(given['HOST']), safe='')}"


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "DATABASE_URL": address(), "ZHIKE_HOME": str(home), "ZHIKE_POOL": "0"}


@contextmanager
def importing(home: Path, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "zhike.cli", "import", *arguments]
    with subprocess.Popen(command, env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        yield process
        process.kill()


def wait_until(reached: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + PATIENCE
    while not reached():
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < end
        time.sleep(0.01)


def wait_for_statement(words: str, process: "subprocess.Popen[bytes]") -> None:
    """Wait until a connection to this database is at a statement that holds these words."""
    asked = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND position(%s in query) > 0"
    )
    with psycopg.connect(address(), autocommit=True) as watcher:
        wait_until(lambda: watcher.execute(asked, [words]).fetchone() != (0,), process)


def resume(home: Path) -> dict[str, object]:
    number = Import.objects.latest("id").pk
    with importing(home, "--resume", str(number), "--json") as process:
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err.decode()
    found: dict[str, object] = json.loads(out)
    return found


@pytest.fixture
def home(transactional_db: None, tmp_path: Path) -> Path:
    company.current()
    assert tmp_path / "files" == settings.MEDIA_ROOT
    return tmp_path


@pytest.mark.parametrize("moment", ['COPY "import_stage"', "INSERT INTO commerce_orderline"])
def test_orders_killed_at_any_moment(home: Path, moment: str) -> None:
    path = home / "orders.csv"
    lines = (f"{at // 4},C{at % 997},2024-01-01 10:00,P{at % 50},{at % 7 + 1}.5" for at in range(ROWS))
    path.write_text("order,customer,time,product,price\n" + "\n".join(lines) + "\n", encoding="utf-8")
    with importing(home, "orders", str(path), "--create-customers", "--default", "currency=CNY") as process:
        wait_for_statement(moment, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not Customer.objects.exists()
    assert not Order.objects.exists()
    assert Import.objects.get().state == ImportState.RUNNING
    done = resume(home)
    assert (done["created"], done["state"]) == (ROWS, "done")
    assert OrderLine.objects.count() == ROWS


def test_usage_killed_between_its_files_leaves_orphans_that_nobody_reads(home: Path) -> None:
    path = home / "usage.csv"
    rows = (f"C{at % 500},2024-{at % 12 + 1:02}-{at % 28 + 1:02},event{at // 28 % 60},1" for at in range(ROWS))
    path.write_text("customer,time,event,count\n" + "\n".join(rows) + "\n", encoding="utf-8")
    folder = Path(settings.LAKE) / "usage"
    with importing(home, "usage", str(path), "--create-customers") as process:
        wait_until(lambda: len(list(folder.glob("**/*.parquet"))) >= 3, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not LakeFile.objects.exists()
    assert not Customer.objects.exists()
    done = resume(home)
    assert done["state"] == "done"
    live = {str(Path(settings.LAKE) / path) for path in LakeFile.objects.values_list("path", flat=True)}
    assert lake.sweep(grace=-1) >= 3
    assert {str(path) for path in folder.rglob("*") if path.is_file()} == live
    assert sum(LakeFile.objects.values_list("rows", flat=True)) == done["created"]
    assert resume(home) == done, "resuming what is done only tells the result"
