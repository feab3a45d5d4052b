"""@idempotent on every mutation, and what an answer tells beside its data."""

import pytest

from db.tables.enums import ActorKind, Permission
from db.values import ids
from tests.support import schema_walk
from tests.support.rules_workspace import ERRORS

MUTATIONS = {one.name: one for one in schema_walk.fields("mutation") if one.name not in ("signIn", "signOut")}


LAST = ("Delete", "Merge", "Revoke", "Deactivate")


def marked(field, key):
    """The call made up from the schema, under an idempotency key."""
    head, _, rest = field.document.partition(f"{{ {field.name}")
    call, _, selected = rest.partition(") {")
    return f'{head}{{ {field.name}{call}) @idempotent(key: "{key}") {{{selected}'


async def own_records(house):
    """Ids that calls made up from the schema may use."""
    kinds = {
        "Customer": await house.customer(),
        "Tag": await house.made("tagCreate", "tag", name=ids.new_id().hex()),
        "Segment": await house.made("segmentCreate", "segment", name="S", kind="STATIC"),
        "Company": await house.made("companyCreate", "company", name="C"),
        "Agent": await house.agent(),
        "Department": await house.made("departmentCreate", "department", name="D"),
        "SavedView": await house.made("savedViewCreate", "savedView", name="V"),
        "AssignmentRule": await house.made("assignmentRuleCreate", "assignmentRule", name="R", active=False),
        "ApiKey": await house.made("apiKeyCreate", "apiKey", name="K", permissions=["CUSTOMER_VIEW"]),
    }
    return kinds | {"key": f"k{ids.new_id().hex()[-12:]}", "email": f"{ids.new_id().hex()}@x.example"}


@pytest.mark.parametrize("who", ["agent", "key"])
async def test_any_mutation_sent_again_answers_alike_and_does_nothing(house, who):
    """By an agent and by a key; the second answer is marked, and nothing more is in the log."""
    viewer = house.viewers["admin"]
    if who == "key":
        every = [one.name for one in Permission]
        made = await house.made("apiKeyCreate", "apiKey", name="all", permissions=every)
        viewer = await house.as_(made, ActorKind.API_KEY)
    own = await own_records(house)
    for name in sorted(MUTATIONS, key=lambda name: name.endswith(LAST)):
        field = MUTATIONS[name]
        document, given = marked(field, f"{who} {name}"), field.least(own)
        first = await house.answer(document, viewer, **given)
        lines = await house.lines()
        again = await house.answer(document, viewer, **given)
        assert again.data == first.data, name
        assert [str(one) for one in again.errors or ()] == [str(one) for one in first.errors or ()], name
        if not first.errors:
            assert again.extensions["idempotency"] == {"replayed": [name]}, name
            assert "idempotency" not in (first.extensions or {}), name
        assert await house.lines() == lines, name


async def test_refusals_of_every_kind_are_repeated_as_they_were(house):
    """With limits, transitions, records and holders."""
    one = await house.customer(subscriptionStatus="DELETED", externalIds=[{"system": "erp", "value": "again"}])
    document = f"""mutation ($input: CustomerInput!, $key: String!, $version: Int) {{
      customerUpdate(by: {{id: "{one}"}}, input: $input, ifVersion: $version) @idempotent(key: $key) {{
        outcome customer {{ id }} {ERRORS} }} }}"""
    other = await house.customer()
    taken = document.replace(one, other)
    cases = [
        (document, {"input": {"tags": {"add": [{"name": f"again {place}"} for place in range(151)]}}}, "LimitError"),
        (document, {"input": {"subscriptionStatus": "SUBSCRIBED"}}, "TransitionError"),
        (document, {"input": {"name": "x"}, "version": 9}, "ConflictError"),
        (taken, {"input": {"externalIds": [{"system": "erp", "value": "again"}]}}, "DuplicateError"),
        (document, {"input": {"name": ""}}, "InputError"),
    ]
    for text, given, kind in cases:
        variables = {"key": ids.new_id().hex(), **given}
        first = await house.ask(text, **variables)
        assert first["customerUpdate"]["errors"][0]["__typename"] == kind
        assert await house.ask(text, **variables) == first


async def test_a_refusal_that_was_kept_is_repeated_though_it_could_be_done_by_now(house):
    """Until another key is used."""
    customer = await house.customer()
    await house.bulk("customersArchive", target={"ids": [customer]})
    document = """mutation ($by: CustomerRef!, $key: String!) {
      customerUpdate(by: $by, input: {nickname: "x"}) @idempotent(key: $key) { outcome errors { code } } }"""
    given = {"by": {"id": customer}, "key": "kept refusal"}
    first = await house.ask(document, **given)
    await house.bulk("customersUnarchive", target={"ids": [customer]})
    assert await house.ask(document, **given) == first
    assert first["customerUpdate"]["errors"] == [{"code": "CUSTOMER_ARCHIVED"}]
    anew = await house.ask(document, **{**given, "key": "another"})
    assert anew["customerUpdate"]["outcome"] == "UPDATED"


async def test_an_error_at_the_top_is_not_kept(house):
    """Who gets the permission has it done."""
    agent = await house.agent()
    document = """mutation { tagCreate(input: {name: "top level"}) @idempotent(key: "top") { tag { name } } }"""
    refused = await house.answer(document, await house.as_(agent))
    assert refused.errors[0].extensions["code"] == "FORBIDDEN"
    await house.does("agentUpdate", id=agent, input={"grant": ["TAG_MANAGE"]})
    assert (await house.ask(document, await house.as_(agent)))["tagCreate"] == {"tag": {"name": "top level"}}


async def test_every_error_at_the_top_has_a_code(house):
    """SB8: FORBIDDEN names the permission; BAD_USER_INPUT says why."""
    for document, who, code, reason in [
        ('mutation { tagCreate(input: {name: "x"}) { errors { code } } }', "seller", "FORBIDDEN", None),
        ("{ customers(first: 251) { totalCount } }", "admin", "BAD_USER_INPUT", "LIMIT_EXCEEDED"),
        ('{ customers(after: "x") { totalCount } }', "admin", "BAD_USER_INPUT", "BAD_CURSOR"),
    ]:
        answer = await house.answer(document, who)
        extensions = answer.errors[0].extensions
        assert (extensions["code"], extensions.get("reason")) == (code, reason)
