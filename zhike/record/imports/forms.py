"""What the pages of imports accept: a file, and how its columns are to be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from zhike.record.imports.models import Import, ImportKind
from zhike.record.imports.operations.handing_in import Look
from zhike.record.imports.operations.sentences import FIELDS
from zhike.record.imports.rules.guessing import attribute_name
from zhike.record.imports.rules.kinds import ATTRIBUTES, KINDS, takes_attributes

WITH_DEFAULT = {"currency", "channel", "direction", "kind", "region", "industry", "product", "event"}
DATE_FORMATS = [
    ("", _("as the file shows")),
    ("day-first", _("day first: 31/12/2026")),
    ("month-first", _("month first: 12/31/2026")),
]


class UploadForm(forms.Form):
    kind = forms.ChoiceField(label=_("What is in the file"), choices=ImportKind.choices)
    file = forms.FileField(label=_("File"), help_text=_("CSV, also as .gz, XLSX or Parquet"), allow_empty_file=True)

    def clean_file(self) -> UploadedFile[Any]:
        file: UploadedFile[Any] = self.cleaned_data["file"]
        if file.size and file.size > settings.UPLOAD_LIMIT:
            most = settings.UPLOAD_LIMIT // 2**20
            raise forms.ValidationError(_("The file is larger than %(most)s MB.") % {"most": most})
        return file


class MapForm(forms.Form):
    """One choice of column per field, values for what the file lacks, and how to treat what exists."""

    create_customers = forms.BooleanField(
        label=_("Make customers that the file names and we do not know"), required=False
    )
    update_existing = forms.BooleanField(
        label=_("Change what exists with other values; empty cells change nothing"), required=False
    )
    date_format = forms.ChoiceField(label=_("Dates such as 03/04/2026"), choices=DATE_FORMATS, required=False)
    fee_products = forms.CharField(
        label=_("Product codes that are fees"),
        required=False,
        max_length=2000,
        help_text=_("Separated by commas, besides the usual ones such as POST or 运费"),
    )

    def __init__(self, *args: Any, given: Import, look: Look, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.given, self.look = given, look
        columns = [("", _("not in the file")), *((str(at), name) for at, name in enumerate(look.columns))]
        for field in KINDS[given.kind]:
            label = FIELDS[field.name]
            self.fields[f"map_{field.name}"] = forms.ChoiceField(label=label, choices=columns, required=False)
            if field.name in WITH_DEFAULT:
                self.fields[f"default_{field.name}"] = forms.CharField(label=label, required=False, max_length=200)
        if takes_attributes(given.kind):
            self._offer_attributes()
            del self.fields["create_customers"]
        if given.kind != ImportKind.ORDERS:
            del self.fields["fee_products"]

    def _offer_attributes(self) -> None:
        """Offer the columns that no field takes; a bound form accepts any column, for the fields may have moved."""
        taken = {value for name, value in self.initial.items() if name.startswith("map_")}
        columns = [(str(at), name) for at, name in enumerate(self.look.columns) if attribute_name(name)]
        kept = [(at, name) for at, name in columns if self.is_bound or at not in taken]
        if kept:
            box = forms.CheckboxSelectMultiple(attrs={"class": "check"})
            label = _("Keep as fields of your own")
            field = forms.MultipleChoiceField(label=label, choices=kept, required=False, widget=box)
            self.fields["attributes"] = field

    def rows(self) -> list[dict[str, Any]]:
        """Return field by field what the page draws."""
        found = []
        for field in KINDS[self.given.kind]:
            default = f"default_{field.name}"
            found.append(
                {
                    "label": FIELDS[field.name],
                    "required": field.required,
                    "column": self[f"map_{field.name}"],
                    "default": self[default] if default in self.fields else None,
                }
            )
        return found

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        for field in KINDS[self.given.kind]:
            name = f"map_{field.name}"
            if field.required and not given.get(name) and not given.get(f"default_{field.name}"):
                self.add_error(name, _("This is needed."))
        return given

    def settings(self) -> dict[str, Any]:
        """Return the keywords of `operations.map_columns`."""
        given = self.cleaned_data
        names = [field.name for field in KINDS[self.given.kind]]
        mapping = {name: self._column(given[f"map_{name}"]) for name in names if given.get(f"map_{name}")}
        for at in given.get("attributes", []):
            column = self._column(at)
            if column not in mapping.values():
                mapping[ATTRIBUTES + attribute_name(column)] = column
        return {
            "mapping": mapping,
            "defaults": {name: given[f"default_{name}"] for name in names if given.get(f"default_{name}")},
            "options": {
                "date_format": given.get("date_format", ""),
                "fee_products": [code.strip() for code in given.get("fee_products", "").split(",") if code.strip()],
            },
            "create_customers": bool(given.get("create_customers")),
            "update_existing": bool(given.get("update_existing")),
        }

    def _column(self, at: str) -> str:
        return self.look.columns[int(at)]


def initial_of(given: Import, look: Look, guessed: Mapping[str, str]) -> dict[str, Any]:
    """Return what the mapping page shows first: what was chosen before, otherwise what was guessed."""
    mapping = given.mapping or guessed
    places = {name: str(at) for at, name in enumerate(look.columns)}
    fields = {name: column for name, column in mapping.items() if not name.startswith(ATTRIBUTES)}
    initial: dict[str, Any] = {f"map_{name}": places.get(column, "") for name, column in fields.items()}
    initial.update({f"default_{name}": value for name, value in given.defaults.items()})
    initial["attributes"] = [places[column] for name, column in mapping.items() if name.startswith(ATTRIBUTES)]
    initial["create_customers"], initial["update_existing"] = given.create_customers, given.update_existing
    initial["date_format"] = given.options.get("date_format", "")
    initial["fee_products"] = ", ".join(given.options.get("fee_products", []))
    return initial
