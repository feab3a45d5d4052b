"""Other workspaces: their ids are answered like ids that do not exist, wherever sent, and nothing changes there."""

import re

import pytest
from sqlmodel import select

from db import ids, tables
from db.reading import here, prepared
from db.rows import Row
from db.tables.enums import CustomFieldType, Role
from db.wire import parse, wire
from graph import schema
from graph.context import Context
from tests import make
from tests.graph import generated

_MEMBERS = [
    table
    for table in (mapper.class_ for mapper in tables.Customer._sa_registry.mappers)
    if str(table.__tablename__) not in tables.GLOBAL
]
CALLS = [
    (field, path)
    for root in ("query", "mutation")
    for field in generated.fields(root)
    if field.name not in ("signIn", "signOut")
    for path in field.places("ID")
]

_BEFORE = {}
_OWN = re.compile(r"[a-z]{3}_[0-9a-f]{32}|\d{4}-\d\d-\d\dT[\d:.]+Z|'(?:position|version)': \d+")


async def _inhabited(database, number):
    """A workspace with one of everything; its ids as clients see them, by type."""
    agent, home, company, tag = make.agent(), make.department(), make.company(), make.tag()
    customer = make.customer(owner_id=agent.id, company_id=company.id)
    field = make.custom_field("tier", CustomFieldType.TEXT)
    note, interaction, order = make.note(customer), make.interaction(customer), make.order(customer)
    segment = make.segment(filter={})
    rows = {
        "Agent": agent, "Department": home, "Company": company, "Tag": tag, "Customer": customer,
        "CustomField": field, "Note": note, "Interaction": interaction, "Order": order, "Segment": segment,
        "SavedView": make.view(shared=True), "AssignmentRule": make.rule(), "ApiKey": make.api_key(),
    }  # fmt: skip

    async def put(work):
        for row in (*rows.values(), make.worn(customer, tag), make.works_in(agent, home)):
            row.workspace_id = number
            await work.insert(row)

    await database.write(number, put)
    return {kind: wire(kind)(row.id) for kind, row in rows.items()}


async def _dump(database, number):
    session = database.reading(number)
    return {
        str(table.__tablename__): sorted(
            repr(sorted(vars(Row(table, {name: getattr(row, name) for name in _columns(table)})).items()))
            for row in await session.rows(prepared(select(table).where(here(table))))
        )
        for table in _MEMBERS
    }


def _columns(table):
    return tables.metadata.tables[str(table.__tablename__)].columns.keys()


@pytest.fixture(scope="module")
async def places(database):
    """One's own workspace and another: their numbers and their ids."""
    mine, theirs = await make.workspace(database), await make.workspace(database)
    own, foreign = await _inhabited(database, mine), await _inhabited(database, theirs)
    _BEFORE[theirs] = await _dump(database, theirs)
    return mine, own, theirs, foreign


@pytest.fixture
def answers(database, places, someone):
    async def asked(field, variables):
        admin = someone(Role.ADMIN)
        viewer = type(admin)(places[0], admin.actor_kind, parse("Agent", places[1]["Agent"]), admin.permissions)
        context = Context(database, viewer, request_id="test")
        answer = await schema.schema.execute(field.document, variable_values=variables, context_value=context)
        return repr((answer.data, [(error.message, error.path) for error in answer.errors or ()]))

    return asked


@pytest.mark.long
@pytest.mark.parametrize(("field", "path"), CALLS, ids=[f"{f.name}-{'.'.join(map(str, p))}" for f, p in CALLS])
async def test_an_id_of_another_workspace_is_as_one_that_does_not_exist(answers, places, field, path):
    _, own, _, foreign = places
    for kind, wire_id in foreign.items():
        missing = wire(kind)(ids.new())
        told = [
            re.sub(each, "ID", await answers(field, generated.filled(field, path, each, own)))
            for each in (missing, wire_id, missing)
        ]
        # Moments, ids, places and versions of what a call made differ by themselves, and what the first call did is
        # done already when the next one comes.
        before, between, after = (re.sub(_OWN, "…", one) for one in told)
        assert between in (before, after), kind


@pytest.mark.long
async def test_and_nothing_changed_there(database, places):
    """Runs after all the calls above."""
    _, _, theirs, _ = places
    assert await _dump(database, theirs) == _BEFORE[theirs]
