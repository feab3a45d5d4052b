"""Every root field has an example operation in graph/examples, and each of them runs."""

from pathlib import Path
from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse

from crm.access import accounts
from crm.files import storage, uploads
from crm.files.storage import Storage
from crm.workspace import workspaces
from db import engine
from db.engine import Transaction
from db.queries import workspaces as stored
from db.tables.enums import SegmentKind
from db.values.ids import current_time, new_id
from graph.context import Context
from graph.engine import extension, reference_executor
from graph.types import ids
from tests.support import factories, schemas

EXAMPLES = sorted(Path("graph/examples").glob("*.graphql"))
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
async def world(database: engine.Database, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A workspace with one of everything, and the variables that examples use."""
    email = f"admin-{database.dialect.name}@clientela.example"
    made = await workspaces.create_workspace(database, name="Examples", email=email, password=PASSWORD)
    found = ids.decode_id("Workspace", made.workspace)
    assert found is not None
    entry = await stored.by_public_id(database.session(None), found)
    assert entry is not None
    company = factories.company("Samsung", domain="samsung.example")
    customer = factories.customer("An", email="an@samsung.example", company_id=company.id)
    duplicate = factories.customer("Ann", email="ann@samsung.example")
    tag, segment = factories.tag("gold"), factories.segment("Regulars", filter={"stage": {"eq": "POOL"}})
    gone = {
        "unusedCustomer": factories.customer("Bo"),
        "unusedCompany": factories.company("Closed"),
        "unusedTag": factories.tag("old"),
        "doubleTag": factories.tag("golden"),
        "note": factories.note(customer),
        "unusedNote": factories.note(customer),
        "unusedOrder": factories.order(customer),
        "unusedSegment": factories.segment("Gone", filter={}),
    }
    rows = [
        company,
        customer,
        tag,
        segment,
        duplicate,
        factories.email(customer, "an@samsung.example"),
        factories.worn(customer, tag),
        factories.note(customer),
        factories.interaction(customer),
        factories.order(customer),
        factories.custom_field("size"),
        factories.department(),
        *gone.values(),
    ]

    async def fill(transaction: Transaction) -> None:
        for row in rows:
            row.workspace_id = entry.workspace_id
            await transaction.insert(row)

    await database.write(entry.workspace_id, fill)
    return {
        "token": made.token,
        "agent": made.agent,
        "email": "an@samsung.example",
        "domain": "samsung.example",
        "password": PASSWORD,
        "customer": ids.id_encoder("Customer")(customer.id),
        "duplicate": ids.id_encoder("Customer")(duplicate.id),
        "tag": ids.id_encoder("Tag")(tag.id),
        "segment": ids.id_encoder("Segment")(segment.id),
        "admin": email,
        "upload": await _upload(database, made.token, tmp_path_factory.mktemp("files")),
        **await _catalogues(database, entry.workspace_id, made.agent),
        **{name: ids.id_encoder(type(row).__name__)(row.id) for name, row in gone.items()},
    }


async def _upload(database: engine.Database, token: str, directory: Path) -> str:
    """A file to import."""
    storage.attach_storage(database, Storage(directory, b"a secret that nobody guesses"))
    viewer = await accounts.viewer_of_token(database, token)
    assert viewer is not None
    identifier = new_id()
    relative, path = storage.storage_of(database).new_path(uploads.UPLOAD_ID_KIND, identifier)
    size = path.write_bytes("Họ tên,Email\nĐặng Bình,binh@x.example\n".encode())
    return await uploads.store_upload(database, viewer, identifier, name="people.csv", size=size, path=relative)


async def _catalogues(database: engine.Database, workspace_id: int, admin: str) -> dict[str, str]:
    """What the catalogues' examples change, and what they delete."""
    owner = ids.decode_id("Agent", admin)
    named = {
        "department": factories.department("Care"),
        "unusedDepartment": factories.department("Closed"),
        "colleague": factories.agent("Bình"),
        "leaving": factories.agent("Chi"),
        "customField": factories.custom_field("colour"),
        "unusedCustomField": factories.custom_field("fax"),
        "savedView": factories.view("Gold", owner_id=owner),
        "unusedSavedView": factories.view("Silver", owner_id=owner),
        "assignmentRule": factories.rule("Việt Nam"),
        "unusedAssignmentRule": factories.rule("Italia"),
        "apiKey": factories.api_key("Old shop"),
        "list": factories.segment("Invited", kind=SegmentKind.STATIC),
        "job": factories.job(actor_id=owner),
    }

    async def fill(transaction: Transaction) -> None:
        for row in named.values():
            row.workspace_id = workspace_id
            await transaction.insert(row)
        customer = factories.customer(owner_id=named["leaving"].id)
        customer.workspace_id = workspace_id
        await transaction.insert(customer)

    await database.write(workspace_id, fill)
    return {name: ids.id_encoder(type(row).__name__)(row.id) for name, row in named.items()}


def test_every_root_field_has_an_example():
    core = schemas.ENGINE._schema
    roots = [root for root in (core.query_type, core.mutation_type) if root]
    assert {example.stem for example in EXAMPLES} == {name for root in roots for name in root.fields}


@pytest.fixture
def left(monkeypatch):
    """Grows by one for each operation that the engine leaves to graphql-core."""
    left, inner = [], extension.BreadthFirstEngine.try_execute

    async def answer(self, context):
        result = await inner(self, context)
        if result is None:
            left.append(context.query)
        return result

    async def handed_over(*_):
        pytest.fail("begun by the engine, and handed over to graphql-core")

    monkeypatch.setattr(extension.BreadthFirstEngine, "try_execute", answer)
    monkeypatch.setattr(reference_executor, "execute_with_reference", handed_over)
    return left


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
async def test_an_example_runs_without_an_error_and_by_the_engine_alone(database, world, example, left):
    text = example.read_text()
    (operation,) = parse(text).definitions
    assert isinstance(operation, OperationDefinitionNode)
    assert operation.name is not None
    given = world | ({"email": world["admin"]} if example.stem == "signIn" else {})
    wanted = [variable.variable.name.value for variable in operation.variable_definitions or ()]
    token = (
        await accounts.issue_session_token(database, email=world["admin"], now=current_time())
        if example.stem == "signOut"
        else None
    )
    context = Context(
        database, await accounts.viewer_of_token(database, world["token"]), request_id="example", token=token
    )
    answer = await schemas.ENGINE.execute(
        text, variable_values={name: given.get(name) for name in wanted}, context_value=context
    )
    assert answer.errors is None
    # Of all that they show, only a directive of our own is not planned.
    assert bool(left) == ("@idempotent" in text)
    value = (answer.data or {})[example.stem]
    assert value
    assert not (isinstance(value, dict) and value.get("errors"))
