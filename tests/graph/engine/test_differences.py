"""The engine and graphql-core answer alike: made-up documents over the real schema, with and without failures."""

import gc
import logging
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import orjson
import pytest
from graphql import parse, specified_rules
from sqlmodel import select
from strawberry.schema.schema import validate_document

from crm import seeding
from crm.access import permissions
from crm.access.permissions import Viewer
from crm.workspace import workspaces
from db import tables
from db.engine import Database
from db.queries import workspaces as stored
from db.statements import in_workspace, prepare
from db.tables.enums import ActorKind, Role
from graph import schema
from graph.context import Context
from graph.engine import extension
from graph.engine.field_declarations import BatchedField, ColumnField
from graph.types import ids
from tests.support import generated_documents, schemas

ENGINE, REFERENCE = schemas.ENGINE, schemas.made("reference")
# With failures and without, on each of two databases: 5 000 together.
MANY = 1_250
KINDS = {
    "Customer": tables.Customer,
    "Company": tables.Company,
    "Tag": tables.Tag,
    "Segment": tables.Segment,
    "Agent": tables.Agent,
    "Department": tables.Department,
    "CustomField": tables.CustomField,
    "Note": tables.Note,
    "Interaction": tables.Interaction,
    "Order": tables.Order,
}


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """What was left behind is found here, not in the next module's test."""
    yield
    gc.collect()


@dataclass
class World:
    """What documents can ask for."""

    viewer: Viewer
    ids: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def value(self, dice: random.Random, scalar: str, name: str) -> Any:
        if scalar == "ID":
            return dice.choice(self.ids)
        if scalar == "Int":
            return dice.choice([1, 2, 3, 4]) if dice.random() < 0.98 else dice.choice([0, -1, 1_000])
        if scalar == "Boolean":
            return dice.random() < 0.5
        if scalar == "Float":
            return dice.random() * 100
        if name in ("after", "before"):
            return None if dice.random() < 0.9 else "nonsense"
        return dice.choice(self.texts)


@pytest.fixture(scope="module")
async def world(database: Database) -> World:
    """A workspace with some of everything."""
    email = f"differences-{database.dialect.name}@clientela.example"
    created = await workspaces.create_workspace(
        database, name="Differences", email=email, password="correct horse battery"
    )
    await seeding.seed_customers(database, workspace=created.workspace, customers=60, progress=lambda *_: None)
    public = ids.decode_id("Workspace", created.workspace)
    entry = await stored.by_public_id(database.session(None), public or b"")
    assert entry is not None
    session = database.session(entry.workspace_id)
    found = World(
        Viewer(
            entry.workspace_id,
            ActorKind.AGENT,
            ids.decode_id("Agent", created.agent) or b"",
            permissions.ROLE_PERMISSIONS[Role.ADMIN],
        ),
        [created.workspace, "cus_" + "0" * 32, "nonsense"],
        ["samsung.example", "erp", email],
    )
    for kind, table in KINDS.items():
        rows: list[Any] = await session.fetch_all(prepare(select(table).where(in_workspace(table)).limit(12)))
        found.ids += [ids.id_encoder(kind)(row.id) for row in rows]
        if kind == "CustomField":
            found.texts += [row.key for row in rows]
        if kind == "Customer":
            found.texts += [row.email for row in rows if row.email]
    return found


# graphql-core leaves coroutines behind where an error ends a list before they were awaited.
pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[list[bool]]:
    """For each document whether the engine answered it by itself. No field may miss a column it did not ask for."""
    caplog.set_level(logging.DEBUG, "clientela.engine")
    told: list[bool] = []
    inner = extension.BreadthFirstEngine.try_execute

    async def answer(self: extension.BreadthFirstEngine, context: Any) -> Any:
        result = await inner(self, context)
        told.append(result is not None and result.errors is None)
        return result

    monkeypatch.setattr(extension.BreadthFirstEngine, "try_execute", answer)
    yield told
    left = [record.exc_info[1] for record in caplog.records if record.exc_info]
    # With them go the frames that hold what graphql-core left behind.
    caplog.clear()
    assert not [error for error in left if isinstance(error, AttributeError | KeyError)]


