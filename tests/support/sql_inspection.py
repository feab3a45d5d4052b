"""Watches the SQL that the tests send: counts it, and holds it to the rule that keeps a cluster possible.

The rule: every table of a workspace carries its own `workspace_id = parameter`, in every subquery too. A join on the
composite key alone would ask every machine of a cluster, and one forgotten condition would show foreign rows.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlglot
from sqlglot import exp

from db import tables
from db.engine import Database

_WORKSPACES = frozenset(tables.metadata.tables) - tables.GLOBAL

# Statements that look over all workspaces on purpose, by a part of their text, each with its reason.
EXCEPTIONS: dict[str, str] = {
    "FROM workspace WHERE workspace.pool_auto_reclaim": "the worker looks which workspaces reclaim idle customers",
    "SELECT job.workspace_id, job.id": "workers look for jobs of all workspaces, without a lock; claiming one is bound",
    "ANALYZE": "PostgreSQL looks how much its tables hold, and tells nobody's rows",
}

violations: list[str] = []
_known: set[str] = set()


def watch(text: str) -> None:
    """Notes a violation of the rule; a text that was seen before is not read again."""
    if text in _known or text.startswith("COPY"):
        return
    _known.add(text)
    if any(part in " ".join(text.split()) for part in EXCEPTIONS):
        return
    dialect = "postgres" if "$1" in text else "sqlite"
    for name in unbound(text, dialect):
        violations.append(f"{name} has no workspace_id = parameter of its own in: {text}")


def unbound(text: str, dialect: str) -> list[str]:
    """The workspace's tables in a statement that are not bound to it, by alias."""
    statement = sqlglot.parse_one(text, dialect=dialect)
    if isinstance(statement, exp.Insert):
        target = statement.this
        named = [column.name for column in target.expressions] if isinstance(target, exp.Schema) else []
        table = target.this if isinstance(target, exp.Schema) else target
        missing = [table.name] if table.name in _WORKSPACES and "workspace_id" not in named else []
        source = statement.expression
        return missing + (_unbound(source) if isinstance(source, exp.Query) else [])
    return _unbound(statement)


def _unbound(statement: exp.Expression) -> list[str]:
    bound = _bound(statement)
    return [
        table.alias_or_name
        for table in statement.find_all(exp.Table)
        if table.name in _WORKSPACES and not _binds(table, bound) and not _finds_nothing(_query(table))
    ]


def _finds_nothing(query: exp.Expression | None) -> bool:
    """A question that nobody answers is written without its other conditions: WHERE false."""
    where = query.args.get("where") if query else None
    return where is not None and where.this.sql() in ("FALSE", "0 = 1")


def _bound(statement: exp.Expression) -> list[tuple[str, exp.Expression | None]]:
    """Each `workspace_id = parameter`: the alias it names (or none), and the query that it stands in."""
    found = []
    for equality in statement.find_all(exp.EQ):
        column, value = equality.left, equality.right
        if isinstance(value, exp.Column):
            column, value = value, column
        value = value.this if isinstance(value, exp.Cast) else value
        if isinstance(column, exp.Column) and column.name == "workspace_id":  # noqa: SIM102 - two questions.
            if isinstance(value, exp.Placeholder | exp.Parameter):
                found.append((column.table, _query(equality)))
    return found


def _binds(table: exp.Table, bound: list[tuple[str, exp.Expression | None]]) -> bool:
    query = _query(table)
    return any(where is query and name in (table.alias_or_name, "") for name, where in bound)


def _query(node: exp.Expression) -> exp.Expression | None:
    """The innermost statement or subquery that the node stands in."""
    return node.find_ancestor(exp.Select, exp.Update, exp.Delete)


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that are sent within it."""
    sent: list[str] = []
    Database.observers.append(sent.append)
    try:
        yield sent
    finally:
        Database.observers.remove(sent.append)
