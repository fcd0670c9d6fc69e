"""What the pages of org accept."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from zhike.kit.money import UnknownCurrency, check_currency
from zhike.org.models import Company, Role, Staff, Team
from zhike.org.roles import Permission, Scope


class SignInForm(forms.Form):
    email = forms.CharField(
        label=_("E-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class PasswordForm(forms.Form):
    old = forms.CharField(
        label=_("Present password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new = forms.CharField(
        label=_("New password"),
        strip=False,
        help_text=_("At least 10 characters; a sentence is easier to remember and harder to guess."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class RoleChoice(forms.ModelChoiceField[Role]):
    def label_from_instance(self, obj: Role) -> str:
        return gettext(obj.name)


class StaffForm(forms.ModelForm[Staff]):
    role = RoleChoice(label=_("Role"), queryset=Role.objects.order_by("id"))
    team_name = forms.CharField(
        label=_("Team"), required=False, max_length=80, widget=forms.TextInput(attrs={"list": "teams"})
    )

    class Meta:
        model = Staff
        fields = ["name", "email", "role", "weekly_touches", "is_active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["email"].disabled = True
            self.initial["team_name"] = self.instance.team.name if self.instance.team else ""
        else:
            del self.fields["is_active"]

    @property
    def teams(self) -> list[str]:
        return list(Team.objects.order_by("name").values_list("name", flat=True))


class RoleForm(forms.ModelForm[Role]):
    permissions = forms.MultipleChoiceField(
        label=_("What this role may do"),
        choices=Permission.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    scope = forms.ChoiceField(label=_("Whose customers"), choices=Scope.choices, widget=forms.RadioSelect)

    class Meta:
        model = Role
        fields = ["permissions", "scope", "sees_personal", "sees_revenue"]


class CompanyForm(forms.ModelForm[Company]):
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    currency = forms.CharField(
        label=_("Reporting currency"),
        max_length=3,
        required=False,
        help_text=_("Three letters, such as CNY. Empty: the currency of the first import."),
    )

    class Meta:
        model = Company
        fields = ["name", "seal", "currency", "time_zone", "language"]

    def clean_currency(self) -> str:
        given = str(self.cleaned_data["currency"])
        try:
            return check_currency(given) if given else ""
        except UnknownCurrency as refusal:
            raise forms.ValidationError(gettext(str(refusal.message)), params=refusal.details) from refusal

    def clean_time_zone(self) -> str:
        zone = str(self.cleaned_data["time_zone"])
        if zone not in available_timezones():
            raise forms.ValidationError(_("There is no such time zone; write it as Asia/Shanghai."))
        return zone
