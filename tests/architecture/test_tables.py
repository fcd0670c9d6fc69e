"""What the import contracts cannot see: keys written as strings, and the time limits of migrations."""

import re
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.db import models

ORDER = ["org", "record", "measure", "decide", "act", "review", "web", "api"]
PACKAGE = Path(__file__).resolve().parents[2] / "zhike"


def stage(model: type[models.Model] | None) -> int:
    parts = model.__module__.split(".") if model else []
    return ORDER.index(parts[1]) if parts[:1] == ["zhike"] else -1


def our_relations() -> Iterator[tuple[type[models.Model], models.Field]]:  # type: ignore[type-arg]  # Fields of every kind.
    for model in apps.get_models():
        if model.__module__.startswith("zhike."):
            for field in model._meta.get_fields():
                if isinstance(field, models.ForeignKey | models.OneToOneField | models.ManyToManyField):
                    yield model, field


def test_foreign_keys_point_back_along_the_loop() -> None:
    relations = list(our_relations())
    wrong = [
        f"{model.__name__}.{field.name}" for model, field in relations if stage(field.related_model) > stage(model)
    ]
    assert len(relations) > 20
    assert wrong == []


def test_migrations_are_named_for_what_they_do() -> None:
    names = [path.name for path in PACKAGE.glob("**/migrations/0*.py")]
    assert names
    assert [name for name in names if re.search(r"_auto_|_2\d{3}", name)] == []


def test_migrations_import_nothing_of_ours_but_what_fields_need() -> None:
    wrong = []
    for path in PACKAGE.glob("**/migrations/0*.py"):
        wrong += [
            f"{path.name}: {line}" for line in path.read_text().splitlines() if re.match(r"(from|import) zhike", line)
        ]
    assert wrong == []
