"""Staff and roles: administrators change them, nobody else does, and somebody always can."""

from collections.abc import Callable

from django.test import Client

from zhike.conftest import Person
from zhike.org.models import AuditLine, Role, Staff

NEW = {"name": "苏禾", "email": "su@company.example", "weekly_touches": "30", "team_name": "South"}


def test_only_an_administrator_adds_a_colleague_who_can_then_sign_in(
    mei: Person, lead: Person, admin: Person, stranger: Client, roles: dict[str, Role]
) -> None:
    form = {**NEW, "role": roles["csm"].pk}
    assert stranger.post("/settings/staff/new", form).status_code == 302
    assert mei.post("/settings/staff/new", form).status_code == 403
    assert lead.post("/settings/staff/new", form).status_code == 403
    assert not Staff.objects.filter(email=NEW["email"]).exists()
    response = admin.post("/settings/staff/new", form)
    password = response.context["password"]
    assert Staff.objects.get(email=NEW["email"]).team.name == "South"  # type: ignore[union-attr]  # It was just given.
    answer = stranger.post("/sign-in", {"email": NEW["email"], "password": password})
    assert answer.status_code == 302
    assert AuditLine.objects.filter(action="staff.added").count() == 1
    assert password not in str(list(AuditLine.objects.values()))


def test_the_same_address_twice_is_refused_with_a_sentence(admin: Person, mei: Person, roles: dict[str, Role]) -> None:
    response = admin.post("/settings/staff/new", {**NEW, "email": mei.staff.email, "role": roles["csm"].pk})
    assert response.status_code == 422


def test_the_last_administrator_cannot_lock_everybody_out(admin: Person, roles: dict[str, Role]) -> None:
    form = {"name": "Ana", "role": roles["csm"].pk, "weekly_touches": "36", "is_active": "on"}
    response = admin.post(f"/settings/staff/{admin.staff.pk}", form)
    assert response.status_code == 422
    assert "nobody who can manage staff" in response.content.decode()
    form = {"permissions": ["see_customers"], "scope": "all"}
    response = admin.post("/settings/roles/admin", form)
    assert "nobody who can manage staff" in response.content.decode()
    assert admin.get("/settings/staff").status_code == 200


def test_a_changed_role_holds_from_the_next_click(admin: Person, lead: Person) -> None:
    assert lead.get("/settings/audit").status_code == 403
    form = {"permissions": ["see_customers", "read_audit"], "scope": "team"}
    assert admin.post("/settings/roles/lead", form).status_code == 302
    assert lead.get("/settings/audit").status_code == 200


def test_language_and_theme_are_remembered(mei: Person) -> None:
    mei.post("/language", {"language": "zh-hans", "next": "/account"})
    mei.post("/theme", {"theme": "dark"})
    page = mei.get("/account").content.decode()
    assert 'lang="zh-CN"' in page
    assert 'data-theme="dark"' in page


def test_roles_are_chosen_by_their_names_in_the_readers_language(hire: Callable[..., Person]) -> None:
    page = hire("陈念", "admin", language="zh-hans").get("/settings/staff/new").content.decode()
    assert "客户成功经理" in page
    assert "Customer success manager" not in page
