"""Customers over GraphQL: one, a list, and everything that hangs on them."""

from dataclasses import replace
from typing import Any

import pytest

from crm.access import permissions
from db import tables
from db.tables.enums import (
    ActorKind,
    CustomerStage,
    CustomFieldType,
    EntityType,
    Gender,
    InteractionKind,
    Permission,
    RelationshipStatus,
    Role,
    SubscriptionStatus,
    TagKind,
)
from db.values import ids
from graph.types.ids import id_encoder
from tests.support import factories

NAMES = "{ customers { nodes { name } } }"
PAGE = """query ($first: Int, $after: String, $last: Int, $before: String) {
  customers(first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { name } } nodes { name }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount
  }
}"""
ONE = "query ($by: CustomerRef!) { customer(by: $by) { name } }"


def names(answer: dict[str, Any]) -> list[str]:
    return [node["name"] for node in answer["customers"]["nodes"]]


async def test_every_plain_field_comes_out_as_it_was_stored(ask, save):
    born = factories.customer(
        "Đặng Thị Hoa",
        created_at=1_700_000_000_123,
        nickname="Hoa",
        real_name="Đặng Thị Hoa",
        avatar_url="https://pictures.example/hoa.png",
        phone="+84901234567",
        email="Hoa@Example.com",
        gender=Gender.FEMALE,
        birth_date="1990-02-28",
        value=12_345_000,
        source="Website",
        channel="Zalo",
        relationship_status=RelationshipStatus.VIP,
        subscription_status=SubscriptionStatus.SUBSCRIBED,
        version=3,
        reseller_relationship=False,
    )
    await save(born)
    answer = await ask(
        """query ($id: ID!) { customer(by: {id: $id}) {
          id version createdAt name nickname realName avatarUrl phone email gender birthDate value source channel
          relationshipStatus subscriptionStatus allowedSubscriptionTransitions stage verification followUpStage
          resellerRelationship archivedAt lastInteractionAt
        } }""",
        id=id_encoder("Customer")(born.id),
    )
    assert answer["customer"] == {
        "id": "cus_" + born.id.hex(),
        "version": 3,
        "createdAt": "2023-11-14T22:13:20.123Z",
        "name": "Đặng Thị Hoa",
        "nickname": "Hoa",
        "realName": "Đặng Thị Hoa",
        "avatarUrl": "https://pictures.example/hoa.png",
        "phone": "+84901234567",
        "email": "Hoa@Example.com",
        "gender": "FEMALE",
        "birthDate": "1990-02-28",
        "value": "1234.5",
        "source": "Website",
        "channel": "Zalo",
        "relationshipStatus": "VIP",
        "subscriptionStatus": "SUBSCRIBED",
        "allowedSubscriptionTransitions": ["UNSUBSCRIBED"],
        "stage": "TO_BE_ASSIGNED",
        "verification": "UNVERIFIED",
        "followUpStage": None,
        "resellerRelationship": False,
        "archivedAt": None,
        "lastInteractionAt": None,
    }


async def test_every_relation_of_a_customer_is_found(ask, save, viewer):
    agent, earlier = factories.agent("Trần Bình", id=viewer.actor_id), factories.agent("Lê Chi")
    company, department = factories.company("Samsung", city="Đà Nẵng"), factories.department("Sales")
    customer = factories.customer(
        owner_id=agent.id, previous_owner_id=earlier.id, company_id=company.id, department_id=department.id, city="Huế"
    )
    gold, chat = factories.tag("gold"), factories.tag("chat", kind=TagKind.WECOM)
    await save(agent, earlier, company, department, customer, gold, chat)
    await save(factories.worn(customer, gold), factories.worn(customer, chat))
    await save(factories.phone(customer, "+84901234567"), factories.phone(customer, "+84901234568", 1))
    await save(
        factories.email(customer, "a@b.example"),
        factories.external_id(customer, "erp", "42"),
        factories.block(customer),
    )
    await save(tables.WechatFriend(workspace_id=0, customer_id=customer.id, agent_id=agent.id))
    old = ids.new_id()
    await save(tables.CustomerAlias(workspace_id=0, id=old, customer_id=customer.id))
    answer = await ask(
        """query ($id: ID!) { customer(by: {id: $id}) {
          owner { name } previousOwner { name } company { name address { city line1 } } department { name }
          address { city country } phones emails externalIds { system value }
          tags { name } wecom: tags(kind: WECOM) { name }
          block { reason until by { __typename ... on System { name } } }
          wechatFriends { name } isWechatFriend mergedFrom
        } }""",
        id=id_encoder("Customer")(old),
    )
    assert answer["customer"] == {
        "owner": {"name": "Trần Bình"},
        "previousOwner": {"name": "Lê Chi"},
        "company": {"name": "Samsung", "address": {"city": "Đà Nẵng", "line1": None}},
        "department": {"name": "Sales"},
        "address": {"city": "Huế", "country": None},
        "phones": ["+84901234567", "+84901234568"],
        "emails": ["a@b.example"],
        "externalIds": [{"system": "erp", "value": "42"}],
        "tags": [{"name": "chat"}, {"name": "gold"}],
        "wecom": [{"name": "chat"}],
        "block": {"reason": "Abusive", "until": None, "by": {"__typename": "System", "name": "Clientela"}},
        "wechatFriends": [{"name": "Trần Bình"}],
        "isWechatFriend": True,
        "mergedFrom": [id_encoder("Customer")(old)],
    }


