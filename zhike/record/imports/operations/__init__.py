"""What people do with imports: hand in a file, try it, bring it in, take it back."""

from zhike.record.imports.operations.handing_in import (
    TooLargeToKeep,
    accept_guess,
    drop,
    guess_mapping,
    hand_in,
    look_at,
    map_columns,
    tidy,
)
from zhike.record.imports.operations.importing import ALREADY_DONE, ask_for, bring_in, language_of, run
from zhike.record.imports.operations.refusing import refused_path
from zhike.record.imports.operations.undoing import CannotUndo, undo

__all__ = [
    "ALREADY_DONE",
    "CannotUndo",
    "TooLargeToKeep",
    "accept_guess",
    "ask_for",
    "bring_in",
    "drop",
    "guess_mapping",
    "hand_in",
    "language_of",
    "look_at",
    "map_columns",
    "refused_path",
    "run",
    "tidy",
    "undo",
]
