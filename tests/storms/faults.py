"""T03: no room, a folder that cannot be written, no more files, a clock that jumps, a disk that stands still."""

import contextlib
import errno
import shutil
import signal
import struct
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg

from tests.storms import processes
from tests.storms.probing import Probe
from tests.storms.processes import DATABASE, PAGES, STREAM
from tests.storms.system import ROOT, StormFailed, System, changed_copy, ensure, sending, sent

BACK_WITHIN = 15.0  # Seconds after a fault is over until the first 2xx.
CAUGHT_UP_WITHIN = 60.0  # Until what came before is in the lake.
HOUR = 3600
NOTHING = "nothing"
BITES_WITHIN = 30.0  # Until the fault is seen to do its work.
LAKE_ROOM, DATABASE_ROOM = 64, 900  # Mebibytes.
SABOTAGE = [
    # A commit that failed is told as if it had not.
    ("zhike/api/tracking/writing.py", "        if failure is None:\n", "        if True:\n"),
]
Fault = Callable[[System, Path], AbstractContextManager[None]]


def storm(folder: Path, *, seed: int, hold: float, rate: float, sabotage: bool = False) -> dict[str, Any]:
    """Let each fault last `hold` seconds under load."""
    system = System(folder, changed_copy(folder, SABOTAGE) if sabotage else ROOT, clock_environment(folder))
    system.rooms = {"lake": LAKE_ROOM, "postgres": DATABASE_ROOM} if can_mount(folder) else {}
    told: dict[str, Any] = {}
    with system:
        with Probe(system) as probe:
            order = system.order("load", seconds=3600.0, seed=seed, rate=rate)
            with sending(order) as generator:
                for name, fault in faults(system).items():
                    time.sleep(1.0)
                    told[name] = _suffer(system, probe, name, fault, folder, hold)
                generator.terminate()
                result = sent(generator, within=150)
        drained = system.drain()
        found = system.found((0, order), (1, probe.order))
    answers = Counter(status for _when, status in probe.answers)
    ensure(result.unanswered == 0, f"{result.unanswered} requests were never acknowledged: {result.statuses}")
    ensure(found.is_right, f"the lake differs from what was acknowledged: {found}")
    for name, each in told.items():
        ensure(each["seen"] != NOTHING, f"{name}: nothing came of it, so nothing is shown")
    ensure(not probe.without_hint + result.without_hint, "a refusal came without Retry-After")
    ensure(set(answers) <= {"200", "503", "429", "broken"}, f"answers that tell nothing: {answers}")
    counted = {"statuses": result.statuses, "drained_after_s": round(drained, 1)}
    return {"seed": seed, "faults": told, **asdict(found), **counted}


def _suffer(system: System, probe: Probe, name: str, fault: Fault, folder: Path, hold: float) -> dict[str, Any]:
    before = len(system.tail(None))
    with fault(system, folder):
        began = time.monotonic()
        time.sleep(hold)
        bites = ""
        while not bites:
            bites = _bites(name, system, probe.statuses(began, time.monotonic()), before)
            # A product that tells a failure as success shows nothing either: what is lost is found in the end.
            bites = bites or (NOTHING if time.monotonic() > began + hold + BITES_WITHIN else "")
            time.sleep(0.1)
    lifted = time.monotonic()
    back = probe.first_2xx_after(lifted, BACK_WITHIN)
    ensure(back is not None, f"{name}: no 2xx within {BACK_WITHIN:.0f} s after it was over:\n{system.tail()}")
    behind = system.catch_up(CAUGHT_UP_WITHIN)
    answers = Counter(probe.statuses(began, lifted))
    # While only the lake is in trouble, the inbox takes in what comes.
    ensure(not answers["503"] or not name.startswith("lake"), f"{name}: refused without need: {answers}")
    told = {"seen": bites, "answers": dict(answers)}
    return told | {"first_2xx_s": round(back or 0, 2), "caught_up_s": round(behind, 1)}


def _bites(name: str, system: System, answers: list[str], before: int) -> str:
    """Return by what the fault is seen to do its work, or nothing while it is not."""
    if name.startswith("lake") or name == "no more files":
        said = system.tail(None)[before:]
        reasons = ("No space left", "Read-only file system", "Not a directory", "File exists", "Too many open files")
        return next((reason for reason in reasons if reason in said), "")
    if name == "database full":
        return "not stored" if set(answers) - {"200"} else ""
    if name == "stalled disk":
        return "" if "200" in answers[1:] else "no answer"
    with psycopg.connect(system.address, autocommit=True) as connection:
        row = connection.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone()
    shift = float(row[0]) - time.time() if row else 0.0
    return f"{shift:+.0f} s" if abs(shift) > HOUR - 60 else ""


