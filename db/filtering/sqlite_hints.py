"""Hints for SQLite's planner. It ignores LIMIT, and without current statistics it treats a range of a whole workspace
like a single row."""

from typing import Any

from sqlalchemy import Join
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import operators
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import UnaryExpression

_PLUS: Any = operators.custom_op("+")


def without_index(column: Any) -> Any:
    """The column with its value and type, but excluded from index lookups."""
    return UnaryExpression(column, operator=_PLUS, type_=column.type)


class WithoutIndex:
    """A row whose columns are excluded from index lookups: it is reached by its key and then compared."""

    def __init__(self, row: Any) -> None:
        self._row = row

    def __getattr__(self, name: str) -> Any:
        return without_index(getattr(self._row, name))


class ForcedJoinOrder(Join):
    """A join that SQLite executes in this order: each left row is followed by its right rows."""

    inherit_cache = False


@compiles(ForcedJoinOrder)
def _joined(element: ForcedJoinOrder, compiler: SQLCompiler, **options: Any) -> str:
    return str(compiler.visit_join(element, **options))  # type: ignore[no-untyped-call] # it has no annotations


@compiles(ForcedJoinOrder, "sqlite")
def _crossed(element: ForcedJoinOrder, compiler: SQLCompiler, asfrom: bool = False, **options: Any) -> str:
    left, right = (compiler.process(part, asfrom=True, **options) for part in (element.left, element.right))
    options.pop("from_linter", None)
    condition: Any = element.onclause
    return f"{left} CROSS JOIN {right} ON {compiler.process(condition, **options)}"
