"""What becomes of an agent's customers when he is deactivated (SB18-SB23)."""

import asyncio
from collections import Counter

import pytest

from crm.catalogue import agents
from crm.customers import records
from crm.jobs import worker
from crm.workspace import policies
from db import tables
from db.queries import jobs
from db.tables.enums import CustomerStage, DepartmentAssignment, JobKind, JobStatus, Permission, Role
from tests.crm.conftest import named
from tests.support import factories

POOL = {"release": CustomerStage.POOL}


def _id(row):
    return named(row)["id"]


def _assign(*people, departments=()):
    return {"assign": {"agents": [_id(one) for one in people], "departments": [_id(one) for one in departments]}}


@pytest.fixture
async def leaving(save):
    """An agent with seven customers, the newest last in the list."""
    agent = factories.agent("Leaving")
    customers = [factories.customer(f"C{place}", owner_id=agent.id, created_at=1000 + place) for place in range(7)]
    await save(agent, *customers)
    return agent, customers


async def _customers(everything):
    return {row.id: row for row in await everything(tables.Customer)}


async def test_who_owns_customers_needs_a_choice(refuses, leaving, everything):
    agent, _ = leaving
    assert await refuses(agents.deactivate, _id(agent), None) == ("AGENT_HAS_CUSTOMERS", "customers")
    assert await refuses(agents.update, _id(agent), {"active": False}, None) == ("AGENT_HAS_CUSTOMERS", "input.active")
    assert all(row.active for row in await everything(tables.Agent))


async def test_who_owns_only_archived_ones_needs_none(does, save, everything):
    await save(agent := factories.agent("An"), factories.customer(owner_id=agent.id, archived_at=1))
    await does(agents.deactivate, _id(agent), None)
    assert [row.owner_id for row in await everything(tables.Customer)] == [agent.id]


@pytest.mark.parametrize("stage", [CustomerStage.POOL, CustomerStage.TO_BE_ASSIGNED])
async def test_they_are_released(does, leaving, everything, log, stage):
    agent, customers = leaving
    await does(agents.deactivate, _id(agent), {"release": stage})
    for row in (await _customers(everything)).values():
        assert (row.stage, row.owner_id, row.previous_owner_id, row.version) == (stage, None, agent.id, 2)
    for customer in customers:
        (line,) = await log(customer)
        assert {one["field"] for one in line.fields} == {"stage", "owner", "previousOwner"}
    assert [one["field"] for one in (await log(agent))[0].fields] == ["active"]


async def test_they_are_assigned_evenly_by_turns_in_list_order(does, save, leaving, everything):
    """SB18: seven over three are 3, 2 and 2, the newest first."""
    agent, customers = leaving
    await save(one := factories.agent("One"), two := factories.agent("Two"), three := factories.agent("Three"))
    await does(agents.deactivate, _id(agent), _assign(one, two, one, three))
    found = await _customers(everything)
    order = [found[customer.id].owner_id for customer in reversed(customers)]
    assert order == [one.id, two.id, three.id] * 2 + [one.id]
    assert {row.stage for row in found.values()} == {CustomerStage.FOLLOW_UP}


async def test_departments_stand_for_their_active_members_after_the_agents(does, save, leaving, everything):
    agent, _ = leaving
    sales = factories.department("Sales")
    one, two, gone = factories.agent("One"), factories.agent("Two"), factories.agent("Gone", active=False)
    await save(sales, one, two, gone, *(factories.works_in(who, sales) for who in (one, two, gone, agent)))
    await does(agents.deactivate, _id(agent), _assign(two, departments=[sales]))
    shares = Counter(row.owner_id for row in (await _customers(everything)).values())
    assert shares == {two.id: 4, one.id: 3}


