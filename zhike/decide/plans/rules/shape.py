"""What the schema says about a place of the document: which model lies there, and short forms made long."""

from __future__ import annotations

from collections.abc import Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from zhike.decide.plans.rules.wording import Text

Step = str | int


def model_at(root: type[BaseModel], loc: Sequence[Step]) -> type[BaseModel] | None:
    """Return the model that describes the mapping at this place, or None where there is none."""
    found: Any = root
    for step in loc:
        found = _below(found, step)
    found = _bare(found)
    return found if _is_model(found) else None


def normalised(value: Any, annotation: Any) -> Any:
    """Write short forms out: a plain text where words in two languages belong; a section left empty is not given."""
    bare = _bare(annotation)
    if _is_model(bare) and issubclass(bare, Text) and isinstance(value, str):
        return {"zh": value, "en": value}
    if isinstance(value, list):
        return [normalised(each, _below(bare, index)) for index, each in enumerate(value)]
    if not isinstance(value, dict):
        return value
    known = bare.model_fields if _is_model(bare) else {}
    given = {key: each for key, each in value.items() if each is not None or key not in known}
    return {key: normalised(each, _below(bare, key)) for key, each in given.items()}


def _below(annotation: Any, step: Step) -> Any:
    """Return the annotation one step down, or None where the schema says nothing."""
    bare = _bare(annotation)
    if _is_model(bare):
        found = bare.model_fields.get(str(step))
        return found.annotation if found else None
    if get_origin(bare) is list and isinstance(step, int):
        return get_args(bare)[0]
    if get_origin(bare) is dict and isinstance(step, str):
        return get_args(bare)[1]
    return None


def _bare(annotation: Any) -> Any:
    """Take off Annotated and “or None”."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, UnionType):
            kept = [each for each in get_args(annotation) if each is not type(None)]
            if len(kept) != 1:
                return annotation
            annotation = kept[0]
        else:
            return annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
