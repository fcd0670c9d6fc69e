"""Finding and killing processes of a storm: only those that were recorded, and only while they are the same."""

import os
import resource
import signal
from dataclasses import dataclass
from pathlib import Path

from zhike.bench.figures import family, resident

DATABASE, PAGES, WORKER, STREAM = "postgres", "web", "worker", "stream"


@dataclass(frozen=True)
class Process:
    """A recorded process; `born` tells it from another that gets its number later."""

    pid: int
    born: str
    kind: str

    def send(self, number: int) -> bool:
        """Send a signal if it is still this process."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return False
        try:
            if born(self.pid) != self.born:
                return False
            signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            return False
        finally:
            os.close(handle)
        return True

    def kill(self) -> bool:
        return self.send(signal.SIGKILL)

    @property
    def lives(self) -> bool:
        return born(self.pid) == self.born and state(self.pid) != "Z"

    @property
    def memory(self) -> int:
        return resident(self.pid)

    def allow_files(self, count: int) -> int:
        """Let the process open so many files; returns how many it could before."""
        soft, hard = resource.prlimit(self.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (min(count, hard), hard))
        return soft

    @property
    def files(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def born(pid: int) -> str:
    """Return when a process began, in ticks since the machine did; empty when there is none."""
    fields = _stat(pid)
    return fields[19] if fields else ""


def state(pid: int) -> str:
    fields = _stat(pid)
    return fields[0] if fields else ""


def recorded(root: int, kind: str = "") -> list[Process]:
    """Record a process and everything it has started."""
    return [Process(pid, when, kind or _kind(pid)) for pid in family(root) if (when := born(pid))]


def of_home(home: Path) -> list[Process]:
    """Record every process that serves a data folder, whoever its parent is."""
    wanted = f"ZHIKE_HOME={home}\0".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            serves = wanted in path.read_bytes()
        except OSError:
            continue
        pid = int(path.parent.name)
        if serves and (when := born(pid)):
            found.append(Process(pid, when, _kind(pid)))
    return found


def served(root: int) -> list[Process]:
    """Record the children of the supervisor, each with its own: web server and its processes, worker, stream."""
    return [each for each in recorded(root) if each.pid != root and each.kind]


def _kind(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""
    if "granian" in words:
        return PAGES
    if "zhike.web.worker" in words:
        return WORKER
    return STREAM if "zhike.web.stream" in words else ""
