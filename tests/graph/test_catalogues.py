"""Companies, tags, segments, agents and departments over GraphQL, and anything by its id."""

import pytest

from db import tables
from db.tables.enums import Permission, Role, SegmentKind, TagKind
from db.values import ids
from graph.types.ids import id_encoder
from tests.support import factories


async def test_tags_tell_how_many_customers_wear_them(ask, save, sent):
    gold, plain = factories.tag("gold", kind=TagKind.WECOM, color="#fd0"), factories.tag("plain")
    one, two, gone = factories.customer(), factories.customer(), factories.customer(archived_at=1)
    await save(gold, plain, one, two, gone, *(factories.worn(customer, gold) for customer in (one, two, gone)))
    sent.clear()
    answer = await ask("{ tags { nodes { name kind color customerCount } totalCount } }")
    assert answer["tags"] == {
        "nodes": [
            {"name": "plain", "kind": "BUSINESS", "color": None, "customerCount": 0},
            {"name": "gold", "kind": "WECOM", "color": "#fd0", "customerCount": 2},
        ],
        "totalCount": 2,
    }
    assert len(sent) == 3


async def test_a_company_is_named_by_id_external_id_or_domain(ask, save):
    company = factories.company("Samsung", domain="Samsung.example", city="Đà Nẵng", phone="+842361234567")
    await save(company, factories.customer(company_id=company.id))
    await save(tables.CompanyExternalId(workspace_id=0, system="erp", value="9", company_id=company.id))
    document = """query ($by: CompanyRef!) {
      company(by: $by) { name domain phone customerCount externalIds { system value } address { city } owner { name } }
    }"""
    for by in (
        {"id": id_encoder("Company")(company.id)},
        {"externalId": {"system": "erp", "value": "9"}},
        {"domain": "SAMSUNG.example"},
    ):
        assert (await ask(document, by=by))["company"] == {
            "name": "Samsung",
            "domain": "Samsung.example",
            "phone": "+842361234567",
            "customerCount": 1,
            "externalIds": [{"system": "erp", "value": "9"}],
            "address": {"city": "Đà Nẵng"},
            "owner": None,
        }
    assert (await ask(document, by={"domain": "other.example"}))["company"] is None


async def test_agents_have_departments_permissions_and_customers(ask, save):
    agent = factories.agent("Bình", role=Role.AGENT, max_customers=5)
    sales, field = factories.department("Sales"), factories.department("Field")
    await save(agent, sales, field, factories.works_in(agent, field, 1), factories.works_in(agent, sales, 0))
    for permission, granted in ((Permission.TAG_ASSIGN, True), (Permission.NOTE_WRITE, False)):
        await save(tables.AgentPermission(workspace_id=0, agent_id=agent.id, permission=permission, granted=granted))
    await save(factories.customer(owner_id=agent.id), factories.customer(owner_id=agent.id, archived_at=1))
    answer = await ask(
        "query ($id: ID!) { agent(id: $id) {"
        " name role active maxCustomers permissions departments { name } customerCount } }",
        id=id_encoder("Agent")(agent.id),
    )
    assert answer["agent"] == {
        "name": "Bình",
        "role": "AGENT",
        "active": True,
        "maxCustomers": 5,
        "permissions": [
            "CUSTOMER_VIEW",
            "CUSTOMER_CREATE",
            "CUSTOMER_UPDATE",
            "CUSTOMER_CLAIM",
            "STATUS_CHANGE",
            "TAG_ASSIGN",
            "INTERACTION_RECORD",
        ],
        "departments": [{"name": "Sales"}, {"name": "Field"}],
        "customerCount": 1,
    }


async def test_departments_are_a_tree(ask, save, sent):
    top = factories.department("Top")
    left, right = factories.department("Left", parent_id=top.id), factories.department("Right", parent_id=top.id)
    agent = factories.agent("An")
    await save(top, left, right, agent, factories.works_in(agent, left), factories.customer(department_id=right.id))
    sent.clear()
    answer = await ask("{ departments { name parent { name } children { name } agents { name } customerCount } }")
    assert answer["departments"] == [
        {"name": "Left", "parent": {"name": "Top"}, "children": [], "agents": [{"name": "An"}], "customerCount": 0},
        {"name": "Right", "parent": {"name": "Top"}, "children": [], "agents": [], "customerCount": 1},
        {
            "name": "Top",
            "parent": None,
            "children": [{"name": "Left"}, {"name": "Right"}],
            "agents": [],
            "customerCount": 0,
        },
    ]
    assert len(sent) == 5


