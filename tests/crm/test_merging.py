"""Merging customers: whose value stays, what comes together, what is refused, and how all come back."""

import asyncio

import pytest

from crm.activities import notes
from crm.customers import records
from crm.jobs import undo
from crm.merging import duplicates
from crm.merging import merge as merging
from crm.merging.merge import FieldChoice
from db import tables
from db.queries.customers import customers
from db.tables.enums import (
    ChangeAction,
    CustomerStage,
    JobKind,
    Permission,
    RelationshipStatus,
    Role,
    SubscriptionStatus,
)
from db.values import ids
from db.visibility import Visibility
from tests.crm.conftest import named
from tests.support import factories


def wire(row):
    return named(row)["id"]


@pytest.fixture
def merge(does):
    """Merges rows into the first of them."""

    async def merged(into, *others, take=(), dry_run=False, **named_):
        takes = [FieldChoice(field, wire(row) if not isinstance(row, str) else row) for field, row in take]
        return await does(
            merging.merge_customers, wire(into), [wire(one) for one in others], takes, dry_run=dry_run, **named_
        )

    return merged


@pytest.fixture
def made(does):
    async def one(name="An", **given):
        return (await does(records.create, {"name": name, **given})).customer

    return one


async def told(log, record):
    return {one["field"]: (one["before"], one["after"]) for one in (await log(record))[-1].fields}


async def test_the_survivors_values_stay_and_empty_ones_are_filled_by_the_first_who_has_one(made, merge):
    a = await made(nickname="A", address={"city": "Huế"})
    b = await made("Bo", nickname="B", real_name="Bo Real", value=50_000)
    c = await made("Chi", real_name="Chi Real", source="Website", value=70_000)
    done = (await merge(a, b, c)).customer
    assert (done.name, done.nickname, done.real_name, done.source) == ("An", "A", "Bo Real", "Website")
    assert (done.value, done.city, done.version) == (50_000, "Huế", 2)


async def test_somebody_named_for_a_field_wins(does, save, made, merge):
    await save(factories.custom_field("size"), company := factories.company("Acme"))
    a = await made(phones=["+84901234567"], emails=["a@b.co"], custom_fields=[{"key": "size", "value": "S"}])
    b = await made("Bo", phones=["+84907654321"], emails=["b@b.co"], company=named(company))
    c = await made("Chi", custom_fields=[{"key": "size", "value": "L"}], nickname="C")
    take = [("name", c), ("phone", b), ("emails", b), ("custom.size", c), ("company", b), ("nickname", a)]
    result = await merge(a, b, c, take=take)
    done = result.customer
    assert (done.name, done.phone, done.email, done.company_id) == ("Chi", "+84907654321", "b@b.co", company.id)
    assert (done.name_key, done.email_key, done.phone_count, done.nickname) == ("chi", "b@b.co", 2, None)
    changed = {one["field"]: one["after"] for one in result.changed}
    assert changed["phones"] == ["+84907654321", "+84901234567"]
    assert (changed["custom.size"], changed["name"]) == ("L", "Chi")


async def test_everything_that_hangs_on_them_comes_together(made, merge, save, everything, session):
    await save(
        agent := factories.agent(), one := factories.tag("one"), two := factories.tag("two"),
        field := factories.custom_field("size"),
        segment := factories.segment("S", kind=0), other := factories.segment("T", kind=0),
    )  # fmt: skip
    a = await made(
        phones=["+84901234567"], emails=["A@b.co"], tags={"add": [named(one)]},
        external_ids=[{"system": "erp", "value": "1"}],
    )  # fmt: skip
    b = await made(
        "Bo", phones=["+84901234567", "+84907654321"], emails=["a@B.co", "b@b.co"],
        tags={"add": [named(one), named(two)]}, wechat_friends={"add": [named(agent)]},
        external_ids=[{"system": "erp", "value": "2"}], custom_fields=[{"key": "size", "value": "Large"}],
    )  # fmt: skip
    member = {"workspace_id": 0, "segment_id": segment.id}
    await save(
        factories.note(b, "Likes tea"), factories.interaction(b), factories.order(b),
        tables.SegmentMember(**member, customer_id=a.id), tables.SegmentMember(**member, customer_id=b.id),
        tables.SegmentMember(workspace_id=0, segment_id=other.id, customer_id=b.id),
    )  # fmt: skip
    done = (await merge(a, b)).customer
    assert [row.id for row in await everything(tables.Customer)] == [a.id]
    for table in (tables.Note, tables.Interaction, tables.Order, tables.WechatFriend, tables.CustomerValue):
        assert [row.customer_id for row in await everything(table)] == [a.id], table
    assert {row.segment_id for row in await everything(tables.SegmentMember)} == {segment.id, other.id}
    assert {row.value for row in await everything(tables.CustomerExternalId)} == {"1", "2"}
    assert {row.tag_id for row in await everything(tables.CustomerTag)} == {one.id, two.id}
    assert [row.phone for row in await everything(tables.CustomerPhone)] == ["+84901234567", "+84907654321"]
    assert [row.email for row in await everything(tables.CustomerEmail)] == ["A@b.co", "b@b.co"]
    assert (done.tag_count, done.phone_count, done.email_count, done.first_tag_key) == (2, 2, 2, "one")
    (text,) = await everything(tables.CustomerSearch)
    assert all(part in text.text for part in ("likes tea", "84907654321", "two", "large"))
    assert field.id == (await everything(tables.CustomerValue))[0].field_id


