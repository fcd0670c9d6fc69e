"""One way to draw a form field, so that labels, help and errors are tied together everywhere."""

from django.forms import BoundField, CheckboxInput, Form
from django.forms.widgets import CheckboxSelectMultiple, RadioSelect
from django.utils.html import format_html, format_html_join, strip_tags
from django.utils.safestring import SafeString
from django.utils.translation import gettext

NOTHING = SafeString("")
ALERT = SafeString('<i class="i i-alert s" aria-hidden="true"></i>')


def bare_text(value: object) -> str:
    """Return what a title attribute can show of a value that may be HTML."""
    return strip_tags(str(value)) if isinstance(value, SafeString) else str(value)


def _attributes(bound: BoundField, help_text: str) -> dict[str, str]:
    help_id, error_id = _ids(bound)
    described = [name for name, there in ((help_id, help_text), (error_id, bound.errors)) if there]
    attributes = {"aria-describedby": " ".join(described)} if described else {}
    if bound.errors:
        attributes["aria-invalid"] = "true"
    return attributes


def _ids(bound: BoundField) -> tuple[str, str]:
    return f"{bound.auto_id}_help", f"{bound.auto_id}_err"


def _control(bound: BoundField, attributes: dict[str, str], css_class: str) -> SafeString:
    own = bound.field.widget.attrs.get("class", "")
    return bound.as_widget(attrs={**attributes, "class": f"{css_class} {own}".strip()})


def _below(bound: BoundField, help_text: str) -> SafeString:
    """Return help and error lines, in this order."""
    help_id, error_id = _ids(bound)
    helping = format_html('<span class="help" id="{}">{}</span>', help_id, help_text) if help_text else NOTHING
    if not bound.errors:
        return helping
    errors = format_html_join(NOTHING, "<span>{}</span>", ((error,) for error in bound.errors))
    return format_html('{}<span class="err" id="{}">{}{}</span>', helping, error_id, ALERT, errors)


def _optional(bound: BoundField) -> SafeString:
    # Most fields are required, so the exception is what gets named.
    if bound.field.required or isinstance(bound.field.widget, CheckboxInput):
        return NOTHING
    return format_html(' <span class="faint">{}</span>', gettext("optional"))


def field_html(bound: BoundField, help_text: str = "", width: str = "") -> SafeString:
    """Return a field's label, control, help and error; `width` is a CSS length for the control."""
    if bound.is_hidden:
        return bound.as_hidden()
    help_text = help_text or str(bound.help_text)
    attributes, below = _attributes(bound, help_text), _below(bound, help_text)
    size = format_html(' style="--w:{}"', width) if width else NOTHING
    widget = bound.field.widget
    if isinstance(widget, CheckboxInput):
        html = '<div class="field"><label class="row g6">{}{}</label>{}</div>'
        return format_html(html, _control(bound, attributes, "check"), bound.label, below)
    if isinstance(widget, RadioSelect | CheckboxSelectMultiple):
        html = '<fieldset class="field choices"><legend class="lab">{}{}</legend>{}{}</fieldset>'
        return format_html(html, bound.label, _optional(bound), _control(bound, attributes, "check"), below)
    html = '<div class="field{}"{}><label for="{}">{}{}</label>{}{}</div>'
    sized = " sized" if width else ""
    control = _control(bound, attributes, "in")
    return format_html(html, sized, size, bound.id_for_label, bound.label, _optional(bound), control, below)


def form_errors_html(form: Form) -> SafeString:
    """Return a callout with what is wrong with the form as a whole, or nothing."""
    errors = form.non_field_errors()
    if not errors:
        return NOTHING
    lines = format_html_join(NOTHING, "<b>{}</b> ", ((error,) for error in errors))
    html = '<div class="callout risk" role="alert"><i class="i i-alert" aria-hidden="true"></i><div>{}</div></div>'
    return format_html(html, lines)
