"""Merging over GraphQL, with everything that can hang on a customer (SM19): tried, done, and undone."""

import pytest

from db import tables
from db.tables.enums import CustomFieldType, Permission, SegmentKind, TagKind
from graph.types.ids import id_encoder
from tests.support import factories
from tests.support.bulk_calls import MERGE

CREATE = (
    "mutation ($input: CustomerInput!) { customerCreate(input: $input) { customer { id } errors { path message } } }"
)
WHOLE = """query ($id: ID!) { customer(by: {id: $id}) {
  id name nickname realName avatarUrl phones emails gender birthDate value address { line1 city country } source
  relationshipStatus subscriptionStatus stage followUpStage owner { name } company { name } wechatFriends { name }
  block { reason } tags { name kind } externalIds { system value } customFields { field { key } value }
  notes { nodes { body } } orders { nodes { source number } } interactions { nodes { kind } } segments { name }
  lastInteractionAt mergedFrom duplicates { customer { name } on } } }"""
UNDO = """mutation ($id: ID!, $options: BulkOptions) { jobUndo(id: $id, options: $options) {
  job { status counts { outcome count } rows { nodes { outcome changed { field before after } } } } } }"""


@pytest.fixture
def new(ask):
    async def made(name, **given):
        answer = (await ask(CREATE, input={"name": name, **given}))["customerCreate"]
        assert answer["errors"] == []
        return answer["customer"]["id"]

    return made


@pytest.fixture
async def three(ask, save, new):
    """One who has little, Two who has everything, and Three who is strict."""
    a, b = factories.agent("A"), factories.agent("B")
    size = factories.custom_field("size", CustomFieldType.SELECT, options=["S", "L"])
    flag = factories.custom_field("flag", CustomFieldType.BOOLEAN)
    many = factories.custom_field("likes", CustomFieldType.MULTI_SELECT, options=["x", "y"])
    lists = [factories.segment(name, kind=SegmentKind.STATIC) for name in ("Both", "Hers")]
    wecom = factories.tag("Wecom", kind=TagKind.WECOM)
    await save(a, b, size, flag, many, *lists, wecom, company := factories.company("Acme"))
    one = await new(
        "One", nickname="n1", phones=["+84901234567"], subscriptionStatus="SUBSCRIBED",
        externalIds=[{"system": "erp", "value": "1"}], customFields=[{"key": "likes", "value": ["x"]}],
        tags={"add": [{"name": "Gold"}]},
    )  # fmt: skip
    two = await new(
        "Two", nickname="n2", realName="r2", avatarUrl="https://x.co/a.png", gender="FEMALE", birthDate="1990-01-01",
        phones=["+84901234568", "+84901234567"], emails=["b@x.co"], value="12.5", source="Web",
        address={"line1": "1 Main", "city": "Huế", "country": "VN"}, relationshipStatus="VIP",
        subscriptionStatus="NOT_SUBSCRIBED", owner={"id": id_encoder("Agent")(a.id)}, followUpStage="Offer sent",
        company={"id": id_encoder("Company")(company.id)}, wechatFriends={"add": [{"id": id_encoder("Agent")(b.id)}]},
        tags={"add": [{"name": "Gold"}, {"name": "New"}, {"id": id_encoder("Tag")(wecom.id)}]},
        externalIds=[{"system": "erp", "value": "2"}, {"system": "shop", "value": "7"}],
        customFields=[{"key": "size", "value": "S"}, {"key": "flag", "value": False}, {"key": "likes", "value": ["y"]}],
    )  # fmt: skip
    three = await new(
        "Three", realName="r3", subscriptionStatus="UNSUBSCRIBED", owner={"id": id_encoder("Agent")(b.id)},
        customFields=[{"key": "size", "value": "L"}],
    )  # fmt: skip
    hanging = """mutation ($two: ID!, $three: ID!, $both: ID!, $hers: ID!, $one: ID!) {
      noteCreate(customer: {id: $two}, input: {body: "Likes tea"}) { errors { code } }
      interactionRecord(customer: {id: $three}, input: {kind: CALL}) { errors { code } }
      a: orderUpsert(customer: {id: $one}, input: {source: "shop", number: "1"}) { errors { code } }
      b: orderUpsert(customer: {id: $two}, input: {source: "shop", number: "2"}) { errors { code } }
      c: segmentMembersChange(id: $both, add: {ids: [$one, $two]}) { errors { code } }
      d: segmentMembersChange(id: $hers, add: {ids: [$two]}) { errors { code } }
      customersBlock(target: {ids: [$three]}, reason: "Fraud") { errors { code } } }"""
    both, hers = (id_encoder("Segment")(one.id) for one in lists)
    done = await ask(hanging, one=one, two=two, three=three, both=both, hers=hers)
    assert all(answer["errors"] == [] for answer in done.values())
    return one, two, three


