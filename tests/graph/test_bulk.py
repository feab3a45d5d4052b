"""Many customers at once over GraphQL: targets, outcomes, rows, dry runs, undo, and jobs behind the answer."""

import asyncio

import pytest

from crm.jobs import worker
from db import tables
from db.tables.enums import CustomerStage, Role, SegmentKind
from db.values import ids
from graph.types.ids import id_encoder
from tests.support import factories
from tests.support.bulk_calls import JOB, UPDATE, call, codes, counts, ids_of, outcomes


@pytest.fixture
def work(database):
    """Lets a worker do all that waits."""

    async def done():
        while await worker.run_next_job(database, "test", asyncio.Event()):
            pass

    return done


async def test_customers_are_changed_alike_and_told_row_by_row(bulk, save):
    """EM5, SB17, SM21, VC3, VC13: duplicate ids count once, unknown ones are FAILED rows NOT_FOUND."""
    await save(a := factories.customer("a"), b := factories.customer("b"), c := factories.customer("c", archived_at=1))
    gone = "cus_" + "0" * 32
    target = {"ids": [*ids_of(a, b, c, a)["ids"], gone, "nonsense"]}
    job = await bulk(UPDATE, target=target, input={"city": "x"} and {"source": "Fair"})
    assert (job["status"], job["matched"], job["processed"], job["progress"]) == ("DONE_WITH_ERRORS", 5, 5, 1.0)
    assert counts(job) == {"UPDATED": 2, "FAILED": 3}
    assert outcomes(job) == ["UPDATED", "UPDATED", "FAILED", "FAILED", "FAILED"]
    assert codes(job) == [[], [], ["CUSTOMER_ARCHIVED"], ["NOT_FOUND"], ["NOT_FOUND"]]
    rows = job["rows"]["nodes"]
    assert rows[0]["changed"] == [{"field": "source", "before": None, "after": "Fair"}]
    assert [row["node"] and row["node"]["id"] for row in rows][:3] == ids_of(a, b, c)["ids"]
    assert rows[4]["errors"][0]["path"] == ["target", "ids", "5"]
    assert rows[3]["errors"][0]["row"] == 3


@pytest.mark.parametrize(
    "match",
    [
        {},
        {"filter": {}},
        {"filter": {"and": []}},
        {"filter": {"not": {"or": []}}},
        {"filter": {"or": [{}, {"name": {"eq": "x"}}]}},
        {"filter": {"and": [{"not": {"not": {"and": [{}]}}}]}},
        {"filter": {"name": {"notIn": []}}},
        {"filter": {"name": {"contains": ""}}},
        {"filter": {"id": {"notIn": []}}},
        {"filter": {"name": {}}},
        {"filter": {"tags": {}}},
        {"filter": {"tags": {"includesAll": []}}},
        {"filter": {"tags": {"count": {"gte": 0}}}},
        {"filter": {"customFields": []}},
        {"filter": {"owner": {}}},
        {"filter": {"company": {"or": [{"isNull": True}, {"isNull": False}]}}},
        {"filter": {"tags": {"none": {"and": [{"name": {"eq": "x"}}, {"not": {"name": {"eq": "x"}}}]}}}},
        {"filter": {"or": [{"source": {"eq": "x"}}, {"not": {"source": {"eq": "x"}}}]}},
        {"search": "  "},
        {"search": ""},
        {"exceptIds": ["cus_" + "1" * 32]},
        {"archived": "INCLUDE"},
    ],
    ids=str,
)
async def test_a_match_that_leaves_nobody_out_is_refused(bulk, save, match):
    """EM5: UNBOUNDED_TARGET."""
    await save(factories.customer())
    assert await bulk(call("customersArchive"), target={"match": match}) == [("UNBOUNDED_TARGET", "target.match")]


async def test_everyone_is_meant_when_it_is_said(bulk, save):
    """EM5, EM16."""
    await save(a := factories.customer("a"), b := factories.customer("b"), c := factories.customer("c"))
    match = {"everyone": True, "exceptIds": ids_of(b)["ids"], "expectedCount": 2}
    job = await bulk(call("customersArchive"), target={"match": match})
    assert [row["node"]["id"] for row in job["rows"]["nodes"]] == ids_of(c, a)["ids"]
    again = await bulk(call("customersUnarchive"), target={"match": {"archived": "ONLY"}})
    assert counts(again) == {"UPDATED": 2}


