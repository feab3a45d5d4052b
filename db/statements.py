"""Statements built with SQLModel's tables, compiled once per dialect, and run directly on the driver."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import Any, Generic, TypeAlias, TypeVar, cast

import orjson
from sqlalchemy import ARRAY, JSON, BindParameter, Boolean, Column, ColumnElement, Dialect, any_, bindparam
from sqlalchemy.dialects.postgresql.asyncpg import dialect as postgresql_dialect
from sqlalchemy.dialects.sqlite.pysqlite import dialect as sqlite_dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

T = TypeVar("T")

# Names of columns; some may not exist in the rows in question. None means all columns.
ColumnNames: TypeAlias = frozenset[str] | None

# A statement is cached for this many column selections; further ones read all columns.
_MOST_FORMS = 64

POSTGRESQL: Dialect = postgresql_dialect()  # type: ignore[no-untyped-call] # it has no annotations
SQLITE: Dialect = sqlite_dialect(paramstyle="qmark")

# The session binds this parameter; callers never pass it.
WORKSPACE: BindParameter[int] = bindparam("workspace_id")


def in_workspace(*rows: Any) -> ColumnElement[bool]:
    """The condition that binds tables and aliases to the session's workspace. Every statement and subquery needs it."""
    condition: ColumnElement[bool] = rows[0].workspace_id == WORKSPACE
    for row in rows[1:]:
        condition = condition & (row.workspace_id == WORKSPACE)
    return condition


class any_of(ColumnElement[bool]):
    """The column's value is one of a list: a bound list, given by name, or the given values. One statement serves lists
    of any length."""

    inherit_cache = False
    __visit_name__ = "among"
    _is_implicitly_boolean = True
    type = Boolean()

    def __init__(self, column: Any, values: str | Sequence[Any], *, kind: Any = None) -> None:
        """`kind` is the type of the values if it differs from the column's."""
        self.column = cast(ColumnElement[Any], column)
        self.values = values
        self.kind = kind if kind is not None else self.column.type

    def parameter(self, kind: Any) -> BindParameter[Any]:
        if isinstance(self.values, str):
            return bindparam(self.values, type_=kind)
        return bindparam(None, list(self.values), type_=kind, unique=True)

    @property
    def _from_objects(self) -> list[Any]:
        return list(self.column._from_objects)


@compiles(any_of, "postgresql")
def _any(element: any_of, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.column == any_(element.parameter(ARRAY(element.kind))), **options)


@compiles(any_of, "sqlite")
def _expanded(element: any_of, compiler: SQLCompiler, **options: Any) -> str:
    values = element.parameter(element.kind)
    text = f"{compiler.process(element.column, **options)} IN ({compiler.process(values, **options)})"
    compiler.__dict__.setdefault("expanded", set()).add(compiler.bind_names[values])
    return text


class CompiledStatement:
    """A statement compiled for one dialect; binds values and converts rows."""

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
        # SQLite columns accept values of any type.
        kinds = [_certain(entry.objects) if dialect is POSTGRESQL else None for entry in compiled._result_columns]
        self.row = _row_class(_made_by_driver(dialect), tuple(self.columns), table, tuple(kinds))
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
        """The SQL text and its arguments in order. Raises KeyError for a missing value."""
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


class PreparedStatement(Generic[T]):
    """A statement that is compiled on first use for each dialect and cached."""

    __slots__ = ("_clauses", "_compiled", "_reads")

    def __init__(self, clause: ClauseElement, *, sqlite: ClauseElement | None = None, reads: object = None) -> None:
        self._clauses = {"postgresql": clause, "sqlite": sqlite if sqlite is not None else clause}
        self._compiled: dict[tuple[str, ColumnNames], CompiledStatement] = {}
        self._reads = reads

    def compiled_for(self, dialect: Dialect, columns: ColumnNames = None) -> CompiledStatement:
        """The compiled statement; with `columns`, other columns of the rows' table are left out."""
        compiled = self._compiled.get((dialect.name, columns))
        if compiled is None:
            if columns is not None and len(self._compiled) >= _MOST_FORMS:
                return self.compiled_for(dialect)
            clause = self._clause(dialect)
            reads = self._reads or _table(clause)
            if columns is not None:
                clause = _only(columns, clause, reads)
            compiled = self._compiled[dialect.name, columns] = CompiledStatement(clause, dialect, reads)
        return compiled

    def _clause(self, dialect: Dialect) -> ClauseElement:
        return self._clauses[dialect.name]


