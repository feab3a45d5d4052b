"""Customers: made, changed and deleted one at a time, by every rule for one record."""

import pytest

from crm.customers import records
from crm.errors import ConflictError, DuplicateError
from db import tables
from db.tables.enums import (
    ChangeAction,
    CustomerStage,
    Outcome,
    Permission,
    RelationshipStatus,
    Role,
    SubscriptionStatus,
)
from db.values import ids
from tests.crm.conftest import named
from tests.support import factories


async def _changes(log, record):
    return {one["field"]: (one["before"], one["after"]) for one in (await log(record))[-1].fields}


# ── create ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_only_a_name_is_required(does):
    """SM15: and a new customer is LEAD, NOT_SUBSCRIBED and waits to be assigned."""
    made = (await does(records.create, {"name": "  Nguyễn   An "})).customer
    assert made.name == "Nguyễn   An"
    assert (made.relationship_status, made.subscription_status) == (
        RelationshipStatus.LEAD,
        SubscriptionStatus.NOT_SUBSCRIBED,
    )
    assert (made.stage, made.owner_id, made.version, made.reseller_relationship) == (
        CustomerStage.TO_BE_ASSIGNED,
        None,
        1,
        True,
    )


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        pytest.param({}, ("BLANK", "input.name"), id="no name"),
        pytest.param({"name": " \t"}, ("BLANK", "input.name"), id="blank name"),
        pytest.param({"name": None}, ("BLANK", "input.name"), id="null name"),
        pytest.param({"name": "x" * 201}, ("TOO_LONG", "input.name"), id="long name"),
        pytest.param({"phones": ["+84901234567", "12"]}, ("INVALID", "input.phones.1"), id="bad phone"),
        pytest.param({"phone": "abc"}, ("INVALID", "input.phone"), id="bad primary phone"),
        pytest.param({"emails": ["a@b.co", "nobody"]}, ("INVALID", "input.emails.1"), id="bad e-mail"),
        pytest.param({"email": "nobody@"}, ("INVALID", "input.email"), id="bad primary e-mail"),
        pytest.param({"birth_date": "2999-01-01"}, ("INVALID", "input.birthDate"), id="born in the future"),
        pytest.param({"stage": CustomerStage.POOL}, ("INVALID", "input.stage"), id="starts in the pool"),
        pytest.param({"stage": CustomerStage.FOLLOW_UP}, ("INVALID", "input.stage"), id="follow-up without owner"),
        pytest.param({"follow_up_stage": "Offer sent"}, ("INVALID", "input.followUpStage"), id="stage without owner"),
        pytest.param({"owner": {"id": "agt_" + "0" * 32}}, ("NOT_FOUND", "input.owner"), id="no such owner"),
        pytest.param({"company": {"domain": "no.example"}}, ("NOT_FOUND", "input.company"), id="no such company"),
        pytest.param({"avatar_url": "javascript:1"}, ("INVALID", "input.avatarUrl"), id="no web address"),
        pytest.param(
            {"custom_fields": [{"key": "nope", "value": 1}]},
            ("FIELD_UNKNOWN", "input.customFields.0.key"),
            id="unknown field",
        ),
        pytest.param(
            {"external_ids": [{"system": "crm", "value": " "}]},
            ("BLANK", "input.externalIds.0.value"),
            id="blank external id",
        ),
    ],
)
async def test_what_cannot_be_taken_is_refused_at_its_place(refuses, everything, given, refusal):
    assert await refuses(records.create, {"name": "An", **given} if "name" not in given and given else given) == refusal
    assert await everything(tables.Customer) == []


async def test_everything_that_is_wrong_is_told_at_once(refuses):
    found = await refuses(records.create, {"name": "", "phones": ["1"], "birth_date": "2999-01-01"})
    assert {path for _, path in found} == {"input.name", "input.phones.0", "input.birthDate"}


