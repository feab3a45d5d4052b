"""What every test has: databases, the watch over its SQL, a workspace of its own and ways to ask it."""

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

# CLIENTELA_ENGINE=reference runs the same tests through graphql-core.
_SCHEMA = schemas.made(settings.read_settings().engine)

Ask = Callable[..., Awaitable[dict[str, Any]]]

# Properties are tried on a few examples, the same at each run; `--hypothesis-profile=thorough` tries many, at random.
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
    """All that was imported and collected stays to the end: the collector of circular garbage, which would look at it
    again and again, leaves it alone."""
    gc.freeze()
    gc.set_threshold(5_000, 10, 10)


@pytest.fixture(scope="session", autouse=True)
def _watched() -> Iterator[None]:
    Database.observers.append(sql_inspection.watch)
    yield
    Database.observers.remove(sql_inspection.watch)


@pytest.fixture(scope="session", autouse=True)
def _settled_until_a_write() -> Iterator[None]:
    """What a statement found stays known however slow the tests are, so that the statements they count do not depend
    on it."""
    before, ShortCache.LIFETIME_SECONDS = ShortCache.LIFETIME_SECONDS, float("inf")
    yield
    ShortCache.LIFETIME_SECONDS = before


@pytest.fixture(autouse=True)
def _bound_to_a_workspace() -> Iterator[None]:
    """Fails the test that sent a statement which reaches beyond a workspace."""
    before = len(sql_inspection.violations)
    yield
    assert sql_inspection.violations[before:] == []


@pytest.fixture(scope="module")
async def database(database_url: str) -> AsyncIterator[Database]:
    """The module's database, open."""
    opened = await engine.connect(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def workspace_id(database: Database) -> int:
    """The number of a workspace that this test has for itself."""
    return await factories.workspace(database)


@pytest.fixture
def save(database: Database, workspace_id: int) -> Callable[..., Awaitable[None]]:
    """Puts rows into the test's workspace as they are, in their order."""

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
    """A viewer of a role, or with permissions of his own."""

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
    """Asks as the administrator, or as `viewer`; the data of an answer without errors."""

    async def asked(document: str, *, viewer: Viewer = viewer, **variables: Any) -> dict[str, Any]:
        answer = await _execute(database, viewer, document, variables)
        assert answer.errors is None, answer.errors
        return dict(answer.data)

    return asked


@pytest.fixture
def refused(database: Database, viewer: Viewer) -> Ask:
    """Asks likewise and returns the first top-level error: its message, path and extensions."""

    async def asked(document: str, *, viewer: Viewer = viewer, **variables: Any) -> dict[str, Any]:
        answer = await _execute(database, viewer, document, variables)
        assert answer.errors, answer.data
        error = answer.errors[0]
        return {"message": error.message, "path": error.path, **(error.extensions or {})}

    return asked


@pytest.fixture
def sent() -> Iterator[list[str]]:
    """The statements that the test has sent so far; clear it before what is to be counted."""
    with sql_inspection.counted() as found:
        yield found


async def _execute(database: Database, viewer: Viewer, document: str, variables: dict[str, Any]) -> Any:
    context = Context(database, viewer, request_id="test")
    return await _SCHEMA.execute(document, variable_values=variables, context_value=context)
