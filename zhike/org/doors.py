"""Every door of the product: each URL name and what it takes to pass. A URL without a row fails the build."""

from zhike.org.roles import Permission as P
from zhike.org.roles import Public

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
    # record/interactions
    # decide/plans
    # act/engagement
    # web
    # api
}
