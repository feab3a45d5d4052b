"""The feed of changes and a customer's timeline."""

import asyncio

import pytest

from db import tables
from db.tables.enums import CustomerStage
from db.values import ids
from tests.support import factories

FEED = """
query($after: String, $first: Int, $filter: ChangeFilter) {
  changes(after: $after, first: $first, filter: $filter) {
    nodes { id cursor action entity nodeId version requestId fields { field before after } actor { __typename } }
    pageInfo { endCursor hasNextPage hasPreviousPage startCursor }
  }
}
"""
CREATE = "mutation($name: String!) { customerCreate(input: {name: $name}) { customer { id } } }"
UPDATE = """
mutation($id: ID!, $input: CustomerInput!) {
  customerUpdate(by: {id: $id}, input: $input) { customer { id version } errors { code message } }
}
"""


async def _made(ask, name="An"):
    return (await ask(CREATE, name=name))["customerCreate"]["customer"]["id"]


async def test_a_change_tells_what_was_done_to_what(ask):
    customer = await _made(ask)
    await ask(UPDATE, id=customer, input={"name": "Bo", "nickname": "B"})
    (_, changed) = (await ask(FEED))["changes"]["nodes"]
    assert (changed["action"], changed["entity"], changed["nodeId"]) == ("UPDATED", "Customer", customer)
    assert (changed["version"], changed["requestId"]) == (2, "test")
    assert changed["fields"] == [
        {"field": "name", "before": "An", "after": "Bo"},
        {"field": "nickname", "before": None, "after": "B"},
    ]


async def test_the_feed_goes_on_from_its_cursor_and_an_empty_part_gives_it_back(ask):
    for number in range(5):
        await _made(ask, f"c{number}")
    seen, after = [], None
    while True:
        part = (await ask(FEED, first=2, after=after))["changes"]
        seen += part["nodes"]
        after = part["pageInfo"]["endCursor"]
        if not part["pageInfo"]["hasNextPage"]:
            break
    assert len(seen) == len({one["cursor"] for one in seen}) == 5
    end = (await ask(FEED, after=after))["changes"]
    assert (end["nodes"], end["pageInfo"]["endCursor"]) == ([], after)
    await _made(ask, "later")
    assert len((await ask(FEED, after=after))["changes"]["nodes"]) == 1


async def test_nothing_is_skipped_while_many_write_at_once(ask):
    """The order of the feed is the order of commits: who has read to a cursor never misses what commits later."""
    writers = [asyncio.create_task(_made(ask, f"c{number}")) for number in range(30)]
    seen, after = [], None
    while len(seen) < 30:
        part = (await ask(FEED, first=7, after=after))["changes"]
        seen += [one["nodeId"] for one in part["nodes"]]
        after = part["pageInfo"]["endCursor"]
        await asyncio.sleep(0)
    assert sorted(seen) == sorted([await one for one in writers])


@pytest.mark.parametrize(
    ("filter", "count"),
    [
        pytest.param({"actions": ["CREATED"]}, 2, id="action"),
        pytest.param({"entities": ["Tag"]}, 0, id="entity"),
        pytest.param({"fields": ["nickname"]}, 1, id="field"),
        pytest.param({"since": "2999-01-01T00:00:00Z"}, 0, id="since"),
        pytest.param({"excludeOwn": True}, 0, id="own ones left out"),
        pytest.param({"nodes": ["cus_00000000000000000000000000000000", "nonsense"]}, 0, id="nobody"),
    ],
)
async def test_it_can_be_narrowed(ask, filter, count):
    customer = await _made(ask)
    await _made(ask, "Bo")
    await ask(UPDATE, id=customer, input={"nickname": "B"})
    assert len((await ask(FEED, filter=filter))["changes"]["nodes"]) == count
    assert len((await ask(FEED, filter={"nodes": [customer]}))["changes"]["nodes"]) == 2


async def test_what_is_out_of_sight_is_not_in_it(ask, save, someone):
    agent = factories.agent()
    own, other = factories.customer(owner_id=agent.id), factories.customer()
    await save(agent, own, other, factories.note(own), factories.note(other))
    for customer in (own, other):
        wire = f"cus_{customer.id.hex()}"
        await ask(UPDATE, id=wire, input={"nickname": "N"})
        await ask('mutation($i: ID!) { noteCreate(customer: {id: $i}, input: {body: "x"}) { note { id } } }', i=wire)
    await ask('mutation { tagCreate(input: {name: "t"}) { tag { id } } }')
    mine = (await ask(FEED, viewer=someone(agent=agent)))["changes"]["nodes"]
    assert [one["entity"] for one in mine] == ["Customer", "Note", "Tag"]
    assert mine[0]["nodeId"] == f"cus_{own.id.hex()}"
    assert len((await ask(FEED))["changes"]["nodes"]) == 5