async def test_phones_are_kept_in_e164_and_local_ones_are_of_the_workspaces_country(database, does, someone):
    """SB4, SB9."""
    number = await factories.workspace(database, default_country="VN")
    viewer = someone(Role.ADMIN)
    here = type(viewer)(number, viewer.actor_kind, viewer.actor_id, viewer.permissions)
    made = (await does(records.create, {"name": "An", "phones": ["090 123 4567", "+39 06 1234567"]}, by=here)).customer
    assert (made.phone, made.phone_count) == ("+84901234567", 2)


async def test_the_same_phone_or_address_twice_counts_once(does):
    given = {"name": "An", "phones": ["+84901234567", "+84 90 123 4567"], "emails": ["a@b.co", "A@b.co", "c@d.co"]}
    made = (await does(records.create, given)).customer
    assert (made.phone_count, made.email_count, made.email) == (1, 2, "a@b.co")


async def test_an_owner_makes_it_follow_up(does, save):
    """SB23: owner set exactly in FOLLOW_UP."""
    await save(agent := factories.agent())
    made = (await does(records.create, {"name": "An", "owner": {"email": agent.email.upper()}})).customer
    assert (made.stage, made.owner_id, made.owned_since is not None) == (CustomerStage.FOLLOW_UP, agent.id, True)


async def test_the_log_tells_every_field_that_is_not_empty(does, save, log):
    await save(tag := factories.tag("vip"), company := factories.company())
    given = {
        "name": "An",
        "nickname": " ",
        "phones": ["+84901234567"],
        "tags": {"add": [{"name": "VIP"}]},
        "company": named(company),
        "address": {"city": "Huế"},
        "value": 12_5000,
    }
    made = (await does(records.create, given)).customer
    (line,) = await log(made)
    told = {one["field"]: one["after"] for one in line.fields}
    assert (line.action, line.entity, line.version, line.request_id) == (
        ChangeAction.CREATED,
        "Customer",
        1,
        "request",
    )
    assert told["phones"] == ["+84901234567"]
    assert told["tags"] == [f"tag_{tag.id.hex()}"]
    assert told["company"] == f"com_{company.id.hex()}"
    assert (told["address.city"], told["value"], told["stage"]) == ("Huế", "12.5", "TO_BE_ASSIGNED")
    assert {"nickname", "emails", "owner"} & set(told) == set()


async def test_it_is_found_by_all_that_was_given_at_once(does, save, everything):
    """SM8, SM16: the search text is written with the customer."""
    await save(factories.company("Công ty Đất Việt", domain="dv.example"), factories.custom_field("plate"))
    given = {
        "name": "Ánh",
        "phones": ["+84901234567"],
        "company": {"domain": "DV.example"},
        "external_ids": [{"system": "erp", "value": "X-9"}],
        "custom_fields": [{"key": "plate", "value": "51H-123"}],
    }
    await does(records.create, given)
    (found,) = await everything(tables.CustomerSearch)
    for value in ("anh", "cong ty dat viet", "x-9", "51h-123", "0901234567", "84901234567"):
        assert value in found.text


async def test_who_sees_only_his_own_makes_customers_for_his_first_department(does, save, someone):
    await save(home := factories.department(), agent := factories.agent(), factories.works_in(agent, home))
    made = (await does(records.create, {"name": "An"}, by=someone(agent=agent, departments=(home,)))).customer
    assert (made.department_id, made.stage, made.owner_id) == (home.id, CustomerStage.TO_BE_ASSIGNED, None)


async def test_or_for_himself_where_he_has_none(does, save, someone):
    await save(agent := factories.agent())
    made = (await does(records.create, {"name": "An"}, by=someone(agent=agent))).customer
    assert (made.stage, made.owner_id) == (CustomerStage.FOLLOW_UP, agent.id)


