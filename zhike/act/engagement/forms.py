"""What the queue accepts."""

from django import forms

from zhike.record.customers.models import Channel
from zhike.record.interactions.models import CONTACTS, Outcome


class DoneForm(forms.Form):
    """One click sends nothing, which means: reached, on the channel the plan asked for."""

    outcome = forms.ChoiceField(choices=[(each.value, each.label) for each in CONTACTS], required=False)
    channel = forms.ChoiceField(choices=Channel, required=False)
    text = forms.CharField(max_length=2000, required=False, strip=True)

    def clean_outcome(self) -> Outcome:
        return Outcome(self.cleaned_data["outcome"] or Outcome.REACHED)


class LaterForm(forms.Form):
    """`workdays` from today; one click means the next workday."""

    workdays = forms.IntegerField(min_value=1, max_value=60, required=False)

    def clean_workdays(self) -> int:
        return int(self.cleaned_data["workdays"] or 1)


class NotNeededForm(forms.Form):
    reason = forms.CharField(max_length=500, required=False, strip=True)
