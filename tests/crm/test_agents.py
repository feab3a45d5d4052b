"""Agents: who they are, what they may do, how they sign in, and leaving."""

import asyncio

import pytest

from crm.access import accounts, passwords
from crm.catalogue import agents
from crm.errors import ConflictError, InputError, InputErrors
from db import tables
from db.tables.enums import ChangeAction, Permission, Role
from db.values import ids
from tests.crm.conftest import named
from tests.support import factories

PASSWORD = "correct horse battery"


def _id(row):
    return named(row)["id"]


def _given(**given):
    return {"name": "An", "email": f"an{ids.new_id().hex()}@clientela.example", **given}


async def _create(does, **given):
    wanted = _given(**given)
    return await does(agents.create, wanted, await agents.hash_new_password(wanted))


async def _update(does, agent, by=None, **given):
    return await does(
        agents.update, _id(agent), given, await agents.hash_new_password(given), **({"by": by} if by else {})
    )


# ── who they are ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_new_agent_signs_in_and_may_what_his_role_may(does, database, everything, log):
    made = await _create(does, name=" Anna ", password=PASSWORD, max_customers=7)
    signed_in = await accounts.sign_in(
        database, email=made.email, password=PASSWORD, address=None, now=ids.current_time()
    )
    assert Permission.CUSTOMER_CREATE in signed_in.viewer.permissions
    (agent,) = await everything(tables.Agent)
    assert (agent.name, agent.role, agent.active, agent.max_customers) == ("Anna", Role.AGENT, True, 7)
    (line,) = await log(agent)
    told = {one["field"]: one["after"] for one in line.fields}
    assert (line.action, told["name"], told["role"]) == (ChangeAction.CREATED, "Anna", "AGENT")
    assert not any(PASSWORD in str(one) for one in told.values())


async def test_without_a_password_he_cannot_sign_in_until_he_gets_one(does, database):
    made = await _create(does)
    with pytest.raises(InputError):
        await accounts.sign_in(database, email=made.email, password=PASSWORD, address=None, now=ids.current_time())
    await _update(does, made, password=PASSWORD)
    assert await accounts.sign_in(database, email=made.email, password=PASSWORD, address=None, now=ids.current_time())


async def test_an_agent_without_an_account_gets_one_with_his_password(does, database, save):
    await save(agent := factories.agent("Seeded"))
    await _update(does, agent, password=PASSWORD)
    assert await accounts.sign_in(database, email=agent.email, password=PASSWORD, address=None, now=ids.current_time())


async def test_an_address_is_unique_on_the_server_whatever_its_case(does, refuses, database, viewer):
    made = await _create(does)
    elsewhere = type(viewer)(
        await factories.workspace(database), viewer.actor_kind, viewer.actor_id, viewer.permissions
    )
    given = _given(email=made.email.upper())
    assert await refuses(agents.create, given, None, by=elsewhere) == ("TAKEN", "input.email")
    assert await refuses(agents.create, given, None) == ("TAKEN", "input.email")
    other = await _create(does)
    assert await refuses(agents.update, _id(other), {"email": made.email}, None) == ("TAKEN", "input.email")
    assert (await _update(does, made, email=made.email.upper())).email == made.email.upper()


async def test_of_many_with_one_address_at_once_one_is_made(does, everything):
    given = _given()
    done = await asyncio.gather(*(does(agents.create, given, None) for _ in range(6)), return_exceptions=True)
    assert sum(not isinstance(one, BaseException) for one in done) == 1
    assert len(await everything(tables.Agent)) == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({"name": " "}, ("BLANK", "input.name"), id="no name"),
        pytest.param({"email": None}, ("BLANK", "input.email"), id="no address"),
        pytest.param({"email": "anna"}, ("INVALID", "input.email"), id="a bad address"),
        pytest.param({"password": "short"}, ("INVALID", "input.password"), id="a short password"),
        pytest.param({"password": "x" * 201}, ("TOO_LONG", "input.password"), id="a long password"),
        pytest.param({"max_customers": -1}, ("INVALID", "input.maxCustomers"), id="less than nobody"),
        pytest.param({"active": None}, ("INVALID", "input.active"), id="active or not"),
        pytest.param({"departments": ["dep_1"]}, ("NOT_FOUND", "input.departments.0"), id="no such department"),
    ],
)
async def test_what_cannot_be_taken_is_refused_where_it_stands(refuses, given, expected):
    assert await refuses(agents.create, _given(**given), None) == expected