async def test_another_number_than_expected_does_nothing(bulk, save, ask):
    """EM5: COUNT_MISMATCH."""
    await save(factories.customer("a"))
    match = {"filter": {"name": {"eq": "a"}}, "expectedCount": 2}
    assert await bulk(call("customersArchive"), target={"match": match}) == [
        ("COUNT_MISMATCH", "target.match.expectedCount")
    ]
    assert (await ask("{ jobs { totalCount } }"))["jobs"] == {"totalCount": 0}


async def test_no_ids_are_no_target_but_a_match_may_find_nobody(bulk):
    """EM5: EMPTY_TARGET."""
    assert await bulk(call("customersArchive"), target={"ids": []}) == [("EMPTY_TARGET", "target.ids")]
    job = await bulk(call("customersArchive"), target={"match": {"search": "nobody"}})
    assert (job["status"], job["matched"], job["progress"]) == ("DONE", 0, 1.0)


async def test_a_wrong_filter_is_told_at_its_place(bulk):
    match = {"filter": {"customFields": [{"key": "nope", "is": {"text": {"eq": "x"}}}]}}
    (found,) = await bulk(call("customersArchive"), target={"match": match})
    assert found == ("FIELD_UNKNOWN", "target.match.filter.customFields.0.key")


async def test_a_dry_run_tells_the_same_and_writes_nothing(bulk, save, ask):
    await save(
        a := factories.customer("a"),
        b := factories.customer("b", source="Fair"),
        c := factories.customer("c", archived_at=1),
    )
    arguments = {"target": ids_of(a, b, c), "input": {"source": "Fair"}}
    dry = await bulk(UPDATE, **arguments, options={"dryRun": True})
    assert (await ask("{ customers { nodes { source } } }"))["customers"]["nodes"] == [
        {"source": "Fair"}, {"source": None}
    ]  # fmt: skip
    real = await bulk(UPDATE, **arguments)
    assert dry["rows"] == real["rows"]
    assert counts(dry) == counts(real) == {"UPDATED": 1, "UNCHANGED": 1, "FAILED": 1}
    assert dry["undoableUntil"] is None


async def test_all_or_nothing(bulk, save, ask):
    """EM5: ABORT."""
    await save(a := factories.customer("a"), b := factories.customer("b", archived_at=1), c := factories.customer("c"))
    job = await bulk(UPDATE, target=ids_of(a, b, c), input={"source": "Fair"}, options={"onError": "ABORT"})
    assert (job["status"], outcomes(job)) == ("FAILED", ["SKIPPED", "FAILED", "SKIPPED"])
    assert codes(job) == [[], ["CUSTOMER_ARCHIVED"], []]
    assert {one["source"] for one in (await ask("{ customers { nodes { source } } }"))["customers"]["nodes"]} == {None}
    assert (await ask("{ changes { nodes { id } } }"))["changes"]["nodes"] == []


async def test_more_than_200_run_behind_the_answer(bulk, save, ask, work, viewer):
    """EM5: a durable job."""
    await save(factories.agent(id=viewer.actor_id, role=Role.ADMIN))
    await save(*(factories.customer(f"c{number}", source="Fair") for number in range(450)))
    match = {"filter": {"source": {"eq": "Fair"}}, "expectedCount": 450}
    job = await bulk(UPDATE, target={"match": match}, input={"source": "Shop"})
    assert (job["status"], job["matched"], job["processed"], job["canCancel"]) == ("QUEUED", 450, 0, True)
    await work()
    document = f"query ($id: ID!) {{ job(id: $id) {JOB.split('{ job ', 1)[1].rsplit('errors', 1)[0]} }}"
    done = (await ask(document, id=job["id"]))["job"]
    assert (done["status"], done["processed"], counts(done)) == ("DONE", 450, {"UPDATED": 450})
    assert done["rows"]["totalCount"] == 450
    names = await ask(
        "query ($id: ID!) { job(id: $id) { rows(first: 3) { nodes { node { ... on Customer { name } } } } } }",
        id=job["id"],
    )
    assert [row["node"]["name"] for row in names["job"]["rows"]["nodes"]] == ["c449", "c448", "c447"]


