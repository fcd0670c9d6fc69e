"""`zhike plan`: what a person at a terminal sees, and that a wrong file changes nothing."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from zhike.decide.plans import queries
from zhike.decide.plans.management.commands.plan import FileMissing, FileTooLarge, NotText
from zhike.decide.plans.models import PlanVersion
from zhike.decide.plans.operations import NothingChanged
from zhike.decide.plans.tests.plans import SMALL, changed, line_of
from zhike.kit.refusal import Refusal
from zhike.org.models import AuditLine

HALF = changed("revenue_up_to: 0.5", "revenue_up_to: 0.6")
BROKEN = changed("times: 2", "times: 99", text=changed("fact: last_nps", "fact: last_npx"))


def run(*words: object) -> tuple[str, str]:
    """Run the command and return what it said on stdout and stderr."""
    out, err = StringIO(), StringIO()
    call_command("plan", *map(str, words), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def refused(*words: object) -> str:
    """Run the command, see it fail, and return what it said on stderr; stdout stays empty."""
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit) as stop:
        call_command("plan", *map(str, words), stdout=out, stderr=err)
    assert (stop.value.code, out.getvalue()) == (1, "")
    return err.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(HALF, encoding="utf-8")
    return path


def test_a_right_file_is_checked_and_nothing_changes(file: Path, first: PlanVersion) -> None:
    out, err = run("check", file)
    assert ("2" in out, err) == (True, "")
    assert queries.in_force().number == 1


def test_every_problem_is_printed_with_file_line_and_column(file: Path, first: PlanVersion) -> None:
    file.write_text(BROKEN, encoding="utf-8")
    said = refused("check", file).splitlines()
    # Only the shape is wrong enough to stop: an unknown fact is looked for in a plan that can be read.
    assert [line.split(": ")[0] for line in said] == [f"{file}:{line_of(BROKEN, 'times: 99')}:12"]


def test_a_fact_that_does_not_exist_is_named(file: Path, first: PlanVersion) -> None:
    text = changed("fact: last_nps", "fact: last_npx")
    file.write_text(text, encoding="utf-8")
    assert f"{file}:{line_of(text, 'last_npx')}:" in refused("publish", file)
    assert queries.in_force().number == 1


def test_a_published_file_is_in_force(file: Path, first: PlanVersion) -> None:
    run("publish", file, "--note", "Wider core")
    row = queries.version(2)
    assert (row.text, row.note, row.published_by) == (HALF, "Wider core", None)
    assert AuditLine.objects.get(action="plan.published", detail__number=2).actor_kind == "system"
    with pytest.raises(NothingChanged):
        run("publish", file)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (None, FileMissing),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", NotText),
        ("name: 方案".encode("gb18030"), NotText),
        (HALF.encode("utf-16"), NotText),
        (b"#" * (2 << 20), FileTooLarge),
    ],
    ids=["missing", "picture", "wrong encoding", "another wrong encoding", "huge"],
)
@pytest.mark.parametrize("what", ["check", "publish"])
def test_other_files_are_refused(
    what: str, content: bytes | None, kind: type[Refusal], tmp_path: Path, first: PlanVersion
) -> None:
    path = tmp_path / "other.yaml"
    if content is not None:
        path.write_bytes(content)
    lines = AuditLine.objects.count()
    with pytest.raises(kind) as caught:
        run(what, path)
    assert str(path) in str(caught.value)
    assert (queries.in_force().number, AuditLine.objects.count()) == (1, lines)


def test_a_folder_is_no_plan(tmp_path: Path, db: None) -> None:
    with pytest.raises(FileMissing):
        run("check", tmp_path)


def test_a_mark_at_the_beginning_does_no_harm(file: Path, first: PlanVersion) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + HALF.encode())
    run("publish", file)
    assert queries.version(2).text == HALF


def test_what_was_published_is_shown_as_it_was_written(file: Path, first: PlanVersion) -> None:
    run("publish", file)
    assert run("show")[0] == HALF
    assert run("show", 1)[0] == SMALL
    with pytest.raises(queries.NoSuchVersion):
        run("show", 9)


def test_versions_are_listed_the_newest_first(file: Path, first: PlanVersion) -> None:
    run("publish", file, "--note", "Wider core")
    lines = [line.split("\t") for line in run("list")[0].splitlines()]
    assert [line[:2] for line in lines] == [["v2", "in_force"], ["v1", "retired"]]
    assert lines[0][-1] == "Wider core"


def test_a_ready_plan_is_printed_and_can_be_published(tmp_path: Path, first: PlanVersion) -> None:
    assert [line.split("\t")[0] for line in run("ready")[0].splitlines()] == ["retail", "saas"]
    path = tmp_path / "retail.yaml"
    path.write_text(run("ready", "retail")[0], encoding="utf-8")
    run("publish", path)
    assert queries.in_force().company_kind == "retail"


def test_nothing_to_show_before_the_first_plan(db: None) -> None:
    with pytest.raises(queries.NoPlanInForce):
        run("show")


def test_an_unknown_part_of_the_command_is_refused(db: None) -> None:
    with pytest.raises(CommandError):
        run("frobnicate")