async def test_full_agents_are_passed_over(does, save, leaving, everything):
    agent, _ = leaving
    small, nobody, large = (
        factories.agent("S", max_customers=2),
        factories.agent("N", max_customers=0),
        factories.agent("L"),
    )
    await save(small, nobody, large)
    await does(agents.deactivate, _id(agent), _assign(small, nobody, large))
    assert Counter(row.owner_id for row in (await _customers(everything)).values()) == {small.id: 2, large.id: 5}


async def test_too_few_places_are_refused_and_nothing_is_done(refuses, save, leaving, everything):
    agent, _ = leaving
    await save(small := factories.agent("S", max_customers=6))
    assert await refuses(agents.deactivate, _id(agent), _assign(small)) == ("AGENT_AT_CAPACITY", "customers.assign")
    assert {row.owner_id for row in (await _customers(everything)).values()} == {agent.id}


async def test_they_wait_in_the_departments_queue_where_the_workspace_says_so(does, database, save, everything):
    await save(
        agent := factories.agent("Leaving"),
        sales := factories.department("Sales"),
        care := factories.department("Care"),
    )
    await save(*(factories.customer(owner_id=agent.id) for _ in range(4)))
    await does(_queueing)
    await does(agents.deactivate, _id(agent), _assign(departments=[sales, care]))
    found = (await _customers(everything)).values()
    assert {(row.stage, row.owner_id) for row in found} == {(CustomerStage.TO_BE_ASSIGNED, None)}
    assert Counter(row.department_id for row in found) == {sales.id: 2, care.id: 2}


async def _queueing(unit):
    await policies.update_workspace(unit, {"department_assignment": DepartmentAssignment.QUEUE})


async def test_a_bad_choice_is_refused_where_it_stands(refuses, save, leaving):
    agent, _ = leaving
    await save(
        gone := factories.agent("Gone", active=False),
        one := factories.agent("One"),
        empty := factories.department("Empty"),
    )
    cases = {
        ("INVALID", "customers.assign"): _assign(),
        ("NOT_FOUND", "customers.assign.agents.1"): {"assign": {"agents": [_id(one), "agt_" + "0" * 32]}},
        ("AGENT_INACTIVE", "customers.assign.agents.1"): _assign(one, gone),
        ("AGENT_INACTIVE", "customers.assign.agents.0"): _assign(agent),
        ("NOT_FOUND", "customers.assign.departments.0"): {"assign": {"departments": [_id(one)]}},
        ("DEPARTMENT_EMPTY", "customers.assign.departments.0"): _assign(one, departments=[empty]),
    }
    for expected, choice in cases.items():
        assert await refuses(agents.deactivate, _id(agent), choice) == expected


async def test_a_blocked_customer_is_not_assigned_and_can_be_released(does, refuses, save, leaving, everything):
    agent, customers = leaving
    await save(one := factories.agent("One"), factories.block(customers[3]))
    assert await refuses(agents.deactivate, _id(agent), _assign(one)) == ("CUSTOMER_BLOCKED", "customers.assign")
    await does(agents.deactivate, _id(agent), POOL)
    assert {row.stage for row in (await _customers(everything)).values()} == {CustomerStage.POOL}


async def test_it_needs_the_permission_to_assign(refuses, someone, leaving):
    agent, _ = leaving
    viewer = someone(Role.ADMIN, revoke=(Permission.CUSTOMER_ASSIGN,))
    assert await refuses(agents.deactivate, _id(agent), POOL, by=viewer) == ("FORBIDDEN", "customers")


async def test_customers_out_of_the_viewers_sight_move_too(does, someone, leaving, everything):
    agent, _ = leaving
    viewer = someone(Role.AGENT, grant=(Permission.AGENT_MANAGE, Permission.CUSTOMER_ASSIGN))
    await does(agents.deactivate, _id(agent), POOL, by=viewer)
    assert {row.stage for row in (await _customers(everything)).values()} == {CustomerStage.POOL}


