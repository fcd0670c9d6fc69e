"""Querysets that are compiled once.

A page asks some twenty small questions of the same shape at every request, and Django spends more time on writing such
a statement than PostgreSQL on answering it. A prepared question is written at its first use, with slots where the
values of a request go, as bound parameters; its rows are what the queryset would have given. PostgreSQL keeps the
statement as well, and with it the plan, which takes it longer to make than most pages' rows.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import Expression
from django.db.models.query import get_related_populators
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

    def as_sql(self, _compiler: SQLCompiler, _connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (_Name(self.name),)


class Slots(Slot):
    """A list of numbers that is given when the question is asked, for `__in`."""

    def as_sql(self, _compiler: SQLCompiler, _connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "(SELECT unnest(%s::bigint[]))", (_Name(self.name),)


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
class _Models:
    """How rows become models, with those of `select_related`; found out once, where Django does it for each answer."""

    model: Any
    names: Sequence[str]
    columns: slice
    related: Sequence[Any]
    annotated: Sequence[tuple[str, int]]

    @classmethod
    def of(cls, compiler: SQLCompiler) -> "_Models":
        select, shape = compiler.select or (), compiler.klass_info or {}
        places: list[int] = shape["select_fields"]
        columns = slice(places[0], places[-1] + 1)
        names = [column[0].target.attname for column in select[columns]]
        related = get_related_populators(shape, select, connection.alias)  # type: ignore[call-arg]  # The stubs are of a later Django.
        return cls(shape["model"], names, columns, related, list((compiler.annotation_col_map or {}).items()))

    def made(self, rows: Sequence[tuple[Any, ...]]) -> list[Any]:
        read, alias = self.model.from_db, connection.alias
        found = []
        for row in rows:
            one = read(alias, self.names, row[self.columns])
            for each in self.related:
                each.populate(row, one)
            for name, place in self.annotated:
                setattr(one, name, row[place])
            found.append(one)
        return found


@dataclass(frozen=True, slots=True)
class _Written:
    """One statement: its text, what goes into its places, and what reads its rows; tuples stay as they are."""

    compiler: SQLCompiler
    text: str
    parameters: Sequence[Any]
    converters: Any
    is_kept: bool
    models: _Models | None

    def rows(self, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        given = [values[one.name] if isinstance(one, _Name) else one for one in self.parameters]
        if self.is_kept:
            return answered(self.text, given)
        with connection.cursor() as cursor:
            cursor.execute(self.text, given)
            return list(cursor.fetchall())

    def found(self, values: dict[str, Any]) -> list[Any]:
        """Return what the queryset would have given."""
        rows: list[Any] = self.rows(values)
        if self.converters:
            rows = list(map(tuple, self.compiler.apply_converters(rows, self.converters)))
        return rows if self.models is None else self.models.made(rows)


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
        return cast("list[Row]", written.found(values))

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
        are_tuples = asked._fields is not None  # type: ignore[attr-defined]  # Set by values and values_list alone.
        models = None if are_tuples else _Models.of(compiler)
        return _Written(compiler, text, parameters, converters, self.is_kept, models)


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