@pytest.mark.parametrize(
    ("mine", "theirs", "stays"),
    [
        ("SUBSCRIBED", "DELETED", "DELETED"),
        ("SUBSCRIBED", "UNSUBSCRIBED", "UNSUBSCRIBED"),
        ("SUBSCRIBED", "NOT_SUBSCRIBED", "NOT_SUBSCRIBED"),
        ("UNSUBSCRIBED", "NOT_SUBSCRIBED", "UNSUBSCRIBED"),
        ("DELETED", "SUBSCRIBED", "DELETED"),
    ],
)
async def test_the_strictest_subscription_stays(made, merge, mine, theirs, stays):
    a = await made(subscription_status=SubscriptionStatus[mine])
    b = await made("Bo", subscription_status=SubscriptionStatus[theirs])
    assert (await merge(a, b)).customer.subscription_status == SubscriptionStatus[stays]


async def test_the_closest_relationship_stays_unless_somebody_is_named(made, merge):
    a, b = await made(), await made("Bo", relationship_status=RelationshipStatus.VIP)
    c = await made("Chi", relationship_status=RelationshipStatus.CUSTOMER)
    done = (await merge(a, b)).customer
    assert done.relationship_status == RelationshipStatus.VIP
    assert (await merge(a, c, take=[("relationshipStatus", c)])).customer.relationship_status == (
        RelationshipStatus.CUSTOMER
    )


async def test_the_owner_is_the_survivors_else_the_firsts(made, merge, save):
    await save(one := factories.agent(), two := factories.agent())
    a, b, c = (
        await made(),
        await made("Bo", owner=named(one), follow_up_stage="Offer sent"),
        await made("Chi", owner=named(two)),
    )
    done = (await merge(a, b)).customer
    assert (done.owner_id, done.stage, done.follow_up_stage) == (one.id, CustomerStage.FOLLOW_UP, "Offer sent")
    assert done.owned_since is not None
    kept = (await merge(a, c)).customer
    assert kept.owner_id == one.id
    d = await made("Dan", owner=named(two))
    taken = (await merge(a, d, take=[("owner", d)])).customer
    assert (taken.owner_id, taken.previous_owner_id) == (two.id, one.id)


async def test_a_block_survives_and_the_longest_of_several(made, merge, save, everything):
    a, b, c = await made(), await made("Bo"), await made("Chi")
    now = ids.current_time()
    await save(
        factories.block(a, until=now + 10**6), factories.block(b, reason="Fraud"), factories.block(c, until=now - 1)
    )
    await merge(a, b, c)
    (block,) = await everything(tables.CustomerBlock)
    assert (block.customer_id, block.reason, block.until) == (a.id, "Fraud", None)


async def test_old_ids_keep_leading_to_the_survivor_and_chains_are_short(made, merge, session, everything):
    a, b, c = await made(), await made("Bo"), await made("Chi")
    await merge(b, c)
    done = (await merge(a, b)).changed
    found = await customers.by_ids(session, [b.id, c.id], Visibility(sees_all=True))
    assert {row.id for row in found.values()} == {a.id}
    assert {row.customer_id for row in await everything(tables.CustomerAlias)} == {a.id}
    (merged,) = [one for one in done if one["field"] == "mergedFrom"]
    assert merged["after"] == sorted([wire(b), wire(c)])


async def test_the_log_has_a_line_for_each(made, merge, log, everything):
    a, b, c = await made(), await made("Bo", nickname="B"), await made("Chi")
    result = await merge(a, b, c)
    lines = [line for line in await log() if line.job_id is not None]
    assert [(line.action, line.node_id, line.version, line.row) for line in lines] == [
        (ChangeAction.MERGED, b.id, 2, 1),
        (ChangeAction.MERGED, c.id, 2, 2),
        (ChangeAction.UPDATED, a.id, 2, 0),
    ]
    told, changed = ({one["field"]: one for one in fields} for fields in (lines[-1].fields, result.changed))
    assert told == changed
    (job,) = await everything(tables.Job)
    assert (job.kind, job.matched, job.counts, job.id) == (
        JobKind.MERGE,
        3,
        {"UPDATED": 1, "MERGED": 2},
        lines[0].job_id,
    )


