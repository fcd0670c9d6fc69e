"""Who acts: a colleague, or the system itself in jobs and commands."""

from dataclasses import dataclass
from typing import Protocol

from zhike.org.roles import Scope


class Principal(Protocol):
    """What every reader is asked for: whose customers, which permissions, which fields."""

    @property
    def pk(self) -> int | None: ...
    @property
    def team_id(self) -> int | None: ...
    @property
    def scope(self) -> str: ...
    @property
    def sees_personal(self) -> bool: ...
    @property
    def sees_revenue(self) -> bool: ...
    def may(self, permission: str) -> bool: ...


@dataclass(frozen=True)
class System:
    """The installation itself: nightly turns, commands typed by whoever owns the data folder."""

    pk: int | None = None
    team_id: int | None = None
    scope: str = Scope.ALL
    sees_personal: bool = True
    sees_revenue: bool = True

    def may(self, permission: str) -> bool:
        return bool(permission)


SYSTEM = System()
