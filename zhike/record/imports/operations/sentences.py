"""What people read about a refused row, and about each count of a result."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from zhike.record.imports.rules.problems import Bad, Reason

REASONS = {
    Reason.NO_CUSTOMER: _("no customer"),
    Reason.UNKNOWN_CUSTOMER: _("there is no customer %(found)s"),
    Reason.MISSING: _("%(field)s is missing"),
    Reason.CELLS: _("the row has %(found)s cells, the header has %(expected)s"),
    Reason.TOO_LONG: _("%(field)s is longer than %(longest)s characters"),
    Reason.UNREADABLE: _("%(field)s contains characters that cannot be read: %(found)s"),
    Reason.NOT_A_NUMBER: _("%(field)s “%(found)s” is not a number"),
    Reason.NEGATIVE: _("%(field)s “%(found)s” is below zero"),
    Reason.NOT_WHOLE: _("%(field)s “%(found)s” is not a whole number"),
    Reason.TOO_LARGE: _("%(field)s “%(found)s” is too large"),
    Reason.NOT_A_DATE: _("%(field)s “%(found)s” is not a date"),
    Reason.AMBIGUOUS_DATE: _("%(field)s “%(found)s” does not say which is the day; give the date format"),
    Reason.FAR_DATE: _("%(field)s “%(found)s” lies outside the years 1900 to 2199"),
    Reason.NOT_A_CURRENCY: _("%(field)s “%(found)s” is not a currency code such as CNY"),
    Reason.OTHER_CURRENCY: _("the order is in %(expected)s, this line in %(found)s"),
    Reason.NOT_AN_EMAIL: _("%(field)s “%(found)s” is not an e-mail address"),
    Reason.NOT_A_PHONE: _("%(field)s “%(found)s” is not a phone number"),
    Reason.NOT_A_CHOICE: _("%(field)s “%(found)s” is none of: %(choices)s"),
    Reason.UNKNOWN_STAFF: _("no colleague has the e-mail or name “%(found)s”"),
    Reason.SEVERAL_STAFF: _("several colleagues are called “%(found)s”; use the e-mail address"),
    Reason.NOT_THAT_KIND: _("%(field)s “%(found)s” does not fit the attribute, which is: %(kind)s"),
    Reason.ENDS_BEFORE_START: _("it ends on %(found)s, before it starts"),
    Reason.EXISTS: _("%(found)s exists with other values; import with “update” to change it"),
    Reason.CONFLICT: _("contradicts line %(expected)s, which has the same key"),
    Reason.FORMULA: _("%(field)s is a formula"),
}
REASON_NAMES = {
    Reason.NO_CUSTOMER: _("no customer"),
    Reason.UNKNOWN_CUSTOMER: _("unknown customer"),
    Reason.MISSING: _("missing value"),
    Reason.CELLS: _("wrong number of cells"),
    Reason.TOO_LONG: _("too long"),
    Reason.UNREADABLE: _("unreadable characters"),
    Reason.NOT_A_NUMBER: _("not a number"),
    Reason.NEGATIVE: _("negative number"),
    Reason.NOT_WHOLE: _("not a whole number"),
    Reason.TOO_LARGE: _("number too large"),
    Reason.NOT_A_DATE: _("not a date"),
    Reason.AMBIGUOUS_DATE: _("ambiguous date"),
    Reason.FAR_DATE: _("date out of range"),
    Reason.NOT_A_CURRENCY: _("not a currency"),
    Reason.OTHER_CURRENCY: _("other currency than its order"),
    Reason.NOT_AN_EMAIL: _("not an e-mail address"),
    Reason.NOT_A_PHONE: _("not a phone number"),
    Reason.NOT_A_CHOICE: _("not one of the choices"),
    Reason.UNKNOWN_STAFF: _("unknown colleague"),
    Reason.SEVERAL_STAFF: _("several colleagues of that name"),
    Reason.NOT_THAT_KIND: _("not of the attribute's kind"),
    Reason.ENDS_BEFORE_START: _("ends before it starts"),
    Reason.EXISTS: _("exists with other values"),
    Reason.CONFLICT: _("contradicts an earlier row"),
    Reason.FORMULA: _("formula"),
}
COUNTS = {
    "rows": _("rows read"),
    "created": _("created"),
    "updated": _("updated"),
    "unchanged": _("unchanged"),
    "duplicates": _("exact duplicates"),
    "refused": _("refused"),
    "orders_created": _("new orders"),
    "customers_created": _("customers made on the way"),
    "products_created": _("new products"),
    "attributes_created": _("new attributes"),
    "returns": _("returns and cancellations, not purchases"),
    "fees": _("fee lines, not products"),
    "free": _("lines without a price"),
    "unnamed": _("without a name, the number stands in"),
    "unnumbered": _("lines without an order number, grouped by customer and time"),
}


def sentence(bad: Bad) -> str:
    """Return why a row was refused, in the language in force."""
    details = {
        "field": bad.field,
        "found": bad.found,
        "expected": "",
        "longest": "",
        "choices": "",
        "kind": "",
        **bad.more,
    }
    return str(REASONS[bad.reason]) % details


FIELDS = {
    "id": _("number"),
    "name": _("name"),
    "kind": _("organisation or person"),
    "industry": _("industry"),
    "region": _("region"),
    "size": _("size"),
    "joined": _("customer since"),
    "owner": _("owner: e-mail or name"),
    "acquisition_cost": _("acquisition cost"),
    "customer": _("customer number"),
    "role": _("role or job title"),
    "email": _("e-mail"),
    "phone": _("phone"),
    "birthday": _("birthday"),
    "order": _("order number"),
    "time": _("time"),
    "product": _("product"),
    "description": _("description"),
    "quantity": _("quantity"),
    "price": _("price of one"),
    "currency": _("currency"),
    "start": _("start"),
    "end": _("end"),
    "mrr": _("revenue a month"),
    "event": _("event"),
    "count": _("how often"),
    "users": _("by how many people"),
    "channel": _("channel"),
    "direction": _("direction"),
    "by": _("colleague"),
    "text": _("what was said"),
}
"""What people call the fields."""