async def test_a_dry_run_tells_the_same_and_writes_nothing(made, merge, everything, log):
    a, b = await made(emails=["a@b.co"]), await made("Bo", nickname="B", emails=["b@b.co"])
    before, lines = await everything(tables.Customer), await log()
    tried = await merge(a, b, dry_run=True)
    assert (tried.customer.nickname, tried.customer.version, tried.job) == (None, 1, None)
    assert sorted(await everything(tables.Customer)) == sorted(before)
    assert (await log(), await everything(tables.CustomerAlias), await everything(tables.Job)) == (lines, [], [])
    assert (await merge(a, b)).changed == tried.changed


async def test_who_is_known_to_be_another_stays_so(does, made, merge, everything):
    a, b, c = await made(), await made("Bo"), await made("Chi")
    await does(duplicates.dismiss_pair, [wire(b), wire(c)])
    await merge(a, b)
    assert [(row.first_id, row.second_id) for row in await everything(tables.DuplicateDismissal)] == [(a.id, c.id)]


@pytest.mark.parametrize(
    ("field", "refusal"),
    [
        pytest.param("nope", ("FIELD_UNKNOWN", "take.0.field"), id="no field"),
        pytest.param("custom.nope", ("FIELD_UNKNOWN", "take.0.field"), id="no custom field"),
        pytest.param("custom.off", ("FIELD_UNKNOWN", "take.0.field"), id="switched off"),
        pytest.param("stage", ("FIELD_PROTECTED", "take.0.field"), id="stage"),
        pytest.param("createdAt", ("FIELD_PROTECTED", "take.0.field"), id="protected"),
        pytest.param("subscriptionStatus", ("FIELD_PROTECTED", "take.0.field"), id="a looser subscription"),
    ],
)
async def test_what_nobody_can_be_named_for_is_refused(refuses, made, save, field, refusal):
    await save(factories.custom_field("off", active=False))
    a = await made(subscription_status=SubscriptionStatus.UNSUBSCRIBED)
    b = await made("Bo", subscription_status=SubscriptionStatus.SUBSCRIBED)
    assert await refuses(merging.merge_customers, wire(a), [wire(b)], [FieldChoice(field, wire(b))]) == refusal


async def test_who_cannot_be_merged_is_refused(refuses, made, save):
    a, b, c = await made(), await made("Bo"), await made("Chi")
    await save(archived := factories.customer("Old", archived_at=ids.current_time()))
    nobody, many = "cus_" + "0" * 32, [f"cus_{number:032x}" for number in range(1, 11)]
    assert await refuses(merging.merge_customers, wire(a), []) == ("EMPTY_TARGET", "from")
    assert await refuses(merging.merge_customers, wire(a), [wire(b), wire(a)]) == ("INVALID", "from.1")
    assert await refuses(merging.merge_customers, nobody, [wire(b)]) == ("NOT_FOUND", "into")
    assert await refuses(merging.merge_customers, wire(a), [wire(b), nobody]) == ("NOT_FOUND", "from.1")
    assert await refuses(merging.merge_customers, wire(a), many) == ("LIMIT_EXCEEDED", "from")
    assert await refuses(merging.merge_customers, wire(a), [wire(archived)]) == ("CUSTOMER_ARCHIVED", "from.0")
    assert await refuses(merging.merge_customers, wire(archived), [wire(a)]) == ("CUSTOMER_ARCHIVED", "into")
    assert await refuses(merging.merge_customers, wire(a), [wire(b)], [FieldChoice("name", wire(c))]) == (
        "NOT_FOUND",
        "take.0.from",
    )
    twice = [FieldChoice("name", wire(b)), FieldChoice("name", wire(a))]
    assert await refuses(merging.merge_customers, wire(a), [wire(b)], twice) == ("INVALID", "take.1.field")


async def test_an_agent_merges_only_those_he_works_with(refuses, save, someone):
    await save(agent := factories.agent(), a := factories.customer("An", owner_id=agent.id))
    await save(b := factories.customer("Bo", stage=CustomerStage.POOL), c := factories.customer("Chi"))
    by = someone(Role.AGENT, agent=agent, grant=(Permission.CUSTOMER_MERGE,))
    found = await refuses(merging.merge_customers, wire(a), [wire(b)], by=by)
    assert found == ("FORBIDDEN", "from.0")
    assert await refuses(merging.merge_customers, wire(a), [wire(c)], by=by) == ("NOT_FOUND", "from.0")