async def test_an_expired_block_reads_as_none(ask, save):
    """SB23."""
    customer = factories.customer()
    await save(customer, factories.block(customer, until=ids.current_time() - 1))
    assert (await ask("{ customers { nodes { block { reason } } } }"))["customers"]["nodes"] == [{"block": None}]


@pytest.mark.parametrize(
    ("born", "age"),
    [
        pytest.param("2000-06-15", 25, id="on the birthday"),
        pytest.param("2000-06-16", 24, id="on the day before it"),
        pytest.param("2004-02-29", 21, id="born on a leap day"),
        pytest.param(None, None, id="no birth date"),
    ],
)
async def test_age_counts_full_years_on_the_day_of_the_workspace(ask, save, monkeypatch, born, age):
    monkeypatch.setattr(ids, "current_time", lambda: 1_749_945_600_000)  # 2025-06-15T00:00:00Z
    await save(factories.customer(birth_date=born))
    assert (await ask("{ customers { nodes { age } } }"))["customers"]["nodes"] == [{"age": age}]


async def test_lists_are_newest_first_and_leave_the_archived_out(ask, save):
    """SM13, EM17."""
    await save(factories.customer("first"), factories.customer("gone", archived_at=1), factories.customer("last"))
    assert names(await ask(NAMES)) == ["last", "first"]
    assert names(await ask("{ customers(archived: ONLY) { nodes { name } } }")) == ["gone"]
    assert names(await ask("{ customers(archived: INCLUDE) { nodes { name } } }")) == ["last", "gone", "first"]


async def test_pages_in_both_directions_are_the_whole_list(ask, save):
    """EM4."""
    await save(*(factories.customer(str(number)) for number in range(7)))
    forward, after = [], None
    while True:
        page = (await ask(PAGE, first=3, after=after))["customers"]
        forward += [node["name"] for node in page["nodes"]]
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    backward, before = [], None
    while True:
        page = (await ask(PAGE, last=3, before=before))["customers"]
        backward = [node["name"] for node in page["nodes"]] + backward
        before = page["pageInfo"]["startCursor"]
        if not page["pageInfo"]["hasPreviousPage"]:
            break
    assert forward == backward == ["6", "5", "4", "3", "2", "1", "0"]


async def test_each_edge_has_the_cursor_that_continues_behind_it(ask, save):
    await save(*(factories.customer(str(number)) for number in range(3)))
    edges = (await ask(PAGE))["customers"]["edges"]
    page = (await ask(PAGE, after=edges[0]["cursor"]))["customers"]
    assert [node["name"] for node in page["nodes"]] == ["1", "0"]
    assert page["totalCount"] == 3


async def test_an_empty_list_has_an_empty_page(ask):
    assert (await ask(PAGE))["customers"] == {
        "edges": [],
        "nodes": [],
        "pageInfo": {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None},
        "totalCount": 0,
    }


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        pytest.param({"first": 0}, "INVALID", id="no row"),
        pytest.param({"last": -1}, "INVALID", id="fewer than none"),
        pytest.param({"first": 2, "last": 2}, "INVALID", id="from both ends"),
        pytest.param({"first": 251}, "LIMIT_EXCEEDED", id="too many"),
        pytest.param({"after": "nonsense"}, "BAD_CURSOR", id="a cursor of nothing"),
    ],
)
async def test_pages_that_make_no_sense_are_refused(refused, arguments, reason):
    """EM4."""
    error = await refused(PAGE, **arguments)
    assert (error["code"], error["reason"], error["path"]) == ("BAD_USER_INPUT", reason, ["customers"])


