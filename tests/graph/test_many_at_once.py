"""Many at once over GraphQL, rule by rule: whom a row names, what refuses the whole and what one row."""

from crm.jobs import submit
from db.tables.enums import Role
from graph.types.ids import id_encoder
from tests.support import factories
from tests.support.bulk_calls import JOB, UPDATE, codes, counts, ids_of, outcomes

ROWS = f"""mutation ($rows: [CustomerRow!]!, $options: BulkOptions) {{
  customersUpsert(rows: $rows, options: $options) {JOB} }}"""


async def test_a_row_finds_by_its_address_whom_a_row_before_it_made(bulk, ask):
    """SM17, EM5: rows apply in their order, also where the first one names nobody."""
    rows = [
        {"input": {"name": "An", "emails": ["AN@x.co", "a@x.co"]}},
        {"by": {"email": "an@x.co"}, "input": {"nickname": "first"}},
        {"by": {"email": "b@x.co"}, "input": {"name": "Bo"}},
        {"by": {"email": "B@x.co"}, "input": {"nickname": "second"}},
        {"by": {"email": "a@x.co"}, "input": {"nickname": "third"}},
    ]
    expected = ["CREATED", "UPDATED", "CREATED", "UPDATED", "UPDATED"]
    assert outcomes(await bulk(ROWS, rows=rows, options={"dryRun": True})) == expected
    assert outcomes(await bulk(ROWS, rows=rows)) == expected
    found = (await ask("{ customers { nodes { name nickname emails } } }"))["customers"]["nodes"]
    assert found == [
        {"name": "Bo", "nickname": "second", "emails": ["b@x.co"]},
        {"name": "An", "nickname": "third", "emails": ["AN@x.co", "a@x.co"]},
    ]


async def test_an_agent_who_is_not_active_refuses_the_whole(bulk, save):
    """SB18: an unknown or inactive agent is told without a job, whichever call names him."""
    await save(gone := factories.agent(active=False), a := factories.customer())
    inactive, nobody = id_encoder("Agent")(gone.id), "agt_" + "0" * 32
    assert await bulk(UPDATE, target=ids_of(a), input={"owner": {"id": inactive}}) == [
        ("AGENT_INACTIVE", "input.owner"),
    ]  # fmt: skip
    assert await bulk(UPDATE, target=ids_of(a), input={"owner": {"id": nobody}}) == [("NOT_FOUND", "input.owner")]


async def test_a_permission_that_a_part_of_the_input_needs_is_told_in_each_row(bulk, save, someone):
    """MS4, SB8: a manager does not tag and an agent does not assign; nothing else of that row is done either."""
    await save(
        agent := factories.agent(), tag := factories.tag(), a := factories.customer(owner_id=agent.id, source="old")
    )
    tags = {"tags": {"add": [{"id": id_encoder("Tag")(tag.id)}]}}
    other = factories.agent()
    await save(other)
    owner = {"owner": {"id": id_encoder("Agent")(other.id)}}
    for who, given, path in (
        (someone(Role.MANAGER), tags, "tags"),
        (someone(agent=agent), tags, "tags"),
        (someone(agent=agent), owner, "owner"),
    ):
        job = await bulk(UPDATE, target=ids_of(a), input={"source": "new", **given}, viewer=who)
        assert (counts(job), codes(job)) == ({"FAILED": 1}, [["FORBIDDEN"]])
        assert job["rows"]["nodes"][0]["errors"][0]["path"] == ["input", path]
        assert job["rows"]["nodes"][0]["changed"] == []


async def test_all_or_none_has_a_limit_where_others_could_not_write(bulk, ask, database, save, monkeypatch):
    """EM5: ABORT is one transaction. Tried only, or each for itself, there may be any number."""
    monkeypatch.setattr(submit, "MAX_ROWS_ALL_OR_NOTHING", {database.dialect.name: 2})
    await save(*(factories.customer(f"c{number}") for number in range(3)))
    everyone = {"match": {"everyone": True}}
    abort = {"onError": "ABORT"}
    given = {"target": everyone, "input": {"source": "Fair"}}
    asked = UPDATE.replace("path message }", "path ... on LimitError { limit current } }")
    (answer,) = (await ask(asked, **given, options=abort)).values()
    assert answer == {"job": None, "errors": [
        {"__typename": "LimitError", "code": "LIMIT_EXCEEDED", "path": ["options", "onError"], "limit": 2,
         "current": 3},
    ]}  # fmt: skip
    assert counts(await bulk(UPDATE, **given, options={**abort, "dryRun": True})) == {"UPDATED": 3}
    job = await bulk(UPDATE, **given)
    assert counts(job) == {"UPDATED": 3}
    undo = f"mutation ($id: ID!, $options: BulkOptions) {{ jobUndo(id: $id, options: $options) {JOB} }}"
    assert await bulk(undo, id=job["id"], options=abort) == [("LIMIT_EXCEEDED", "options.onError")]
    assert counts(await bulk(undo, id=job["id"])) == {"UPDATED": 3}
