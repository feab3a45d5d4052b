"""Statements described with SQLModel's tables, compiled once for each database, run straight on its driver."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Generic, TypeVar, cast

import asyncpg
import orjson
from sqlalchemy import ARRAY, JSON, BindParameter, Boolean, ColumnElement, Dialect, any_, bindparam
from sqlalchemy.dialects.postgresql.asyncpg import dialect as postgresql_dialect
from sqlalchemy.dialects.sqlite.pysqlite import dialect as sqlite_dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

T = TypeVar("T")

POSTGRESQL: Dialect = postgresql_dialect()  # type: ignore[no-untyped-call] # it has no annotations
SQLITE: Dialect = sqlite_dialect(paramstyle="qmark")

# The session binds this one; no caller passes it.
WORKSPACE: BindParameter[int] = bindparam("workspace_id")


def here(*rows: Any) -> ColumnElement[bool]:
    """The condition that every table and alias of a statement and of its subqueries carries: this workspace's rows."""
    condition: ColumnElement[bool] = rows[0].workspace_id == WORKSPACE
    for row in rows[1:]:
        condition = condition & (row.workspace_id == WORKSPACE)
    return condition


class among(ColumnElement[bool]):
    """The column's value is one of a list: the one bound to a name, or the one given. One statement at any length."""

    inherit_cache = False
    __visit_name__ = "among"
    _is_implicitly_boolean = True
    type = Boolean()

    def __init__(self, column: Any, values: str | Sequence[Any]) -> None:
        self.column = cast(ColumnElement[Any], column)
        self.values = values

    def parameter(self, kind: Any) -> BindParameter[Any]:
        if isinstance(self.values, str):
            return bindparam(self.values, type_=kind)
        return bindparam(None, list(self.values), type_=kind, unique=True)

    @property
    def _from_objects(self) -> list[Any]:
        return list(self.column._from_objects)


@compiles(among, "postgresql")
def _any(element: among, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.column == any_(element.parameter(ARRAY(element.column.type))), **options)


@compiles(among, "sqlite")
def _expanded(element: among, compiler: SQLCompiler, **options: Any) -> str:
    values = element.parameter(element.column.type)
    text = f"{compiler.process(element.column, **options)} IN ({compiler.process(values, **options)})"
    compiler.__dict__.setdefault("expanded", set()).add(compiler.bind_names[values])
    return text


