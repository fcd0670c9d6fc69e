"""Importing on the web: upload, mapping, trial, result, refused rows, undo; and who may see what."""

import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from zhike.conftest import Person
from zhike.org.models import Work
from zhike.record.customers.models import Customer
from zhike.record.imports import jobs
from zhike.record.imports.models import Import, ImportState
from zhike.record.imports.tests.test_customers import FIVE_BAD

# The progress of a job is written on a connection of its own, which sees only what was committed.
pytestmark = pytest.mark.django_db(transaction=True)


def upload(person: Client, content: bytes, kind: str = "customers", name: str = "客户.csv") -> str:
    answer = person.post("/imports/new", {"kind": kind, "file": SimpleUploadedFile(name, content)})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def mapping(page: bytes) -> dict[str, str]:
    """Return what the mapping page would send if nothing was changed."""
    text = page.decode()
    found = {}
    for name, inside in re.findall(r'<select class="in[^"]*" name="([^"]+)".*?>(.*?)</select>', text, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', inside)
        found[name] = chosen[1] if chosen else ""
    return found


def work_through() -> None:
    """Do what the worker would do."""
    given = Import.objects.latest("id")
    assert given.work is not None
    jobs.run(given.pk, dry=given.work.kind == "imports.try")


def test_a_file_from_upload_to_result(admin: Person) -> None:
    address = upload(admin, FIVE_BAD.encode("gb18030"))
    page = admin.get(address)
    assert "澜庭家居" in page.content.decode()
    answers = mapping(page.content)
    assert answers["map_id"] == "0"
    assert answers["map_name"] == "1"
    assert answers["map_joined"] == "3"
    assert answers["map_owner"] == ""
    answer = admin.post(f"{address}/columns", answers)
    assert answer.status_code == 302
    assert "hx-get" in admin.get(address).content.decode(), "the card of the running trial"
    work_through()
    assert "nothing was changed yet" in admin.get(address).content.decode()
    assert not Customer.objects.exists()
    assert admin.post(f"{address}/run").status_code == 302
    work_through()
    assert Customer.objects.count() == 6
    assert Import.objects.get().state == ImportState.DONE
    work = Work.objects.latest("id")
    assert (work.state, work.result["url"]) == ("done", address)
    file = admin.get(f"{address}/refused.csv")
    assert "attachment" in file["Content-Disposition"]
    assert b"".join(file.streaming_content).startswith(b"\xef\xbb\xbf")  # type: ignore[attr-defined]  # A file response.
    assert admin.post(f"{address}/undo").status_code == 302
    assert not Customer.objects.exists()
    assert "taken back" in admin.get(address).content.decode()


def test_a_workbook_becomes_customers_with_fields_of_their_own(admin: Person, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["ID", "Name", "Plan"], ["A", "Acme", "pro"], ["B", "Beta", "free"]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    address = upload(admin, (tmp_path / "a.xlsx").read_bytes(), name="a.xlsx")
    admin.post(f"{address}/columns", {"map_id": "0", "map_name": "1", "attributes": ["2"]})
    admin.post(f"{address}/run")
    work_through()
    assert Customer.objects.get(ref="A").attributes == {"plan": "pro"}


def test_what_is_wrong_is_said_where_it_is(admin: Person) -> None:
    empty = admin.post("/imports/new", {"kind": "customers", "file": SimpleUploadedFile("leer.csv", b"")})
    assert empty.status_code == 422
    assert "leer.csv is empty" in empty.content.decode()
    assert not Import.objects.exists()
    address = upload(admin, b"a,b\n1,2\n")
    answer = admin.post(f"{address}/columns", {"map_name": "1"})
    assert answer.status_code == 422
    assert "This is needed." in answer.content.decode()
    address = upload(admin, b"id,joined\nA,soon\n")
    admin.post(f"{address}/columns", {"map_id": "0", "map_joined": "1"})
    work_through()
    page = admin.get(address).content.decode()
    assert "Not imported; nothing was changed" in page
    assert "soon" in page
    assert "Change the columns" in page
    address = upload(admin, b"PK\x03\x04 no workbook", name="x.xlsx")
    assert "cannot be read as an XLSX workbook" in admin.get(address).content.decode()


def test_an_interrupted_import_offers_to_try_again(admin: Person) -> None:
    address = upload(admin, b"id\nA\n")
    admin.post(f"{address}/columns", {"map_id": "0"})
    Work.objects.update(state="failed")
    Import.objects.update(state=ImportState.RUNNING)
    assert "Try again" in admin.get(address).content.decode()
    admin.post(f"{address}/run")
    work_through()
    work_through()  # A job that was rescued runs twice.
    assert Customer.objects.count() == 1


def test_a_cancelled_import_changes_nothing_and_can_be_asked_for_again(admin: Person) -> None:
    address = upload(admin, b"id\nA\n")
    admin.post(f"{address}/columns", {"map_id": "0"})
    admin.post(f"{address}/run")
    Work.objects.update(cancel_asked=True)
    work_through()
    assert not Customer.objects.exists()
    assert Import.objects.get().state == ImportState.UPLOADED


def test_a_lead_brings_in_customers_of_the_own_team_only(lead: Person, mei: Person, jun: Person, admin: Person) -> None:
    theirs = upload(admin, f"id,owner\nJ,{jun.staff.email}\nM,{mei.staff.email}\n".encode())
    admin.post(f"{theirs}/columns", {"map_id": "0", "map_owner": "1"})
    admin.post(f"{theirs}/run")
    work_through()
    address = upload(lead, b"id,region\nJ,East\nM,East\nN,East\nO,East\n")
    lead.post(f"{address}/columns", {"map_id": "0", "map_region": "1", "update_existing": "on"})
    lead.post(f"{address}/run")
    work_through()
    given = Import.objects.latest("id")
    assert (given.counts["created"], given.counts["updated"], given.counts["refused"]) == (2, 1, 1)
    assert Customer.objects.get(ref="J").region == ""
    assert Customer.objects.get(ref="N").owner == lead.staff
    # What others import is none of the lead's business; what the lead imports the administrator may see.
    for ending in ("", "/refused.csv"):
        assert lead.get(theirs + ending).status_code == 404
    assert lead.post(f"{theirs}/undo").status_code == 404
    assert admin.get(address).status_code == 200
    assert mei.get("/imports").status_code == 403
    assert Client().get("/imports").status_code == 302


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_list_asks_few_questions(
    hire: Callable[..., Person], django_assert_max_num_queries: DjangoAssertNumQueries, language: str
) -> None:
    person = hire("Rui", "admin", language=language)
    for number in range(5):
        upload(person, b"id\nA\n", name=f"file{number}.csv")
    with django_assert_max_num_queries(30):
        page = person.get("/imports")
    assert page.content.decode().count("file") >= 5
