"""The people of every test: three who differ in whose customers they see and what they may do, and an administrator."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.test import Client

from zhike.org import operations
from zhike.org.models import Role, Staff, Team

NOW = datetime(2026, 3, 12, 2, 18, tzinfo=UTC)  # Thursday, 10:18 in Shanghai.
PASSWORD = "an honest long sentence"


class Person(Client):
    """A colleague at a browser: a test client that is signed in, with the colleague as `staff`."""

    def __init__(self, staff: Staff) -> None:
        super().__init__()
        self.staff = staff
        self.force_login(staff)


@pytest.fixture
def roles(db: None) -> dict[str, Role]:
    operations.ensure_built_in_roles()
    return {role.key: role for role in Role.objects.all()}


@pytest.fixture
def hire(roles: dict[str, Role]) -> Callable[..., Person]:
    """Make a colleague: `hire("Mei", "csm", team="East")`."""

    def make(name: str, role: str, team: str = "", language: str = "en") -> Person:
        place = Team.objects.get_or_create(name=team)[0] if team else None
        staff = Staff(name=name, email=f"{name.lower()}@company.example", role=roles[role], team=place, created_at=NOW)
        staff.language = language
        staff.set_unusable_password()
        staff.save(force_insert=True)
        return Person(staff)

    return make


@pytest.fixture
def mei(hire: Callable[..., Person]) -> Person:
    """A CSM of team East: sees her own customers."""
    return hire("Mei", "csm", "East")


@pytest.fixture
def jun(hire: Callable[..., Person]) -> Person:
    """A CSM of team West."""
    return hire("Jun", "csm", "West")


@pytest.fixture
def lead(hire: Callable[..., Person]) -> Person:
    """The lead of team East: sees the team's customers, hands them over, publishes plans."""
    return hire("Lan", "lead", "East")


@pytest.fixture
def viewer(hire: Callable[..., Person]) -> Person:
    """Sees all customers, but neither personal data nor revenue."""
    return hire("Wei", "viewer")


@pytest.fixture
def admin(hire: Callable[..., Person]) -> Person:
    return hire("Ana", "admin")


@pytest.fixture
def stranger() -> Client:
    """Somebody who is not signed in."""
    return Client()
