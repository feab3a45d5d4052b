"""Functions that call rules as a viewer."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlmodel import select

from crm.access.permissions import Viewer
from crm.errors import InputError, InputErrors
from crm.unit_of_work import run_unit_of_work
from db import tables
from db.engine import Database, Session
from db.statements import in_workspace, prepare
from db.values import ids
from db.values.wire_format import id_encoder

Does = Callable[..., Awaitable[Any]]


@pytest.fixture
def does(database: Database, viewer: Viewer) -> Does:
    """Calls a rule with its arguments, as the administrator or as `by`."""

    async def done(rule: Any, *arguments: Any, by: Viewer = viewer, **named: Any) -> Any:
        return await run_unit_of_work(
            database, by, lambda unit: rule(unit, *arguments, **named), now=ids.current_time(), request_id="request"
        )

    return done


@pytest.fixture
def refuses(does: Does) -> Does:
    """The error of a rule as (code, path); a list of them for several errors."""

    async def done(rule: Any, *arguments: Any, **named: Any) -> Any:
        with pytest.raises((InputError, InputErrors)) as refused:
            await does(rule, *arguments, **named)
        found = [(one.code.name, ".".join(one.path)) for one in refused.value.errors]
        return found[0] if len(found) == 1 else found

    return done


@pytest.fixture
def everything(session: Session) -> Callable[[Any], Awaitable[list[Any]]]:
    """All rows of a table in the test's workspace."""

    async def found(table: Any) -> list[Any]:
        return await session.fetch_all(prepare(select(table).where(in_workspace(table))))

    return found


@pytest.fixture
def log(session: Session) -> Callable[..., Awaitable[list[Any]]]:
    """The change log, oldest first; of one record if given."""

    async def found(record: Any = None) -> list[Any]:
        lines = await session.fetch_all(
            prepare(select(tables.Change).where(in_workspace(tables.Change)).order_by(tables.Change.seq))
        )
        return [line for line in lines if record is None or line.node_id == record.id]

    return found


def named(row: Any) -> dict[str, str]:
    """A reference to the row by its id."""
    return {"id": id_encoder(type(row).__name__ if not hasattr(row, "table") else row.table.__name__)(row.id)}
