"""Querysets that are compiled once.

A page asks some twenty small questions of the same shape at every request, and Django spends more time on writing such
a statement than PostgreSQL on answering it. A prepared question is written at its first use, with slots where the
values of a request go, as bound parameters; its rows are what the queryset would have given. PostgreSQL keeps the
statement as well, and with it the plan, which takes it longer to make than most pages' rows.
"""

import re
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import Expression
from django.db.models.query import ModelIterable
from django.db.models.sql.compiler import SQLCompiler
from psycopg import sql

from zhike.org.principals import Principal
from zhike.org.statements import PLACE, answered

Row = TypeVar("Row")
BIGGEST = 2**63


@dataclass(frozen=True, slots=True)
class _Name:
    """Stands among the parameters of a compiled statement for a value that is given later."""

    name: str


class Slot(Expression):
    """A value that is given when the question is asked."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, _compiler: SQLCompiler, _connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]  # The stubs ask for a tuple type of their own.
        return "%s", [_Name(self.name)]


class Slots(Slot):
    """A list of numbers that is given when the question is asked, for `__in`."""

    def as_sql(self, _compiler: SQLCompiler, _connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]  # As above.
        return "(SELECT unnest(%s::bigint[]))", [_Name(self.name)]


@dataclass(frozen=True, slots=True)
class Viewer:
    """A reader of some scope, whoever it is; the question is written once for each scope."""

    scope: str
    team_id: Any
    pk: Any = field(default_factory=lambda: Slot("viewer"))
    sees_personal: bool = False
    sees_revenue: bool = False

    def may(self, permission: str) -> bool:
        """Raise TypeError: rights are for the page to heed, a statement is the same for all who have its scope."""
        raise TypeError(f"a statement cannot depend on who may {permission}")

    @classmethod
    def like(cls, principal: Principal) -> "Viewer":
        """Return what stands for everybody who sees as this person does."""
        return cls(principal.scope, None if principal.team_id is None else Slot("viewer_team"))


class Nobody:
    """Stands for the reader of a question that is not scoped; one that is was asked without saying for whom."""

    def __getattr__(self, name: str) -> Any:
        raise TypeError(f"this question is scoped, and was asked without a reader ({name})")


@dataclass(frozen=True, slots=True)
class _Written:
    """One statement: its text, what goes into its places, and what reads its rows."""

    asked: QuerySet[Any, Any]
    compiler: SQLCompiler
    text: str
    parameters: Sequence[Any]
    converters: Any
    is_kept: bool
    attributes: Sequence[str] | None
    """What its columns are in a model, where each row is one model and nothing more; None for anything else."""

    def rows(self, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        given = [values[one.name] if isinstance(one, _Name) else one for one in self.parameters]
        if self.is_kept:
            return answered(self.text, given)
        with connection.cursor() as cursor:
            cursor.execute(self.text, given)
            return list(cursor.fetchall())

    def found(self, values: dict[str, Any]) -> list[Any]:
        """Return what the queryset would have given, as long as it does not give models with others beside them."""
        rows: list[Any] = self.rows(values)
        if self.converters:
            rows = list(map(tuple, self.compiler.apply_converters(rows, self.converters)))
        if self.attributes is None:
            return rows
        read, alias = self.asked.model.from_db, connection.alias
        return [read(alias, self.attributes, row) for row in rows]


class _Asking:
    """What Django's iterable of models needs of a queryset whose rows are there already."""

    def __init__(self, written: _Written, values: dict[str, Any]) -> None:
        compiler = copy(written.compiler)
        compiler.connection = connection
        rows = [written.rows(values)]
        compiler.execute_sql = lambda *_given, **_named: rows  # type: ignore[method-assign,assignment]  # The whole point.
        compiler.get_converters = lambda _fields: written.converters  # type: ignore[method-assign,assignment]  # As above.
        self.db, self.query, self.compiler = connection.alias, self, compiler
        self.model, self._known_related_objects = written.asked.model, dict[Any, Any]()

    def get_compiler(self, **_using: Any) -> SQLCompiler:
        return self.compiler


class Prepared(Generic[Row]):
    """A question of one shape: models, or tuples where the queryset is one of `values_list`.

    `make` writes it, with Slot("name") for each value; scoped questions are given a Viewer to pass to `visible_to`, and
    raise TypeError when they are asked without a reader. `is_kept` is False where the best plan depends on the values.
    """

    def __init__(self, make: Callable[[Any], QuerySet[Any, Any]], *, is_kept: bool = True) -> None:
        self.make, self.is_kept = make, is_kept
        self.known: dict[tuple[str, bool] | None, _Written] = {}

    def list(self, viewer: Principal | None = None, **values: Any) -> list[Row]:
        """Return the rows for these values, as far as `viewer` may see them where the question is scoped.

        A number that no column holds finds nothing, as in Django's own questions; PostgreSQL would compare all with it.
        """
        if any(isinstance(value, int) and not -BIGGEST <= value < BIGGEST for value in values.values()):
            return []
        shape = None
        if viewer is not None:
            shape = (viewer.scope, viewer.team_id is None)
            values |= {"viewer": viewer.pk, "viewer_team": viewer.team_id}
        written = self.known.get(shape)
        if written is None:
            written = self.known[shape] = self._write(Viewer.like(viewer) if viewer is not None else Nobody())
        if written.attributes is not None or _are_tuples(written.asked):
            return cast("list[Row]", written.found(values))
        return cast("list[Row]", list(ModelIterable(_Asking(written, values))))  # type: ignore[arg-type]  # All it asks for is there.

    def first(self, viewer: Principal | None = None, **values: Any) -> Row | None:
        """Return the first row, None when there is none; the question itself says where to stop."""
        return next(iter(self.list(viewer, **values)), None)

    def _write(self, viewer: Viewer | Nobody) -> _Written:
        asked = self.make(viewer)
        compiler = asked.query.get_compiler(using=connection.alias)
        text, parameters = compiler.as_sql()
        converters = compiler.get_converters([select[0] for select in compiler.select or ()])
        if self.is_kept:
            text, parameters = _settled(text, parameters)
        attributes = None if _are_tuples(asked) else _attributes(compiler)
        return _Written(asked, compiler, text, parameters, converters, self.is_kept, attributes)


def _are_tuples(asked: QuerySet[Any, Any]) -> bool:
    return asked._fields is not None  # type: ignore[attr-defined]  # Set by values and values_list alone.


def _attributes(compiler: SQLCompiler) -> list[str] | None:
    """Return what the columns of a statement are in its model, None where something else is read beside it."""
    columns = compiler.select or ()
    shape: dict[str, Any] = compiler.klass_info or {}
    if shape.get("related_klass_infos") or len(shape["select_fields"]) != len(columns):
        return None
    return [column[0].target.attname for column in columns]


def _settled(text: str, parameters: Sequence[Any]) -> tuple[str, list[Any]]:
    """Write what is the same every time into the statement: a plan that is kept knows only what stands there."""
    connection.ensure_connection()
    rest = iter(parameters)
    left = []

    def written(place: re.Match[str]) -> str:
        if place[0] == "%%":
            return "%%"
        one = next(rest)
        if isinstance(one, _Name):
            left.append(one)
            return "%s"
        return sql.Literal(one).as_string(connection.connection).replace("%", "%%")

    return PLACE.sub(written, text), left