async def test_all_comes_together_as_the_dry_run_says_and_apart_again(ask, three):
    """SM19: winners, unions, the strictest subscription, the highest relationship, empties filled (FEMALE too)."""
    one, two, strict = three
    before = [(await ask(WHOLE, id=each))["customer"] for each in three]
    given = {"into": one, "from": [two, strict], "take": [{"field": "realName", "from": strict}]}
    tried = (await ask(MERGE, **given, dryRun=True))["customerMerge"]
    assert (tried["job"], tried["customer"]["name"]) == (None, "One")
    assert [(await ask(WHOLE, id=each))["customer"] for each in three] == before
    done = (await ask(MERGE, **given))["customerMerge"]
    assert (done["changed"], done["errors"]) == (tried["changed"], [])
    whole = (await ask(WHOLE, id=two))["customer"]
    assert whole.pop("lastInteractionAt") == before[2]["lastInteractionAt"]
    assert whole == {
        "id": one, "name": "One", "nickname": "n1", "realName": "r3", "avatarUrl": "https://x.co/a.png",
        "phones": ["+84901234567", "+84901234568"], "emails": ["b@x.co"], "gender": "FEMALE",
        "birthDate": "1990-01-01", "value": "12.5", "source": "Web",
        "address": {"line1": "1 Main", "city": "Huế", "country": "VN"},
        "relationshipStatus": "VIP", "subscriptionStatus": "UNSUBSCRIBED", "stage": "FOLLOW_UP",
        "followUpStage": "Offer sent", "owner": {"name": "A"}, "company": {"name": "Acme"},
        "wechatFriends": [{"name": "B"}], "block": {"reason": "Fraud"},
        "tags": [{"name": "Gold", "kind": "BUSINESS"}, {"name": "New", "kind": "BUSINESS"},
                 {"name": "Wecom", "kind": "WECOM"}],
        "externalIds": [{"system": "erp", "value": "1"}, {"system": "erp", "value": "2"},
                        {"system": "shop", "value": "7"}],
        "customFields": [{"field": {"key": "size"}, "value": "S"}, {"field": {"key": "flag"}, "value": False},
                         {"field": {"key": "likes"}, "value": ["x"]}],
        "notes": {"nodes": [{"body": "Likes tea"}]}, "interactions": {"nodes": [{"kind": "CALL"}]},
        "orders": {"nodes": [{"source": "shop", "number": "2"}, {"source": "shop", "number": "1"}]},
        "segments": [{"name": "Both"}, {"name": "Hers"}], "mergedFrom": [two, strict], "duplicates": [],
    }  # fmt: skip
    found = await ask('{ customers(search: "tea") { nodes { id } } duplicates { totalCount } }')
    assert found == {"customers": {"nodes": [{"id": one}]}, "duplicates": {"totalCount": 0}}
    undone = [
        (await ask(UNDO, id=done["job"]["id"], options={"dryRun": dry}))["jobUndo"]["job"] for dry in (True, False)
    ]  # fmt: skip
    assert undone[0]["rows"] == undone[1]["rows"]
    assert undone[1]["counts"] == [{"outcome": "CREATED", "count": 2}, {"outcome": "UPDATED", "count": 1}]
    assert [(await ask(WHOLE, id=each))["customer"] for each in three] == before


