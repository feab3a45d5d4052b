"""One log: every write adds one line per record, with who, when, where and what."""

import pytest

from db.tables.enums import ActorKind

KINDS = {
    "Tag": ("tagCreate", "tag", {"name": "logged", "color": "red"}),
    "Company": ("companyCreate", "company", {"name": "Logged", "domain": "logged.example"}),
    "Segment": ("segmentCreate", "segment", {"name": "Logged", "filter": {"source": {"eq": "x"}}}),
    "Department": ("departmentCreate", "department", {"name": "Logged"}),
    "SavedView": ("savedViewCreate", "savedView", {"name": "Logged", "search": "x"}),
    "AssignmentRule": ("assignmentRuleCreate", "assignmentRule", {"name": "Logged", "active": False}),
    "CustomField": (
        "customFieldCreate", "customField", {"entity": "CUSTOMER", "key": "logged", "label": "L", "type": "TEXT"},
    ),
    "Agent": ("agentCreate", "agent", {"name": "Logged", "email": "logged@x.example", "maxCustomers": 3}),
    "ApiKey": ("apiKeyCreate", "apiKey", {"name": "Logged", "permissions": ["CUSTOMER_VIEW"]}),
}  # fmt: skip
UPDATES = {
    "Tag": {"name": "Logged", "color": None}, "Segment": {"description": "d"}, "Department": {"name": "L 2"},
    "SavedView": {"search": None}, "AssignmentRule": {"strategy": "LEAST_LOADED"}, "CustomField": {"label": "L 2"},
    "Agent": {"maxCustomers": None},
}  # fmt: skip


@pytest.mark.parametrize("entity", KINDS)
async def test_each_kind_of_record_is_told_under_its_type(house, entity):
    """CREATED with what was given, from null; UPDATED with what is different; nothing for no change; DELETED."""
    mutation, record, given = KINDS[entity]
    made = await house.made(mutation, record, **given)
    (line,) = await house.log(made)
    assert (line["action"], line["entity"], line["version"], line["requestId"]) == ("CREATED", entity, 1, "test")
    told = {one["field"]: one["after"] for one in line["fields"]}
    assert {one["before"] for one in line["fields"]} == {None}
    assert not [value for value in told.values() if value in (None, "", [], {})]
    assert {name: told[name] for name in given} == given
    if entity in UPDATES:
        for _ in range(2):
            await house.does(f"{record}Update", id=made, input=UPDATES[entity])
        (_, line) = await house.log(made)
        assert line["action"] == "UPDATED"
        changed = {one["field"]: (one["before"], one["after"]) for one in line["fields"]}
        assert changed == {name: (told.get(name), value) for name, value in UPDATES[entity].items()}
    if entity not in ("Agent", "ApiKey", "Company"):
        await house.does(f"{record}Delete", id=made)
        assert (await house.log(made))[-1]["action"] == "DELETED"


async def test_a_customers_first_line_lists_every_field_that_holds_something(house):
    """In output form: enum names, ids for relations, tag ids for tags; the keys are those of `fields`."""
    company = await house.made("companyCreate", "company", name="First", domain="first.example")
    tag = await house.made("tagCreate", "tag", name="first")
    await house.made("customFieldCreate", "customField", entity="CUSTOMER", key="first", label="F", type="NUMBER")
    customer = await house.customer(
        name="An", nickname="N", phones=["0901234567"], emails=["a@x.example"], gender="MALE", birthDate="2000-01-01",
        value="1.50", address={"city": "Huế"}, company={"id": company}, owner={"id": house.ids["seller"]},
        tags={"add": [{"id": tag}]}, externalIds=[{"system": "erp", "value": "first"}],
        wechatFriends={"add": [{"id": house.ids["seller"]}]}, customFields=[{"key": "first", "value": 5}],
        followUpStage="Offer sent",
    )  # fmt: skip
    (line,) = await house.log(customer)
    told = {one["field"]: one["after"] for one in line["fields"]}
    assert told == {
        "name": "An", "nickname": "N", "phone": "+84901234567", "phones": ["+84901234567"], "email": "a@x.example",
        "emails": ["a@x.example"], "gender": "MALE", "birthDate": "2000-01-01", "value": "1.5",
        "relationshipStatus": "LEAD", "subscriptionStatus": "NOT_SUBSCRIBED", "stage": "FOLLOW_UP",
        "verification": "UNVERIFIED", "followUpStage": "Offer sent", "resellerRelationship": True,
        "address.city": "Huế", "company": company, "owner": house.ids["seller"], "department": house.ids["sales"],
        "tags": [tag], "externalId.erp": "first", "wechatFriends": [house.ids["seller"]], "custom.first": 5,
    }  # fmt: skip
    listed = {one["key"] for one in (await house.ask("{ fields(entity: CUSTOMER) { key } }"))["fields"]}
    assert set(told) <= listed


async def test_a_request_makes_one_line_of_each_record(house):
    """However much of it was changed, in one version; what refuses makes none."""
    customer = await house.customer()
    before = len(await house.log(customer))
    change = {"nickname": "x", "tags": {"add": [{"name": "one line"}]}, "phones": ["0901234567"]}
    await house.does("customerUpdate", by={"id": customer}, input=change)
    lines = await house.log(customer)
    assert (len(lines), lines[-1]["version"]) == (before + 1, 2)
    assert [one["field"] for one in lines[-1]["fields"]] == ["nickname", "phone", "phones", "tags"]
    everything = await house.lines()
    for input in ({"nickname": "x"}, {"nickname": "y", "birthDate": "2999-01-01"}):
        await house.does("customerUpdate", by={"id": customer}, input=input)
    assert await house.lines() == everything


async def test_a_line_names_its_author(house):
    """SB8: an agent or a key, also where a job did it."""
    key = await house.does("apiKeyCreate", "apiKey { id }",
                           input={"name": "k", "permissions": ["CUSTOMER_CREATE", "CUSTOMER_VIEW"]})  # fmt: skip
    viewer = await house.as_(key["apiKey"]["id"], ActorKind.API_KEY)
    made = await house.does("customerCreate", "customer { id }", viewer, input={"name": "x"})
    customer = made["customer"]["id"]
    await house.bulk("customersArchive", "manager", target={"ids": [customer]})
    document = """query ($filter: ChangeFilter) { changes(filter: $filter) { nodes {
      actor { ... on ApiKey { id } ... on Agent { id } } job { kind } node { id } } } }"""
    lines = (await house.ask(document, filter={"nodes": [customer]}))["changes"]["nodes"]
    assert [(one["actor"]["id"], one["job"]) for one in lines] == [
        (key["apiKey"]["id"], None), (house.ids["manager"], {"kind": "ARCHIVE"}),
    ]  # fmt: skip
    assert [one["node"]["id"] for one in lines] == [customer, customer]


async def test_secrets_are_told_nowhere(house):
    """That a password was changed is told, and not what it is."""
    agent = await house.agent(password="a long enough one")
    await house.does("agentUpdate", id=agent, input={"password": "another long one"})
    lines = await house.log(agent)
    assert [one["field"] for one in lines[-1]["fields"]] == ["password"]
    assert "long" not in str(lines)