async def test_an_external_id_belongs_to_one(does, refuses):
    first = (await does(records.create, {"name": "An", "external_ids": [{"system": "erp", "value": "1"}]})).customer
    with pytest.raises(DuplicateError) as refused:
        await does(records.create, {"name": "Bình", "external_ids": [{"system": "erp", "value": "1"}]})
    assert refused.value.existing.id == first.id
    assert refused.value.path == ("input", "externalIds", "0", "value")


async def test_one_who_is_out_of_sight_is_not_shown(does, refuses, save, someone):
    await save(agent := factories.agent())
    await does(records.create, {"name": "An", "external_ids": [{"system": "erp", "value": "1"}]})
    given = {"name": "Bình", "external_ids": [{"system": "erp", "value": "1"}]}
    assert await refuses(records.create, given, by=someone(agent=agent)) == ("TAKEN", "input.externalIds.0.value")


# ── update ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_absent_is_kept_and_null_is_cleared(does, log):
    """SM20."""
    given = {"name": "An", "nickname": "Annie", "source": "Fair", "phones": ["+84901234567"], "value": 10_000}
    made = (await does(records.create, given)).customer
    done = await does(records.update, named(made), {"nickname": None, "phones": None, "value": None})
    assert (done.customer.nickname, done.customer.source, done.customer.phone) == (None, "Fair", None)
    assert (done.customer.phone_count, done.customer.value, done.customer.version) == (0, 0, 2)
    assert await _changes(log, made) == {
        "nickname": ("Annie", None),
        "phone": ("+84901234567", None),
        "value": ("1", "0"),
        "phones": (["+84901234567"], []),
    }


async def test_what_changes_nothing_is_unchanged_and_not_logged(does, log):
    made = (await does(records.create, {"name": "An", "relationship_status": RelationshipStatus.VIP})).customer
    done = await does(
        records.update, named(made), {"name": "An ", "relationship_status": RelationshipStatus.VIP, "tags": {}}
    )
    assert (done.outcome, done.customer.version) == (Outcome.UNCHANGED, 1)
    assert len(await log(made)) == 1


async def test_a_new_primary_keeps_the_others_behind_it(does, everything):
    made = (await does(records.create, {"name": "An", "phones": ["+84901234567", "+84901234568"]})).customer
    await does(records.update, named(made), {"phone": "+84 901 234 568", "email": "an@clientela.example"})
    phones = sorted(await everything(tables.CustomerPhone), key=lambda row: row.position)
    assert [row.phone for row in phones] == ["+84901234568", "+84901234567"]
    assert [row.email for row in await everything(tables.CustomerEmail)] == ["an@clientela.example"]


async def test_another_version_than_expected_is_a_conflict(does, save):
    await save(customer := factories.customer(version=3))
    with pytest.raises(ConflictError) as refused:
        await does(records.update, named(customer), {"name": "Bình"}, if_version=2)
    assert (refused.value.record.version, refused.value.path) == (3, ("ifVersion",))
    done = await does(records.update, named(customer), {"name": "Bình"}, if_version=3)
    assert done.customer.version == 4


async def test_an_archived_customer_is_not_changed(refuses, save):
    """EM6."""
    await save(customer := factories.customer(archived_at=ids.current_time()))
    assert await refuses(records.update, named(customer), {"name": "Bình"}) == ("CUSTOMER_ARCHIVED", "by")


async def test_a_customer_is_judged_in_order(refuses, save, someone):
    """NOT_FOUND, FORBIDDEN, CUSTOMER_ARCHIVED, then the rule."""
    await save(
        agent := factories.agent(),
        pooled := factories.customer(stage=CustomerStage.POOL, archived_at=ids.current_time()),
        own := factories.customer(owner_id=agent.id, archived_at=ids.current_time()),
        hidden := factories.customer(archived_at=ids.current_time()),
    )
    viewer, wrong = someone(agent=agent), {"name": ""}
    assert await refuses(records.update, named(hidden), wrong, by=viewer) == ("NOT_FOUND", "by")
    assert await refuses(records.update, named(pooled), wrong, by=viewer) == ("FORBIDDEN", "by")
    assert await refuses(records.update, named(own), wrong, by=viewer) == ("CUSTOMER_ARCHIVED", "by")


