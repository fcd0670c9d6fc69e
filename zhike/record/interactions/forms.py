"""What logging an interaction accepts: one line, and what the line does not say."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from zhike.org.principals import Principal
from zhike.record.customers.models import Channel, Contact, Customer
from zhike.record.interactions.models import CONTACTS
from zhike.record.interactions.queries import contact_names, customer_meant
from zhike.record.interactions.rules import read_line

LONGEST = 20_000


class LogForm(forms.Form):
    """One line about a contact with a customer; channel, person and outcome are read from it unless chosen."""

    customer_name = forms.CharField(
        label=_("Customer"),
        max_length=200,
        widget=forms.TextInput(attrs={"list": "log-customers", "autocomplete": "off"}),
    )
    text = forms.CharField(
        label=_("What was said"),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": _("Call with Mei: renewal in May, send the offer")}),
    )
    channel = forms.ChoiceField(
        label=_("Channel"), required=False, choices=[("", _("as the line says")), *Channel.choices]
    )
    outcome = forms.ChoiceField(
        label=_("Outcome"),
        required=False,
        choices=[("", _("as the line says")), *((each.value, each.label) for each in CONTACTS)],
    )

    def __init__(self, *args: Any, customer: Customer | None, principal: Principal, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.customer, self.principal = customer, principal
        names = contact_names(customer) if customer else {}
        people = [("", _("as the line says")), *((str(pk), name) for pk, name in names.items())]
        self.fields["contact"] = forms.ChoiceField(label=_("With whom"), required=False, choices=people)
        if customer:
            del self.fields["customer_name"]
        if not names:
            del self.fields["contact"]

    def clean_customer_name(self) -> str:
        name = str(self.cleaned_data["customer_name"])
        self.customer = customer_meant(self.principal, name)
        if self.customer is None:
            raise forms.ValidationError(
                _("No single customer of yours is called that; write the number or the full name.")
            )
        return name

    @property
    def about(self) -> Customer:
        """Return the customer; a valid form has one."""
        return cast(Customer, self.customer)

    def said(self) -> dict[str, Any]:
        """Return what `operations.log` needs besides customer, time and person."""
        given = self.cleaned_data
        names = contact_names(self.about)
        line = read_line(given["text"], names)
        chosen = given.get("contact") or ""
        contact_id = int(chosen) if chosen else line.contact
        return {
            "channel": given.get("channel") or line.channel or Channel.PHONE.value,
            "direction": line.direction,
            "outcome": given.get("outcome") or line.outcome,
            "contact": Contact.objects.filter(pk=contact_id, customer=self.about).first() if contact_id else None,
            "text": line.text,
        }
