"""Signing in: who gets in, who is locked out, and when a session ends."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from zhike.conftest import NOW, PASSWORD, Person
from zhike.kit.refusal import Refusal
from zhike.org import operations, signin
from zhike.org.models import AuditLine, SignInGuard, Staff


@pytest.fixture
def registered(mei: Person) -> Staff:
    mei.staff.set_password(PASSWORD)
    mei.staff.save(update_fields=["password"])
    return mei.staff


def post(client: Client, email: str, password: str, **more: str) -> int:
    return client.post("/sign-in", {"email": email, "password": password, **more}).status_code


def test_the_right_password_opens_and_the_wrong_one_does_not(registered: Staff, stranger: Client) -> None:
    assert post(stranger, registered.email, "something else") == 422
    assert stranger.get("/account").status_code == 302
    assert post(stranger, registered.email.upper(), PASSWORD) == 302
    assert stranger.get("/account").status_code == 200
    assert list(AuditLine.objects.values_list("action", flat=True)) == ["sign_in.failed", "sign_in.done"]


def plain(page: bytes, email: str) -> list[bytes]:
    """Return a page without the typed address and the token that differs each time."""
    return [line for line in page.replace(email.encode(), b"").splitlines() if b"csrf" not in line.lower()]


def test_an_unknown_address_gets_the_same_answer_as_a_wrong_password(registered: Staff, stranger: Client) -> None:
    known = stranger.post("/sign-in", {"email": registered.email, "password": "wrong"})
    unknown = stranger.post("/sign-in", {"email": "nobody@company.example", "password": "wrong"})
    assert known.status_code == unknown.status_code == 422
    assert plain(known.content, registered.email) == plain(unknown.content, "nobody@company.example")


def test_five_wrong_guesses_lock_the_account_even_for_the_right_password(registered: Staff, stranger: Client) -> None:
    for _guess in range(signin.ACCOUNT_GUESSES):
        assert post(stranger, registered.email, "wrong") == 422
    assert post(stranger, registered.email, PASSWORD) == 422
    with pytest.raises(signin.SignInLocked):
        signin.check(registered.email, PASSWORD, source="10.0.0.9", now=SignInGuard.objects.first().last_failure_at)  # type: ignore[union-attr]  # There is one.


def test_an_office_behind_one_address_gets_in_and_its_wrong_guesses_still_count(
    registered: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signin, "SOURCE_GUESSES", 3)
    assert [post(Client(), registered.email, PASSWORD) for _colleague in range(5)] == [302] * 5
    for number in range(3):
        assert post(Client(), f"nobody{number}@company.example", "a guess") == 422
    assert post(Client(), registered.email, PASSWORD) == 422


def test_the_lock_ends_after_its_window(registered: Staff) -> None:
    for _guess in range(signin.ACCOUNT_GUESSES + 3):
        with pytest.raises(Refusal):
            signin.check(registered.email, "wrong", source="10.0.0.9", now=NOW)
    later = NOW + signin.WINDOW + timedelta(seconds=1)
    assert signin.check(registered.email, PASSWORD, source="10.0.0.9", now=later) == registered


def test_fifty_guesses_at_once_try_no_more_than_five_passwords(db: None) -> None:
    def guess(_number: int) -> bool:
        try:
            return signin._may_guess("account:parallel", signin.ACCOUNT_GUESSES, NOW)
        finally:
            connection.close()

    def forget() -> None:
        SignInGuard.objects.all().delete()
        connection.close()

    with ThreadPoolExecutor(16) as pool:
        allowed = sum(pool.map(guess, range(50)))
        pool.submit(forget).result()
    assert allowed == signin.ACCOUNT_GUESSES


def test_a_new_password_ends_the_other_sessions(registered: Staff, mei: Person, admin: Person) -> None:
    elsewhere = Person(registered)
    assert elsewhere.get("/account").status_code == 200
    operations.give_new_password(registered, by=admin.staff, now=NOW)
    assert elsewhere.get("/account").status_code == 302


def test_losing_access_or_a_role_holds_from_the_next_click(mei: Person, admin: Person) -> None:
    staff = Staff.objects.get(pk=mei.staff.pk)
    operations.change_staff(staff, by=admin.staff, now=NOW, is_active=False)
    assert mei.get("/account").status_code == 302


def test_an_idle_session_ends(mei: Person, settings: Settings) -> None:
    assert mei.get("/account").status_code == 200
    session = mei.session
    session["seen"] -= settings.SESSION_IDLE_SECONDS + 1
    session.save()
    assert mei.get("/account").status_code == 302


@pytest.mark.parametrize(
    "target", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)", "/\\elsewhere.example"]
)
def test_signing_in_never_leads_to_another_site(target: str, registered: Staff, stranger: Client) -> None:
    response = stranger.post("/sign-in", {"email": registered.email, "password": PASSWORD, "next": target})
    assert response.headers["Location"] == "/"


def test_every_answer_carries_its_safety_headers(hire: Callable[..., Person], stranger: Client) -> None:
    for response in (
        stranger.get("/sign-in"),
        stranger.get("/no-such-page"),
        hire("Vi", "viewer").get("/settings/staff"),
    ):
        assert "script-src 'self'" in response.headers["Content-Security-Policy"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"] == "no-store"
