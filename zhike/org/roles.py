"""What a role may do: a closed list of permissions, a scope, and two kinds of fields."""

from enum import StrEnum

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop


class Permission(models.TextChoices):
    """One thing that a role may or may not do; the doors table names these."""

    SEE_CUSTOMERS = "see_customers", _("See customers")
    EDIT_CUSTOMERS = "edit_customers", _("Edit customers and contacts")
    ASSIGN_CUSTOMERS = "assign_customers", _("Hand customers to a colleague")
    LOG_INTERACTIONS = "log_interactions", _("Log interactions")
    WORK_TOUCHES = "work_touches", _("Work the Today queue")
    SEE_PLAN = "see_plan", _("Read the plan")
    EDIT_PLAN = "edit_plan", _("Draft the plan")
    PUBLISH_PLAN = "publish_plan", _("Publish the plan")
    RUN_IMPORTS = "run_imports", _("Import files")
    EXPORT = "export", _("Export lists")
    RUN_TURN = "run_turn", _("Run a turn of the loop")
    MANAGE_STAFF = "manage_staff", _("Manage staff, teams and roles")
    MANAGE_COMPANY = "manage_company", _("Change the company's settings")
    READ_AUDIT = "read_audit", _("Read the audit log")
    MANAGE_SOURCES = "manage_sources", _("Manage data sources and write keys")
    SEE_STREAM = "see_stream", _("See the event stream, refused events and features")


class Scope(models.TextChoices):
    """Whose customers a role sees."""

    OWN = "own", _("Own customers")
    TEAM = "team", _("The team's customers")
    ALL = "all", _("All customers")


class Public(StrEnum):
    """Doors that need no permission: open to everybody, to whoever is signed in, or to holders of a write key."""

    OPEN = "open"
    SIGNED_IN = "signed_in"
    WRITE_KEY = "write_key"


P = Permission
_READ = [P.SEE_CUSTOMERS, P.SEE_PLAN]
_DAILY = [*_READ, P.LOG_INTERACTIONS, P.WORK_TOUCHES]
_CSM = [*_DAILY, P.EDIT_CUSTOMERS, P.EXPORT]

# key: (name, permissions, scope, sees personal data, sees revenue)
BUILT_IN_ROLES: dict[str, tuple[str, list[Permission], Scope, bool, bool]] = {
    "viewer": (gettext_noop("Viewer"), _READ, Scope.ALL, False, False),
    "agent": (gettext_noop("Support agent"), _DAILY, Scope.ALL, True, False),
    "csm": (gettext_noop("Customer success manager"), _CSM, Scope.OWN, True, True),
    "marketer": (
        gettext_noop("Marketer"),
        [*_READ, P.EXPORT, P.RUN_IMPORTS, P.EDIT_PLAN, P.SEE_STREAM],
        Scope.ALL,
        False,
        True,
    ),
    "lead": (
        gettext_noop("Team lead"),
        [*_CSM, P.ASSIGN_CUSTOMERS, P.EDIT_PLAN, P.PUBLISH_PLAN, P.RUN_IMPORTS],
        Scope.TEAM,
        True,
        True,
    ),
    "admin": (gettext_noop("Administrator"), list(Permission), Scope.ALL, True, True),
    "auditor": (gettext_noop("Auditor"), [*_READ, P.READ_AUDIT], Scope.ALL, False, True),
}