def faults(system: System) -> dict[str, Fault]:
    """Return the faults that this machine can bring about."""
    found: dict[str, Fault] = {}
    if system.rooms:
        found |= {"lake full": lake_full, "lake read-only": lake_read_only, "database full": database_full}
    else:
        found |= {"lake cannot be written": lake_in_the_way}
    found |= {"no more files": no_more_files, "stalled disk": stalled}
    if "STORM_CLOCK" in system.environment:
        found |= {"clock an hour ahead": clock_ahead, "clock an hour behind": clock_behind}
    return found


@contextlib.contextmanager
def lake_full(system: System, _folder: Path) -> Iterator[None]:
    with ballast(system.home / "lake"):
        yield


@contextlib.contextmanager
def database_full(system: System, _folder: Path) -> Iterator[None]:
    with ballast(system.home / "postgres"):
        yield


@contextlib.contextmanager
def ballast(place: Path) -> Iterator[None]:
    """Fill a disk up to its last byte inside the block."""
    path = place / "ballast"
    with path.open("wb", buffering=0) as file:
        size = 2**20
        while size:
            try:
                file.write(b"\0" * size)
            except OSError as error:
                ensure(error.errno == errno.ENOSPC, str(error))
                size //= 8
    try:
        yield
    finally:
        path.unlink()


@contextlib.contextmanager
def lake_read_only(system: System, _folder: Path) -> Iterator[None]:
    place = system.home / "lake"
    end = time.monotonic() + 10
    while subprocess.run(["mount", "-o", "remount,ro", str(place)], check=False, capture_output=True).returncode:
        ensure(time.monotonic() < end, "the lake cannot be made read-only")
        time.sleep(0.02)  # A file was open for writing.
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(place)], check=True, capture_output=True)


@contextlib.contextmanager
def lake_in_the_way(system: System, _folder: Path) -> Iterator[None]:
    """Put files where the lake's folders should be: nothing can be written there, by nobody."""
    place, aside = system.home / "lake", system.home / "lake.aside"
    place.mkdir(exist_ok=True)
    place.rename(aside)
    place.write_bytes(b"")
    try:
        yield
    finally:
        place.unlink()
        aside.rename(place)


@contextlib.contextmanager
def no_more_files(system: System, _folder: Path) -> Iterator[None]:
    limited = [(each, each.allow_files(each.files)) for each in system.served() if each.kind in {PAGES, STREAM}]
    try:
        yield
    finally:
        for each, before in limited:
            with contextlib.suppress(ProcessLookupError):
                each.allow_files(before)


@contextlib.contextmanager
def stalled(system: System, _folder: Path) -> Iterator[None]:
    """Let the database stand still, as it does when its disk does not answer."""
    first = system.postmaster()
    if first is None:
        raise StormFailed("there is no database to hold up")
    first.send(signal.SIGSTOP)  # From here on it starts no process that would not be among those found next.
    family = processes.recorded(first.pid, DATABASE)
    for each in family:
        each.send(signal.SIGSTOP)
    try:
        yield
    finally:
        for each in family:
            each.send(signal.SIGCONT)


@contextlib.contextmanager
def clock_ahead(_system: System, folder: Path) -> Iterator[None]:
    with _shifted(folder, HOUR):
        yield


@contextlib.contextmanager
def clock_behind(_system: System, folder: Path) -> Iterator[None]:
    with _shifted(folder, -HOUR):
        yield


@contextlib.contextmanager
def _shifted(folder: Path, seconds: int) -> Iterator[None]:
    with (folder / "clock").open("r+b", buffering=0) as file:
        file.write(struct.pack("q", seconds))
        try:
            yield
        finally:
            file.seek(0)
            file.write(struct.pack("q", 0))


def clock_environment(folder: Path) -> dict[str, str]:
    """Return the environment in which programs read a clock that can be moved; empty without a C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return {}
    library, clock = folder / "clock.so", folder / "clock"
    source = Path(__file__).with_name("clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(source), "-ldl"], check=True)
    clock.write_bytes(struct.pack("q", 0))
    return {"LD_PRELOAD": str(library), "STORM_CLOCK": str(clock)}


def can_mount(folder: Path) -> bool:
    """Say whether small disks can be made here."""
    place = folder / "trial"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, check=False, capture_output=True).returncode:
        return False
    subprocess.run(["umount", str(place)], check=True)
    return True
