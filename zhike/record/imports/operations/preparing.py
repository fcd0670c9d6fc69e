"""From a stored file and its mapping to a run that can start: every mistake of the mapping is found here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import cast

from django.conf import settings
from django.utils.translation import gettext

from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.org import company
from zhike.org.models import Staff
from zhike.org.roles import Scope
from zhike.record.customers.models import AttributeDefinition
from zhike.record.customers.rules import ATTRIBUTE_NAME, NotThatKind, attribute_value, guessed_kind
from zhike.record.imports.models import Import
from zhike.record.imports.operations.columnar import Columnar
from zhike.record.imports.operations.delimited import Delimited
from zhike.record.imports.operations.files import FileMissing, Source, kind_of_file, sample_of
from zhike.record.imports.operations.running import Run, Watcher
from zhike.record.imports.operations.spreadsheets import Sheet
from zhike.record.imports.rules import cells
from zhike.record.imports.rules.dates import Order
from zhike.record.imports.rules.guessing import attribute_name
from zhike.record.imports.rules.kinds import ATTRIBUTES, Field, fields_of, required_of, takes_attributes
from zhike.record.imports.rules.problems import Bad, Reason
from zhike.record.imports.rules.words import folded

DATE_TYPES = {"day", "moment", "birthday"}


class UnknownField(Refusal):
    message = _("There is no field %(field)s in an import of %(kind)s. The fields are: %(fields)s.")


class UnknownColumn(Refusal):
    message = _("%(name)s has no column %(column)s. Its columns are: %(columns)s.")


class FieldNotMapped(Refusal):
    message = _("An import of %(kind)s needs %(field)s, and no column is mapped to it. The columns are: %(columns)s.")


class AttributesNotHere(Refusal):
    message = _("Only customers have attributes of their own; leave out %(field)s.")


class BadAttributeName(Refusal):
    message = _("%(field)s cannot be an attribute's name; use letters, digits and underscores.")


class BadDefault(Refusal):
    message = _("The default %(field)s=%(value)s cannot be used: %(why)s.")


class NoCurrency(Refusal):
    message = _(
        "The file does not say its currency and the company has none yet. Map a column to it, "
        "or say it for the whole file with --default currency=CNY (or GBP, EUR …)."
    )


class AmbiguousDates(Refusal):
    message = _(
        "Dates such as %(example)s do not say which is the day and which the month. "
        "Say it with --date-format day-first or --date-format month-first."
    )


class BadDateFormat(Refusal):
    message = _(
        "The date format %(format)s is unknown; write day-first, month-first, or a pattern such as %%d.%%m.%%Y."
    )


def open_file(path: Path, name: str) -> Source:
    """Open a file of any format; raises a Refusal that names what is wrong with it."""
    kind = kind_of_file(path, name)
    if kind == "parquet":
        return cast(Source, Columnar(path, name))
    if kind == "xlsx":
        return cast(Source, Sheet(path, name))
    return cast(Source, Delimited(path, name))


def stored_path(given: Import) -> Path:
    path = Path(settings.MEDIA_ROOT) / "imports" / Path(given.stored).name
    if not given.stored or not path.is_file():
        raise FileMissing(name=given.file_name)
    return path


def prepare(given: Import, source: Source, *, now: datetime, dry: bool, watcher: Watcher) -> Run:
    """Check mapping and defaults against the file and return the run that can start."""
    ours = company.current()
    columns = mapped_columns(given, source.columns)
    fields = {**fields_of(given.kind), **_attribute_fields(columns)}
    run = Run(
        import_id=given.pk,
        kind=given.kind,
        source=source,
        fields=fields,
        columns=columns,
        memos={},
        zone=company.zone(),
        now=now,
        by_id=given.by_id,
        owners=owners_of(given.by),
        update=given.update_existing,
        create_customers=given.create_customers,
        dry=dry,
        options=given.options,
        watcher=watcher,
    )
    dates_in = {"zone": run.zone, "format": _date_format(run)}
    kinds = _attribute_kinds(run)
    for name, field in fields.items():
        if name.startswith(ATTRIBUTES):
            definition = kinds[name]
            read: cells.Reader = partial(_attribute, kind=definition.kind, choices=definition.choices)
        else:
            read = cells.reader(field.type, field.longest, dates_in=dates_in)
        shown = run.columns.get(name, name)  # People know the column, not our name for it.
        run.memos[name] = cells.Memo(shown, read, _default(given, name, read, ours.currency))
    _check_complete(given, run)
    return run


def mapped_columns(given: Import, columns: Sequence[str]) -> dict[str, str]:
    """Return {field: column} as the file spells its columns; refuses names that do not exist, naming those that do."""
    known = fields_of(given.kind)
    for name in (*given.mapping, *given.defaults):
        if name.startswith(ATTRIBUTES):
            if not takes_attributes(given.kind):
                raise AttributesNotHere(field=name)
        elif name not in known:
            listed = ", ".join([*known, *([f"{ATTRIBUTES}NAME"] if takes_attributes(given.kind) else [])])
            raise UnknownField(field=name, kind=given.kind, fields=listed)
    spelled = {column: column for column in columns}
    alike = {folded(column): column for column in reversed(columns)}
    found = {}
    for name, column in given.mapping.items():
        real = spelled.get(column) or alike.get(folded(str(column)))
        if real is None:
            raise UnknownColumn(name=given.file_name, column=column, columns=", ".join(columns))
        found[_attribute_key(name)] = real
    return found


def _attribute_key(name: str) -> str:
    if not name.startswith(ATTRIBUTES):
        return name
    title = name.removeprefix(ATTRIBUTES)
    own = title if ATTRIBUTE_NAME.fullmatch(title) else attribute_name(title)
    if not own:
        raise BadAttributeName(field=name)
    return ATTRIBUTES + own


def _attribute_fields(columns: Mapping[str, str]) -> dict[str, Field]:
    return {name: Field(name, "attribute") for name in columns if name.startswith(ATTRIBUTES)}


def owners_of(by: Staff | None) -> list[int] | None:
    """Return whose customers this person may touch, or None for everybody's."""
    if by is None or by.scope == Scope.ALL:
        return None
    if by.scope == Scope.TEAM and by.team_id is not None:
        return list(Staff.objects.filter(team_id=by.team_id).values_list("pk", flat=True))
    return [by.pk]


