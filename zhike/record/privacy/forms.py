"""What the page of retention and erasure accepts."""

from django import forms
from django.utils.translation import gettext_lazy as _

LONGEST = 36_500


class RuleForm(forms.Form):
    event = forms.CharField(
        label=_("Event"), max_length=200, initial="*", help_text=_("The name of an event, or * for all others.")
    )
    days = forms.IntegerField(label=_("Days kept"), min_value=1, max_value=LONGEST)


class FindForm(forms.Form):
    name = forms.CharField(
        label=_("Who"), max_length=254, help_text=_("User number, visitor number, contact number, e-mail or phone.")
    )


class EraseForm(forms.Form):
    """The same name once more, so that what is erased is what was shown, and the reason for the receipt."""

    name = forms.CharField(max_length=254, widget=forms.HiddenInput)
    reason = forms.CharField(label=_("Reason"), max_length=200)
