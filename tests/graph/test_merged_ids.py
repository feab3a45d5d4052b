"""The ids of merged customers lead to the one who stayed, wherever a customer can be named (SM19)."""

import pytest

from db.tables.enums import SegmentKind
from graph.types.ids import id_encoder
from tests.support import factories

MERGE = """mutation ($into: ID!, $from: [ID!]!) {
  customerMerge(into: $into, from: $from) { customer { id mergedFrom } errors { code path } } }"""
FOUND = """query ($id: ID!, $match: CustomerFilter!, $but: CustomerFilter!, $segment: ID!) {
  customer(by: {id: $id}) { id }
  node(id: $id) { id }
  nodes(ids: [$id]) { id }
  is: customers(filter: $match) { totalCount nodes { id } }
  but: customers(filter: $but) { totalCount }
  segment(id: $segment) { contains(customers: [$id]) customerCount }
  changes(filter: {customer: {id: {eq: $id}}}) { nodes { action nodeId } } }"""
DONE = """mutation ($id: ID!, $target: CustomerTarget!, $except: CustomerTarget!, $segment: ID!) {
  customersUpdate(target: $target, input: {source: "Fair"}) { job { matched rows { nodes { outcome node { id } } } } }
  excepted: customersUpdate(target: $except, input: {source: "Web"}) { job { matched } errors { code } }
  customersUpsert(rows: [{by: {id: $id}, input: {nickname: "x"}}]) { job { rows { nodes { node { id } } } } }
  interactionsRecord(rows: [{customer: {id: $id}, input: {kind: CALL}}]) {
    job { rows { nodes { node { ... on Interaction { customer { id } } } } } } }
  noteCreate(customer: {id: $id}, input: {body: "Hello"}) { note { customer { id } } }
  segmentMembersChange(id: $segment, remove: {ids: [$id]}) { job { rows { nodes { outcome node { id } } } } } }"""


@pytest.fixture
async def chain(ask, save):
    """A was merged into B, and B into C."""
    rows = [factories.customer(name) for name in "ABC"]
    segment = factories.segment(kind=SegmentKind.STATIC)
    await save(*rows, factories.customer("Other"), segment)
    a, b, c = (id_encoder("Customer")(row.id) for row in rows)
    members = "mutation ($id: ID!, $a: ID!) { segmentMembersChange(id: $id, add: {ids: [$a]}) { errors { code } } }"
    segment_id = id_encoder("Segment")(segment.id)
    await ask(members, id=segment_id, a=a)
    for into, gone in ((b, a), (c, b)):
        answer = (await ask(MERGE, into=into, **{"from": [gone]}))["customerMerge"]
        assert answer["errors"] == []
    assert answer["customer"] == {"id": c, "mergedFrom": [a, b]}
    return a, b, c, segment_id


async def test_through_a_chain_in_every_read_and_every_write(ask, chain):
    """SM19: node, customer, filters by id and their opposites, targets, exceptIds, references, segments, the log."""
    *old, c, segment = chain
    one = {"id": c}
    for gone in old:
        asked = await ask(
            FOUND, id=gone, match={"id": {"eq": gone}}, but={"not": {"id": {"in": [gone]}}}, segment=segment
        )
        assert (asked["customer"], asked["node"], asked["nodes"]) == (one, one, [one])
        assert (asked["is"], asked["but"]) == ({"totalCount": 1, "nodes": [one]}, {"totalCount": 1})
        assert asked["segment"]["contains"] == [gone == old[0]]
        assert {"action": "MERGED", "nodeId": gone} in asked["changes"]["nodes"]
        done = await ask(
            DONE, id=gone, target={"ids": [c, *old]}, segment=segment,
            **{"except": {"match": {"filter": {"id": {"in": [c]}}, "exceptIds": [gone]}}},
        )  # fmt: skip
        (row,) = done["customersUpdate"]["job"]["rows"]["nodes"]
        assert row["node"] == one
        assert done["excepted"] == {"job": {"matched": 0}, "errors": []}
        assert done["customersUpsert"]["job"]["rows"]["nodes"] == [{"node": one}]
        assert done["interactionsRecord"]["job"]["rows"]["nodes"] == [{"node": {"customer": one}}]
        assert done["noteCreate"]["note"]["customer"] == one
        (row,) = done["segmentMembersChange"]["job"]["rows"]["nodes"]
        assert row == {"outcome": "UPDATED" if gone == old[0] else "SKIPPED", "node": one}


async def test_whoever_is_merged_already_is_the_one_who_stayed(ask, chain):
    """SM19: so he is not merged into himself, and comes along once however he is named."""
    a, b, c, _ = chain
    for into, gone in ((a, [c]), (c, [b]), (b, [a])):
        answer = (await ask(MERGE, into=into, **{"from": gone}))["customerMerge"]
        assert answer == {"customer": None, "errors": [{"code": "INVALID", "path": ["from", "0"]}]}
    (other,) = (await ask('{ customers(filter: {name: {eq: "Other"}}) { nodes { id } } }'))["customers"]["nodes"]
    answer = (await ask(MERGE, into=other["id"], **{"from": [a, b, c]}))["customerMerge"]
    assert answer == {"customer": {"id": other["id"], "mergedFrom": [a, b, c]}, "errors": []}
    by_old = "query ($id: ID!) { customers(filter: {id: {ne: $id}}) { totalCount } }"
    assert (await ask(by_old, id=a))["customers"]["totalCount"] == 0