def _date_format(run: Run) -> str:
    """Return the order of day and month that was said or that the whole file shows; refuses when it is open."""
    said = str(run.options.get("date_format") or "")
    if said:
        if said not in {"day-first", "month-first"} and "%" not in said:
            raise BadDateFormat(format=said)
        return said
    columns = [column for name, column in run.columns.items() if run.fields[name].type in DATE_TYPES]
    sample = sample_of(run.source) if columns else None
    texts = [column for column in columns if sample and any(isinstance(cell, str) for cell in sample.columns[column])]
    if not texts:
        return ""
    order = Order()
    for batch in run.source.batches(texts):
        for column in texts:
            for cell in set(batch.columns[column]):
                if isinstance(cell, str):
                    order.look(cell)
        run.say(gettext("Looking at the dates"), run.source.position, run.source.size)
    if order.needed and not order.answer:
        raise AmbiguousDates(example=order.example)
    return order.answer


def _attribute_kinds(run: Run) -> dict[str, AttributeDefinition]:
    """Return the definition of each mapped attribute; one that is new gets the narrowest kind that fits its column."""
    names = [name for name in run.fields if name.startswith(ATTRIBUTES)]
    bare = [name.removeprefix(ATTRIBUTES) for name in names]
    known = {definition.name: definition for definition in AttributeDefinition.objects.filter(name__in=bare)}
    new = {name: set[str]() for name in names if name.removeprefix(ATTRIBUTES) not in known}
    if new:
        seen: dict[str, str] = {}
        for batch in run.source.batches([run.columns[name] for name in new]):
            for name, kinds in new.items():
                for text in {cells.plain_text(cell) for cell in batch.columns[run.columns[name]]} - {""}:
                    kind = seen.get(text) or guessed_kind([text])
                    if len(seen) < cells.Memo.MOST:
                        seen[text] = kind
                    kinds.add(kind)
    found = {}
    for name in names:
        own = name.removeprefix(ATTRIBUTES)
        if name in new:
            kind = new[name].pop() if len(new[name]) == 1 else "text"
            known[own] = AttributeDefinition(name=own, title=run.columns[name][:80], kind=kind)
            run.new_attributes.append(known[own])
        found[name] = known[own]
    return found


def _attribute(cell: object, *, kind: str, choices: list[str]) -> object:
    text = cells.plain_text(cell)
    if "\x00" in text:
        return Bad(Reason.UNREADABLE)
    try:
        return attribute_value(kind, text, choices)
    except NotThatKind:
        return Bad(Reason.NOT_THAT_KIND, more={"kind": kind})


def _default(given: Import, name: str, read: cells.Reader, currency: str) -> object:
    said = given.defaults.get(name)
    if said is None:
        return currency or None if name == "currency" else None
    value = read(said)
    if value is None or isinstance(value, Bad):
        why = value.reason.value if isinstance(value, Bad) else Reason.MISSING.value
        raise BadDefault(field=name, value=said, why=why)
    return value


def _check_complete(given: Import, run: Run) -> None:
    for name in required_of(given.kind):
        if name not in run.columns and run.memos[name].default is None:
            raise FieldNotMapped(kind=given.kind, field=name, columns=", ".join(run.source.columns))
    if "currency" in run.fields and "currency" not in run.columns and run.memos["currency"].default is None:
        raise NoCurrency
