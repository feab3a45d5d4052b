"""A workspace with one record of each type, for calls generated from the schema."""

from sqlmodel import select

from db import tables
from db.rows import Row
from db.statements import in_workspace, prepare
from db.tables.enums import CustomFieldType, SegmentKind
from db.values.wire_format import id_encoder
from tests.support import factories

MEMBERS = [
    table
    for table in (mapper.class_ for mapper in tables.Customer._sa_registry.mappers)
    if str(table.__tablename__) not in tables.GLOBAL
]
"""The tables of a workspace."""


async def inhabited(database, number):
    """Inserts one record of each type; returns the wire ids by type and other names."""
    agent, home, company = factories.agent(), factories.department(), factories.company(domain="acme.example")
    customer = factories.customer(owner_id=agent.id, company_id=company.id, email="an@acme.example")
    tag, field = factories.tag(), factories.custom_field("tier", CustomFieldType.TEXT)
    note, interaction, order = factories.note(customer), factories.interaction(customer), factories.order(customer)
    rows = {
        "Agent": agent, "Department": home, "Company": company, "Tag": tag, "Customer": customer,
        "CustomField": field, "Note": note, "Interaction": interaction, "Order": order,
        "Segment": factories.segment(filter={}), "List": factories.segment("By hand", kind=SegmentKind.STATIC),
        "SavedView": factories.view(shared=True), "AssignmentRule": factories.rule(), "ApiKey": factories.api_key(),
        "Job": factories.job(actor_id=agent.id),
    }  # fmt: skip
    member = tables.SegmentMember(workspace_id=0, segment_id=rows["List"].id, customer_id=customer.id)
    hanging = (
        factories.worn(customer, tag),
        factories.works_in(agent, home),
        factories.email(customer, "an@acme.example"),
        factories.external_id(customer, "erp", "1"),
        factories.value(customer, field, text="gold"),
        member,
    )

    async def put(transaction):
        for row in (*rows.values(), *hanging):
            row.workspace_id = number
            await transaction.insert(row)

    await database.write(number, put)
    ids = {kind: id_encoder("Segment" if kind == "List" else kind)(row.id) for kind, row in rows.items()}
    return ids | {"key": "tier", "system": "erp"}


async def dump(database, number, *, without=()):
    """All rows of the workspace by table."""
    session = database.session(number)
    return {
        str(table.__tablename__): sorted(
            repr(sorted(vars(Row(table, {name: getattr(row, name) for name in columns(table)})).items()))
            for row in await session.fetch_all(prepare(select(table).where(in_workspace(table))))
        )
        for table in MEMBERS
        if table not in without
    }


def columns(table):
    return tables.metadata.tables[str(table.__tablename__)].columns.keys()