async def test_a_deletion_is_told_to_whom_could_see_it(ask, save, someone):
    agent = factories.agent()
    own, pooled = factories.customer(owner_id=agent.id), factories.customer(stage=CustomerStage.POOL)
    other = factories.customer()
    await save(agent, own, pooled, other)
    for customer in (own, pooled, other):
        await ask("mutation($i: ID!) { customerDelete(by: {id: $i}) { outcome } }", i=f"cus_{customer.id.hex()}")
    mine = (await ask(FEED, viewer=someone(agent=agent)))["changes"]["nodes"]
    assert [one["nodeId"] for one in mine] == [f"cus_{own.id.hex()}", f"cus_{pooled.id.hex()}"]
    assert [one["fields"] for one in mine] == [[], []]


async def test_a_change_is_found_by_its_id(ask):
    customer = await _made(ask)
    (made,) = (await ask(FEED))["changes"]["nodes"]
    found = await ask("query($i: ID!) { node(id: $i) { id ... on Change { node { id } } } }", i=made["id"])
    assert found["node"] == {"id": made["id"], "node": {"id": customer}}


TIMELINE = """
query($id: ID!, $first: Int, $after: String) {
  customer(by: {id: $id}) {
    timeline(first: $first, after: $after) {
      nodes { __typename ... on Note { body } ... on Change { action } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""


async def test_a_timeline_weaves_all_that_happened_newest_first(ask, save):
    """SM1."""
    customer = await _made(ask)
    row = tables.Customer(workspace_id=0, id=bytes.fromhex(customer[4:]), name="An", name_key="an")
    now = ids.current_time() + 1_000
    await save(
        factories.note(row, "first", id=ids.id_at(now), created_at=now),
        factories.interaction(row, occurred_at=now + 1),
        factories.order(row, placed_at=now + 2),
        factories.note(row, "last", id=ids.id_at(now + 3), created_at=now + 3),
    )
    seen, after = [], None
    while True:
        page = (await ask(TIMELINE, id=customer, first=2, after=after))["customer"]["timeline"]
        seen += [one["__typename"] for one in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == ["Note", "Order", "Interaction", "Note", "Change"]


async def test_timelines_of_many_customers_cost_as_many_statements_as_of_one(ask, sent):
    for number in range(3):
        await _made(ask, f"c{number}")
    sent.clear()
    await ask("{ customers { nodes { timeline(first: 5) { nodes { __typename } } } } }")
    assert len(sent) == 5


async def test_what_a_viewer_may_do_now_depends_on_him_and_on_the_customer(ask, save, someone):
    """SB8."""
    agent, home = factories.agent(), factories.department()
    own = factories.customer("own", owner_id=agent.id)
    waiting = factories.customer("waiting", department_id=home.id)
    pooled = factories.customer("pooled", stage=CustomerStage.POOL)
    away = factories.customer("away", owner_id=agent.id, archived_at=1)
    await save(home, agent, own, waiting, pooled, away, factories.block(waiting))
    ask_all = "{ customers(archived: INCLUDE) { nodes { name viewerCan } } }"
    viewer = someone(agent=agent, departments=(home,))
    mine = {one["name"]: one["viewerCan"] for one in (await ask(ask_all, viewer=viewer))["customers"]["nodes"]}
    assert mine == {
        "own": ["UPDATE", "CHANGE_STATUS", "RELEASE", "NOTE"],
        "waiting": ["UPDATE", "NOTE"],
        "pooled": ["CLAIM", "NOTE"],
        "away": [],
    }
    admin = {one["name"]: one["viewerCan"] for one in (await ask(ask_all))["customers"]["nodes"]}
    assert "ASSIGN" not in admin["waiting"]
    assert "UNBLOCK" in admin["waiting"]
    assert admin["away"] == ["UNARCHIVE", "DELETE", "EXPORT"]


ABOUT = """
mutation($id: ID!) {
  note: noteCreate(customer: {id: $id}, input: {body: "x"}) { note { id } }
  call: interactionRecord(customer: {id: $id}, input: {kind: CALL}) { interaction { id } }
  order: orderUpsert(customer: {id: $id}, input: {source: "shop", number: "1"}) { order { id } }
}
"""


async def _history(ask, filter, **more):
    nodes = (await ask(FEED, filter={"customer": filter}, first=250, **more))["changes"]["nodes"]
    return [(one["entity"], one["action"]) for one in nodes]


OWN = [("Customer", "CREATED"), ("Note", "CREATED"), ("Interaction", "CREATED"), ("Order", "CREATED")]


@pytest.mark.parametrize("few", [500, 0], ids=["looked up", "gone through"])
async def test_it_can_be_narrowed_to_customers_and_what_is_theirs(ask, monkeypatch, few):
    monkeypatch.setattr("db.queries.change_log.MAX_SCANNED_ROWS", few)
    an, bo = await _made(ask), await _made(ask, "Bo")
    made = await ask(ABOUT, id=an)
    await ask('mutation { tagCreate(input: {name: "t"}) { tag { id } } }')
    assert await _history(ask, {"id": {"eq": an}}) == OWN
    assert await _history(ask, {"name": {"eq": "Bo"}}) == [("Customer", "CREATED")]
    assert len(await _history(ask, {})) == 5
    note = made["note"]["note"]["id"]
    await ask('mutation($i: ID!) { noteUpdate(id: $i, input: {body: "y"}) { note { id } } }', i=note)
    await ask("mutation($i: ID!) { noteDelete(id: $i) { note { id } } }", i=note)
    await ask("mutation($i: [ID!]!) { customersArchive(target: {ids: $i}) { errors { code } } }", i=[an])
    later = [("Note", "UPDATED"), ("Note", "DELETED"), ("Customer", "UPDATED")]
    assert await _history(ask, {"id": {"eq": an}}) == OWN + later
    await ask("mutation($i: ID!) { customersUnarchive(target: {ids: [$i]}) { errors { code } } }", i=an)
    await ask("mutation($i: ID!, $f: [ID!]!) { customerMerge(into: $i, from: $f) { errors { code } } }", i=bo, f=[an])
    merged = [("Customer", "UPDATED"), ("Customer", "MERGED"), ("Customer", "UPDATED")]
    assert await _history(ask, {"id": {"eq": bo}}) == [
        OWN[0], OWN[0], *OWN[1:], *later, *merged
    ]  # fmt: skip


@pytest.mark.parametrize("few", [500, 0], ids=["looked up", "gone through"])
async def test_it_shows_only_customers_in_sight(ask, save, someone, monkeypatch, few):
    monkeypatch.setattr("db.queries.change_log.MAX_SCANNED_ROWS", few)
    agent = factories.agent()
    own, other = factories.customer(owner_id=agent.id), factories.customer()
    await save(agent, own, other)
    for number, customer in enumerate((own, other)):
        await ask(ABOUT.replace('number: "1"', f'number: "{number}"'), id=f"cus_{customer.id.hex()}")
    for filter in ({}, {"name": {"eq": own.name}}, {"id": {"in": [f"cus_{one.id.hex()}" for one in (own, other)]}}):
        assert await _history(ask, filter, viewer=someone(agent=agent)) == OWN[1:]
        assert len(await _history(ask, filter)) == 6
    assert await _history(ask, {"id": {"eq": f"cus_{other.id.hex()}"}}, viewer=someone(agent=agent)) == []


async def test_a_wrong_filter_of_customers_is_told_at_its_place(refused):
    error = await refused(FEED, filter={"customer": {"name": {"eq": None}}})
    assert (error["code"], error["argumentPath"][:2]) == ("BAD_USER_INPUT", ["filter", "customer"])


async def test_pages_of_one_customers_changes_are_the_whole(ask):
    customer = await _made(ask)
    for number in range(4):
        await _made(ask, f"c{number}")
        await ask(UPDATE, id=customer, input={"nickname": str(number)})
        await ask(ABOUT.replace('number: "1"', f'number: "{number}"'), id=customer)
    seen, after = [], None
    while True:
        filter = {"customer": {"id": {"eq": customer}}}
        part = (await ask(FEED, first=3, after=after, filter=filter))["changes"]
        seen += [one["cursor"] for one in part["nodes"]]
        after = part["pageInfo"]["endCursor"]
        if not part["pageInfo"]["hasNextPage"]:
            break
    assert len(seen) == len(set(seen)) == 17
