"""One customer: archived and back, blocked, deleted; the order in which refusals are judged."""

import asyncio

from db.tables.enums import Permission
from db.values import ids
from db.values.wire_format import format_moment
from tests.support.rules_workspace import ALL, without


async def test_archived_refuses_every_write_but_four(house):
    """EM6, EM16, EM23: unarchive, delete, recording an interaction, archiving again."""
    customer = await house.customer(owner={"id": house.ids["seller"]})
    order = await house.does(
        "orderUpsert", "order { id }", customer={"id": customer}, input={"source": "s", "number": "archived"}
    )
    note = await house.does("noteCreate", "note { id }", customer={"id": customer}, input={"body": "x"})
    target = {"ids": [customer]}
    assert await house.bulk("customersArchive", target=target) == [("UPDATED",)]
    assert await house.bulk("customersArchive", target=target) == [("SKIPPED",)]
    refused = "CUSTOMER_ARCHIVED"
    by = {"id": customer}
    assert await house.refuses("customerUpdate", by=by, input={"name": ""}, ifVersion=1) == [(refused, "by")]
    assert await house.refuses("customerUpsert", by=by, input={"name": ""}) == [(refused, "by")]
    assert await house.refuses("noteCreate", customer=by, input={"body": ""}) == [(refused, "customer")]
    assert await house.refuses("noteUpdate", id=note["note"]["id"], input={"body": ""}) == [(refused, "id")]
    assert await house.refuses("noteDelete", id=note["note"]["id"]) == [(refused, "id")]
    given = {"source": "s", "number": "n"}
    assert await house.refuses("orderUpsert", customer=by, input=given) == [(refused, "customer")]
    assert await house.refuses("orderDelete", id=order["order"]["id"]) == [(refused, "id")]
    assert await house.refuses("customerMerge", into=customer, **{"from": [await house.customer()]}) == [
        (refused, "into")
    ]
    segment = await house.made("segmentCreate", "segment", name="S", kind="STATIC")
    calls = [
        ("customersUpdate", {"input": {"nickname": "x"}}),
        ("customersAssign", {"to": {"agents": [house.ids["loner"]]}}),
        ("customersRelease", {}),
        ("customersVerify", {"valid": True}),
        ("customersBlock", {"reason": "x"}),
        ("customersUnblock", {}),
    ]
    for mutation, more in calls:
        assert await house.bulk(mutation, target=target, **more) == [("FAILED", (refused, "target.ids.0"))], mutation
    assert await house.bulk("segmentMembersChange", id=segment, add=target) == [("FAILED", (refused, "add.ids.0"))]
    recorded = await house.does("interactionRecord", customer=by, input={"kind": "CALL"})
    assert recorded["errors"] == []
    assert await house.bulk("customersUnarchive", target=target) == [("UPDATED",)]
    assert await house.bulk("customersUnarchive", target=target) == [("SKIPPED",)]


async def test_what_is_archived_comes_back_as_it_was(house):
    """EM16-EM19: data, owner, tags, statuses; and it is in no list, count or capacity meanwhile."""
    seller = await house.agent("Busy", maxCustomers=1)
    customer = await house.customer(
        source="Archive", owner={"id": seller}, followUpStage="Offer sent", relationshipStatus="VIP",
        subscriptionStatus="SUBSCRIBED", tags={"add": [{"name": "archive"}]}, emails=["archive@x.example"],
    )  # fmt: skip
    before = await house.shown(customer, ALL)
    found = """query ($scope: ArchivedScope!, $agent: ID!) {
      customers(filter: {source: {eq: "Archive"}}, archived: $scope) { totalCount }
      tags(filter: {name: {eq: "archive"}}) { nodes { customerCount } }
      agent(id: $agent) { customerCount } }"""

    async def counts(scope):
        told = await house.ask(found, scope=scope, agent=seller)
        return [told["customers"]["totalCount"], told["tags"]["nodes"][0]["customerCount"],
                told["agent"]["customerCount"]]  # fmt: skip

    assert await counts("EXCLUDE") == [1, 1, 1]
    await house.bulk("customersArchive", target={"ids": [customer]})
    assert (await house.shown(customer, "allowedSubscriptionTransitions"))["allowedSubscriptionTransitions"] == []
    assert [await counts(one) for one in ("EXCLUDE", "ONLY", "INCLUDE")] == [[0, 0, 0], [1, 0, 0], [1, 0, 0]]
    assert (await house.customer("owner { id }", owner={"id": seller}))["owner"] == {"id": seller}
    await house.bulk("customersUnarchive", target={"ids": [customer]})
    after = await house.shown(customer, ALL)
    assert {**before, "version": 3} == after