async def test_blocked_refuses_an_owner_before_the_rule(refuses, save):
    await save(agent := factories.agent(active=False), customer := factories.customer(), factories.block(customer))
    assert await refuses(records.update, named(customer), {"owner": named(agent)}) == (
        "CUSTOMER_BLOCKED",
        "input.owner",
    )


async def test_an_expired_block_is_none(does, save):
    await save(
        agent := factories.agent(),
        customer := factories.customer(),
        factories.block(customer, until=ids.current_time() - 1),
    )
    done = await does(records.update, named(customer), {"owner": named(agent)})
    assert done.customer.owner_id == agent.id


@pytest.mark.parametrize(
    ("start", "refusal"),
    [
        pytest.param(CustomerStage.NEW, ("INVALID_TRANSITION", "input.owner"), id="new"),
        pytest.param(CustomerStage.TO_BE_ASSIGNED, None, id="waiting"),
        pytest.param(CustomerStage.POOL, None, id="in the pool"),
    ],
)
async def test_an_owner_set_by_update_is_an_assignment(does, refuses, save, start, refusal):
    await save(agent := factories.agent(), customer := factories.customer(stage=start))
    if refusal:
        assert await refuses(records.update, named(customer), {"owner": named(agent)}) == refusal
    else:
        done = await does(records.update, named(customer), {"owner": named(agent)})
        assert (done.customer.stage, done.customer.owner_id) == (CustomerStage.FOLLOW_UP, agent.id)


async def test_another_owner_is_a_transfer_and_the_previous_one_is_kept(does, save, log):
    await save(one := factories.agent(), other := factories.agent(), customer := factories.customer(owner_id=one.id))
    done = await does(records.update, named(customer), {"owner": named(other)})
    assert (done.customer.owner_id, done.customer.previous_owner_id) == (other.id, one.id)
    assert await _changes(log, customer) == {
        "owner": (f"agt_{one.id.hex()}", f"agt_{other.id.hex()}"),
        "previousOwner": (None, f"agt_{one.id.hex()}"),
    }


@pytest.mark.parametrize(
    ("own", "shared", "refused"),
    [
        pytest.param(1, None, True, id="his own limit"),
        pytest.param(None, 1, True, id="the workspace's"),
        pytest.param(2, 1, False, id="his own comes first"),
        pytest.param(0, None, True, id="nobody"),
        pytest.param(None, None, False, id="no limit"),
    ],
)
async def test_an_agent_takes_no_more_than_his_limit(database, does, refuses, own, shared, refused, someone):
    """SB18: archived customers do not count."""
    number = await factories.workspace(database, max_customers_per_agent=shared)
    admin = someone(Role.ADMIN)
    here = type(admin)(number, admin.actor_kind, admin.actor_id, admin.permissions)
    agent, customer = factories.agent(max_customers=own), factories.customer()

    async def put(unit):
        for row in (
            agent,
            customer,
            factories.customer(owner_id=agent.id, archived_at=1),
            factories.customer(owner_id=agent.id),
        ):
            row.workspace_id = number
            await unit.transaction.insert(row)

    await does(put, by=here)
    if refused:
        found = await refuses(records.update, named(customer), {"owner": named(agent)}, by=here)
        assert found == ("AGENT_AT_CAPACITY", "input.owner")
    else:
        await does(records.update, named(customer), {"owner": named(agent)}, by=here)


async def test_an_agent_who_is_gone_gets_nobody(refuses, save):
    await save(agent := factories.agent(active=False), customer := factories.customer())
    assert await refuses(records.update, named(customer), {"owner": named(agent)}) == ("AGENT_INACTIVE", "input.owner")


