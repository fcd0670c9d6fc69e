"""Looking at a colleague's work with one's own rights."""

from dataclasses import dataclass

from zhike.org.models import Staff
from zhike.org.roles import Scope
from zhike.record.customers.queries import possible_owners


@dataclass(frozen=True, slots=True)
class OnBehalf:
    """A principal whose customers are the colleague's, and whose rights are the reader's."""

    reader: Staff
    colleague: Staff

    @property
    def pk(self) -> int:
        return self.colleague.pk

    @property
    def team_id(self) -> int | None:
        return self.colleague.team_id

    @property
    def scope(self) -> str:
        return Scope.OWN

    @property
    def sees_personal(self) -> bool:
        return self.reader.sees_personal

    @property
    def sees_revenue(self) -> bool:
        return self.reader.sees_revenue

    def may(self, permission: str) -> bool:
        return self.reader.may(permission)


def colleagues_of(staff: Staff) -> list[Staff]:
    """Return the colleagues whose work this person may look at: nobody for who sees only the own customers."""
    if staff.scope == Scope.OWN:
        return []
    return [one for one in possible_owners(staff) if one.pk != staff.pk]
