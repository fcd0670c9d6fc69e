"""Typed rule trees: one JSON shape for plan, page and REST door; one meaning in Python and in every SQL engine."""

from zhike.kit.ruletrees.compiling import Dialect, compile, psycopg_sql, sql
from zhike.kit.ruletrees.describing import Language, describe
from zhike.kit.ruletrees.evaluating import evaluate
from zhike.kit.ruletrees.fields import (
    ATTRIBUTES,
    BOOLEAN,
    DATE,
    INTEGER,
    MONEY,
    NUMBER,
    OPERATORS,
    TEXT,
    FieldType,
    Kind,
    Op,
    choice,
    multi,
)
from zhike.kit.ruletrees.parsing import MAX_COMPARISONS, MAX_DEPTH, parse
from zhike.kit.ruletrees.problems import RuleError
from zhike.kit.ruletrees.tree import AllOf, AnyOf, Comparison, DaysFromToday, Not, Rule, comparisons, fields_of, to_tree

__all__ = [
    "ATTRIBUTES",
    "BOOLEAN",
    "DATE",
    "INTEGER",
    "MAX_COMPARISONS",
    "MAX_DEPTH",
    "MONEY",
    "NUMBER",
    "OPERATORS",
    "TEXT",
    "AllOf",
    "AnyOf",
    "Comparison",
    "DaysFromToday",
    "Dialect",
    "FieldType",
    "Kind",
    "Language",
    "Not",
    "Op",
    "Rule",
    "RuleError",
    "choice",
    "comparisons",
    "compile",
    "describe",
    "evaluate",
    "fields_of",
    "multi",
    "parse",
    "psycopg_sql",
    "sql",
    "to_tree",
]
