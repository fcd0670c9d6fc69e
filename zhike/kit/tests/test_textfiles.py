import csv
import gzip
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zhike.kit.refusal import Place, Refusal
from zhike.kit.textfiles import (
    ArchiveTooLarge,
    BrokenArchive,
    CellTooLong,
    LineTooLong,
    NulInText,
    QuoteMisplaced,
    QuoteNotClosed,
    Row,
    UnreadableText,
    neutralise,
    read_csv_rows,
    sniff_encoding,
)

Write = Callable[[bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(data: bytes) -> Path:
        path = tmp_path / "customers.csv"
        path.write_bytes(data)
        return path

    return written


TABLE = "编号,名称\n1,张三丰\n2,李娜\n"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (TABLE.encode("utf-8"), "utf-8"),
        (TABLE.encode("utf-8-sig"), "utf-8-sig"),
        (TABLE.encode("gb18030"), "gb18030"),
        (TABLE.encode("utf-16"), "utf-16"),
        (b"\xfe\xff" + TABLE.encode("utf-16-be"), "utf-16"),
        (b"id,name\n", "utf-8"),
        (b"", "utf-8"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_every_usual_encoding_is_read(write: Write, data: bytes, encoding: str, packed: bool) -> None:
    path = write(gzip.compress(data) if packed else data)
    assert sniff_encoding(path) == encoding
    if TABLE[:2].encode("utf-8") in data or len(data) > 20:
        assert list(read_csv_rows(path)) == [Row(1, ["编号", "名称"]), Row(2, ["1", "张三丰"]), Row(3, ["2", "李娜"])]


@pytest.mark.parametrize("size", [0, 1, 2, 262_142, 262_143, 262_144, 300_001])
def test_the_first_unreadable_byte_is_named(write: Write, size: int) -> None:
    before = ("é" * size).encode()[:size] if size < 10 else b"a" * (size - 6) + "张三".encode()
    path = write(before + b"\xff\xff\n" + b"b" * 500_000)
    with pytest.raises(UnreadableText) as caught:
        sniff_encoding(path)
    expected = size - 1 if size == 1 else size  # Half a character is unreadable where it begins.
    assert caught.value.details["offset"] == expected
    assert "customers.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ("a;b;c", ["a", "b", "c"]),
        ("a\tb,c\td", ["a", "b,c", "d"]),
        ('"a;b;c",d', ["a;b;c", "d"]),
        ("alone", ["alone"]),
        ('"say ""hi"";",b', ['say "hi";', "b"]),
    ],
)
def test_the_delimiter_is_found_in_the_first_line(write: Write, first: str, expected: list[str]) -> None:
    assert next(read_csv_rows(write(first.encode()))).cells == expected


def test_rows_know_the_line_they_start_on(write: Write) -> None:
    path = write(b'a,b\r\n\r\n1,"two\r\nlines"\r\n2,\rlast,x')
    assert list(read_csv_rows(path)) == [
        Row(1, ["a", "b"]),
        Row(3, ["1", "two\r\nlines"]),
        Row(5, ["2", ""]),
        Row(6, ["last", "x"]),
    ]


@pytest.mark.parametrize(
    ("data", "refusal", "line"),
    [
        (b"a,b\n1,\0\n", NulInText, 2),
        (b"a,b\n1," + b"x" * 70_000 + b"\n", CellTooLong, 2),
        (b"a,b\n1," + b"x" * 200_000 + b"\n", CellTooLong, 2),
        (b"a,b\n1," + b"x," * 600_000 + b"\n", LineTooLong, 2),
        (b"a,b\n1," + b'"x\ny",' * 200_000 + b"\n", LineTooLong, 2),
        (b'a,b\n1,2\n3,"4\n5,6\n', QuoteNotClosed, 3),
        (b'a,b\n1,2\n3,"4\n' + b"5,6\n" * 500_000, QuoteNotClosed, 3),
        (b'a,b\n1,"2"3\n', QuoteMisplaced, 2),
        ("a,b\n1,2\n".encode("utf-16-le"), NulInText, 1),
    ],
)
def test_what_cannot_be_a_row_is_refused_by_its_line(
    write: Write, data: bytes, refusal: type[Refusal], line: int
) -> None:
    with pytest.raises(refusal) as caught:
        list(read_csv_rows(write(data)))
    assert caught.value.place == Place(file="customers.csv", line=line)
    assert str(line) in str(caught.value)


def test_rows_before_a_bad_one_are_given(write: Write) -> None:
    rows = read_csv_rows(write(b'a,b\n1,2\n3,"4'))
    assert [next(rows).line, next(rows).line] == [1, 2]
    with pytest.raises(QuoteNotClosed):
        next(rows)


def test_archives_are_checked(write: Write) -> None:
    packed = gzip.compress(b"a,b\n" + os.urandom(100_000).hex().encode())
    with pytest.raises(BrokenArchive):
        sniff_encoding(write(packed[:-2000]))
    with pytest.raises(BrokenArchive):
        sniff_encoding(write(packed[:-6] + b"\0\0\0\0\0\0"))
    with pytest.raises(ArchiveTooLarge):
        sniff_encoding(write(gzip.compress(b"a,b\n" * 1_000_000)), max_unpacked=1_000_000)


PROBE = """
import resource, sys, time
from pathlib import Path
from zhike.kit.textfiles import LineTooLong, read_csv_rows
before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
try:
    for row in read_csv_rows(Path(sys.argv[1])):
        pass
except LineTooLong as refusal:
    spent = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(refusal.place.line, spent, time.perf_counter() - start)
"""


@pytest.mark.parametrize("content", [b"x", b"\0"])
def test_a_line_of_a_gigabyte_is_refused_at_once_in_little_memory(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.write(b"a,b\n1,2\n" + content * 20_000_000)
        file.truncate(1 << 30)  # The rest are NULs that take no disk.
    done = subprocess.run([sys.executable, "-c", PROBE, str(path)], capture_output=True, text=True, check=True)
    line, kilobytes, seconds = done.stdout.split()
    assert line == "3"
    assert int(kilobytes) < 50_000
    assert float(seconds) < 2


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5),
            min_size=2,
            max_size=2,
        ),
        max_size=6,
    ),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]),
)
def test_what_was_written_is_read(tmp_path: Path, table: list[list[str]], encoding: str) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows([["a", "b"], *table])
    data = written.getvalue().encode(encoding)
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    try:
        readable_as_utf8 = data.decode("utf-8") == written.getvalue()
    except UnicodeDecodeError:
        readable_as_utf8 = encoding == "gb18030"
    if encoding != "gb18030" or readable_as_utf8:  # Some GB18030 bytes are UTF-8 of another text.
        assert [row.cells for row in read_csv_rows(path)][1:] == table