async def test_a_segment_gives_its_filter_back_as_it_was_stored(ask, save):
    stored = {"or": [{"relationshipStatus": {"eq": "VIP"}}, {"tags": {"any": {"name": {"eq": "Quý"}}}}]}
    dynamic, static = factories.segment("A", filter=stored), factories.segment("B", kind=SegmentKind.STATIC)
    await save(dynamic, static)
    answer = await ask("{ segments { nodes { name kind filter version } } }")
    assert answer["segments"]["nodes"] == [
        {"name": "B", "kind": "STATIC", "filter": None, "version": 1},
        {"name": "A", "kind": "DYNAMIC", "filter": stored, "version": 1},
    ]


async def test_the_workspace_tells_its_settings(ask):
    answer = await ask(
        "{ workspace { name timezone defaultCountry bulkDelete defaultStage departmentAssignment allowInlineTags"
        " statusAutomation { enabled rules } pool { autoReclaim idleDays dailyClaimLimit reclaimCooldownDays }"
        " followUpStages sources maxCustomersPerAgent } }"
    )
    assert answer["workspace"] == {
        "name": "Test",
        "timezone": "UTC",
        "defaultCountry": None,
        "bulkDelete": "TO_BE_ASSIGNED_ONLY",
        "defaultStage": "TO_BE_ASSIGNED",
        "departmentAssignment": "EXPAND",
        "allowInlineTags": True,
        "statusAutomation": {"enabled": True, "rules": ["PAYMENT", "APPOINTMENT", "EVENT", "MESSAGE"]},
        "pool": {"autoReclaim": False, "idleDays": 30, "dailyClaimLimit": None, "reclaimCooldownDays": 0},
        "followUpStages": ["First contact", "Offer sent"],
        "sources": ["Website"],
        "maxCustomersPerAgent": None,
    }


async def test_the_viewer_is_who_asks(ask, save, viewer):
    await save(factories.agent("Admin", id=viewer.actor_id))
    answer = await ask("{ viewer { actor { __typename ... on Agent { name } } agent { name } workspace { name } } }")
    assert answer["viewer"] == {
        "actor": {"__typename": "Agent", "name": "Admin"},
        "agent": {"name": "Admin"},
        "workspace": {"name": "Test"},
    }


async def test_anything_is_found_by_its_id_in_the_order_asked(ask, save, sent):
    customer, tag, company = factories.customer("An"), factories.tag("gold"), factories.company("Samsung")
    note = factories.note(customer)
    await save(customer, tag, company, note)
    wires = [
        id_encoder("Tag")(tag.id),
        id_encoder("Customer")(ids.new_id()),
        id_encoder("Customer")(customer.id),
        "nonsense",
        id_encoder("Company")(company.id),
        id_encoder("Note")(note.id),
        id_encoder("Customer")(customer.id),
    ]
    sent.clear()
    answer = await ask(
        """query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id
          ... on Customer { name } ... on Tag { name } ... on Company { name } ... on Note { body } } }""",
        ids=wires,
    )
    assert answer["nodes"] == [
        {"__typename": "Tag", "id": wires[0], "name": "gold"},
        None,
        {"__typename": "Customer", "id": wires[2], "name": "An"},
        None,
        {"__typename": "Company", "id": wires[4], "name": "Samsung"},
        {"__typename": "Note", "id": wires[5], "body": "Called twice."},
        {"__typename": "Customer", "id": wires[6], "name": "An"},
    ]
    assert len(sent) == 5


async def test_too_many_ids_are_refused(refused):
    error = await refused("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=["x"] * 251)
    assert (error["code"], error["reason"], error["limit"]) == ("BAD_USER_INPUT", "LIMIT_EXCEEDED", 250)


@pytest.mark.parametrize("kind", ["Customer", "Company", "Tag", "Segment", "Agent", "Department", "Note"])
async def test_another_workspaces_ids_look_like_ids_that_do_not_exist(ask, database, kind):
    other = await factories.workspace(database)
    customer = factories.customer()
    rows = {
        "Customer": customer,
        "Company": factories.company(),
        "Tag": factories.tag(),
        "Segment": factories.segment(),
        "Agent": factories.agent(),
        "Department": factories.department(),
        "Note": factories.note(customer),
    }
    for row in {id(row): row for row in (customer, rows[kind])}.values():
        row.workspace_id = other
        await database.write(other, lambda transaction, row=row: transaction.insert(row))
    assert await ask("query ($id: ID!) { node(id: $id) { id } }", id=id_encoder(kind)(rows[kind].id)) == {"node": None}
