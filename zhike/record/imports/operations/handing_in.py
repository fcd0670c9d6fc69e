"""Taking a file in: storing it under a name of ours, looking into it, guessing and noting the mapping."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import transaction

from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.org import audit
from zhike.org.models import Staff
from zhike.record.imports.models import Import, ImportState
from zhike.record.imports.operations.files import kind_of_file, sample_of
from zhike.record.imports.operations.preparing import mapped_columns, open_file, stored_path
from zhike.record.imports.operations.refusing import folder, new_name, private
from zhike.record.imports.rules.cells import plain_text
from zhike.record.imports.rules.guessing import guess

COPY_PIECE = 4 * 2**20
KEPT_FOR = timedelta(days=30)
LONGEST_CELL = 200


class TooLargeToKeep(Refusal):
    message = _(
        "%(name)s is larger than %(most)s MB, the most this installation takes; split it or raise ZHIKE_UPLOAD_MB."
    )


@dataclass(frozen=True, slots=True)
class Look:
    """What a file shows before it is imported: its columns and its first rows, by column."""

    columns: list[str]
    sample: dict[str, list[Any]]
    lines: list[int]


def hand_in(kind: str, file: IO[bytes], name: str, *, by: Staff | None, now: datetime, **settings_: Any) -> Import:
    """Store a file and note an import of it; a file that cannot be read at all is refused and not kept."""
    stored = new_name(".upload")
    path = folder() / stored
    try:
        with open(path, "xb", opener=private) as target:
            shutil.copyfileobj(file, target, COPY_PIECE)
        return _note(kind, path, stored, name, by=by, now=now, **settings_)
    except Refusal:
        path.unlink(missing_ok=True)
        raise


@transaction.atomic(durable=True)
def _note(
    kind: str, path: Path, stored: str, name: str, *, by: Staff | None, now: datetime, **settings_: Any
) -> Import:
    if path.stat().st_size > settings.UPLOAD_LIMIT:
        raise TooLargeToKeep(name=name, most=settings.UPLOAD_LIMIT // 2**20)
    kind_of_file(path, name)
    given = Import.objects.create(kind=kind, file_name=name[:255], stored=stored, by=by, created_at=now, **settings_)
    audit.note(by, "import.handed_in", given, at=now, import_kind=kind, file=name)
    return given


def look_at(given: Import) -> Look:
    """Return the columns and first rows of a stored file; looked up once, then kept with the import."""
    kept = given.options.get("look")
    if kept:
        return Look(kept["columns"], kept["sample"], kept["lines"])
    with open_file(stored_path(given), given.file_name) as source:
        first = sample_of(source)
        sample = {name: [plain_text(cell)[:LONGEST_CELL] for cell in cells] for name, cells in first.columns.items()}
        found = Look(source.columns, sample, list(first.lines))
    given.options = {**given.options, "look": {"columns": found.columns, "sample": sample, "lines": found.lines}}
    given.save(update_fields=["options"])
    return found


def guess_mapping(given: Import, look: Look) -> dict[str, str]:
    """Return the mapping that names and contents suggest."""
    return guess(given.kind, look.columns, look.sample)


@transaction.atomic(durable=True)
def map_columns(
    given: Import,
    *,
    mapping: Mapping[str, str],
    defaults: Mapping[str, str],
    options: Mapping[str, Any],
    create_customers: bool,
    update_existing: bool,
) -> None:
    """Note how a file is to be read; refuses fields and columns that do not exist."""
    given.mapping, given.defaults = dict(mapping), dict(defaults)
    given.options = {**given.options, **options}
    given.create_customers, given.update_existing = create_customers, update_existing
    mapped_columns(given, look_at(given).columns)
    given.save(update_fields=["mapping", "defaults", "options", "create_customers", "update_existing"])


def tidy(now: datetime) -> int:
    """Remove files of imports that nobody finished or looked at for a month; returns how many."""
    old = Import.objects.filter(created_at__lt=now - KEPT_FOR).exclude(stored="", refused_file="")
    removed = 0
    for given in old.exclude(state=ImportState.RUNNING):
        for name in (given.stored, given.refused_file):
            if name:
                (folder() / Path(name).name).unlink(missing_ok=True)
                removed += 1
        Import.objects.filter(pk=given.pk).update(stored="", refused_file="")
    return removed


@transaction.atomic(durable=True)
def accept_guess(given: Import) -> None:
    """Map a file as its names and contents suggest."""
    given.mapping = guess_mapping(given, look_at(given))
    given.save(update_fields=["mapping"])


@transaction.atomic(durable=True)
def drop(given: Import) -> None:
    """Forget an import that was only tried, with its files."""
    found = (
        Import.objects.select_for_update().filter(pk=given.pk).exclude(state__in=[ImportState.DONE, ImportState.UNDONE])
    )
    for each in found:
        for name in (each.stored, each.refused_file):
            if name:
                (folder() / Path(name).name).unlink(missing_ok=True)
        each.delete()