class Compiled:
    """A statement in one database's words, and how to hand it values and take its rows."""

    __slots__ = ("_constants", "_encode", "_names", "_parts", "columns", "decode", "row", "sql")

    def __init__(self, clause: ClauseElement, dialect: Dialect, reads: object = None) -> None:
        compiled = cast(SQLCompiler, clause.compile(dialect=dialect))
        if compiled.post_compile_params:
            raise TypeError(f"a list is given with among(), not in_(): {compiled.string}")
        self.sql = compiled.string
        self._names: list[str] = list(compiled.positiontup or ())
        self._constants = {
            name: compiled.binds[name].value for name in self._names if not compiled.binds[name].required
        }
        self.columns: list[str] = [entry.keyname for entry in compiled._result_columns]
        if len(set(self.columns)) < len(self.columns):
            raise TypeError(f"two columns of one name, label them: {self.columns}")
        table = reads or _table(clause)
        base = asyncpg.Record if dialect is POSTGRESQL else tuple
        self.row = _row_class(base, tuple(self.columns), table)
        types = [entry.type for entry in compiled._result_columns]
        self._encode: dict[str, Callable[[Any], Any]] = {}
        self.decode: list[tuple[int, Callable[[Any], Any]]] = []
        self._parts: list[str] = []
        if dialect is SQLITE:
            self._encode = {name: _dumps for name in self._names if isinstance(compiled.binds[name].type, JSON)}
            self.decode = [(place, decoder) for place, kind in enumerate(types) if (decoder := _decoder(kind))]
            if expanded := getattr(compiled, "expanded", None):
                self._parts = self.sql.split("?")
                self._names = [f"*{name}" if name in expanded else name for name in self._names]

    def bind(self, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """The text to send and its arguments in order. KeyError names what is missing."""
        constants = self._constants
        if not self._parts:
            arguments = [values[name] if name in values else constants[name] for name in self._names]
            for name, encode in self._encode.items():
                place = self._names.index(name)
                arguments[place] = encode(arguments[place])
            return self.sql, arguments
        text, arguments = [self._parts[0]], []
        for name, part in zip(self._names, self._parts[1:], strict=True):
            if name[0] == "*":
                plain = name[1:]
                many = _padded(values.get(plain, constants.get(plain)))
                arguments += many
                text.append(", ".join("?" * len(many)))
            else:
                arguments.append(values[name] if name in values else constants[name])
                text.append("?")
            text.append(part)
        return "".join(text), arguments

    def rows(self, found: Sequence[Any]) -> list[Any]:
        """SQLite's tuples as light rows."""
        row = self.row
        if not self.decode:
            return [row(values) for values in found]
        decoded = []
        for values in found:
            changed = list(values)
            for place, decode in self.decode:
                if changed[place] is not None:
                    changed[place] = decode(changed[place])
            decoded.append(row(changed))
        return decoded


class Prepared(Generic[T]):
    """A statement that is compiled at its first use on each database and kept."""

    __slots__ = ("_clauses", "_compiled", "_reads")

    def __init__(self, clause: ClauseElement, *, sqlite: ClauseElement | None = None, reads: object = None) -> None:
        self._clauses = {"postgresql": clause, "sqlite": sqlite if sqlite is not None else clause}
        self._compiled: dict[str, Compiled] = {}
        self._reads = reads

    def on(self, dialect: Dialect) -> Compiled:
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = Compiled(self._clauses[dialect.name], dialect, self._reads)
        return compiled


def prepared(clause: Any, *, sqlite: Any = None, reads: object = None) -> Prepared[Any]:
    """`clause` compiled once; `sqlite` where that database needs other words for the same thing.

    The rows read as the table selected last; `reads` names it where a subquery hides it.
    """
    return Prepared(clause, sqlite=sqlite, reads=reads)


def grouped(rows: Iterable[Any], key: str) -> dict[Any, list[Any]]:
    """The rows in lists under the value of one column, in their order: what a loader of many answers."""
    found: dict[Any, list[Any]] = {}
    for row in rows:
        found.setdefault(getattr(row, key), []).append(row)
    return found


_ROW_CLASSES: dict[tuple[type, tuple[str, ...], object], type] = {}


def _row_class(base: type, columns: tuple[str, ...], table: object) -> type:
    """A light row: the driver's own tuple, its columns readable as attributes, `table` the class it was read from."""
    key = (base, columns, table)
    found = _ROW_CLASSES.get(key)
    if found is None:
        members: dict[str, Any] = {name: property(itemgetter(place)) for place, name in enumerate(columns)}
        found = _ROW_CLASSES[key] = type("Row", (base,), {"__slots__": (), "table": table, **members})
    return found


def _table(clause: ClauseElement) -> object:
    """The SQLModel class that a row reads as: the last entity selected (a link's key may come before it)."""
    described = getattr(clause, "column_descriptions", None) or []
    entities = [entry["entity"] for entry in described if entry.get("entity") is not None]
    return entities[-1] if entities else None


def _dumps(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


def _decoder(kind: Any) -> Callable[[Any], Any] | None:
    if isinstance(kind, JSON):
        return orjson.loads
    return bool if isinstance(kind, Boolean) else None


def _padded(values: Any) -> list[Any]:
    """The values, the last repeated up to a power of two, so that few different statements are made."""
    many = list(values)
    if not many:
        return [None]
    return many + many[-1:] * ((1 << (len(many) - 1).bit_length()) - len(many))
