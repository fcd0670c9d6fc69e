"""The system that a storm shakes: its data folder, its processes, what is asked of it and what it holds."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import psycopg

from tests.storms import processes
from tests.storms.processes import Process
from zhike.bench import stored
from zhike.bench.load import Order, Sent

ROOT = Path(__file__).resolve().parents[2]
PREPARED = ROOT / ".cache" / "storms"
PREFIX = "zhike-storm-"
LOG_TAIL = 4000


class StormFailed(AssertionError):
    """The system broke its word, or did not come back; the sentence says how."""


def sentence(failure: str) -> str:
    """Return the first line of a failure; of a process that ended with an error, its last."""
    lines = failure.strip().splitlines() or [""]
    return lines[-1 if "Traceback" in failure else 0].removeprefix("AssertionError: ").replace("|", "/")


def ensure(condition: object, sentence: str) -> None:
    """Raise StormFailed with the sentence unless the condition holds."""
    if not condition:
        raise StormFailed(sentence)


@dataclass
class System:
    """A served system in a folder of its own. `sabotage` is a changed copy of the product, if any."""

    folder: Path
    product: Path = ROOT
    environment: dict[str, str] = field(default_factory=dict)
    rooms: dict[str, int] = field(default_factory=dict)  # Folders of the home on disks of so many mebibytes.

    def __enter__(self) -> Self:
        self.home = own_home(self.folder)
        for name, size in self.rooms.items():
            give_room(self.home / name, size)
        self.company: dict[str, Any] = json.loads((self.home / "storm.json").read_text(encoding="utf-8"))
        self.port = free_port()
        self.log = open(self.folder / "server.log", "ab")
        self.server = subprocess.Popen(
            [sys.executable, "-m", "tests.storms.serve", str(self.port)],
            env=environment(self.home, self.product) | self.environment,
            cwd=self.folder,
            stdout=self.log,
            stderr=self.log,
        )
        try:
            self.wait_until_answering()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, *failure: object) -> None:
        self.server.send_signal(signal.SIGTERM)
        try:
            self.server.wait(60)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()
        self.log.close()
        time.sleep(0.5)
        left = [each for each in processes.of_home(self.home) if each.lives and each.kind]
        for each in left:
            each.kill()
        stop_cluster(self.home)
        for name in self.rooms:
            subprocess.run(["umount", "--lazy", str(self.home / name)], check=False)
        if left and failure[0] is None:
            names = ", ".join(sorted(each.kind for each in left))
            raise StormFailed(f"processes outlived their supervisor: {names}")

    @property
    def address(self) -> str:
        return f"postgresql://zhike@/zhike?host={quote(str(self._sockets))}"

    @property
    def _sockets(self) -> Path:
        return self.home / "run"

    def order(self, name: str, *, source: int = 0, **given: Any) -> Order:
        """Return an order for the load generator, in the name of one of the two sources."""
        journal = str(self.folder / f"{name}.journal")
        order = Order(self.port, self.company["keys"][source], "/v1/batch", self.company["users"], journal, 1, 100)
        return replace(order, **{"connections": 4, "careful": True, "patience": 90.0, **given})

    def wait_until_answering(self, within: float = 240.0) -> None:
        end = time.monotonic() + within
        while time.monotonic() < end:
            if self.server.poll() is not None:
                raise StormFailed(f"the system ended at its start:\n{self.tail()}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.1)
        raise StormFailed(f"the system does not answer:\n{self.tail()}")

    def tail(self, length: int | None = LOG_TAIL) -> str:
        """Return the end of what the system said, or all of it."""
        said = (self.folder / "server.log").read_text(encoding="utf-8", errors="replace")
        return said if length is None else said[-length:]

    def served(self) -> list[Process]:
        return processes.served(self.server.pid)

    def postmaster(self) -> Process | None:
        """Return the database's first process, None while there is none."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int((self.home / "postgres" / "postmaster.pid").read_text(encoding="ascii").split()[0])
            if when := processes.born(pid):
                return Process(pid, when, processes.DATABASE)
        return None

    def is_database_ready(self) -> bool:
        try:
            with psycopg.connect(self.address, connect_timeout=2, autocommit=True) as connection:
                connection.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

    def waiting(self) -> int:
        """Return how many rows the inbox holds."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            row = connection.execute("SELECT count(*) FROM tracking_inbox").fetchone()
        return int(row[0]) if row else 0

    def drain(self, within: float = 120.0) -> float:
        """Wait until the inbox is empty; returns the seconds that took."""
        began = time.monotonic()
        while time.monotonic() - began < within:
            with contextlib.suppress(psycopg.Error):
                if not self.waiting():
                    return time.monotonic() - began
            time.sleep(0.1)
        raise StormFailed(f"the inbox is not empty after {within:.0f} s:\n{self.tail()}")

    def catch_up(self, within: float) -> float:
        """Wait until everything that waits now is in the lake; returns the seconds that took."""
        began, last = time.monotonic(), None
        while time.monotonic() - began < within:
            with contextlib.suppress(psycopg.Error), psycopg.connect(self.address, autocommit=True) as connection:
                row = connection.execute("SELECT min(id), max(id) FROM tracking_inbox").fetchone()
                least, most = row or (None, None)
                last = most if last is None else last
                if least is None or (last is not None and least > last):
                    return time.monotonic() - began
            time.sleep(0.1)
        raise StormFailed(f"the inbox does not move on within {within:.0f} s:\n{self.tail()}")

    def found(self, *orders: tuple[int, Order]) -> stored.Found:
        """Compare what was acknowledged, by source and order, with the live files."""
        acked, sent = [], []
        for source, order in orders:
            numbers = stored.journal(order)
            pk = self.company["sources"][source]
            acked.append(stored.digests_of(pk, order, numbers))
            sent.append(stored.digests_of(pk, order, range(order.first, max(numbers, default=order.first) + 1000)))
        return stored.compare(stored.digests_in_lake(self.address, self.home / "lake"), acked, sent)


@contextlib.contextmanager
def sending(order: Order) -> Iterator[subprocess.Popen[str]]:
    """Send an order in a process of its own, which is ended with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "zhike.bench.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    if process.stdin is None:
        raise StormFailed("the load generator has no input")
    process.stdin.write(json.dumps(asdict(order)))
    process.stdin.close()
    process.stdin = None
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def sent(process: subprocess.Popen[str], within: float) -> Sent:
    """Wait for a generator and return what came of its order."""
    output, _none = process.communicate(timeout=within)
    return Sent(**json.loads(output))