async def test_a_deleted_customer_is_gone_with_all_that_was_its(house):
    """EM23, SB20: notes, interactions and orders too; of the log one line without content."""
    customer = await house.customer(externalIds=[{"system": "erp", "value": "deleted"}], phones=["0901234567"])
    note = await house.does("noteCreate", "note { id }", customer={"id": customer}, input={"body": "secret"})
    call = await house.does(
        "interactionRecord", "interaction { id }", customer={"id": customer}, input={"kind": "CALL"}
    )
    order = await house.does(
        "orderUpsert", "order { id }", customer={"id": customer}, input={"source": "s", "number": "deleted"}
    )
    await house.bulk("customersArchive", target={"ids": [customer]})
    done = await house.does("customerDelete", "customer { id name }", by={"id": customer})
    assert (done["outcome"], done["customer"]) == ("DELETED", {"id": customer, "name": "An"})
    gone = [customer, note["note"]["id"], call["interaction"]["id"], order["order"]["id"]]
    assert (await house.ask("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=gone))["nodes"] == [None] * 4
    (line,) = [one for one in await house.log() if one["nodeId"] in gone]
    assert (line["action"], line["entity"], line["nodeId"], line["fields"]) == ("DELETED", "Customer", customer, [])
    assert await house.refuses("customerDelete", by={"id": customer}) == [("NOT_FOUND", "by")]
    await house.customer(externalIds=[{"system": "erp", "value": "deleted"}])


async def test_errors_are_judged_in_their_order(house):
    """EM6, SB8, SB23: NOT_FOUND, FORBIDDEN, archived, blocked, then the rule."""
    foreign = await house.customer(owner={"id": house.ids["loner"]})
    pooled = await house.customer(owner={"id": house.ids["loner"]})
    await house.bulk("customersRelease", target={"ids": [pooled]})
    nobody = {"id": "cus_" + "0" * 32}
    bad = {"name": "", "owner": {"id": house.ids["seller"]}}
    for by in (nobody, {"id": foreign}, {"email": "nobody@x.example"}, {"id": "tag_" + "0" * 32}):
        assert await house.refuses("customerUpdate", "seller", by=by, input=bad) == [("NOT_FOUND", "by")]
    assert await house.refuses("customerUpdate", "seller", by={"id": pooled}, input=bad) == [("FORBIDDEN", "by")]
    await house.bulk("customersBlock", target={"ids": [pooled]}, reason="x")
    assert await house.refuses(
        "customerUpdate", "admin", by={"id": pooled}, input={"owner": {"id": house.ids["seller"]}}
    ) == [("CUSTOMER_BLOCKED", "input.owner")]
    await house.bulk("customersArchive", target={"ids": [pooled]})
    assert await house.refuses("customerUpdate", "seller", by={"id": pooled}, input=bad) == [("FORBIDDEN", "by")]
    assert await house.refuses("customerUpdate", "admin", by={"id": pooled}, input=bad) == [("CUSTOMER_ARCHIVED", "by")]


async def test_parts_that_are_not_permitted_come_before_archived_and_blocked(house):
    """EM6, MS4, SB8: tags, statuses and the owner each at its place; what is the same is no part."""
    customer = await house.customer(relationshipStatus="VIP")
    target, by = {"ids": [customer]}, {"id": customer}
    to = {"owner": {"id": house.ids["seller"]}}
    parts = {
        **to,
        "tags": {"add": [{"name": "parts"}]},
        "subscriptionStatus": "SUBSCRIBED",
        "relationshipStatus": "VIP",
    }
    weak = without(house.viewers["admin"], Permission.TAG_ASSIGN, Permission.STATUS_CHANGE, Permission.CUSTOMER_ASSIGN)
    forbidden = [("FORBIDDEN", "input.subscriptionStatus"), ("FORBIDDEN", "input.owner"), ("FORBIDDEN", "input.tags")]
    await house.bulk("customersBlock", target=target, reason="x")
    no_tags = {"by": by, "input": {**to, "tags": None}}
    assert await house.refuses("customerUpdate", "manager", **no_tags) == [
        ("FORBIDDEN", "input.tags"), ("CUSTOMER_BLOCKED", "input.owner"),
    ]  # fmt: skip
    assert await house.refuses("customerUpdate", weak, by=by, input=parts) == forbidden
    await house.bulk("customersArchive", target=target)
    assert await house.refuses("customerUpdate", weak, by=by, input=parts) == forbidden
    assert await house.bulk("customersUpdate", weak, target=target, input=parts) == [("FAILED", *forbidden)]
    assert await house.refuses("customerUpdate", "manager", **no_tags) == [("FORBIDDEN", "input.tags")]
    assert await house.refuses("customerUpdate", by=by, input=parts) == [("CUSTOMER_ARCHIVED", "by")]
    assert await house.refuses("customerUpdate", weak, by=by, input={"relationshipStatus": "VIP"}) == [
        ("CUSTOMER_ARCHIVED", "by")
    ]


async def test_a_block_stops_assigning_and_claiming_until_it_ends(house):
    """SB23: everything else goes on; an expired one reads as none."""
    customer = await house.customer(tags={"add": [{"name": "blocked"}]})
    target = {"ids": [customer]}
    assert await house.bulk("customersBlock", target=target, reason=" ") == [("BLANK", "reason")]
    assert await house.bulk("customersBlock", target=target, reason="x", until="2001-01-01T00:00:00Z") == [
        ("INVALID", "until")
    ]
    assert await house.bulk("customersBlock", target=target, reason="Rude") == [("UPDATED",)]
    assert await house.bulk("customersBlock", target=target, reason="Rude") == [("SKIPPED",)]
    shown = await house.shown(customer, "block { reason until by { ... on Agent { id } } } viewerCan")
    assert shown["block"] == {"reason": "Rude", "until": None, "by": {"id": house.ids["admin"]}}
    assert not {"ASSIGN", "CLAIM"} & set(shown["viewerCan"])
    to = {"agents": [house.ids["seller"]]}
    assert await house.bulk("customersAssign", target=target, to=to) == [
        ("FAILED", ("CUSTOMER_BLOCKED", "target.ids.0"))
    ]
    assert (await house.does("customerUpdate", by={"id": customer}, input={"nickname": "x"}))["errors"] == []
    soon = ids.current_time() + 20
    assert await house.bulk("customersBlock", target=target, reason="Rude", until=format_moment(soon)) == [("UPDATED",)]
    while ids.current_time() <= soon:
        await asyncio.sleep(0.01)
    assert (await house.shown(customer, "block { reason }"))["block"] is None
    assert await house.bulk("customersUnblock", target=target) == [("SKIPPED",)]
    assert await house.bulk("customersAssign", target=target, to=to) == [("UPDATED",)]