async def test_a_count_stops_where_it_is_told_to(ask, save):
    """SM14."""
    await save(*(factories.customer() for _ in range(5)))
    answer = await ask("{ customers { most: totalCount(atMost: 3) all: totalCount } }")
    assert answer["customers"] == {"most": 3, "all": 5}


@pytest.mark.parametrize("many", [50, 250])
async def test_a_page_with_its_relations_costs_the_same_statements_whatever_its_size(ask, save, sent, many):
    agent, company, tag = factories.agent(), factories.company(), factories.tag()
    customers = [factories.customer(owner_id=agent.id, company_id=company.id) for _ in range(many)]
    await save(agent, company, tag, *customers, *(factories.worn(customer, tag) for customer in customers))
    sent.clear()
    answer = await ask(
        "query ($n: Int!) { customers(first: $n) { nodes { id company { id name } owner { id name email }"
        " tags { id name color } } pageInfo { hasNextPage endCursor } } }",
        n=many,
    )
    assert len(answer["customers"]["nodes"]) == many
    assert len(sent) == 4


async def test_a_customer_is_named_by_id_external_id_or_address(ask, save):
    customer = factories.customer("An")
    await save(customer, factories.external_id(customer, "erp", "42"), factories.email(customer, "An@Example.com", 1))
    for by in (
        {"id": id_encoder("Customer")(customer.id)},
        {"externalId": {"system": "erp", "value": "42"}},
        {"email": "an@EXAMPLE.com"},
    ):
        assert await ask(ONE, by=by) == {"customer": {"name": "An"}}
    for by in (
        {"id": id_encoder("Customer")(ids.new_id())},
        {"id": id_encoder("Tag")(customer.id)},
        {"id": "nonsense"},
        {"externalId": {"system": "erp", "value": "43"}},
        {"email": "nobody@example.com"},
    ):
        assert await ask(ONE, by=by) == {"customer": None}


async def test_an_address_of_several_is_ambiguous(refused, save):
    """EM8."""
    first, second = factories.customer(), factories.customer()
    await save(first, second, factories.email(first, "a@b.example"), factories.email(second, "A@b.example"))
    error = await refused(ONE, by={"email": "a@b.example"})
    assert (error["code"], error["reason"]) == ("BAD_USER_INPUT", "AMBIGUOUS")


async def test_an_agent_sees_his_own_those_waiting_in_his_departments_and_the_pool(ask, save, viewer):
    """SM2, SB8."""
    agent, other = factories.agent(), factories.agent()
    mine, theirs = factories.department("Mine"), factories.department("Theirs")
    await save(agent, other, mine, theirs)
    await save(
        factories.customer("owned", owner_id=agent.id),
        factories.customer("another's", owner_id=other.id, department_id=mine.id),
        factories.customer("waiting here", department_id=mine.id),
        factories.customer("waiting there", department_id=theirs.id),
        factories.customer("waiting nowhere"),
        factories.customer("new here", department_id=mine.id, stage=CustomerStage.NEW),
        hidden := factories.customer("hidden", owner_id=other.id),
        factories.customer("pooled", stage=CustomerStage.POOL),
    )
    seller = replace(
        viewer, actor_id=agent.id, permissions=permissions.ROLE_PERMISSIONS[Role.AGENT], department_ids=(mine.id,)
    )
    answer = await ask("{ customers { totalCount nodes { name } } }", viewer=seller)
    assert set(names(answer)) == {"owned", "waiting here", "pooled"}
    assert answer["customers"]["totalCount"] == 3
    for document in (ONE, "query ($id: ID!) { customer: node(id: $id) { id } }"):
        identifier = id_encoder("Customer")(hidden.id)
        assert await ask(document, viewer=seller, by={"id": identifier}, id=identifier) == {"customer": None}


async def test_a_key_without_the_permission_is_refused(refused, viewer):
    error = await refused(NAMES, viewer=replace(viewer, actor_kind=ActorKind.API_KEY, permissions=frozenset()))
    assert (error["code"], error["path"]) == ("FORBIDDEN", ["customers"])
    assert Permission.CUSTOMER_VIEW.name in error["message"]