async def test_the_version_asked_for_must_be_the_present_one(does):
    made = await _create(does)
    await _update(does, made, name="Anh")
    with pytest.raises(ConflictError) as conflict:
        await does(agents.update, _id(made), {"name": "Ánh"}, None, if_version=1)
    assert conflict.value.record.version == 2
    assert (await does(agents.update, _id(made), {"name": "Anh"}, None, if_version=2)).version == 2


async def test_his_departments_are_replaced_and_stand_in_order(does, save, session, everything, log):
    await save(sales := factories.department("Sales"), care := factories.department("Care"))
    made = await _create(does, departments=[_id(sales), _id(care), _id(sales)])
    await _update(does, made, departments=[_id(care), _id(sales)])
    places = await everything(tables.AgentDepartment)
    assert {row.department_id: row.position for row in places} == {care.id: 0, sales.id: 1}
    assert (await log(made))[-1].fields == [
        {"field": "departments", "before": [_id(sales), _id(care)], "after": [_id(care), _id(sales)]}
    ]


# ── what they may do ──────────────────────────────────────────────────────────────────────────────────────────────────


async def _exceptions(everything):
    return {Permission(row.permission): row.granted for row in await everything(tables.AgentPermission)}


async def test_grants_and_revocations_stay_when_the_role_changes_and_the_last_wins(does, everything):
    made = await _create(does, grant=[Permission.TAG_ASSIGN], revoke=[Permission.NOTE_WRITE])
    await _update(does, made, role=Role.MANAGER)
    assert await _exceptions(everything) == {Permission.TAG_ASSIGN: True, Permission.NOTE_WRITE: False}
    await _update(does, made, grant=[Permission.NOTE_WRITE], revoke=[Permission.TAG_ASSIGN])
    assert await _exceptions(everything) == {Permission.TAG_ASSIGN: False, Permission.NOTE_WRITE: True}


async def test_what_he_may_is_told_in_the_log(does, log):
    made = await _create(does)
    await _update(does, made, grant=[Permission.TAG_ASSIGN])
    (_, line) = await log(made)
    told = {one["field"]: one for one in line.fields}
    assert told["grant"] == {"field": "grant", "before": [], "after": ["TAG_ASSIGN"]}
    assert set(told["permissions"]["after"]) - set(told["permissions"]["before"]) == {"TAG_ASSIGN"}


async def test_nobody_gives_what_he_does_not_hold(does, refuses, someone):
    manager = someone(Role.MANAGER)
    assert await refuses(agents.create, _given(role=Role.ADMIN), None, by=manager) == ("FORBIDDEN", "input.role")
    grants = [Permission.NOTE_WRITE, Permission.TAG_ASSIGN]
    assert await refuses(agents.create, _given(grant=grants), None, by=manager) == ("FORBIDDEN", "input.grant.1")
    made = await does(agents.create, _given(role=Role.MANAGER), None, by=manager)
    assert await refuses(agents.update, _id(made), {"role": Role.ADMIN}, None, by=manager) == (
        "FORBIDDEN",
        "input.role",
    )


async def test_nobody_decides_how_somebody_signs_in_who_may_more(does, refuses, someone):
    """Else he would sign in as him."""
    manager = someone(Role.MANAGER)
    admin = await _create(does, role=Role.ADMIN)
    await _create(does, role=Role.ADMIN)
    for given in ({"password": PASSWORD}, {"email": "mine@clientela.example"}):
        (name,) = given
        assert await refuses(agents.update, _id(admin), given, None, by=manager) == ("FORBIDDEN", f"input.{name}")
    await _update(does, admin, active=False)
    assert await refuses(agents.update, _id(admin), {"active": True}, None, by=manager) == ("FORBIDDEN", "input.active")
    assert (await _update(does, admin, by=manager, name="Anna", role=Role.ADMIN)).name == "Anna"