async def test_more_than_150_tags_are_too_many(refuses, made, save, everything):
    tags = [factories.tag(f"t{number}") for number in range(151)]
    await save(*tags)
    a, b = await made(), await made("Bo")
    await save(*(factories.worn(a, tag) for tag in tags[:100]), *(factories.worn(b, tag) for tag in tags[51:]))
    assert await refuses(merging.merge_customers, wire(a), [wire(b)]) == ("LIMIT_EXCEEDED", "from")
    assert len(await everything(tables.Customer)) == 2


async def test_tags_come_only_to_who_may_wear_them(refuses, made, save):
    await save(tag := factories.tag())
    a, b = await made(reseller_relationship=False), await made("Bo", tags={"add": [named(tag)]})
    assert await refuses(merging.merge_customers, wire(a), [wire(b)]) == ("RESELLER_RELATIONSHIP_REQUIRED", "into")


async def test_the_number_of_statements_does_not_grow_with_those_merged(made, merge, sent):
    def statements():
        return [one for one in sent if not one.startswith(("BEGIN", "COMMIT", "SAVEPOINT"))]

    counts = []
    for size in (1, 9):
        a, *others = [await made(f"N{one}", phones=[f"+849012345{one}{size}"]) for one in range(size + 1)]
        sent.clear()
        await merge(a, *others)
        counts.append(len(statements()))
    assert counts[0] == counts[1]
    assert counts[0] <= 70


async def test_undone_everybody_is_as_before(does, made, merge, save, everything, log):
    await save(
        agent := factories.agent(),
        tag := factories.tag(),
        factories.custom_field("size", unique=True),
        segment := factories.segment(kind=0),
    )
    a = await made(nickname="A", phones=["+84901234567"], external_ids=[{"system": "erp", "value": "1"}])
    b = await made(
        "Bo", real_name="B", phones=["+84907654321"], tags={"add": [named(tag)]}, owner=named(agent),
        external_ids=[{"system": "erp", "value": "2"}], custom_fields=[{"key": "size", "value": "L"}],
    )  # fmt: skip
    c, d = await made("Chi"), await made("Dan")
    await merge(b, c)
    await does(notes.create, named(b), "Called twice.")
    await save(factories.order(b), factories.block(b), factories.interaction(a))
    await save(tables.SegmentMember(workspace_id=0, segment_id=segment.id, customer_id=b.id))
    await does(duplicates.dismiss_pair, [wire(b), wire(d)])
    kinds = (
        tables.CustomerPhone, tables.CustomerExternalId, tables.CustomerTag, tables.CustomerValue, tables.CustomerBlock,
        tables.SegmentMember, tables.Note, tables.Order, tables.Interaction, tables.CustomerAlias,
        tables.DuplicateDismissal, tables.CustomerSearch,
    )  # fmt: skip
    before = {table: sorted(map(tuple, await everything(table)), key=repr) for table in kinds}
    was = {row.id: row for row in await everything(tables.Customer)}
    job = (await merge(a, b)).job
    await does(undo.undo_job, f"job_{job.id.hex()}", None)
    for table in kinds:
        assert sorted(map(tuple, await everything(table)), key=repr) == before[table], table
    now = {row.id: row for row in await everything(tables.Customer)}
    assert set(now) == set(was)
    left_out = {"version", "updated_at"}
    columns = [name for name in tables.Customer.model_fields if name not in left_out]
    for one in was:
        assert {n: getattr(now[one], n) for n in columns} == {n: getattr(was[one], n) for n in columns}
    assert [now[one.id].version for one in (a, b)] == [3, 4]
    assert [line.action for line in await log(b)][-2:] == [ChangeAction.MERGED, ChangeAction.CREATED]


async def test_who_was_touched_since_is_kept(does, made, merge, everything):
    a, b = await made(), await made("Bo")
    job = (await merge(a, b)).job
    await does(records.update, named(a), {"nickname": "later"})
    undone = await does(undo.undo_job, f"job_{job.id.hex()}", None)
    assert undone.counts == {"SKIPPED": 2}
    assert [row.nickname for row in await everything(tables.Customer)] == ["later"]


async def test_deleting_the_survivor_forgets_the_merged_as_well(does, made, merge, log):
    a, b = await made(), await made("Bo", nickname="secret")
    await merge(a, b)
    await does(records.delete, named(a))
    assert [(line.action, line.fields, line.node_id) for line in await log()] == [(ChangeAction.DELETED, [], a.id)]


async def test_of_two_merges_the_wrong_way_round_at_once_one_wins(does, made, everything):
    a, b = await made(), await made("Bo")
    both = [does(merging.merge_customers, wire(a), [wire(b)]), does(merging.merge_customers, wire(b), [wire(a)])]
    results = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(isinstance(one, Exception) for one in results) == [False, True]
    assert len(await everything(tables.Customer)) == 1
