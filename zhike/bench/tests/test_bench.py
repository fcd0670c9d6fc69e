"""Benchmarks count rightly, print what was promised, and leave nothing behind."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from zhike import home
from zhike.bench import figures, house, people
from zhike.bench.readers import CUSTOMER, NEXT
from zhike.kit.searchterms import terms_of

TINY = ["--customers", "2000", "--usage-rows", "13", "--json"]


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob(f"{house.PREFIX}*"))


def servers_in(folder: Path) -> list[str]:
    """Return the command lines of PostgreSQL servers whose data lies below the folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue  # It ended while we looked.
        if str(folder) in " ".join(words) and "postgres" in words[0]:
            found.append(" ".join(words))
    return found


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder for temporary files that only this test uses, short enough for a socket's path."""
    with tempfile.TemporaryDirectory(prefix="zb") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def bench(place: Path, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "zhike", "bench", *arguments]
    environment = {**os.environ, "TMPDIR": str(place), "ZHIKE_HOME": str(place / "unused")}
    return subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=_heed_ctrl_c
    )


def _heed_ctrl_c() -> None:
    """Undo what a shell does to a job in the background, and what its children would inherit: ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize(
    ("count", "p50", "p95", "p99"), [(1, 1000, 1000, 1000), (4, 2000, 4000, 4000), (100, 50_000, 95_000, 99_000)]
)
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(
    count: int, p50: float, p95: float, p99: float
) -> None:
    found = figures.spread([float(value) for value in range(count, 0, -1)])
    assert (found.p50, found.p95, found.p99, found.worst, found.count) == (p50, p95, p99, 1000 * count, count)


def test_memory_of_children_counts() -> None:
    hungry = "held = bytearray(80 * 2**20); import time; time.sleep(0.6)"
    command = [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hungry!r}])"]
    with subprocess.Popen(command) as parent, figures.Memory(parent.pid) as memory:
        parent.wait()
    assert 80 < memory.peak / figures.MEBIBYTE < 160


def test_a_made_up_customer_is_always_the_same_and_can_be_found() -> None:
    first, again, other = people.somebody(7), people.somebody(7), people.somebody(8)
    assert first == again != other
    assert first.name[:2] in terms_of(first.name)
    assert [people.stratum(number) for number in (20, 21, 24, 29)] == [0, 1, 2, 3]


def test_readers_find_customers_and_the_next_page_in_a_list() -> None:
    page = '<a href="/customers/12">澜庭</a> <a rel="next" href="?view=all&amp;after=k12~58&amp;at=51">下一页</a>'
    assert CUSTOMER.findall(page) == ["/customers/12"]
    assert NEXT.search(page)


def _work_that_fails(folder: Path) -> None:
    assert home.folder() == folder
    assert servers_in(folder)
    raise ZeroDivisionError


@pytest.mark.slow
def test_a_home_of_its_own_is_gone_afterwards(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    before = os.environ["ZHIKE_HOME"]
    with pytest.raises(ZeroDivisionError), house.own_home() as folder:
        _work_that_fails(folder)
    assert os.environ["ZHIKE_HOME"] == before
    assert leftovers(place) == []
    assert servers_in(place) == []


@pytest.mark.slow
def test_what_a_killed_benchmark_left_is_swept_by_the_next(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    code = (
        "import time; from zhike.bench import house; kept = house.own_home(); kept.__enter__(); "
        "print('up', flush=True); time.sleep(60)"
    )
    environment = {**os.environ, "TMPDIR": str(place)}
    with subprocess.Popen([sys.executable, "-c", code], env=environment, text=True, stdout=subprocess.PIPE) as left:
        assert left.stdout
        assert left.stdout.readline() == "up\n"
        left.kill()
    assert leftovers(place)
    assert servers_in(place)
    house.sweep()
    assert leftovers(place) == []
    assert servers_in(place) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "more", "keys"),
    [
        (
            "pages",
            ["--requests", "4", "--readers", "4", "--people", "5", "--warm-up", "1"],
            {
                f"{by}{what}"
                for by in ("", "people_")
                for what in ("list_p95_ms", "search_p95_ms", "detail_p95_ms", "today_p95_ms", "requests_per_s")
            },
        ),
        ("turn", [], {"seconds", "peak_mb"}),
        ("facts", ["--events", "100000"], {"events", "seconds", "scan_seconds", "ratio", "peak_mb", "equal"}),
    ],
)
def test_a_tiny_benchmark_prints_its_figures_and_leaves_nothing(
    place: Path, what: str, more: list[str], keys: set[str]
) -> None:
    with bench(place, what, *TINY, *more) as process:
        output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors[-3000:]
    found = json.loads(output)
    assert found.pop("customers") == 2000
    assert set(found) == keys
    assert all(value > 0 for value in found.values())
    assert leftovers(place) == []
    assert not (place / "unused").exists()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_benchmark_leaves_nothing(place: Path, number: signal.Signals) -> None:
    with bench(place, "turn", *TINY) as process:
        assert process.stderr
        for line in process.stderr:
            if "colleagues" in line:
                break
        time.sleep(0.5)
        process.send_signal(number)
        process.communicate(timeout=60)
    assert process.returncode == 130
    assert leftovers(place) == []
    assert servers_in(place) == []


@pytest.mark.slow
def test_ingest_takes_in_what_it_says_and_keeps_it_all(place: Path) -> None:
    short = ["--seconds", "2", "--single-seconds", "1", "--baseline-seconds", "2", "--connections", "4"]
    process = bench(place, "ingest", "--customers", "100", *short, "--json")
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    found = json.loads(output)
    promised = {"events_per_s", "requests_per_s", "p99_ms", "drain_lag_s", "baseline_events_per_s", "ratio"}
    assert min(found[name] for name in promised) > 0
    assert found["lost"] == found["duplicated"] == found["strange"] == 0
    assert found["stored"] == found["acknowledged"] > 0
    assert set(found["statuses"]["batch"]) == {"200"}
    assert (leftovers(place), servers_in(place)) == ([], [])
