"""What `zhike run` looks after comes back: processes that end or hang, and the database."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest

from zhike import home
from zhike.web import running
from zhike.web.management.commands.stream import Loops


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that the server's user may pass through, short enough for a socket's path."""
    with tempfile.TemporaryDirectory(prefix="zr") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def child(*code: str, sign: Path | None = None) -> running.Child:
    return running.Child("child", [sys.executable, "-c", "; ".join(code)], sign=sign)


def wait_for(condition: Callable[[], bool], within: float = 20.0) -> None:
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def test_a_killed_process_is_started_again_after_a_pause() -> None:
    one = child("import time", "time.sleep(60)")
    with running.supervised([one]):
        assert one.process is not None
        first = one.process.pid
        os.kill(first, signal.SIGKILL)
        one.process.wait()
        one.look_after()
        time.sleep(one.pause)
        one.look_after()
        assert one.process.pid != first


def test_a_process_hangs_when_its_sign_does_not_change_whatever_the_clock_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(running, "HUNG_AFTER", 0.5)
    sign = tmp_path / "tick"
    one = child("import time", "time.sleep(60)", sign=sign)
    with running.supervised([one]):
        assert one.process is not None
        first = one.process
        for hour in (0, -3600, 3600, 0):
            sign.touch()
            os.utime(sign, (time.time() + hour, time.time() + hour))
            time.sleep(0.2)
            one.look_after()
            assert one.process is first
        time.sleep(0.7)
        one.look_after()
        assert first.poll() == -signal.SIGKILL


@pytest.mark.slow
def test_a_killed_database_is_started_again(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    monkeypatch.setenv("ZHIKE_HOME", str(place / "home"))
    with home.using_server():
        os.kill(_postmaster(place), signal.SIGKILL)
        wait_for(_brought_back)
        with psycopg.connect(home.database_url()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        running_since = _postmaster(place)
        home.keep_server()
        assert _postmaster(place) == running_since


def _postmaster(place: Path) -> int:
    return int((place / "home" / "postgres" / "postmaster.pid").read_text(encoding="ascii").split()[0])


def _brought_back() -> bool:
    running._keep_database()
    try:
        psycopg.connect(home.database_url(), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def test_a_child_ends_with_its_parent_even_by_a_kill() -> None:
    inner = (
        "import time; from zhike.web import running; running.end_with_parent(); print('up', flush=True); time.sleep(60)"
    )
    outer = (
        f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {inner!r}]).pid, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", outer], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        assert parent.stdin
        said = sorted([parent.stdout.readline(), parent.stdout.readline()])
        parent.kill()
        wait_for(lambda: not Path(f"/proc/{int(said[0])}").exists())


class TestLoops:
    def test_what_fails_for_a_while_is_tried_again(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr("zhike.web.management.commands.stream.AGAIN_AFTER", 0.01)
        loops = Loops(tmp_path / "tick")
        calls = []

        def step() -> float:
            calls.append(1)
            if len(calls) == 3:
                loops.stop()
            raise psycopg.OperationalError("gone")

        loops.run(step)
        assert len(calls) == 3

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
    def test_a_step_that_ends_for_an_unknown_reason_is_started_again_and_disturbs_no_other(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr("zhike.web.management.commands.stream.LOOK_EVERY", 0.01)
        monkeypatch.setattr("zhike.web.management.commands.stream.FIRST_PAUSE", 0.05)
        loops = Loops(tmp_path / "tick")
        failed: list[float] = []
        went_on: list[float] = []

        def failing() -> float:
            failed.append(time.monotonic())
            raise ZeroDivisionError

        def going() -> float:
            went_on.append(time.monotonic())
            if len(failed) == 3 or len(went_on) > 3000:
                loops.stop()
            return 0.01

        loops.run(failing, going)
        assert len(failed) == 3
        pauses = [later - earlier for earlier, later in pairwise(failed)]
        assert pauses[1] > pauses[0] > 0.09  # Each pause is longer than the one before.
        assert any(failed[1] < at < failed[2] for at in went_on)
