"""Customers and contacts brought in by the command, with what is refused, repeated and changed."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from zhike.conftest import Person
from zhike.org.models import AuditLine
from zhike.record.customers.models import AttributeDefinition, Contact, ContactRole, Customer
from zhike.record.events.models import Event, EventKind
from zhike.record.imports import operations
from zhike.record.imports.models import Import, ImportState
from zhike.record.imports.operations.people import RepeatedNumber
from zhike.record.imports.operations.refusing import TooManyRefused
from zhike.record.imports.tests.conftest import Command

NOW = datetime(2026, 3, 12, 2, 18, tzinfo=UTC)
Write = Callable[..., Path]

FIVE_BAD = """客户编号,客户名称,行业,成为客户日期,获客成本
K001,澜庭家居,零售,2024年3月1日,1200
K002,启明医疗,医疗,2024/5/6,"1,800.50"
K003,坏日期公司,制造,2024-13-45,10
K004,坏成本公司,制造,2024-01-02,很多
,没有编号的公司,制造,2024-01-02,10
K005,青禾教育,教育,2024-02-29,
K006,负成本公司,教育,2024-02-28,-5
K007,少一格的公司,教育
K008,远山物流,物流,20240809,¥300
K009,白桦软件,软件,45000,0
K010,云舟科技,软件,2024-01-05 10:00,12
"""


def test_a_gb18030_file_with_five_bad_rows_brings_in_the_good_ones_and_names_the_others(
    bring_in: Command, write: Write, tmp_path: Path
) -> None:
    refused = tmp_path / "refused.csv"
    done = bring_in("customers", write("客户.csv", FIVE_BAD, "gb18030"), "--refused", str(refused))
    assert (done["rows"], done["created"], done["refused"]) == (11, 6, 5)
    assert done["reasons"] == {
        "not a date": 1,
        "not a number": 1,
        "missing value": 1,
        "negative number": 1,
        "wrong number of cells": 1,
    }
    first = Customer.objects.get(ref="K001")
    assert (first.name, first.industry, str(first.joined), first.acquisition_cost) == (
        "澜庭家居",
        "零售",
        "2024-03-01",
        Decimal(1200),
    )
    assert Customer.objects.get(ref="K002").acquisition_cost == Decimal("1800.50")
    assert str(Customer.objects.get(ref="K009").joined) == "2023-03-15"
    raw = refused.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(raw.decode("utf-8-sig").splitlines()))
    assert [row[0] for row in rows[1:]] == ["4", "5", "6", "8", "9"]
    assert "2024-13-45" in rows[1][1]
    assert rows[1][2:] == ["K003", "坏日期公司", "制造", "2024-13-45", "10"]


def test_amounts_are_read_as_people_and_spreadsheets_write_them(bring_in: Command, write: Write) -> None:
    written = {"A": "3.5万", "B": "RMB 1200", "C": "1.2E+05", "D": "１２００．５", "E": '"US$1,200"'}
    rows = "".join(f"{ref},{cost}\n" for ref, cost in written.items())
    done = bring_in("customers", write("costs.csv", f"id,acquisition_cost\n{rows}F,SKU123\n"))
    assert (done["created"], done["reasons"]) == (5, {"not a number": 1})
    costs = dict(Customer.objects.values_list("ref", "acquisition_cost"))
    assert costs == {"A": 35_000, "B": 1200, "C": 120_000, "D": Decimal("1200.5"), "E": 1200}


def test_the_same_file_again_changes_nothing(bring_in: Command, write: Write) -> None:
    path = write("customers.csv", "id,name,region\nA,Acme,East\nB,Beta,West\n")
    bring_in("customers", path)
    before = list(Customer.objects.order_by("id").values())
    done = bring_in("customers", path)
    assert (done["created"], done["updated"], done["unchanged"]) == (0, 0, 2)
    assert list(Customer.objects.order_by("id").values()) == before
    assert Event.objects.filter(kind=EventKind.CUSTOMER_CREATED).count() == 2


def test_other_values_are_refused_unless_an_update_was_asked_for(bring_in: Command, write: Write) -> None:
    bring_in("customers", write("a.csv", "id,name,region,size\nA,Acme,East,10\nB,Beta,West,5\nC,Cee,,\n"))
    changed = write("b.csv", "id,name,region\nA,Acme,North\nB,Beta,\nC,Cee,\n")
    done = bring_in("customers", changed)
    assert (done["unchanged"], done["reasons"]) == (2, {"exists with other values": 1})
    assert Customer.objects.get(ref="A").region == "East"
    done = bring_in("customers", changed, "--update")
    assert (done["updated"], done["unchanged"]) == (1, 2)
    # Only mapped fields change, and an empty cell says nothing.
    assert Customer.objects.values_list("region", "size").get(ref="A") == ("North", "10")
    assert Customer.objects.get(ref="B").region == "West"
    assert Event.objects.filter(kind=EventKind.CUSTOMER_UPDATED).count() == 1


def test_a_dry_run_counts_the_same_and_leaves_nothing(bring_in: Command, write: Write) -> None:
    path = write("a.csv", "id,name,plan\nA,Acme,pro\nB,Beta,free\n")
    options = ("--map", "id=id", "name=name", "attributes.plan=plan")
    tried = bring_in("customers", path, *options, "--dry-run")
    assert (tried["state"], tried["created"], tried["attributes_created"]) == ("tried", 2, 1)
    assert not Customer.objects.exists()
    assert not AttributeDefinition.objects.exists()
    assert not Import.objects.exists()
    done = bring_in("customers", path, *options)
    assert {**done, "import": 0, "state": ""} == {**tried, "import": 0, "state": ""}


def test_further_columns_become_typed_attributes(bring_in: Command, write: Write) -> None:
    path = write(
        "a.csv",
        "id,seats,trial,signed,note,code\nA,12,yes,2024-05-06,hello,007\nB,3.5,no,2024-05-07,,012\nC,,是,,x,1\n",
    )
    names = [f"attributes.{name}={name}" for name in ("seats", "trial", "signed", "note", "code")]
    bring_in("customers", path, "--map", "id=id", *names, "attributes.备注=note")
    kinds = dict(AttributeDefinition.objects.values_list("name", "kind"))
    assert kinds == {
        "seats": "number",
        "trial": "boolean",
        "signed": "date",
        "note": "text",
        "code": "text",
        "bei_zhu": "text",
    }
    assert Customer.objects.get(ref="A").attributes == {
        "seats": 12.0,
        "trial": True,
        "signed": "2024-05-06",
        "note": "hello",
        "code": "007",
        "bei_zhu": "hello",
    }
    assert "seats" not in Customer.objects.get(ref="C").attributes
    # An attribute that exists keeps its kind, and what does not fit is refused.
    done = bring_in(
        "customers", write("b.csv", "id,seats\nD,many\nE,4\nF,5\n"), "--map", "id=id", "attributes.seats=seats"
    )
    assert (done["created"], done["reasons"]) == (2, {"not of the attribute's kind": 1})


def test_an_owner_is_found_by_address_or_name(bring_in: Command, write: Write, mei: Person) -> None:
    path = write("a.csv", "id,owner\nA,MEI@company.example\nB,mei\nC,Nobody\n")
    done = bring_in("customers", path)
    assert done["reasons"] == {"unknown colleague": 1}
    assert set(Customer.objects.values_list("ref", "owner_id")) == {("A", mei.staff.pk), ("B", mei.staff.pk)}


def test_a_customer_without_a_name_is_called_by_number_and_found(bring_in: Command, write: Write) -> None:
    done = bring_in("customers", write("a.csv", "id,name\n17850,\n17851,张三丰\n"))
    assert done["unnamed"] == 1
    assert Customer.objects.get(ref="17850").name == "17850"
    for asked in ("'p:zhangsan':*", "'i:zsf'", "'张'", "'w:17851'"):
        assert Customer.objects.extra(where=["terms @@ %s::tsquery"], params=[asked]).count() == 1, asked


def test_one_number_with_two_values_refuses_the_file_and_names_both_lines(bring_in: Command, write: Write) -> None:
    with pytest.raises(RepeatedNumber) as caught:
        bring_in("customers", write("a.csv", "id,name\nA,Acme\nB,Beta\nA,Another\n"))
    assert caught.value.details == {"what": "A", "first": 2, "line": 4}
    assert not Customer.objects.exists()
    assert Import.objects.get().state == ImportState.FAILED


def test_an_exact_duplicate_is_counted_and_kept_once(bring_in: Command, write: Write) -> None:
    done = bring_in("customers", write("a.csv", "id,name\nA,Acme\nB,Beta\nA,Acme\n"))
    assert (done["created"], done["duplicates"], done["refused"]) == (2, 1, 0)


def test_when_most_rows_are_refused_nothing_is_imported_and_the_reasons_are_kept(
    bring_in: Command, write: Write, tmp_path: Path
) -> None:
    path = write("a.csv", "id,joined\nA,2024-01-01\nB,soon\nC,later\n")
    with pytest.raises(TooManyRefused) as caught:
        bring_in("customers", path, "--map", "id=id", "joined=joined", "--refused", str(tmp_path / "r.csv"))
    assert caught.value.place is not None
    assert caught.value.place.line == 3
    assert not Customer.objects.exists()
    assert "soon" in (tmp_path / "r.csv").read_text(encoding="utf-8-sig")


def test_a_workbook_and_utf16_are_read_like_csv(bring_in: Command, write: Write, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["编号", "名称", "成为客户", "人数", "说明"])
    sheet.append([1001, "澜庭家居", datetime(2024, 3, 1), 42.0, "=1+1"])  # noqa: DTZ001  As a spreadsheet holds it.
    sheet.append([])
    sheet.append(["1002", "启明医疗", "2024/3/2", None, None])
    book.save(tmp_path / "a.xlsx")
    done = bring_in("customers", tmp_path / "a.xlsx", "--map", "id=编号", "name=名称", "joined=成为客户", "size=人数")
    assert (done["rows"], done["created"]) == (2, 2)
    assert Customer.objects.values_list("name", "size").get(ref="1001") == ("澜庭家居", "42")
    assert str(Customer.objects.get(ref="1002").joined) == "2024-03-02"
    done = bring_in("customers", write("b.csv", "id\tname\nX\t北辰\n", "utf-16"))
    assert Customer.objects.get(ref="X").name == "北辰"


CONTACTS = """customer,name,role,email,phone,birthday
A,Mei Wang,CEO,mei@acme.example,+86 138 0013 8000,1986-05-06
A,王敏,采购主管,,13900001111,农历1990-08-15
A,Mei Wang,CEO,mei@acme.example,+86 138 0013 8000,1986-05-06
B,Bo,user,not an address,,
Z,Zoe,user,zoe@z.example,,
A,Tom,财务,tom@acme.example,,
"""


def test_contacts_are_known_by_their_customer(bring_in: Command, write: Write) -> None:
    bring_in("customers", write("a.csv", "id\nA\nB\n"))
    path = write("c.csv", CONTACTS)
    done = bring_in("contacts", path)
    assert (done["created"], done["duplicates"]) == (3, 1)
    assert done["reasons"] == {"not an e-mail address": 1, "unknown customer": 1}
    first = Contact.objects.get(email="mei@acme.example")
    assert (first.role, first.customer.ref) == (ContactRole.DECISION_MAKER, "A")
    second = Contact.objects.get(name="王敏")
    assert (second.role, second.title, second.birthday_is_lunar) == (ContactRole.OTHER, "采购主管", True)
    assert bring_in("contacts", path)["unchanged"] == 3
    changed = write("d.csv", "customer,name,email,phone\nA,Tom Li,tom@acme.example,010-1234567\n")
    assert bring_in("contacts", changed, "--update")["updated"] == 1
    assert Contact.objects.get(email="tom@acme.example").role == ContactRole.FINANCE


def test_an_import_can_be_taken_back_unless_its_rows_are_in_use(bring_in: Command, write: Write, admin: Person) -> None:
    done = bring_in("customers", write("a.csv", "id\nA\nB\n"))
    bring_in("orders", write("o.csv", "order,customer,time,price\n1,A,2024-01-01,5\n"), "--default", "currency=CNY")
    given = Import.objects.get(pk=done["import"])
    assert operations.undo(given, by=admin.staff, now=NOW) == {"removed": 1, "kept": 1}
    assert list(Customer.objects.values_list("ref", flat=True)) == ["A"]
    assert AuditLine.objects.filter(action="import.undone").count() == 1
    assert Import.objects.get(pk=given.pk).state == ImportState.UNDONE
    update = bring_in("customers", write("b.csv", "id,region\nA,East\n"), "--update")
    with pytest.raises(operations.CannotUndo):
        operations.undo(Import.objects.get(pk=update["import"]), by=admin.staff, now=NOW)
