"""Undoing jobs over GraphQL where the world has moved on: what is kept is named, and nothing breaks."""

import pytest

from db.tables.enums import Role, SegmentKind
from graph.types.ids import id_encoder
from tests.support import factories
from tests.support.bulk_calls import JOB, MERGE, UPDATE, call, counts, ids_of, outcomes

ASSIGN = f"""mutation ($target: CustomerTarget!, $to: AssigneesInput!) {{
  customersAssign(target: $target, to: $to) {JOB} }}"""
UNDO = f"mutation ($id: ID!, $options: BulkOptions) {{ jobUndo(id: $id, options: $options) {JOB} }}"
WHO = """query ($id: ID!) { customer(by: {id: $id}) {
  version stage owner { name } previousOwner { name } department { name } relationshipStatus lastInteractionAt } }"""


@pytest.fixture
def job(ask):
    """The job of a call that is not refused."""

    async def called(document, **variables):
        (answer,) = (await ask(document, **variables)).values()
        assert answer["errors"] == []
        return answer["job"]

    return called


@pytest.fixture
def undo(ask):
    """The job that undid one, and before it a dry run, which told the same."""

    async def undone(job):
        jobs = [
            (await ask(UNDO, id=job["id"], options={"dryRun": dry}))["jobUndo"]["job"] for dry in (True, False)
        ]  # fmt: skip
        tried, done = ([{**row, "node": None} for row in one["rows"]["nodes"]] for one in jobs)
        assert (tried, jobs[0]["counts"]) == (done, jobs[1]["counts"])
        again = (await ask(UNDO, id=job["id"]))["jobUndo"]
        assert (again["job"], [one["code"] for one in again["errors"]]) == (None, ["NOT_UNDOABLE"])
        undone_again = (await ask(UNDO, id=jobs[1]["id"]))["jobUndo"]
        assert [one["code"] for one in undone_again["errors"]] == ["NOT_UNDOABLE"]
        return jobs[1]

    return undone


def conflicts(job):
    return [[(one["code"], one["__typename"]) for one in row["errors"]] for row in job["rows"]["nodes"]]


async def who(ask, row):
    return (await ask(WHO, id=id_encoder("Customer")(row.id)))["customer"]


async def test_nobody_goes_back_to_an_agent_who_is_not_active_any_more(ask, job, undo, save):
    """Kept with CONFLICT. Who is full by now gets back whom he had: nobody touched him since."""
    home, gone = factories.department(), factories.agent("Gone")
    full, new = factories.agent("Full", max_customers=1), factories.agent("New")
    await save(home, gone, full, new, factories.works_in(gone, home))
    a, b = factories.customer("a", owner_id=gone.id, department_id=home.id), factories.customer("b", owner_id=full.id)
    c = factories.customer("c", owner_id=new.id)
    await save(a, b, c)
    to = {"agents": [id_encoder("Agent")(new.id)]}
    assigned = await job(ASSIGN, target=ids_of(a, b), to=to)
    await job(ASSIGN, target=ids_of(c), to={"agents": [id_encoder("Agent")(full.id)]})
    after = """mutation ($agent: ID!, $department: ID!) { agentDeactivate(id: $agent) { errors { code } }
      departmentDelete(id: $department) { errors { code } } }"""
    done = await ask(after, agent=id_encoder("Agent")(gone.id), department=id_encoder("Department")(home.id))
    assert done == {"agentDeactivate": {"errors": []}, "departmentDelete": {"errors": []}}
    undone = await undo(assigned)
    assert counts(undone) == {"SKIPPED": 1, "UPDATED": 1}
    assert conflicts(undone) == [[("CONFLICT", "InputError")], []]
    assert [(await who(ask, row))["owner"]["name"] for row in (a, b)] == ["New", "Full"]


async def test_a_department_that_is_gone_stays_away(ask, job, undo, save):
    home, first, second = factories.department(), factories.agent("First"), factories.agent("Second")
    await save(home, first, second, factories.works_in(first, home))
    await save(a := factories.customer(owner_id=first.id, department_id=home.id))
    assigned = await job(ASSIGN, target=ids_of(a), to={"agents": [id_encoder("Agent")(second.id)]})
    await ask(
        "mutation ($id: ID!) { departmentDelete(id: $id) { errors { code } } }", id=id_encoder("Department")(home.id)
    )
    assert outcomes(await undo(assigned)) == ["UPDATED"]
    now = await who(ask, a)
    assert (now["owner"], now["previousOwner"], now["department"]) == ({"name": "First"}, None, None)


async def test_what_interactions_moved_goes_back_and_each_row_names_its_record(ask, job, undo, save):
    """VC6: the customer whom a payment made one is a LEAD again; he is the node of his row, tried and done."""
    await save(a := factories.customer())
    record = f"mutation ($rows: [InteractionRow!]!) {{ interactionsRecord(rows: $rows) {JOB} }}"
    rows = [{"customer": ids_of(a) and {"id": ids_of(a)["ids"][0]}, "input": {"kind": "PAYMENT", "outcome": "PAID"}}]
    recorded = await job(record, rows=rows)
    assert (await who(ask, a))["relationshipStatus"] == "CUSTOMER"
    tried = (await ask(UNDO, id=recorded["id"], options={"dryRun": True}))["jobUndo"]["job"]
    assert {row["node"]["id"][:4] for row in tried["rows"]["nodes"]} == {"int_", "cus_"}
    undone = await undo(recorded)
    assert counts(undone) == {"UPDATED": 1, "DELETED": 1}
    now = await who(ask, a)
    assert (now["relationshipStatus"], now["lastInteractionAt"]) == ("LEAD", None)