class DialectStatement(PreparedStatement[T]):
    """A statement that is built separately for each dialect on first use."""

    __slots__ = ("_build",)

    def __init__(self, build: Callable[[str], ClauseElement], *, reads: object = None) -> None:
        """`build` gets the name of the dialect."""
        self._build = build
        self._compiled = {}
        self._reads = reads

    def _clause(self, dialect: Dialect) -> ClauseElement:
        return self._build(dialect.name)


def _only(columns: frozenset[str], clause: Any, reads: Any) -> Any:
    """The SELECT with these columns of the rows' table, its id, and everything that is not a column of that table."""
    table = getattr(reads, "__table__", None)
    if table is None or not hasattr(clause, "with_only_columns"):
        return clause
    chosen = [
        each
        for each in clause.selected_columns
        if each.key in columns or each.key == "id" or getattr(each, "table", None) is not table
    ]
    return clause.with_only_columns(*chosen, maintain_column_froms=True)


def prepare(clause: Any, *, sqlite: Any = None, reads: object = None) -> PreparedStatement[Any]:
    """Prepares `clause`; `sqlite` replaces it on SQLite.

    The rows read as the table that is selected last; `reads` names it if a subquery hides it.
    """
    return PreparedStatement(clause, sqlite=sqlite, reads=reads)


def column_values(rows: Sequence[Any], name: str) -> list[Any]:
    """The column's value in each row, read by index if all rows have the same class."""
    columns = getattr(type(rows[0]), "__columns__", None) if rows else None
    if columns is None or name not in columns or len(set(map(type, rows))) > 1:
        return list(map(attrgetter(name), rows))
    return list(map(itemgetter(columns.index(name)), rows))


def group_rows(rows: Iterable[Any], key: str) -> dict[Any, list[Any]]:
    """Groups the rows by the value of a column and keeps their order."""
    found: defaultdict[Any, list[Any]] = defaultdict(list)
    place = None
    for row in rows:
        if place is None:
            place = type(row).__columns__.index(key)
        found[row[place]].append(row)
    # From here on it behaves like an ordinary dict.
    found.default_factory = None
    return found


def _made_by_driver(dialect: Dialect) -> type:
    """The row class of the driver."""
    if dialect is SQLITE:
        return tuple
    import asyncpg  # Imported late: SQLite does not need it.

    record: type = asyncpg.Record
    return record


@lru_cache(maxsize=2_000)
def _row_class(base: type, columns: tuple[str, ...], table: object, kinds: tuple[type | None, ...]) -> type:
    """A light row class: the driver's tuple with its columns as attributes. `__columns__` has their names in order,
    `__kinds__` their classes if not null, `table` the class they were read from."""
    members: dict[str, Any] = {name: property(itemgetter(place)) for place, name in enumerate(columns)}
    members |= {"__slots__": (), "__columns__": columns, "__kinds__": kinds, "table": table}
    return type("Row", (base,), members)


def _certain(selected: Iterable[Any]) -> type | None:
    """The class of all values of a selected column. None for expressions, whose types SQLAlchemy guesses."""
    column = next((each for each in selected if isinstance(each, Column)), None)
    if column is None or isinstance(column.type, JSON):
        return None
    kind: type = getattr(column.type, "impl_instance", column.type).python_type
    return kind if kind in (str, int, bool, float, bytes) else None


def _table(clause: ClauseElement) -> object:
    """The SQLModel class of the rows: the last selected entity (the key of a link may precede it)."""
    described = getattr(clause, "column_descriptions", None) or []
    entities = [entry["entity"] for entry in described if entry.get("entity") is not None]
    return entities[-1] if entities else None


def _dumps(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


def _loads(value: Any) -> Any:
    """SQLite returns a JSON number as a number."""
    return orjson.loads(value) if isinstance(value, str | bytes) else value


def _decoder(kind: Any) -> Callable[[Any], Any] | None:
    if isinstance(kind, JSON):
        return _loads
    return bool if isinstance(kind, Boolean) else None


def _padded(values: Any) -> list[Any]:
    """The values, padded with the last one to a power of two, so that few different statements exist."""
    many = list(values)
    if not many:
        return [None]
    return many + many[-1:] * ((1 << (len(many) - 1).bit_length()) - len(many))
