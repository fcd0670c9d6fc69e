"""What the pages of sources, refused events and features accept."""

import re
from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from zhike.record.tracking.models import Feature, Source
from zhike.record.tracking.rules import EVENT_LIMIT, REASONS

ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?\Z|\*\Z")
MOST_ORIGINS = 50


class SourceForm(forms.ModelForm[Source]):
    origins = forms.CharField(
        label=_("Web origins"),
        required=False,
        help_text=_(
            "One a line, such as https://www.company.example; * admits all. Only needed when browsers send events."
        ),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
    )

    class Meta:
        model = Source
        fields = ["name", "origins", "is_active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["origins"] = "\n".join(self.instance.origins)
        else:
            del self.fields["is_active"]

    def clean_origins(self) -> list[str]:
        found = [line.strip().rstrip("/").lower() for line in self.cleaned_data["origins"].splitlines() if line.strip()]
        wrong = [origin for origin in found if not ORIGIN.match(origin)]
        if wrong:
            raise forms.ValidationError(_("“%(origin)s” is no web origin."), params={"origin": wrong[0][:80]})
        if len(found) > MOST_ORIGINS:
            raise forms.ValidationError(_("These are more than 50 origins."))
        return sorted(set(found))

    def validate_unique(self) -> None:
        """Leave a name that is taken to the operation, which refuses it in words."""


class RotateForm(forms.Form):
    hours = forms.TypedChoiceField(
        label=_("The key so far ends"),
        coerce=int,
        choices=[
            (0, _("now")),
            (1, _("in an hour")),
            (24, _("in a day")),
            (168, _("in a week")),
            (720, _("in 30 days")),
        ],
        initial=24,
    )

    @property
    def overlap(self) -> timedelta:
        return timedelta(hours=self.cleaned_data["hours"])


class RefusedFilter(forms.Form):
    source = forms.ModelChoiceField(Source.objects.order_by("name"), label=_("Source"), required=False)
    reason = forms.ChoiceField(
        label=_("Reason"),
        choices=[("", "---------"), *((key, _(said)) for key, said in REASONS.items())],
        required=False,
    )


class ReplayForm(forms.Form):
    body = forms.CharField(
        label=_("Event"),
        max_length=2 * EVENT_LIMIT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 16, "spellcheck": "false"}),
    )


class FeatureForm(forms.ModelForm[Feature]):
    class Meta:
        model = Feature
        fields = ["title"]