async def test_a_note_is_no_touch_and_a_change_is(ask, job, undo, save):
    """What nobody touched since is put back; a row that is kept shows the customer as it is."""
    await save(a := factories.customer("a"), b := factories.customer("b"))
    changed = await job(UPDATE, target=ids_of(a, b), input={"source": "Fair"})
    note = 'mutation ($id: ID!) { noteCreate(customer: {id: $id}, input: {body: "Hi"}) { errors { code } } }'
    await ask(note, id=id_encoder("Customer")(a.id))
    touch = 'mutation ($id: ID!) { customerUpdate(by: {id: $id}, input: {nickname: "x"}) { errors { code } } }'
    await ask(touch, id=id_encoder("Customer")(b.id))
    undone = await undo(changed)
    assert (outcomes(undone), conflicts(undone)) == (["UPDATED", "SKIPPED"], [[], [("CONFLICT", "ConflictError")]])


async def test_who_is_deleted_for_ever_cannot_be_put_back(ask, job, save):
    """Deletes are NOT_UNDOABLE, and of a merge nothing is left to undo where the one who stayed was deleted."""
    await save(a := factories.customer("a"), b := factories.customer("b"), c := factories.customer("c", stage=1))
    deleted = await job(call("customersDelete"), target=ids_of(c))
    refused = (await ask(UNDO, id=deleted["id"]))["jobUndo"]
    assert (refused["job"], [one["code"] for one in refused["errors"]]) == (None, ["NOT_UNDOABLE"])
    (into, gone) = ids_of(a, b)["ids"]
    merged = (await ask(MERGE, into=into, **{"from": [gone]}))["customerMerge"]["job"]
    await ask("mutation ($id: ID!) { customerDelete(by: {id: $id}) { errors { code } } }", id=gone)
    undone = (await ask(UNDO, id=merged["id"]))["jobUndo"]["job"]
    assert (undone["status"], undone["matched"], undone["rows"]["nodes"]) == ("DONE", 0, [])


async def test_whoever_was_merged_since_is_touched(ask, job, undo, save):
    """Kept with CONFLICT, and the one who stayed is left alone, though he happens to be at the same version."""
    a, b, c = factories.customer("a"), factories.customer("b"), factories.customer("c")
    await save(a, b, c, segment := factories.segment(kind=SegmentKind.STATIC))
    members = f"""mutation ($id: ID!, $add: CustomerTarget, $remove: CustomerTarget) {{
      segmentMembersChange(id: $id, add: $add, remove: $remove) {JOB} }}"""
    of = {"id": id_encoder("Segment")(segment.id)}
    await job(members, add=ids_of(c), **of)
    left = await job(members, remove=ids_of(c), **of)
    changed = await job(UPDATE, target=ids_of(b), input={"source": "Fair", "nickname": "b"})
    for gone in (b, c):
        await ask(MERGE, into=ids_of(a)["ids"][0], **{"from": ids_of(gone)["ids"]})
        undone = await undo(changed if gone is b else left)
        assert outcomes(undone) == ["SKIPPED"]
        assert conflicts(undone)[0][0][0] == "CONFLICT"
    node = "query ($id: ID!) { customer(by: {id: $id}) { nickname source segments { id } } }"
    now = (await ask(node, id=ids_of(a)["ids"][0]))["customer"]
    assert now == {"nickname": "b", "source": "Fair", "segments": []}


async def test_a_merge_comes_apart_all_or_none(ask, undo, save):
    """SM19: kept with CONFLICT where the one who stayed was touched, or an owner is not active any more."""
    await save(one := factories.agent(), two := factories.agent(role=Role.MANAGER))
    a, b = factories.customer("a", owner_id=one.id), factories.customer("b", owner_id=two.id)
    c, d = factories.customer("c"), factories.customer("d")
    await save(a, b, c, d)
    jobs = []
    for into, gone in ((a, b), (c, d)):
        given = {"into": ids_of(into)["ids"][0], "from": ids_of(gone)["ids"]}
        jobs.append((await ask(MERGE, **given))["customerMerge"]["job"])
    later = """mutation ($agent: ID!, $id: ID!) { agentDeactivate(id: $agent) { errors { code } }
      customerUpdate(by: {id: $id}, input: {nickname: "x"}) { errors { code } } }"""
    assert (await ask(later, agent=id_encoder("Agent")(two.id), id=ids_of(d)["ids"][0])) == {
        "agentDeactivate": {"errors": []}, "customerUpdate": {"errors": []},
    }  # fmt: skip
    first, second = [await undo(job) for job in jobs]
    assert (outcomes(first), conflicts(first)) == (["SKIPPED"] * 2, [[("CONFLICT", "InputError")]] * 2)
    assert (outcomes(second), conflicts(second)) == (["SKIPPED"] * 2, [[("CONFLICT", "ConflictError")]] * 2)
    assert (await ask("{ customers { totalCount } }"))["customers"]["totalCount"] == 2