async def test_custom_fields_come_in_order_each_with_its_value(ask, save):
    """EM8, SB15."""
    customer = factories.customer()
    size = factories.custom_field("size", CustomFieldType.NUMBER, position=1)
    colours = factories.custom_field("colours", CustomFieldType.MULTI_SELECT, options=["red", "blue"], position=0)
    off = factories.custom_field("off", active=False)
    met = factories.custom_field("met", CustomFieldType.DATE_TIME, position=2)
    empty = factories.custom_field("empty", position=3)
    await save(customer, size, colours, off, met, empty)
    await save(
        factories.value(customer, size, number=4.0),
        factories.value(customer, colours, option="red", position=0),
        factories.value(customer, colours, option="blue", position=1),
        factories.value(customer, off, text="x"),
        factories.value(customer, met, date_time=0),
    )
    answer = await ask(
        '{ customers { nodes { customFields { field { key } value text } one: customFields(keys: ["size"]) { value }'
        ' customField(key: "empty") { value text } } } }'
    )
    assert answer["customers"]["nodes"] == [
        {
            "customFields": [
                {"field": {"key": "colours"}, "value": ["red", "blue"], "text": "red, blue"},
                {"field": {"key": "size"}, "value": 4, "text": "4"},
                {"field": {"key": "met"}, "value": "1970-01-01T00:00:00.000Z", "text": "1970-01-01T00:00:00.000Z"},
                {"field": {"key": "empty"}, "value": None, "text": None},
            ],
            "one": [{"value": 4}],
            "customField": {"value": None, "text": None},
        }
    ]


async def test_an_unknown_custom_field_is_named(refused, save):
    await save(
        factories.customer(),
        factories.custom_field("off", active=False),
        factories.custom_field("x", entity=EntityType.COMPANY),
    )
    for key in ("off", "x", "none"):
        error = await refused(
            "query ($key: String!) { customers { nodes { customField(key: $key) { value } } } }", key=key
        )
        assert (error["code"], error["reason"]) == ("BAD_USER_INPUT", "FIELD_UNKNOWN")
        assert key in error["message"]


async def test_notes_interactions_and_orders_are_paged_for_all_customers_at_once(ask, save, sent):
    """EM14, SM1, SB16."""
    one, two, none = factories.customer("one"), factories.customer("two"), factories.customer("none")
    await save(one, two, none)
    await save(*(factories.note(one, f"note {number}") for number in range(3)), factories.note(two, "only"))
    await save(
        factories.interaction(one, kind=InteractionKind.PAYMENT, occurred_at=5, amount=10_000),
        factories.interaction(one, occurred_at=9, external_system="pos", external_value="7"),
        factories.order(two, number="A1", total=25_000, lines=[{"sku": 1}]),
    )
    sent.clear()
    document = """query ($after: String) { customers { nodes { name
        notes(first: 2, after: $after) {
          nodes { body customer { name } } totalCount pageInfo { hasNextPage endCursor }
        }
        interactions { nodes { kind amount externalId { system value } } }
        orders { nodes { number total lines } totalCount(atMost: 1) }
    } } }"""
    nodes = {node["name"]: node for node in (await ask(document))["customers"]["nodes"]}
    # The customers; for each of three lists whose rows, and the rows; two counts; whom the notes are about: known.
    assert len(sent) == 10
    assert [note["body"] for note in nodes["one"]["notes"]["nodes"]] == ["note 2", "note 1"]
    assert nodes["one"]["notes"]["totalCount"] == 3
    assert nodes["two"]["notes"]["nodes"] == [{"body": "only", "customer": {"name": "two"}}]
    assert nodes["none"]["notes"]["totalCount"] == 0
    assert nodes["one"]["interactions"]["nodes"] == [
        {"kind": "CALL", "amount": None, "externalId": {"system": "pos", "value": "7"}},
        {"kind": "PAYMENT", "amount": "1", "externalId": None},
    ]
    assert nodes["two"]["orders"] == {
        "nodes": [{"number": "A1", "total": "2.5", "lines": [{"sku": 1}]}],
        "totalCount": 1,
    }
    after = nodes["one"]["notes"]["pageInfo"]["endCursor"]
    rest = {node["name"]: node["notes"] for node in (await ask(document, after=after))["customers"]["nodes"]}
    assert [note["body"] for note in rest["one"]["nodes"]] == ["note 0"]