@given(st.binary(max_size=200))
def test_any_bytes_give_rows_or_a_refusal(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(data)
    try:
        lines = [row.line for row in read_csv_rows(path)]
    except Refusal as refusal:
        lines = []
        shown = str(refusal)
        if not shown:
            raise
    assert lines == sorted(lines)


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1", "+86138", "-x", "@SUM(A1)", " =1", "\u200b=1", "\ufeff=1", "\u3000＝1", "＋1", "－1", "＠x", "\tx",
        "\rx", "\nx", "\0x", "\x01=1", "-1+2", "-", "--1", "-1\n", "﹣1=",
    ],
)  # fmt: skip
def test_formulas_are_made_harmless(cell: str) -> None:
    assert neutralise(cell) == f"'{cell}"
    assert neutralise(neutralise(cell)) == neutralise(cell)


@pytest.mark.parametrize(
    "cell", ["", "张三", "a=b", "-1", "-1,234.50", "-5%", "-1e5", "12", "'=1", " x", "a@b.cn", "−1"]
)
def test_other_cells_stay(cell: str) -> None:
    assert neutralise(cell) == cell


@given(st.text(max_size=12))
def test_no_exported_cell_starts_as_a_formula(text: str) -> None:
    cell = neutralise(text)
    assert not cell.strip().startswith(("=", "+", "@", "＝"))