async def test_nobody_is_given_to_him_while_he_leaves(does, save, everything):
    await save(agent := factories.agent("Leaving"))
    wanted = [{"name": f"C{place}", "owner": {"id": _id(agent)}} for place in range(6)]
    await asyncio.gather(
        *(does(records.create, one) for one in wanted),
        does(agents.deactivate, _id(agent), POOL),
        return_exceptions=True,
    )
    assert not any(row.owner_id == agent.id for row in await everything(tables.Customer))


async def test_a_number_of_customers_takes_a_number_of_statements(does, save, sent):
    """A handful for each, whether they are three or as many as are done at once."""
    counts = []
    for many in (3, 200):
        await save(agent := factories.agent("Leaving"), *(factories.customer(owner_id=agent.id) for _ in range(many)))
        sent.clear()
        await does(agents.deactivate, _id(agent), POOL)
        counts.append(len(sent))
    assert counts[0] == counts[1] <= 25


@pytest.fixture
async def many(save):
    """An agent with more customers than are done at once, one of them blocked."""
    agent = factories.agent("Leaving")
    customers = [factories.customer(f"C{place}", owner_id=agent.id, created_at=1000 + place) for place in range(231)]
    await save(agent, *customers)
    await save(factories.block(customers[3]))
    return agent, customers


async def _worked(database, session, job):
    while await worker.run_next_job(database, "worker", asyncio.Event()):
        pass
    return (await jobs.any_by_ids(session, [job.id]))[job.id]


async def test_many_are_assigned_by_a_job(does, save, many, database, session, everything, viewer):
    agent, _ = many
    await save(
        factories.agent(id=viewer.actor_id, role=Role.ADMIN),
        one := factories.agent("One"),
        two := factories.agent("Two"),
    )
    done = await does(agents.deactivate, _id(agent), _assign(one, two))
    assert (done.agent.active, done.job.kind, done.job.matched) == (False, JobKind.ASSIGN, 231)
    assert {row.owner_id for row in (await _customers(everything)).values()} == {agent.id}
    job = await _worked(database, session, done.job)
    assert (job.status, job.counts) == (JobStatus.DONE_WITH_ERRORS, {"UPDATED": 230, "FAILED": 1})
    shares = Counter(row.owner_id for row in (await _customers(everything)).values())
    assert shares == {one.id: 115, two.id: 115, agent.id: 1}


async def test_many_are_released_by_a_job_whoever_sees_them(does, save, someone, many, database, session, everything):
    agent, _ = many
    rights = (Permission.AGENT_MANAGE, Permission.CUSTOMER_ASSIGN)
    viewer = someone(Role.AGENT, grant=rights)
    await save(factories.agent(id=viewer.actor_id, role=Role.AGENT))
    own = {"workspace_id": 0, "agent_id": viewer.actor_id, "granted": True}
    await save(*(tables.AgentPermission(permission=int(one), **own) for one in rights))
    done = await does(agents.deactivate, _id(agent), POOL, by=viewer)
    assert done.job.kind == JobKind.RELEASE
    job = await _worked(database, session, done.job)
    assert (job.status, job.counts) == (JobStatus.DONE, {"UPDATED": 231})
    assert {row.stage for row in (await _customers(everything)).values()} == {CustomerStage.POOL}


async def test_many_are_too_many_for_those_who_take_fewer(refuses, save, many, everything):
    agent, _ = many
    await save(small := factories.agent("S", max_customers=230))
    assert await refuses(agents.deactivate, _id(agent), _assign(small)) == ("AGENT_AT_CAPACITY", "customers.assign")
    assert all(row.active for row in await everything(tables.Agent))


async def test_rules_look_at_whoever_comes_back_to_wait(does, save, leaving, everything):
    agent, _ = leaving
    await save(one := factories.agent("One"))
    await save(rule := factories.rule(), factories.assigns(rule, agent=one))
    await does(agents.deactivate, _id(agent), {"release": CustomerStage.TO_BE_ASSIGNED})
    assert {row.owner_id for row in (await _customers(everything)).values()} == {one.id}