def environment(home: Path, product: Path = ROOT) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ZHIKE_")}
    kept.pop("DATABASE_URL", None)
    places = [str(product), str(ROOT)] if product != ROOT else [str(ROOT)]
    return kept | {"ZHIKE_HOME": str(home), "PYTHONPATH": os.pathsep.join(places), "ZHIKE_LOG": "WARNING"}


def prepared() -> Path:
    """Return a data folder that is ready and stopped, made once for the migrations as they are now."""
    content = sha256()
    for path in sorted([*ROOT.glob("zhike/**/migrations/*.py"), *ROOT.glob("tests/storms/company.py")]):
        content.update(path.read_bytes())
    place = PREPARED / content.hexdigest()[:12]
    if not place.exists():
        PREPARED.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=PREPARED))
        command = [sys.executable, "-m", "tests.storms.serve", "prepare"]
        subprocess.run(command, env=environment(draft), cwd=ROOT, check=True, timeout=300)
        with contextlib.suppress(OSError):  # Somebody else was quicker.
            draft.rename(place)
    return place


def own_home(folder: Path) -> Path:
    """Return a copy of the prepared data folder; its cluster belongs to whom it belonged."""
    home = folder / "home"
    shutil.copytree(prepared(), home, symlinks=True, dirs_exist_ok=True)
    if os.geteuid() == 0:
        given = (prepared() / "postgres").stat()
        subprocess.run(["chown", "-R", f"{given.st_uid}:{given.st_gid}", str(home / "postgres")], check=True)
    shutil.rmtree(home / "run", ignore_errors=True)
    return home


def give_room(place: Path, size: int) -> None:
    """Put a folder, with what it holds, on a disk of its own."""
    place.mkdir(exist_ok=True)
    given, aside = place.stat(), place.with_name(f"{place.name}.aside")
    place.rename(aside)
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}m", "tmpfs", str(place)], check=True)
    subprocess.run(["cp", "-a", f"{aside}/.", str(place)], check=True)
    os.chown(place, given.st_uid, given.st_gid)
    place.chmod(given.st_mode & 0o7777)
    shutil.rmtree(aside)


def stop_cluster(home: Path) -> None:
    """End a database that nobody stopped; it is that of the storm's own folder."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        pid = int((home / "postgres" / "postmaster.pid").read_text(encoding="ascii").split()[0])
        for each in processes.recorded(pid, processes.DATABASE):
            each.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def temporary() -> Iterator[Path]:
    """Keep a folder inside the block that other users may pass through."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def changed_copy(folder: Path, changes: Sequence[tuple[str, str, str]]) -> Path:
    """Return a folder with a copy of the product in which (file, old, new) are replaced: a sabotage."""
    place = folder / "product"
    shutil.copytree(ROOT / "zhike", place / "zhike", ignore=shutil.ignore_patterns("__pycache__"))
    for name, old, new in changes:
        path = place / name
        text = path.read_text(encoding="utf-8")
        ensure(old in text, f"{name} does not hold what the sabotage replaces: {old}")
        path.write_text(text.replace(old, new), encoding="utf-8")
    return place
