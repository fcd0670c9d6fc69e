"""What the plan pages accept. Whether a text is a plan is not asked here but by the rules, line by line."""

from django import forms
from django.utils.translation import gettext_lazy as _


class PlanForm(forms.Form):
    """The text of the editor, with what it was begun from."""

    text = forms.CharField(label=_("Plan"), strip=False, widget=forms.Textarea)
    note = forms.CharField(label=_("What changes, and why"), required=False, max_length=300)
    revision = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)
    based_on = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)
