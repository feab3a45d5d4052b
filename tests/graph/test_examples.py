"""Every root field has an example operation in tests/examples, and each of them runs."""

from pathlib import Path
from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse

from crm import accounts, workspaces
from db import engine
from db.engine import Work
from db.ids import now
from db.queries import workspaces as stored
from graph import ids
from graph.context import Context
from graph.schema import schema
from tests import make

EXAMPLES = sorted(Path("tests/examples").glob("*.graphql"))
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
async def world(database: engine.Database) -> dict[str, Any]:
    """A workspace with one of everything, and the variables that examples use."""
    email = f"admin-{database.dialect.name}@clientela.example"
    made = await workspaces.create(database, name="Examples", email=email, password=PASSWORD)
    found = ids.parse("Workspace", made.workspace)
    assert found is not None
    entry = await stored.by_public_id(database.reading(None), found)
    assert entry is not None
    company = make.company("Samsung", domain="samsung.example")
    customer = make.customer("An", email="an@samsung.example", company_id=company.id)
    tag, segment = make.tag("gold"), make.segment("Regulars", filter={"stage": {"eq": "POOL"}})
    rows = [
        company,
        customer,
        tag,
        segment,
        make.email(customer, "an@samsung.example"),
        make.worn(customer, tag),
        make.note(customer),
        make.interaction(customer),
        make.order(customer),
        make.custom_field("size"),
        make.department(),
    ]

    async def fill(work: Work) -> None:
        for row in rows:
            row.workspace_id = entry.workspace_id
            await work.insert(row)

    await database.write(entry.workspace_id, fill)
    return {
        "token": made.token,
        "agent": made.agent,
        "email": "an@samsung.example",
        "domain": "samsung.example",
        "password": PASSWORD,
        "customer": ids.wire("Customer")(customer.id),
        "tag": ids.wire("Tag")(tag.id),
        "segment": ids.wire("Segment")(segment.id),
        "admin": email,
    }


def test_every_root_field_has_an_example():
    core = schema._schema
    roots = [root for root in (core.query_type, core.mutation_type) if root]
    assert {example.stem for example in EXAMPLES} == {name for root in roots for name in root.fields}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
async def test_an_example_runs_without_an_error(database, world, example):
    text = example.read_text()
    (operation,) = parse(text).definitions
    assert isinstance(operation, OperationDefinitionNode)
    assert operation.name is not None
    given = world | ({"email": world["admin"]} if example.stem == "signIn" else {})
    wanted = [variable.variable.name.value for variable in operation.variable_definitions or ()]
    token = await accounts.issue(database, email=world["admin"], now=now()) if example.stem == "signOut" else None
    context = Context(database, await accounts.viewer(database, world["token"]), request_id="example", token=token)
    answer = await schema.execute(
        text, variable_values={name: given.get(name) for name in wanted}, context_value=context
    )
    assert answer.errors is None
    value = (answer.data or {})[example.stem]
    assert value
    assert not (isinstance(value, dict) and value.get("errors"))
