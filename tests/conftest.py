"""Fixtures of all tests: databases, SQL inspection, a workspace, and functions to query it."""

import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase

from crm import settings
from crm.access import permissions
from crm.access.permissions import Viewer
from db import engine
from db.engine import Database, Session
from db.short_cache import ShortCache
from db.tables.enums import ActorKind, Permission, Role
from db.values import ids
from graph.context import Context
from tests.support import factories, schemas, sql_inspection

pytest_plugins = ["tests.support.databases"]

# CLIENTELA_ENGINE=reference runs the same tests with graphql-core.
_SCHEMA = schemas.made(settings.read_settings().engine)

Ask = Callable[..., Awaitable[dict[str, Any]]]

# Property tests use the same few examples in each run; `--hypothesis-profile=thorough` uses many random ones.
_PROPERTIES = hypothesis.settings(
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
    ],
)
hypothesis.settings.register_profile("few", _PROPERTIES, max_examples=12, derandomize=True)
hypothesis.settings.register_profile("thorough", _PROPERTIES, max_examples=400)
hypothesis.settings.load_profile("few")


def pytest_collection_finish() -> None:
    """Excludes everything that is imported and collected from garbage collection, because it stays until the end."""
    gc.freeze()
    gc.set_threshold(5_000, 10, 10)


@pytest.fixture(scope="session", autouse=True)
def _watched() -> Iterator[None]:
    Database.observers.append(sql_inspection.watch)
    yield
    Database.observers.remove(sql_inspection.watch)


@pytest.fixture(scope="session", autouse=True)
def _settled_until_a_write() -> Iterator[None]:
    """Keeps cached rows until a write, so that counted statements do not depend on the speed of the tests."""
    before, ShortCache.LIFETIME_SECONDS = ShortCache.LIFETIME_SECONDS, float("inf")
    yield
    ShortCache.LIFETIME_SECONDS = before


@pytest.fixture(autouse=True)
def _bound_to_a_workspace() -> Iterator[None]:
    """Fails a test that sent a statement without its workspace."""
    before = len(sql_inspection.violations)
    yield
    assert sql_inspection.violations[before:] == []


@pytest.fixture(scope="module")
async def database(database_url: str) -> AsyncIterator[Database]:
    """The module's open database."""
    opened = await engine.connect(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def workspace_id(database: Database) -> int:
    """The number of a new workspace for this test."""
    return await factories.workspace(database)


@pytest.fixture
def save(database: Database, workspace_id: int) -> Callable[..., Awaitable[None]]:
    """Inserts rows into the test's workspace unchanged, in order."""

    return partial(factories.saved, database, workspace_id)


@pytest.fixture
def session(database: Database, workspace_id: int) -> Session:
    return database.session(workspace_id)


@pytest.fixture
def viewer(workspace_id: int) -> Viewer:
    """An administrator of the test's workspace."""
    return Viewer(workspace_id, ActorKind.AGENT, ids.new_id(), permissions.ROLE_PERMISSIONS[Role.ADMIN])


@pytest.fixture
def someone(workspace_id: int) -> Callable[..., Viewer]:
    """Creates a viewer with a role, or with given permissions."""

    def made(
        role: Role = Role.AGENT,
        *,
        agent: Any = None,
        grant: tuple[Permission, ...] = (),
        revoke: tuple[Permission, ...] = (),
        departments: tuple[Any, ...] = (),
    ) -> Viewer:
        return Viewer(
            workspace_id,
            ActorKind.AGENT,
            agent.id if agent else ids.new_id(),
            (permissions.ROLE_PERMISSIONS[role] | set(grant)) - set(revoke),
            tuple(one.id for one in departments),
        )

    return made


@pytest.fixture
def ask(database: Database, viewer: Viewer) -> Ask:
    """Executes a document as the administrator or as `viewer`. Returns the data; fails if there are errors."""

    async def asked(document: str, *, viewer: Viewer = viewer, **variables: Any) -> dict[str, Any]:
        answer = await _execute(database, viewer, document, variables)
        assert answer.errors is None, answer.errors
        return dict(answer.data)

    return asked


@pytest.fixture
def refused(database: Database, viewer: Viewer) -> Ask:
    """Executes a document and returns the first top-level error: message, path and extensions."""

    async def asked(document: str, *, viewer: Viewer = viewer, **variables: Any) -> dict[str, Any]:
        answer = await _execute(database, viewer, document, variables)
        assert answer.errors, answer.data
        error = answer.errors[0]
        return {"message": error.message, "path": error.path, **(error.extensions or {})}

    return asked


@pytest.fixture
def sent() -> Iterator[list[str]]:
    """The statements that the test has sent; clear the list before the part to count."""
    with sql_inspection.counted() as found:
        yield found


async def _execute(database: Database, viewer: Viewer, document: str, variables: dict[str, Any]) -> Any:
    context = Context(database, viewer, request_id="test")
    return await _SCHEMA.execute(document, variable_values=variables, context_value=context)