async def test_a_new_right_counts_at_once(does, database):
    made = await _create(does, password=PASSWORD)
    signed_in = await accounts.sign_in(
        database, email=made.email, password=PASSWORD, address=None, now=ids.current_time()
    )
    assert not (await accounts.viewer_of_token(database, signed_in.token)).has_permission(Permission.TAG_ASSIGN)
    await _update(does, made, grant=[Permission.TAG_ASSIGN])
    assert (await accounts.viewer_of_token(database, signed_in.token)).has_permission(Permission.TAG_ASSIGN)


# ── leaving ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("how", ["a new password", "deactivated", "deactivated by update"])
async def test_his_sessions_end(does, database, how):
    made = await _create(does, password=PASSWORD)
    token = (
        await accounts.sign_in(database, email=made.email, password=PASSWORD, address=None, now=ids.current_time())
    ).token
    assert await accounts.viewer_of_token(database, token)
    if how == "a new password":
        await _update(does, made, password="another horse battery")
    elif how == "deactivated":
        await does(agents.deactivate, _id(made), None)
        await _update(does, made, active=True)
    else:
        await _update(does, made, active=False)
        await _update(does, made, active=True)
    assert await accounts.viewer_of_token(database, token) is None


async def test_a_changed_password_is_logged_and_not_told(does, log):
    made = await _create(does, password=PASSWORD)
    changed = await _update(does, made, password="another horse battery")
    assert changed.version == 2
    assert (await log(made))[-1].fields == [{"field": "password", "before": None, "after": None}]


async def test_the_last_active_administrator_stays(does, refuses, everything):
    one, two = await _create(does, role=Role.ADMIN), await _create(does, role=Role.ADMIN)
    await does(agents.deactivate, _id(one), None)
    assert await refuses(agents.deactivate, _id(two), None) == ("IN_USE", "id")
    assert await refuses(agents.update, _id(two), {"active": False}, None) == ("IN_USE", "input.active")
    assert await refuses(agents.update, _id(two), {"role": Role.MANAGER}, None) == ("IN_USE", "input.role")
    await _update(does, one, active=True)
    assert (await _update(does, two, role=Role.MANAGER)).role == Role.MANAGER


async def test_of_two_who_demote_each_other_one_stays(does, everything):
    one, two = await _create(does, role=Role.ADMIN), await _create(does, role=Role.ADMIN)
    done = await asyncio.gather(
        *(does(agents.update, _id(agent), {"role": Role.AGENT}, None) for agent in (one, two)), return_exceptions=True
    )
    assert sum(isinstance(each, InputError) for each in done) == 1
    assert sum(row.role == Role.ADMIN for row in await everything(tables.Agent)) == 1


async def test_nothing_changes_where_several_things_are_wrong(does, everything):
    made = await _create(does)
    with pytest.raises(InputErrors) as refused:
        await does(agents.update, _id(made), {"name": "", "max_customers": -1}, None)
    assert len(refused.value.errors) == 2
    assert [row.name for row in await everything(tables.Agent)] == ["An"]


async def test_an_unknown_agent_is_not_found(refuses):
    assert await refuses(agents.update, "agt_1", {}, None) == ("NOT_FOUND", "id")
    assert await refuses(agents.deactivate, "cus_" + "0" * 32, None) == ("NOT_FOUND", "id")


async def test_a_password_that_cannot_be_taken_is_not_hashed(monkeypatch):
    async def never(password):
        raise AssertionError

    monkeypatch.setattr(passwords, "hash_password", never)
    assert await agents.hash_new_password({"password": "short"}) is None
    assert await agents.hash_new_password({}) is None
