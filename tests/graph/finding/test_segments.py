"""Segments: members, counts and belonging, dynamic and static, nested, and never a part of themselves."""

from typing import Any

import pytest

from db import tables
from db.tables.enums import RelationshipStatus, SegmentKind
from db.values.ids import current_time
from graph.types.ids import id_encoder
from tests.support import factories

SEGMENT, CUSTOMER = id_encoder("Segment"), id_encoder("Customer")


def member(segment: tables.Segment, customer: tables.Customer) -> tables.SegmentMember:
    return tables.SegmentMember(workspace_id=0, segment_id=segment.id, customer_id=customer.id)


@pytest.fixture
async def world(save: Any) -> dict[str, Any]:
    vip = factories.customer("vip", relationship_status=RelationshipStatus.VIP)
    lead, gone = factories.customer("lead"), factories.customer("gone", archived_at=current_time())
    hand = factories.segment("By hand", kind=SegmentKind.STATIC)
    vips = factories.segment("VIPs", filter={"relationshipStatus": {"eq": "VIP"}})
    nested = factories.segment("Neither", filter={"segments": {"none": {"name": {"in": ["By hand", "VIPs"]}}}})
    await save(vip, lead, gone, hand, vips, nested)
    await save(member(hand, lead), member(hand, gone))
    return {"vip": vip, "lead": lead, "gone": gone, "hand": hand, "vips": vips, "nested": nested}


async def test_members_and_counts_of_all_segments_come_with_a_fixed_number_of_statements(ask, world, sent, save):
    document = """{ segments(sort: [{name: ASC}]) { nodes { name customerCount
        customers(first: 1) { totalCount nodes { name } pageInfo { hasNextPage } aggregate { count } } } } }"""
    sent.clear()
    nodes = (await ask(document))["segments"]["nodes"]
    assert [
        (one["name"], one["customerCount"], [each["name"] for each in one["customers"]["nodes"]]) for one in nodes
    ] == [
        ("By hand", 1, ["lead"]),
        ("Neither", 0, []),
        ("VIPs", 1, ["vip"]),
    ]
    without_totals = document.replace("aggregate { count }", "")
    sent.clear()
    await ask(without_totals)
    before = len(sent)
    await save(*(factories.segment(f"More {number}", filter={"name": {"eq": str(number)}}) for number in range(20)))
    sent.clear()
    assert len((await ask(without_totals))["segments"]["nodes"]) == 23
    assert len(sent) == before


async def test_a_customer_knows_his_segments_by_name_with_a_fixed_number_of_statements(ask, world, sent):
    document = "{ customers(archived: INCLUDE, sort: [{name: ASC}]) { nodes { name segments { name } } } }"
    sent.clear()
    nodes = {
        one["name"]: [each["name"] for each in one["segments"]] for one in (await ask(document))["customers"]["nodes"]
    }
    assert nodes == {"gone": [], "lead": ["By hand"], "vip": ["VIPs"]}
    assert len(sent) == 5


async def test_contains_answers_in_the_order_asked_also_for_strangers(ask, world):
    ids = [
        CUSTOMER(world["lead"].id),
        "cus_" + "0" * 32,
        CUSTOMER(world["vip"].id),
        "nonsense",
        CUSTOMER(world["gone"].id),
    ]
    answer = await ask(
        "query ($id: ID!, $ids: [ID!]!) { segment(id: $id) { contains(customers: $ids) } }",
        id=SEGMENT(world["hand"].id),
        ids=ids,
    )
    assert answer["segment"]["contains"] == [True, False, False, False, False]


async def test_a_list_can_be_narrowed_within_a_segment_and_by_segments(ask, world):
    """EM2, SM10."""
    within = await ask(
        'query ($id: ID!) { segment(id: $id) { customers(filter: {name: {contains: "le"}}) { nodes { name } } } }',
        id=SEGMENT(world["hand"].id),
    )
    assert within["segment"]["customers"]["nodes"] == [{"name": "lead"}]
    document = "query ($filter: CustomerFilter) { customers(filter: $filter) { nodes { name } } }"
    both = {"segments": {"includesAll": [SEGMENT(world["hand"].id), SEGMENT(world["vips"].id)]}}
    assert (await ask(document, filter=both))["customers"]["nodes"] == []
    unknown = {"segments": {"includesAll": ["seg_" + "0" * 32]}}
    assert (await ask(document, filter=unknown))["customers"]["nodes"] == []


async def test_a_segment_that_has_become_a_part_of_itself_is_refused(refused, save):
    """EM2, SM10."""
    one = factories.segment("One", filter={"segments": {"any": {"name": {"eq": "Two"}}}})
    two = factories.segment("Two", filter={"not": {"segments": {"includesAll": [SEGMENT(one.id)]}}})
    await save(one, two)
    error = await refused('{ customers(filter: {segments: {any: {name: {eq: "One"}}}}) { totalCount } }')
    assert error["reason"] == "SEGMENT_CYCLE"


async def test_a_stored_filter_reads_back_as_it_was_and_is_accepted_again(ask, save):
    filter_ = {"and": [{"value": {"gte": "10.5"}}, {"createdAt": {"last": "P30D"}}, {"stage": {"in": ["POOL", "NEW"]}}]}
    await save(factories.segment("Stored", filter=filter_))
    (stored,) = (await ask("{ segments { nodes { filter } } }"))["segments"]["nodes"]
    assert stored["filter"] == filter_
    await ask("query ($f: CustomerFilter) { customers(filter: $f) { totalCount } }", f=stored["filter"])
