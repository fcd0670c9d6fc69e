"""What is said of a column or of the whole: the kind for programs, the sentence (an English msgid) for people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """`kind` is leak, scale, no_signal, drift or few_rows; `column` is "" when it concerns the whole."""

    kind: str
    column: str
    message: str
    details: dict[str, Any] = field(default_factory=dict)
