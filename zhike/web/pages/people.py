"""The contacts of a customer as the page shows them: within the reader's rights, preferred channel first."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from zhike.org.principals import Principal
from zhike.record.customers.models import Channel, Contact, ContactRole
from zhike.record.customers.rules import masked_email, masked_phone
from zhike.ui import words
from zhike.ui.channels import CHANNELS, OTHER
from zhike.ui.markup import format_html
from zhike.ui.stencils import Stencil
from zhike.ui.templatetags import parts
from zhike.ui.templatetags.quick import address
from zhike.web.queries.profile import Person

DIRECT = {Channel.PHONE: "tel:", Channel.SMS: "sms:", Channel.EMAIL: "mailto:"}


@dataclass(frozen=True, slots=True)
class Action:
    """A button that begins a contact: a link for phone and mail, the logging form for every other channel."""

    label: str
    url: str
    icon: str
    note: bool
    title: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A contact in words, with the channels drawn; `may_edit` links to the form."""

    id: int
    name: str
    initials: str
    role: str
    channels: SafeString
    channels_title: str
    reach: str
    consent: str
    consent_look: str
    left: bool
    may_edit: bool


_CONTACT = Stencil(
    "web/customer.html#contact",
    "person",
    texts=("name", "initials", "role", "channels", "channels_title", "reach", "consent", "consent_look"),
    numbers=("id",),
    shape=("left", "may_edit"),
)


def shown_name(contact: Contact, principal: Principal) -> str:
    """Return the name, or its first character where the reader may not see personal data."""
    return contact.name if principal.sees_personal or not contact.name else masked_name(contact.name)


def masked_name(name: str) -> str:
    return f"{name[:1]}**"


def shown_phone(contact: Contact, principal: Principal) -> str:
    return contact.phone if principal.sees_personal else masked_phone(contact.phone)


def shown_email(contact: Contact, principal: Principal) -> str:
    return contact.email if principal.sees_personal else masked_email(contact.email)


def channels_of(person: Person) -> list[str]:
    """Return the channels on which somebody can be reached, the preferred one first, refused ones left out."""
    one = person.contact
    there = [one.preferred_channel] if one.preferred_channel else []
    there += [Channel.PHONE] if one.phone else []
    there += [Channel.EMAIL] if one.email else []
    return [key for key in dict.fromkeys(there) if key not in person.refused]


def drawn(people: Sequence[Person], principal: Principal, *, may_edit: bool) -> list[SafeString]:
    return _CONTACT.draw(_shown(person, principal, may_edit=may_edit) for person in people)


def _shown(person: Person, principal: Principal, *, may_edit: bool) -> Shown:
    one = person.contact
    name = shown_name(one, principal)
    if one.left_on:
        reach = gettext("left on %(day)s") % {"day": words.date_text(one.left_on, None)}
        consent, look = "", ""
    else:
        reach = one.reachable or _numbers(one, principal)
        consent, look = _consent(person)
    ways = [] if one.left_on else channels_of(person)
    return Shown(
        id=one.pk,
        name=name,
        initials=words.initials(name),
        role=_joined([one.title, str(ContactRole(one.role).label) if one.role != ContactRole.OTHER else ""]),
        channels=SafeString("".join([_channel(key, at, one, principal) for at, key in enumerate(ways)])),
        channels_title=gettext("Channels in the order they prefer"),
        reach=reach,
        consent=consent,
        consent_look=look,
        left=one.left_on is not None,
        may_edit=may_edit,
    )


def _channel(key: str, at: int, contact: Contact, principal: Principal) -> SafeString:
    icon, url = parts.channel(key, "icon"), _direct(key, contact, principal)
    link = format_html('<a href="{}">{}</a>', url, icon) if url else icon
    is_first = at == 0 and key == contact.preferred_channel
    return format_html('<span class="pref">{}</span>' if is_first else "<span>{}</span>", link)


def _direct(key: str, contact: Contact, principal: Principal) -> str:
    """Return the link that opens phone or mail; only for who may see the number behind it."""
    if not principal.sees_personal:
        return ""
    number = contact.email if key == Channel.EMAIL else contact.phone
    scheme = DIRECT.get(Channel(key)) if key in Channel.values else None
    return f"{scheme}{number}" if scheme and number else ""


def _numbers(contact: Contact, principal: Principal) -> str:
    return _joined([shown_phone(contact, principal), shown_email(contact, principal)]) or gettext("no number on record")


def _consent(person: Person) -> tuple[str, str]:
    if person.marketing is None:
        return gettext("no consent on record"), ""
    return (gettext("marketing allowed"), "") if person.marketing else (gettext("no marketing"), "warn")


def _joined(said: Sequence[str]) -> str:
    return gettext(", ").join(part for part in said if part)


def contact_actions(people: Sequence[Person], principal: Principal, customer_id: int) -> list[Action]:
    """Return up to two ways to the first person who can be reached, the preferred channel first."""
    for person in people:
        ways = channels_of(person)
        if person.contact.left_on is None and ways:
            return [_action(key, person, principal, customer_id, first=at == 0) for at, key in enumerate(ways[:2])]
    return []


def _action(key: str, person: Person, principal: Principal, customer_id: int, *, first: bool) -> Action:
    one = person.contact
    icon, channel = CHANNELS.get(key, OTHER)
    direct = _direct(key, one, principal)
    given: list[tuple[str, str | int]] = [("customer", customer_id), ("contact", one.pk), ("channel", key)]
    url = direct or f"{address('interaction-new')}?{urlencode(given)}"
    label = _verb(key) % {"name": shown_name(one, principal), "channel": channel} if first else str(channel)
    return Action(label, url, icon, note=not direct, title=one.reachable)


def _verb(key: str) -> str:
    match key:
        case Channel.PHONE:
            return gettext("Call %(name)s")
        case Channel.EMAIL:
            return gettext("Write to %(name)s")
        case Channel.MEETING | Channel.VISIT:
            return gettext("Meet %(name)s")
        case _:
            return gettext("%(name)s by %(channel)s")
