"""Duplicates and merging over GraphQL."""

import pytest

from crm.access import permissions
from crm.access.permissions import Viewer
from db import tables
from db.tables.enums import ActorKind, Role
from db.values import ids
from graph.types.ids import id_encoder
from tests.support import factories
from tests.support.bulk_calls import MERGE

_wire = id_encoder("Customer")
GROUPS = """query ($on: [DuplicateKey!]!, $first: Int, $after: String) {
  duplicates(on: $on, first: $first, after: $after) {
    totalCount nodes { id on score customers { name } }
    edges { cursor } pageInfo { hasNextPage hasPreviousPage endCursor }
  }
}"""


@pytest.fixture
def pair(save):
    async def saved(number: int = 0, **values):
        one, two = factories.customer(f"A{number}", **values), factories.customer(f"B{number}", nickname=f"b{number}")
        phones = [factories.phone(row, f"+8490{number:07}") for row in (one, two)]
        texts = [tables.CustomerSearch(workspace_id=0, customer_id=row.id, text="") for row in (one, two)]
        await save(one, two, *phones, *texts)
        return one, two

    return saved


async def test_phones_are_what_duplicates_are_found_by_unless_said_otherwise(ask, pair):
    """SM19."""
    await pair()
    (group,) = (await ask("{ duplicates { nodes { id on score customers { name } } } }"))["duplicates"]["nodes"]
    assert (group["on"], group["score"]) == (["PHONE"], 0.9)
    assert [one["name"] for one in group["customers"]] == ["A0", "B0"]
    node = "query ($id: ID!) { node(id: $id) { id ... on DuplicateGroup { on customers { name } } } }"
    assert (await ask(node, id=group["id"]))["node"] == {
        "id": group["id"], "on": ["PHONE"], "customers": group["customers"],
    }  # fmt: skip


async def test_pages_by_their_cursors(ask, refused, pair):
    for number in range(3):
        await pair(number)
    first = (await ask(GROUPS, on=["PHONE", "EMAIL"], first=2))["duplicates"]
    assert first["totalCount"] == 3
    assert first["pageInfo"] == {
        "hasNextPage": True, "hasPreviousPage": False, "endCursor": first["edges"][-1]["cursor"],
    }  # fmt: skip
    rest = (await ask(GROUPS, on=["PHONE"], after=first["pageInfo"]["endCursor"]))["duplicates"]
    names = [[one["name"] for one in group["customers"]] for group in first["nodes"] + rest["nodes"]]
    assert names == [["A0", "B0"], ["A1", "B1"], ["A2", "B2"]]
    for cursor in ("nonsense", "W10", "WzksImEiXQ"):
        assert (await refused(GROUPS, on=["PHONE"], after=cursor))["reason"] == "BAD_CURSOR"


async def test_a_page_of_groups_takes_the_same_statements_however_many(ask, pair, sent):
    counts = []
    for number in range(1, 4):
        await pair(number)
        sent.clear()
        await ask(GROUPS, on=["PHONE"])
        counts.append(len(sent))
    assert len(set(counts)) == 1, counts
    assert counts[0] <= 6


async def test_a_page_of_customers_has_its_duplicates_in_three_more_statements(ask, pair, sent):
    query = "{ customers { nodes { id duplicates { on score customer { name } } } } }"
    await pair(1)
    sent.clear()
    await ask("{ customers { nodes { id } } }")
    alone = len(sent)
    for number in range(2, 6):
        await pair(number)
    sent.clear()
    nodes = (await ask(query))["customers"]["nodes"]
    assert len(sent) == alone + 3
    assert nodes[-1]["duplicates"] == [{"on": ["PHONE"], "score": 0.9, "customer": {"name": "B1"}}]


async def test_told_apart_they_are_not_suggested_any_more(ask, pair):
    """SM19."""
    one, two = await pair()
    dismiss = "mutation ($ids: [ID!]!) { duplicateDismiss(ids: $ids) { dismissed errors { code path } } }"
    wires = [_wire(one.id), _wire(two.id)]
    assert (await ask(dismiss, ids=wires))["duplicateDismiss"] == {"dismissed": 1, "errors": []}
    assert (await ask(dismiss, ids=wires))["duplicateDismiss"] == {"dismissed": 0, "errors": []}
    assert (await ask(GROUPS, on=["PHONE", "EMAIL", "NAME"]))["duplicates"]["nodes"] == []
    refused_ = (await ask(dismiss, ids=[]))["duplicateDismiss"]
    assert refused_ == {"dismissed": 0, "errors": [{"code": "EMPTY_TARGET", "path": ["ids"]}]}


async def test_a_merge_is_tried_done_and_undone(ask, pair, save):
    """SM19."""
    one, two = await pair()
    given = {"into": _wire(one.id), "from": [_wire(two.id)], "take": [{"field": "name", "from": _wire(two.id)}]}
    tried = (await ask(MERGE, **given, dryRun=True))["customerMerge"]
    assert (tried["job"], tried["errors"], tried["customer"]["name"]) == (None, [], "A0")
    done = (await ask(MERGE, **given))["customerMerge"]
    assert done["changed"] == tried["changed"]
    assert done["customer"] == {
        "id": _wire(one.id), "name": "B0", "nickname": "b0", "version": 2, "mergedFrom": [_wire(two.id)],
        "phones": ["+84900000000"],
    }  # fmt: skip
    job = done["job"]
    assert (job["kind"], job["status"], job["undoableUntil"] is not None) == ("MERGE", "DONE", True)
    assert [(row["row"], row["outcome"]) for row in job["rows"]["nodes"]] == [(0, "UPDATED"), (1, "MERGED")]
    old = "query ($id: ID!) { node(id: $id) { id } }"
    assert (await ask(old, id=_wire(two.id)))["node"] == {"id": _wire(one.id)}
    undo = "mutation ($id: ID!) { jobUndo(id: $id) { job { status counts { outcome count } } errors { code } } }"
    undone = (await ask(undo, id=job["id"]))["jobUndo"]
    assert (undone["job"]["status"], undone["errors"]) == ("DONE", [])
    assert (await ask(old, id=_wire(two.id)))["node"] == {"id": _wire(two.id)}
    assert (await ask("{ customers { nodes { name } } }"))["customers"]["nodes"] == [{"name": "B0"}, {"name": "A0"}]


async def test_refusals_are_in_the_payload(ask, pair):
    one, two = await pair()
    given = {"into": _wire(one.id), "from": [_wire(two.id)], "take": [{"field": "shoe", "from": _wire(two.id)}]}
    done = (await ask(MERGE, **given))["customerMerge"]
    assert (done["customer"], done["changed"], done["job"]) == (None, [], None)
    assert [(one["code"], one["path"]) for one in done["errors"]] == [("FIELD_UNKNOWN", ["take", "0", "field"])]


async def test_merging_and_telling_apart_need_the_permission(refused, pair, workspace_id):
    one, two = await pair()
    agent = Viewer(workspace_id, ActorKind.AGENT, ids.new_id(), permissions.ROLE_PERMISSIONS[Role.AGENT])
    wires = {"into": _wire(one.id), "from": [_wire(two.id)]}
    assert (await refused(MERGE, viewer=agent, **wires))["code"] == "FORBIDDEN"
    dismiss = "mutation ($ids: [ID!]!) { duplicateDismiss(ids: $ids) { dismissed } }"
    assert (await refused(dismiss, viewer=agent, ids=[]))["code"] == "FORBIDDEN"
