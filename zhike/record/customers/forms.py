"""What the pages of customers accept."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from zhike.org.principals import Principal
from zhike.record.customers import rules
from zhike.record.customers.models import AttributeDefinition, AttributeKind, Contact, Customer
from zhike.record.customers.queries import attribute_definitions, possible_owners

DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
PREFIX = "attributes."
WIDGETS: dict[str, type[forms.Widget]] = {AttributeKind.BOOLEAN: forms.NullBooleanSelect}


class CustomerForm(forms.ModelForm[Customer]):
    """A customer's own fields, and one field for every attribute that the company added."""

    class Meta:
        model = Customer
        fields = ["name", "ref", "kind", "industry", "region", "size", "joined", "owner", "acquisition_cost"]
        widgets = {"joined": DATE}
        help_texts = {"ref": _("Empty: we give one.")}

    def __init__(self, *args: Any, principal: Principal, may_assign: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["ref"].required = bool(self.instance.pk)
        self.fields["owner"].queryset = possible_owners(principal)  # type: ignore[attr-defined]  # A field made by ModelForm is a choice of rows.
        if not may_assign:
            del self.fields["owner"]
        if not principal.sees_revenue:
            del self.fields["acquisition_cost"]
        self.definitions = attribute_definitions()
        for definition in self.definitions:
            self.fields[PREFIX + definition.name] = self._field_of(definition)

    def _field_of(self, definition: AttributeDefinition) -> forms.Field:
        value = self.instance.attributes.get(definition.name)
        shown = ", ".join(value) if isinstance(value, list) else "" if value is None else str(value)
        options: dict[str, Any] = {"label": definition.title, "required": False, "initial": shown}
        if definition.kind == AttributeKind.CHOICE:
            return forms.ChoiceField(choices=[("", "—"), *((c, c) for c in definition.choices)], **options)
        if definition.kind == AttributeKind.BOOLEAN:
            yes_no = [("", "—"), ("true", _("Yes")), ("false", _("No"))]
            return forms.ChoiceField(choices=yes_no, **{**options, "initial": shown.lower()})
        widget = DATE if definition.kind == AttributeKind.DATE else forms.TextInput()
        return forms.CharField(max_length=2000, widget=widget, **options)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        attributes = dict(self.instance.attributes)
        for definition in self.definitions:
            text = str(cleaned.pop(PREFIX + definition.name, "") or "")
            try:
                value = rules.attribute_value(definition.kind, text, definition.choices)
            except rules.NotThatKind:
                self.add_error(PREFIX + definition.name, _("This is not what the field holds."))
                continue
            attributes.pop(definition.name, None)
            if value is not None:
                attributes[definition.name] = value
        return {**cleaned, "attributes": attributes}

    def attribute_fields(self) -> list[forms.BoundField]:
        return [self[PREFIX + definition.name] for definition in self.definitions]

    def _post_clean(self) -> None:
        """Leave the row alone: the operation compares it with what was entered."""


class ContactForm(forms.ModelForm[Contact]):
    class Meta:
        model = Contact
        fields = [
            "name",
            "title",
            "role",
            "phone",
            "email",
            "preferred_channel",
            "reachable",
            "language",
            "birthday",
            "birthday_is_lunar",
            "left_on",
        ]
        widgets = {"birthday": DATE, "left_on": DATE}
        help_texts = {"reachable": _("For example 10:00–11:30, 14:00–17:00.")}

    def __init__(self, *args: Any, sees_personal: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not sees_personal:
            for name in ("phone", "email", "birthday", "birthday_is_lunar"):
                del self.fields[name]

    def _post_clean(self) -> None:
        """Leave the row alone: the operation compares it with what was entered."""
