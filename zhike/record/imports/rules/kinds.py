"""The kinds of file and their fields: the one list that mapping, guessing, reading and help are made from."""

from dataclasses import dataclass

from zhike.record.imports.rules.headers import HEADERS

ATTRIBUTES = "attributes."


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a kind. `type` names its reader in `cells`; `words` are the headers that people give it."""

    name: str
    type: str
    required: bool = False
    longest: int = 200
    words: tuple[str, ...] = ()


_CUSTOMER = Field("customer", "ref", required=True, longest=100, words=HEADERS["customer"])
_QUANTITY = Field("quantity", "number", words=HEADERS["quantity"])
_CURRENCY = Field("currency", "currency", words=HEADERS["currency"])
CUSTOMERS = (
    Field("id", "ref", required=True, longest=100, words=HEADERS["customers.id"]),
    Field("name", "text", words=HEADERS["customers.name"]),
    Field("kind", "kind", words=HEADERS["customers.kind"]),
    Field("industry", "text", longest=100, words=HEADERS["customers.industry"]),
    Field("region", "text", longest=100, words=HEADERS["customers.region"]),
    Field("size", "text", longest=50, words=HEADERS["customers.size"]),
    Field("joined", "day", words=HEADERS["customers.joined"]),
    Field("owner", "staff", words=HEADERS["customers.owner"]),
    Field("acquisition_cost", "amount", words=HEADERS["customers.acquisition_cost"]),
)
CONTACTS = (
    _CUSTOMER,
    Field("id", "text", longest=100, words=HEADERS["contacts.id"]),
    Field("name", "text", required=True, longest=100, words=HEADERS["contacts.name"]),
    Field("role", "role", longest=100, words=HEADERS["contacts.role"]),
    Field("email", "email", words=HEADERS["contacts.email"]),
    Field("phone", "phone", words=HEADERS["contacts.phone"]),
    Field("birthday", "birthday", words=HEADERS["contacts.birthday"]),
)
ORDERS = (
    Field("order", "text", longest=100, words=HEADERS["orders.order"]),
    _CUSTOMER,
    Field("time", "moment", required=True, words=HEADERS["time"]),
    Field("product", "text", longest=100, words=HEADERS["product"]),
    Field("description", "text", longest=300, words=HEADERS["orders.description"]),
    _QUANTITY,
    Field("price", "number", required=True, words=HEADERS["orders.price"]),
    _CURRENCY,
)
SUBSCRIPTIONS = (
    _CUSTOMER,
    Field("product", "text", longest=100, words=HEADERS["product"]),
    Field("start", "day", required=True, words=HEADERS["subscriptions.start"]),
    Field("end", "day", words=HEADERS["subscriptions.end"]),
    Field("mrr", "amount", required=True, words=HEADERS["subscriptions.mrr"]),
    _QUANTITY,
    _CURRENCY,
)
USAGE = (
    _CUSTOMER,
    Field("time", "moment", required=True, words=HEADERS["time"]),
    Field("event", "text", required=True, longest=100, words=HEADERS["usage.event"]),
    Field("count", "count", words=HEADERS["usage.count"]),
    Field("users", "count", words=HEADERS["usage.users"]),
)
INTERACTIONS = (
    _CUSTOMER,
    Field("time", "moment", required=True, words=HEADERS["time"]),
    Field("channel", "channel", words=HEADERS["interactions.channel"]),
    Field("direction", "direction", words=HEADERS["interactions.direction"]),
    Field("by", "text", longest=80, words=HEADERS["interactions.by"]),
    Field("text", "prose", longest=20000, words=HEADERS["interactions.text"]),
)

KINDS: dict[str, tuple[Field, ...]] = {
    "customers": CUSTOMERS,
    "contacts": CONTACTS,
    "orders": ORDERS,
    "subscriptions": SUBSCRIPTIONS,
    "usage": USAGE,
    "interactions": INTERACTIONS,
}


def fields_of(kind: str) -> dict[str, Field]:
    return {field.name: field for field in KINDS[kind]}


def required_of(kind: str) -> list[str]:
    return [field.name for field in KINDS[kind] if field.required]


def takes_attributes(kind: str) -> bool:
    return kind == "customers"