async def test_an_owner_cannot_be_taken_away_by_update(refuses, save):
    await save(agent := factories.agent(), customer := factories.customer(owner_id=agent.id))
    assert await refuses(records.update, named(customer), {"owner": None}) == ("INVALID_TRANSITION", "input.owner")


async def test_the_stage_is_protected(does, refuses, save):
    await save(customer := factories.customer())
    assert await refuses(records.update, named(customer), {"stage": CustomerStage.POOL}) == (
        "FIELD_PROTECTED",
        "input.stage",
    )
    done = await does(records.update, named(customer), {"stage": CustomerStage.TO_BE_ASSIGNED})
    assert done.outcome is Outcome.UNCHANGED


async def test_the_follow_up_stage_is_one_of_the_workspaces(does, refuses, save):
    """SB12."""
    await save(agent := factories.agent(), customer := factories.customer(owner_id=agent.id))
    assert await refuses(records.update, named(customer), {"follow_up_stage": "Nope"}) == (
        "INVALID",
        "input.followUpStage",
    )
    done = await does(records.update, named(customer), {"follow_up_stage": "Offer sent"})
    assert done.customer.follow_up_stage == "Offer sent"


@pytest.mark.parametrize("to", list(RelationshipStatus))
@pytest.mark.parametrize("start", list(RelationshipStatus))
async def test_the_relationship_goes_anywhere_by_hand(does, save, start, to):
    """VC12."""
    await save(customer := factories.customer(relationship_status=start))
    done = await does(records.update, named(customer), {"relationship_status": to})
    assert done.customer.relationship_status == to


@pytest.mark.parametrize(
    ("part", "given", "lacking"),
    [
        pytest.param("tags", {"add": []}, Permission.TAG_ASSIGN, id="tags"),
        pytest.param("relationshipStatus", RelationshipStatus.VIP, Permission.STATUS_CHANGE, id="relationship"),
        pytest.param("subscriptionStatus", SubscriptionStatus.SUBSCRIBED, Permission.STATUS_CHANGE, id="subscription"),
        pytest.param("owner", None, Permission.CUSTOMER_ASSIGN, id="owner"),
    ],
)
async def test_a_part_that_needs_more_is_forbidden_at_its_place(refuses, save, someone, part, given, lacking):
    await save(
        agent := factories.agent(), customer := factories.customer(subscription_status=SubscriptionStatus.UNSUBSCRIBED)
    )
    names = {"relationshipStatus": "relationship_status", "subscriptionStatus": "subscription_status"}
    change = {names.get(part, part): named(agent) if part == "owner" else given}
    viewer = someone(Role.ADMIN, revoke=(lacking,))
    assert await refuses(records.update, named(customer), change, by=viewer) == ("FORBIDDEN", f"input.{part}")


async def test_an_agent_changes_his_own_and_those_who_wait_in_his_departments(does, refuses, save, someone):
    """SB8."""
    await save(
        home := factories.department(),
        agent := factories.agent(),
        own := factories.customer(owner_id=agent.id),
        waiting := factories.customer(department_id=home.id),
        pooled := factories.customer(stage=CustomerStage.POOL),
    )
    viewer = someone(agent=agent, departments=(home,))
    for customer in (own, waiting):
        assert (await does(records.update, named(customer), {"name": "Bo"}, by=viewer)).outcome is Outcome.UPDATED
    assert await refuses(records.update, named(pooled), {"name": "Bo"}, by=viewer) == ("FORBIDDEN", "by")


async def test_an_address_of_two_is_ambiguous(refuses, save):
    one, other = factories.customer(), factories.customer()
    await save(one, other, factories.email(one, "a@b.example"), factories.email(other, "A@b.example"))
    assert await refuses(records.update, {"email": "a@B.example"}, {"name": "Bo"}) == ("AMBIGUOUS", "by")