async def test_the_log_tells_the_survivor_and_those_who_went(ask, three):
    """SM19: survivor UPDATED, others MERGED, in one transaction, with the job; MERGED ones lead to the survivor."""
    one, two, strict = three
    done = (await ask(MERGE, into=one, **{"from": [two, strict]}))["customerMerge"]
    log = """{ changes(filter: {actions: [UPDATED, MERGED], entities: ["Customer"]}) {
      nodes { action nodeId node { id } job { id } } } }"""
    lines = [line for line in (await ask(log))["changes"]["nodes"] if line["job"] == {"id": done["job"]["id"]}]
    assert [(line["action"], line["nodeId"], line["node"]) for line in lines] == [
        ("MERGED", two, {"id": one}), ("MERGED", strict, {"id": one}), ("UPDATED", one, {"id": one}),
    ]  # fmt: skip


async def test_what_is_refused_is_told_at_its_place_and_does_nothing(ask, save, new, someone):
    """SM19, MS2: ten in all, 150 tags of both kinds together, nobody archived or out of sight."""
    tags = [factories.tag(f"t{number}", kind=TagKind(number % 2)) for number in range(151)]
    agent = factories.agent()
    a, b, away = factories.customer("a"), factories.customer("b"), factories.customer("z", archived_at=1)
    mine = factories.customer("mine", owner_id=agent.id)
    await save(*tags, agent, a, b, away, mine)
    worn = [tables.CustomerTag(workspace_id=0, customer_id=a.id, tag_id=tag.id) for tag in tags[:100]]
    await save(*worn, *(tables.CustomerTag(workspace_id=0, customer_id=b.id, tag_id=tag.id) for tag in tags[90:]))
    into, gone, archived, own = (id_encoder("Customer")(row.id) for row in (a, b, away, mine))

    async def refused(into, from_, **given):
        answer = (await ask(MERGE, into=into, **{"from": from_}, **given))["customerMerge"]
        assert (answer["customer"], answer["changed"], answer["job"]) == (None, [], None)
        return [{name: one[name] for name in one if name != "message"} for one in answer["errors"]]

    assert await refused(into, [gone]) == [{"code": "LIMIT_EXCEEDED", "path": ["from"], "limit": 150, "current": 151}]
    eleven = [f"cus_{number:032x}" for number in range(10)]
    assert await refused(into, eleven) == [{"code": "LIMIT_EXCEEDED", "path": ["from"], "limit": 10, "current": 11}]
    assert await refused(into, [archived]) == [{"code": "CUSTOMER_ARCHIVED", "path": ["from", "0"]}]
    assert await refused(archived, [into]) == [{"code": "CUSTOMER_ARCHIVED", "path": ["into"]}]
    assert await refused(into, []) == [{"code": "EMPTY_TARGET", "path": ["from"]}]
    assert await refused(into, [own, into]) == [{"code": "INVALID", "path": ["from", "1"]}]
    take = [{"field": "name", "from": gone}]
    assert await refused(into, [own], take=take) == [{"code": "NOT_FOUND", "path": ["take", "0", "from"]}]
    viewer = someone(agent=agent, grant=(Permission.CUSTOMER_MERGE,))
    assert await refused(own, [gone], viewer=viewer) == [{"code": "NOT_FOUND", "path": ["from", "0"]}]
    assert (await ask("{ customers { totalCount } changes { nodes { id } } }")) == {
        "customers": {"totalCount": 3}, "changes": {"nodes": []},
    }  # fmt: skip
