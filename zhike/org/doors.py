"""Every door of the product: each URL name and what it takes to pass. A URL without a row fails the build."""

from zhike.org.roles import Permission, Public

P = Permission

DOORS: dict[str, P | Public] = {
    # org
    "sign-in": Public.OPEN,
    "sign-out": Public.SIGNED_IN,
    "health": Public.OPEN,
    "set-language": Public.OPEN,
    "set-theme": Public.SIGNED_IN,
    "account": Public.SIGNED_IN,
    "staff": P.MANAGE_STAFF,
    "staff-new": P.MANAGE_STAFF,
    "staff-edit": P.MANAGE_STAFF,
    "roles": P.MANAGE_STAFF,
    "role-edit": P.MANAGE_STAFF,
    "company": P.MANAGE_COMPANY,
    "audit": P.READ_AUDIT,
    # ui
    "components": Public.OPEN,  # Exists only in development.
    # record/customers
    "customer-new": P.EDIT_CUSTOMERS,
    "customer-edit": P.EDIT_CUSTOMERS,
    "contact-new": P.EDIT_CUSTOMERS,
    "contact-edit": P.EDIT_CUSTOMERS,
    # record/imports
    "imports": P.RUN_IMPORTS,
    "import-new": P.RUN_IMPORTS,
    "import": P.RUN_IMPORTS,
    "import-map": P.RUN_IMPORTS,
    "import-run": P.RUN_IMPORTS,
    "import-undo": P.RUN_IMPORTS,
    "import-refused": P.RUN_IMPORTS,
    # record/interactions
    "interaction-new": P.LOG_INTERACTIONS,
    "interaction-log": P.LOG_INTERACTIONS,
    "interaction-log-any": P.LOG_INTERACTIONS,
    "interaction-undo": P.LOG_INTERACTIONS,
    # decide/plans
    "plan": P.SEE_PLAN,
    "plan-version": P.SEE_PLAN,
    "plan-file": P.SEE_PLAN,
    "plan-edit": P.EDIT_PLAN,
    "plan-check": P.EDIT_PLAN,
    "plan-discard": P.EDIT_PLAN,
    "plan-publish": P.PUBLISH_PLAN,
    "plan-rollback": P.PUBLISH_PLAN,
    # act/engagement
    "touch-open": P.WORK_TOUCHES,
    "touch-done": P.WORK_TOUCHES,
    "touch-later": P.WORK_TOUCHES,
    "touch-not-needed": P.WORK_TOUCHES,
    "touch-reopen": P.WORK_TOUCHES,
    # web
    "home": Public.SIGNED_IN,
    "today": P.WORK_TOUCHES,
    "today-news": P.WORK_TOUCHES,
    "customers": P.SEE_CUSTOMERS,
    "customers-condition": P.SEE_CUSTOMERS,
    "customers-columns": P.SEE_CUSTOMERS,
    "customers-export": P.EXPORT,
    "customers-hand-over": P.ASSIGN_CUSTOMERS,
    "customers-take-back": P.ASSIGN_CUSTOMERS,
    "customer": P.SEE_CUSTOMERS,
    "customer-next": P.SEE_CUSTOMERS,
    "customer-story": P.SEE_CUSTOMERS,
    "customer-usage": P.SEE_CUSTOMERS,
    "view-new": P.SEE_CUSTOMERS,
    "view-save": P.SEE_CUSTOMERS,
    "view-delete": P.SEE_CUSTOMERS,
    "search": Public.SIGNED_IN,
    "works": Public.SIGNED_IN,
    "work": Public.SIGNED_IN,
    "work-cancel": Public.SIGNED_IN,
    # api
    "api:api-root": P.SEE_CUSTOMERS,
    "api:openapi-json": Public.SIGNED_IN,
    "api:customers": P.SEE_CUSTOMERS,
    "api:customer": P.SEE_CUSTOMERS,
    "api:customer-new": P.EDIT_CUSTOMERS,
    "api:customer-change": P.EDIT_CUSTOMERS,
}
