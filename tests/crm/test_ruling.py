"""Assignment rules at work, and claims that race."""

import asyncio
from collections import Counter

import pytest

from crm.bulk import reclaiming, requests
from crm.customers import records
from db import tables
from db.queries.customers import customers
from db.tables.enums import AssignmentStrategy, CustomerStage, Permission
from db.values import ids
from db.values.wire_format import id_encoder
from db.visibility import Visibility
from tests.support import factories


def target(*rows):
    return {"ids": [id_encoder("Customer")(row.id) for row in rows]}


def member(rule, agent, position=0):
    return tables.AssignmentRuleMember(workspace_id=0, rule_id=rule.id, agent_id=agent.id, position=position)


@pytest.fixture
async def three(save):
    """Three agents whom a rule assigns to by turns."""
    agents, rule = [factories.agent(name) for name in "abc"], factories.rule("all")
    await save(*agents, rule)
    await save(*(member(rule, agent, place) for place, agent in enumerate(agents)))
    return agents


async def shares(everything):
    return Counter(row.owner_id for row in await everything(tables.Customer))


async def test_whoever_is_made_is_assigned_by_turns(does, three, everything, log):
    for number in range(7):
        done = await does(records.create, {"name": f"c{number}"})
        assert (done.customer.stage, done.customer.version) == (CustomerStage.FOLLOW_UP, 1)
    found = await shares(everything)
    assert [found[one.id] for one in three] == [3, 2, 2]
    assert [len(await log(row)) for row in await everything(tables.Customer)] == [1] * 7


async def test_seven_over_three_are_even_over_parallel_requests(does, three, everything):
    await asyncio.gather(*(does(records.create, {"name": f"c{number}"}) for number in range(7)))
    assert sorted((await shares(everything)).values()) == [2, 2, 3]


async def test_the_first_rule_that_means_a_customer_assigns_him(does, save, everything):
    a, b = factories.agent("a"), factories.agent("b")
    fair = factories.rule("fair", filter={"source": {"eq": "Fair"}}, position=0)
    rest = factories.rule("rest", position=1, strategy=AssignmentStrategy.LEAST_LOADED)
    await save(a, b, fair, rest)
    await save(member(fair, a), member(rest, a), member(rest, b, 1))
    made = (await does(records.create, {"name": "x", "source": "Fair"})).customer
    other = (await does(records.create, {"name": "y"})).customer
    assert (made.owner_id, other.owner_id) == (a.id, b.id)


async def test_a_released_customer_never_goes_back_at_once(does, save, three, everything):
    await save(customer := factories.customer(owner_id=three[0].id))
    await does(requests.release_customers, int(CustomerStage.TO_BE_ASSIGNED), None, target(customer), None)
    (row,) = await everything(tables.Customer)
    assert (row.stage, row.owner_id, row.previous_owner_id) == (CustomerStage.FOLLOW_UP, three[1].id, three[0].id)


async def test_full_agents_let_a_customer_wait(does, save, everything):
    await save(agent := factories.agent(max_customers=0), rule := factories.rule("all"))
    await save(member(rule, agent))
    assert (await does(records.create, {"name": "x"})).customer.stage == CustomerStage.TO_BE_ASSIGNED


async def test_of_two_claimants_one_wins(database, does, save, someone, session):
    await save(
        a := factories.agent("a"), b := factories.agent("b"), customer := factories.customer(stage=CustomerStage.POOL)
    )
    viewers = [someone(agent=one, grant=(Permission.CUSTOMER_CLAIM,)) for one in (a, b)]
    before = [await requests.claimable_ids(session, viewer, target(customer)) for viewer in viewers]
    done = await asyncio.gather(
        *(
            does(requests.claim_customers, seen, target(customer), None, by=one)
            for seen, one in zip(before, viewers, strict=True)
        )
    )
    assert sorted(next(iter(job.counts)) for job in done) == ["FAILED", "UPDATED"]


async def test_claims_are_limited_and_cool_down(database, does, save, someone):
    number = await factories.workspace(database, pool_daily_claim_limit=1, pool_reclaim_cooldown_days=3)
    agent = factories.agent()
    rows = [agent, *(made := [factories.customer(f"c{one}", stage=CustomerStage.POOL) for one in range(3)])]
    made[0].previous_owner_id, made[0].released_at = agent.id, 2**45

    async def fill(transaction):
        for row in rows:
            row.workspace_id = number
            await transaction.insert(row)

    await database.write(number, fill)
    viewer = someone(agent=agent)
    there = type(viewer)(number, viewer.actor_kind, viewer.actor_id, viewer.permissions)
    job = await does(requests.claim_customers, [], target(*made), None, by=there)
    assert job.counts == {"FAILED": 2, "UPDATED": 1}


async def test_idle_customers_go_back_to_the_pool_and_vips_never(database, someone):
    number = await factories.workspace(database, pool_auto_reclaim=True, pool_idle_days=30)
    agent = factories.agent()
    own = {"owner_id": agent.id, "owned_since": 1}
    idle, vip = factories.customer("idle", **own), factories.customer("vip", relationship_status=2, **own)
    busy = factories.customer("busy", last_interaction_at=ids.current_time(), **own)

    async def fill(transaction):
        for row in (agent, idle, vip, busy):
            row.workspace_id = number
            await transaction.insert(row)

    await database.write(number, fill)
    job = await reclaiming.start_reclaim(database, number, now=ids.current_time())
    assert job.counts == {"UPDATED": 1}
    assert await reclaiming.start_reclaim(database, number, now=ids.current_time()) is None
    found = await customers.by_ids(database.session(number), [idle.id], Visibility(sees_all=True))
    assert (found[idle.id].stage, found[idle.id].previous_owner_id) == (CustomerStage.POOL, agent.id)