async def test_rows_come_in_pages(bulk, save, ask):
    await save(*(made := [factories.customer(f"c{n}", archived_at=1 if n % 2 else None) for n in range(7)]))
    job = await bulk(call("customersArchive"), target=ids_of(*made))
    document = """query ($id: ID!, $after: String, $outcome: [Outcome!]) { job(id: $id) {
      rows(first: 2, after: $after, outcome: $outcome) { totalCount nodes { row }
        pageInfo { hasNextPage endCursor } } } }"""
    seen, after, more = [], None, True
    while more:
        page = (await ask(document, id=job["id"], after=after))["job"]["rows"]
        seen += [row["row"] for row in page["nodes"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert seen == list(range(7))
    skipped = (await ask(document, id=job["id"], outcome=["SKIPPED"]))["job"]["rows"]
    assert (skipped["totalCount"], [row["row"] for row in skipped["nodes"]]) == (3, [1, 3])


async def test_seven_over_three_is_three_two_two(bulk, save):
    """SB18, SB19: evenly by turns."""
    agents = [factories.agent(name) for name in "abc"]
    await save(*agents, *(made := [factories.customer(f"c{number}") for number in range(7)]))
    named = ", ".join(f'"{id_encoder("Agent")(one.id)}"' for one in agents)
    to = f"{{agents: [{named}]}}"
    job = await bulk(call("customersAssign", f", to: {to}"), target=ids_of(*made))
    assert [(one["agent"]["name"], one["count"]) for one in job["perAgent"]] == [("a", 3), ("b", 2), ("c", 2)]
    again = await bulk(call("customersAssign", f", to: {to}"), target=ids_of(*made))
    assert counts(again) == {"SKIPPED": 7}


async def test_full_agents_are_passed_over_and_the_rest_is_refused(bulk, save):
    """SB18, SB19: AGENT_AT_CAPACITY."""
    a, b = factories.agent("a", max_customers=1), factories.agent("b", max_customers=2)
    await save(a, b, *(made := [factories.customer(f"c{number}") for number in range(5)]))
    to = f'{{agents: ["{id_encoder("Agent")(a.id)}", "{id_encoder("Agent")(b.id)}"]}}'
    job = await bulk(call("customersAssign", f", to: {to}"), target=ids_of(*made))
    assert outcomes(job) == ["UPDATED"] * 3 + ["FAILED"] * 2
    assert codes(job)[3:] == [["AGENT_AT_CAPACITY"]] * 2


async def test_inactive_and_unknown_agents_are_refused_without_a_job(bulk, save):
    """SB18: AGENT_INACTIVE, and no job."""
    await save(off := factories.agent(active=False), customer := factories.customer())
    for one, code in ((id_encoder("Agent")(off.id), "AGENT_INACTIVE"), ("agt_" + "0" * 32, "NOT_FOUND")):
        document = call("customersAssign", f', to: {{agents: ["{one}"]}}')
        assert await bulk(document, target=ids_of(customer)) == [(code, "to.agents.0")]


async def test_release_verify_block_and_claim(bulk, save, viewer):
    """SB2, SB21, SB22, SB23."""
    await save(
        agent := factories.agent("me", id=viewer.actor_id), new := factories.customer("n", stage=CustomerStage.NEW)
    )
    await save(own := factories.customer("o", owner_id=agent.id))
    job = await bulk(call("customersVerify", ", valid: true"), target=ids_of(new, own))
    assert outcomes(job) == ["UPDATED", "FAILED"]
    assert outcomes(await bulk(call("customersRelease"), target=ids_of(own, new))) == ["UPDATED", "FAILED"]
    assert outcomes(await bulk(call("customersBlock", ', reason: "Rude"'), target=ids_of(own))) == ["UPDATED"]
    assert codes(await bulk(call("customersClaim"), target=ids_of(own))) == [["CUSTOMER_BLOCKED"]]
    assert outcomes(await bulk(call("customersUnblock"), target=ids_of(own, new))) == ["UPDATED", "SKIPPED"]
    assert outcomes(await bulk(call("customersClaim"), target=ids_of(own))) == ["UPDATED"]
    assert outcomes(await bulk(call("customersClaim"), target=ids_of(own))) == ["SKIPPED"]


async def test_bulk_deletes_obey_the_workspace(bulk, save):
    """EM23, SB20, SB21: BULK_DELETE_NOT_ALLOWED."""
    await save(
        agent := factories.agent(), a := factories.customer("a"), b := factories.customer("b", owner_id=agent.id)
    )
    dry = await bulk(call("customersDelete"), target=ids_of(a, b), options={"dryRun": True})
    job = await bulk(call("customersDelete"), target=ids_of(a, b))
    assert outcomes(job) == outcomes(dry) == ["DELETED", "FAILED"]
    assert codes(job)[1] == ["BULK_DELETE_NOT_ALLOWED"]
    assert job["undoableUntil"] is None


UPSERT = f"""mutation ($rows: [CustomerRow!]!, $options: BulkOptions) {{
  customersUpsert(rows: $rows, options: $options) {JOB} }}"""


async def test_rows_are_made_and_changed_each_for_itself(bulk, save, ask):
    await save(a := factories.customer("a"))
    rows = [
        {"input": {"name": "new"}},
        {"by": ids_of(a)["ids"] and {"id": ids_of(a)["ids"][0]}, "input": {"source": "Fair"}},
        {"by": {"email": "x@y.example"}, "input": {"name": "x"}},
        {"by": {"email": "X@Y.example"}, "input": {"source": "Shop"}},
        {"by": {"externalId": {"system": "erp", "value": "1"}}, "input": {"name": "erp"}},
        {"by": {"id": "cus_" + "0" * 32}, "input": {"name": "nobody"}},
        {"input": {"name": ""}},
    ]
    dry = await bulk(UPSERT, rows=rows, options={"dryRun": True})
    job = await bulk(UPSERT, rows=rows)
    wanted = ["CREATED", "UPDATED", "CREATED", "UPDATED", "CREATED", "FAILED", "FAILED"]
    assert outcomes(job) == wanted
    assert outcomes(dry) == wanted
    assert [row["changed"] for row in job["rows"]["nodes"]] == [row["changed"] for row in dry["rows"]["nodes"]]
    assert job["rows"]["nodes"][6]["errors"][0]["path"] == ["rows", "6", "input", "name"]
    found = (await ask('{ customer(by: {email: "x@y.example"}) { name source } }'))["customer"]
    assert found == {"name": "x", "source": "Shop"}


UNDO = f"mutation ($id: ID!, $options: BulkOptions) {{ jobUndo(id: $id, options: $options) {JOB} }}"


async def test_undo_puts_back_what_nobody_touched(bulk, save, ask):
    await save(a := factories.customer("a", source="Fair"), b := factories.customer("b"), tag := factories.tag("gold"))
    await save(factories.phone(a, "+84901234567"))
    given = {
        "source": "Shop",
        "phones": ["+84901234568"],
        "tags": {"add": [{"id": id_encoder("Tag")(tag.id)}]},
        "value": "5",
    }
    job = await bulk(UPDATE, target=ids_of(a, b), input=given)
    await bulk(UPDATE, target=ids_of(b), input={"city": None} and {"channel": "Zalo"})
    dry = await bulk(UNDO, id=job["id"], options={"dryRun": True})
    undo = await bulk(UNDO, id=job["id"])
    assert outcomes(undo) == outcomes(dry) == ["UPDATED", "SKIPPED"]
    assert undo["rows"]["nodes"][1]["errors"][0] | {"message": 0} == {
        "__typename": "ConflictError", "code": "CONFLICT", "path": ["id"], "row": 1, "message": 0
    }  # fmt: skip
    query = "query ($by: CustomerRef!) { customer(by: $by) { source phones value tags { name } } }"
    found = (await ask(query, by={"id": ids_of(a)["ids"][0]}))["customer"]
    assert found == {"source": "Fair", "phones": ["+84901234567"], "value": "0", "tags": []}
    assert await bulk(UNDO, id=job["id"]) == [("NOT_UNDOABLE", "id")]
    assert await bulk(UNDO, id=undo["id"]) == [("NOT_UNDOABLE", "id")]


async def test_undo_deletes_who_was_made(bulk, ask):
    job = await bulk(UPSERT, rows=[{"input": {"name": "a"}}, {"input": {"name": "b"}}])
    undo = await bulk(UNDO, id=job["id"])
    assert outcomes(undo) == ["DELETED", "DELETED"]
    assert (await ask("{ customers { totalCount } }"))["customers"]["totalCount"] == 0


async def test_failed_rows_are_tried_again(bulk, save, ask):
    await save(a := factories.customer("a"), b := factories.customer("b", archived_at=1))
    job = await bulk(UPDATE, target=ids_of(a, b), input={"source": "Fair"})
    await bulk(call("customersUnarchive"), target=ids_of(b))
    again = await bulk(f"mutation ($id: ID!) {{ jobRetry(id: $id) {JOB} }}", id=job["id"])
    assert (again["kind"], outcomes(again), again["rows"]["nodes"][0]["row"]) == ("RETRY", ["UPDATED"], 1)


async def test_a_waiting_job_is_cancelled_at_once(bulk, save, work):
    await save(*(factories.customer(f"c{number}") for number in range(201)))
    job = await bulk(call("customersArchive"), target={"match": {"everyone": True}})
    cancelled = await bulk(f"mutation ($id: ID!) {{ jobCancel(id: $id) {JOB} }}", id=job["id"])
    assert (cancelled["status"], cancelled["canCancel"]) == ("CANCELLED", False)
    await work()
    assert cancelled["processed"] == 0


async def test_interactions_are_recorded_with_many(bulk, save, ask):
    """SB16, SM1, VC5."""
    await save(a := factories.customer("a"), b := factories.customer("b", archived_at=1))
    document = f"mutation ($rows: [InteractionRow!]!) {{ interactionsRecord(rows: $rows) {JOB} }}"
    one = {"kind": "PAYMENT", "outcome": "PAID", "externalId": {"system": "pos", "value": "1"}}
    by = [{"id": id_encoder("Customer")(row.id)} for row in (a, b)]
    rows = [
        {"customer": by[0], "input": one},
        {"customer": by[0], "input": one},
        {"customer": by[1], "input": {"kind": "CALL"}},
        {"customer": {"email": "nobody@x.example"}, "input": {"kind": "CALL"}},
    ]
    job = await bulk(document, rows=rows)
    assert outcomes(job) == ["CREATED", "SKIPPED", "CREATED", "FAILED"]
    found = await ask("query ($by: CustomerRef!) { customer(by: $by) { relationshipStatus } }", by=by[0])
    assert found["customer"]["relationshipStatus"] == "CUSTOMER"
    undo = await bulk(UNDO, id=job["id"])
    assert counts(undo)["DELETED"] == 2
    found = await ask("query ($by: CustomerRef!) { customer(by: $by) { relationshipStatus } }", by=by[0])
    assert found["customer"]["relationshipStatus"] == "LEAD"


async def test_members_come_and_go(bulk, save, ask):
    """EM1, EM2."""
    segment = factories.segment("Regulars", kind=SegmentKind.STATIC)
    await save(segment, a := factories.customer("a"), b := factories.customer("b"))
    await save(tables.SegmentMember(workspace_id=0, segment_id=segment.id, customer_id=b.id))
    document = f"""mutation ($id: ID!, $add: CustomerTarget, $remove: CustomerTarget) {{
      segmentMembersChange(id: $id, add: $add, remove: $remove) {JOB} }}"""
    job = await bulk(document, id=id_encoder("Segment")(segment.id), add=ids_of(a, b), remove=ids_of(b))
    assert outcomes(job) == ["UPDATED", "SKIPPED", "UPDATED"]
    names = "query ($id: ID!) { segment(id: $id) { customers { nodes { name } } } }"
    assert (await ask(names, id=id_encoder("Segment")(segment.id)))["segment"]["customers"]["nodes"] == [{"name": "a"}]
    assert counts(await bulk(UNDO, id=job["id"])) == {"UPDATED": 2}
    assert (await ask(names, id=id_encoder("Segment")(segment.id)))["segment"]["customers"]["nodes"] == [{"name": "b"}]
    assert ids


MEMBERS = f"""mutation ($id: ID!, $add: CustomerTarget, $remove: CustomerTarget) {{
  segmentMembersChange(id: $id, add: $add, remove: $remove) {JOB} }}"""


async def test_what_is_wrong_with_members_is_told_where_it_stands(bulk, save):
    segment = factories.segment("Regulars", kind=SegmentKind.STATIC)
    await save(segment, a := factories.customer("a"), b := factories.customer("b", archived_at=1))
    nobody = "cus_" + "0" * 32
    coming = {"ids": [*ids_of(a)["ids"], nobody]}
    going = {"ids": ["nonsense", *ids_of(b)["ids"]]}
    job = await bulk(MEMBERS, id=id_encoder("Segment")(segment.id), add=coming, remove=going)
    told = [[(error["code"], error["path"]) for error in row["errors"]] for row in job["rows"]["nodes"]]
    assert told == [
        [],
        [("NOT_FOUND", ["add", "ids", "1"])],
        [("NOT_FOUND", ["remove", "ids", "0"])],
        [("CUSTOMER_ARCHIVED", ["remove", "ids", "1"])],
    ]
    assert "nonsense" in job["rows"]["nodes"][2]["errors"][0]["message"]


async def test_who_comes_in_and_goes_out_at_once_is_no_hindrance_to_an_undo(bulk, save):
    segment = factories.segment("Regulars", kind=SegmentKind.STATIC)
    await save(segment, a := factories.customer("a"), b := factories.customer("b"))
    job = await bulk(MEMBERS, id=id_encoder("Segment")(segment.id), add=ids_of(a, b), remove=ids_of(a))
    assert counts(await bulk(UNDO, id=job["id"])) == {"UPDATED": 1, "UNCHANGED": 1}