async def compared(database: Database, world: World, name: str, count: int) -> None:
    """Compares so many documents, of those that validation lets through."""
    core, done, number = ENGINE._schema, 0, 0
    while done < count:
        seed, number = f"{name} {number}", number + 1
        made = generated_documents.generate_document(core, seed, world.value)
        if validate_document(core, parse(made.text), tuple(specified_rules)):
            continue
        done += 1
        fast, slow = [await _asked(which, database, world, made) for which in (ENGINE, REFERENCE)]
        assert orjson.dumps(fast.data) == orjson.dumps(slow.data), f"{seed}: {made.text} {made.variables}"
        assert _same_errors(fast, slow), f"{seed}: {made.text} {made.variables}\n{fast.errors}\n{slow.errors}"


async def _asked(which: Any, database: Database, world: World, made: generated_documents.GeneratedDocument) -> Any:
    context = Context(database, world.viewer, request_id="test")
    context.now = seeding.SEED_TIME_MS
    return await which.execute(made.text, variable_values=made.variables, context_value=context)


def _same_errors(fast: Any, slow: Any) -> bool:
    """Every null of an error stands for the same errors in both. Of several that come to one null through fields that
    cannot be null, graphql-core itself tells now one, now the other, as time will have it: one in common is enough."""
    nulls, others = _by_null(fast), _by_null(slow)
    return nulls.keys() == others.keys() and all(
        nulls[null] == others[null] or nulls[null] & others[null] or _several(null, nulls[null] | others[null])
        for null in nulls
    )


def _several(null: tuple[Any, ...], errors: set[Any]) -> bool:
    return all(len(path) > len(null) for _, path, _ in errors)


def _by_null(answer: Any) -> dict[tuple[Any, ...], set[Any]]:
    """Errors by the path of the null that stands in the answer for them: message, path, locations."""
    found: dict[tuple[Any, ...], set[Any]] = {}
    for error in answer.errors or ():
        path = tuple(error.path or ())
        there, null = answer.data, 0
        while there is not None and null < len(path):
            there, null = there[path[null]], null + 1
        places = tuple((at.line, at.column) for at in error.locations or ())
        found.setdefault(path[:null], set()).add((error.message, path, places))
    return found


async def test_documents_are_answered_alike(database: Database, world: World, answered: list[bool]) -> None:
    await compared(database, world, "plain", 40)
    assert sum(answered) > 0.5 * len(answered)


@pytest.mark.long
async def test_thousands_of_documents_are_answered_alike(
    database: Database, world: World, answered: list[bool]
) -> None:
    await compared(database, world, "many", MANY)
    assert sum(answered) > 0.5 * len(answered)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batch functions and columns that fail for some objects, the same ones in every run."""
    monkeypatch.setattr(BatchedField, "batch", property(_failing_batch))
    monkeypatch.setattr(ColumnField, "convert", property(_failing_convert))
    # Both are made afresh, for a plan keeps what it was made of.
    monkeypatch.setitem(globals(), "ENGINE", schema.build_schema(engine="breadth-first"))
    monkeypatch.setitem(globals(), "REFERENCE", schema.build_schema(engine="reference"))


def _failing_batch(declared: BatchedField) -> Any:
    async def batch(parents: Any, info: Any, **arguments: Any) -> list[Any]:
        if _unlucky(90, "all", declared.python_name):
            raise ValueError(f"all of {declared.python_name} failed")
        results = list(await declared.metadata["batch"](parents, info, **arguments))
        for index, parent in enumerate(parents):
            who = getattr(parent, "id", None) or getattr(parent, "name", None)
            if _unlucky(40, declared.python_name, who):
                results[index] = ValueError(f"{declared.python_name} of {who!r} failed")
            elif _unlucky(40, declared.python_name, who, "null"):
                results[index] = None
        return results

    return batch


def _failing_convert(declared: ColumnField) -> Any:
    inner = declared.metadata.get("convert")

    def convert(value: Any) -> Any:
        told = value if isinstance(value, bytes | str | int | bool) else None
        if told is not None and _unlucky(400, declared.python_name, told):
            raise ValueError(f"{declared.python_name} failed at {told!r}")
        if told is not None and _unlucky(400, declared.python_name, told, "null"):
            return None
        return inner(value) if inner else value

    return convert


def _unlucky(one_in: int, *what: Any) -> bool:
    return int.from_bytes(blake2b(repr(what).encode(), digest_size=4).digest()) % one_in == 0


async def test_failures_are_answered_alike(
    database: Database, world: World, answered: list[bool], failing: None
) -> None:
    await compared(database, world, "failing", 40)
    assert 0.2 * len(answered) < sum(answered) < 0.9 * len(answered)


@pytest.mark.long
async def test_thousands_of_failures_are_answered_alike(
    database: Database, world: World, answered: list[bool], failing: None
) -> None:
    await compared(database, world, "failing often", MANY)
