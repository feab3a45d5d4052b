"""Who may do what: three answers, rows out of sight, agents and keys, and what may be handed on."""

import pytest

from crm.access import passwords, permissions
from db.tables.enums import ActorKind, Permission, Role
from db.values import ids
from tests.support.rules_workspace import without

LIST = "query ($s: String!) { customers(filter: {source: {eq: $s}}) { totalCount nodes { id } aggregate { count } } }"


# ── seeing ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_agent_sees_his_own_those_waiting_in_his_departments_and_the_pool(house):
    """SM2, SB8: what is out of sight is absent in lists, totals, look-ups and nodes, and NOT_FOUND to every write."""
    own = await house.customer(source="visibility", owner={"id": house.ids["seller"]})
    foreign = await house.customer(source="visibility", owner={"id": house.ids["loner"]}, emails=["sight@x.example"])
    nobodys = await house.customer(source="visibility")
    waiting = await house.customer(source="visibility", who="seller")
    pooled = await house.customer(source="visibility", owner={"id": house.ids["loner"]})
    await house.bulk("customersRelease", target={"ids": [pooled]})
    for who, seen in [("seller", [pooled, waiting, own]), ("loner", [pooled, foreign]),
                      ("manager", [pooled, waiting, nobodys, foreign, own])]:  # fmt: skip
        found = (await house.ask(LIST, who, s="visibility"))["customers"]
        assert ([one["id"] for one in found["nodes"]], found["totalCount"]) == (seen, len(seen))
        assert found["aggregate"]["count"] == len(seen)
    node = 'query ($id: ID!) { node(id: $id) { id } customer(by: {email: "sight@x.example"}) { id } }'
    assert await house.ask(node, "seller", id=foreign) == {"node": None, "customer": None}
    absent = [("NOT_FOUND", "by")]
    for by in ({"id": foreign}, {"id": "cus_" + "0" * 32}, {"email": "sight@x.example"}):
        assert await house.refuses("customerUpdate", "seller", by=by, input={"name": "x"}) == absent
    assert await house.refuses("noteCreate", "seller", customer={"id": foreign}, input={"body": "x"}) == [
        ("NOT_FOUND", "customer")
    ]
    assert await house.refuses(
        "orderUpsert", "seller", customer={"id": foreign}, input={"source": "s", "number": "1"}
    ) == [("NOT_FOUND", "customer")]
    assert await house.bulk("customersClaim", "seller", target={"ids": [foreign]}) == [
        ("FAILED", ("NOT_FOUND", "target.ids.0"))
    ]
    assert [one["nodeId"] for one in await house.log(foreign, "seller")] == []


async def test_an_agent_changes_his_own_and_those_waiting_in_his_departments(house):
    """SB8: somebody in the pool is seen, noted about and claimed, and not changed."""
    waiting = await house.customer(who="seller")
    pooled = await house.customer(owner={"id": house.ids["loner"]})
    await house.bulk("customersRelease", target={"ids": [pooled]})
    assert (await house.does("customerUpdate", who="seller", by={"id": waiting}, input={"nickname": "x"}))[
        "outcome"
    ] == "UPDATED"
    assert await house.refuses("customerUpdate", "seller", by={"id": pooled}, input={"nickname": "x"}) == [
        ("FORBIDDEN", "by")
    ]
    assert await house.refuses("customerUpsert", "seller", by={"id": pooled}, input={"nickname": "x"}) == [
        ("FORBIDDEN", "by")
    ]
    assert (await house.does("noteCreate", who="seller", customer={"id": pooled}, input={"body": "x"}))["errors"] == []
    rows = [{"by": {"id": pooled}, "input": {"nickname": "x"}}]
    assert await house.bulk("customersUpsert", "seller", rows=rows) == [("FAILED", ("FORBIDDEN", "rows.0.by"))]
    assert await house.bulk("customersUpdate", "seller", target={"ids": [pooled]}, input={"nickname": "x"}) == [
        ("FAILED", ("FORBIDDEN", "target.ids.0"))
    ]


async def test_releasing_others_and_choosing_an_owner_need_customer_assign(house):
    """SB8, SB19: one's own are released with CUSTOMER_UPDATE; verifying needs CUSTOMER_VIEW_ALL as well."""
    own = await house.customer(owner={"id": house.ids["seller"]})
    owner = {"owner": {"id": house.ids["colleague"]}}
    assert await house.refuses("customerUpdate", "seller", by={"id": own}, input=owner) == [
        ("FORBIDDEN", "input.owner")
    ]
    assert await house.refuses("customerCreate", "seller", input={"name": "x", **owner}) == [
        ("FORBIDDEN", "input.owner")
    ]
    same = {"owner": {"id": house.ids["seller"]}}
    assert (await house.does("customerUpdate", who="seller", by={"id": own}, input=same))["errors"] == []
    lacking = without(house.viewers["manager"], Permission.CUSTOMER_ASSIGN)
    assert await house.bulk("customersRelease", lacking, target={"ids": [own]}) == [
        ("FAILED", ("FORBIDDEN", "target.ids.0"))
    ]
    assert await house.bulk("customersRelease", "seller", target={"ids": [own]}) == [("UPDATED",)]
    assert await house.refuses("customersVerify", "seller", target={"ids": [own]}, valid=True) == [("FORBIDDEN", "")]


@pytest.mark.parametrize(("who", "role"), [("admin", Role.ADMIN), ("manager", Role.MANAGER), ("seller", Role.AGENT)])
async def test_a_viewer_is_told_what_he_may_in_the_order_of_the_list(house, who, role):
    """SM2, SB8, MS4."""
    told = await house.ask("{ viewer { permissions agent { permissions } } }", who)
    own = [one.name for one in sorted(permissions.ROLE_PERMISSIONS[role])]
    assert told["viewer"] == {"permissions": own, "agent": {"permissions": own}}


async def test_an_upsert_may_make_without_changing(house):
    """SB8: CUSTOMER_CREATE makes; who is there already is changed with CUSTOMER_UPDATE only."""
    lacking = without(house.viewers["admin"], Permission.CUSTOMER_UPDATE)
    by = {"externalId": {"system": "erp", "value": "make only"}}
    assert (await house.does("customerUpsert", who=lacking, by=by, input={"name": "x"}))["outcome"] == "CREATED"
    assert await house.refuses("customerUpsert", lacking, by=by, input={"name": "y"}) == [("FORBIDDEN", "by")]
    assert await house.bulk("customersUpsert", lacking, rows=[{"by": by, "input": {"name": "y"}}]) == [
        ("FAILED", ("FORBIDDEN", "rows.0.by"))
    ]


# ── giving ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_grants_and_revocations_are_kept_the_last_wins(house):
    """SM2, SB8: they are changes to what is stored; another role keeps them."""
    agent = await house.agent()

    async def after(**input):
        done = await house.does("agentUpdate", "agent { permissions }", id=agent, input=input)
        assert done["errors"] == []
        return set(done["agent"]["permissions"])

    role = {one: {each.name for each in permissions.ROLE_PERMISSIONS[one]} for one in Role}
    own = role[Role.AGENT]
    assert await after(grant=["TAG_ASSIGN"], revoke=["NOTE_WRITE"]) == own - {"NOTE_WRITE"} | {"TAG_ASSIGN"}
    assert await after(grant=["NOTE_WRITE"]) == own | {"TAG_ASSIGN"}
    assert await after(grant=["NOTE_MANAGE"], revoke=["NOTE_MANAGE"]) == own | {"TAG_ASSIGN"}
    assert await after(role="MANAGER") == role[Role.MANAGER] - {"NOTE_MANAGE"} | {"TAG_ASSIGN"}
    assert await after(grant=None, revoke=None) == role[Role.MANAGER] - {"NOTE_MANAGE"} | {"TAG_ASSIGN"}
    assert await after(role="AGENT", revoke=["TAG_ASSIGN"]) == own
    viewer = await house.as_(agent)
    assert {one.name for one in viewer.permissions} == own


async def test_nobody_gives_what_he_does_not_hold(house):
    """SM2, SB8, MS4: no permission, no role, no permission of a key."""
    email = {"name": "x", "email": f"{ids.new_id().hex()}@x.example"}
    given = {**email, "grant": ["NOTE_MANAGE", "TAG_ASSIGN", "KEY_MANAGE"]}
    assert await house.refuses("agentCreate", "manager", input=given) == [
        ("FORBIDDEN", "input.grant.1"), ("FORBIDDEN", "input.grant.2"),
    ]  # fmt: skip
    assert await house.refuses("agentCreate", "manager", input={**email, "role": "ADMIN"}) == [
        ("FORBIDDEN", "input.role")
    ]
    agent = await house.agent()
    assert await house.refuses("agentUpdate", "manager", id=agent, input={"role": "ADMIN"}) == [
        ("FORBIDDEN", "input.role")
    ]
    assert await house.refuses("agentUpdate", "manager", id=house.ids["admin"], input={"password": "x" * 10}) == [
        ("FORBIDDEN", "input.password")
    ]
    keeper = type(house.viewers["manager"])(
        house.number, ActorKind.AGENT, house.viewers["manager"].actor_id,
        frozenset({Permission.KEY_MANAGE, Permission.CUSTOMER_VIEW}),
    )  # fmt: skip
    key = {"name": "x", "permissions": ["CUSTOMER_VIEW", "CUSTOMER_DELETE"]}
    assert await house.refuses("apiKeyCreate", keeper, input=key) == [("FORBIDDEN", "input.permissions.1")]


async def test_a_key_carries_its_own_permissions_and_claims_nobody(house):
    """SB8: it sees what its permissions show, is told as the author, and its last use and end are kept."""
    pooled = await house.customer(owner={"id": house.ids["loner"]})
    await house.bulk("customersRelease", target={"ids": [pooled]})
    wanted = ["CUSTOMER_VIEW", "CUSTOMER_VIEW_ALL", "CUSTOMER_CLAIM", "NOTE_WRITE", "KEY_MANAGE"]
    done = await house.does("apiKeyCreate", "apiKey { id permissions revokedAt } secret",
                            input={"name": "k", "permissions": wanted})  # fmt: skip
    assert set(done["apiKey"]["permissions"]) == set(wanted)
    assert done["secret"].startswith("key_")
    key = await house.as_(done["apiKey"]["id"], ActorKind.API_KEY)
    asked = "{ viewer { agent { id } permissions actor { ... on ApiKey { name } } } }"
    viewer = (await house.ask(asked, key))["viewer"]
    assert (viewer["agent"], set(viewer["permissions"]), viewer["actor"]) == (None, set(wanted), {"name": "k"})
    assert await house.refuses("customersClaim", key, target={"ids": [pooled]}) == [("FORBIDDEN", "")]
    assert "CLAIM" not in (await house.shown(pooled, "viewerCan", key))["viewerCan"]
    note = await house.does("noteCreate", "note { author { ... on ApiKey { id } } }", key,
                            customer={"id": pooled}, input={"body": "x"})  # fmt: skip
    assert note["note"]["author"] == {"id": done["apiKey"]["id"]}
    assert await house.refuses("customerUpdate", key, by={"id": pooled}, input={"name": "x"}) == [("FORBIDDEN", "")]
    assert await house.refuses("apiKeyCreate", key, input={"name": "x", "permissions": ["CUSTOMER_DELETE"]}) == [
        ("FORBIDDEN", "input.permissions.0")
    ]
    for wrong, refused in [
        ({"name": " ", "permissions": ["NOTE_WRITE"]}, ("BLANK", "input.name")),
        ({"name": "x", "permissions": []}, ("INVALID", "input.permissions")),
        ({"name": "x", "permissions": ["NOTE_WRITE"], "expiresAt": "2001-01-01T00:00:00Z"},
         ("INVALID", "input.expiresAt")),
    ]:  # fmt: skip
        assert await house.refuses("apiKeyCreate", input=wrong) == [refused]
    assert (await house.does("apiKeyRevoke", id=done["apiKey"]["id"]))["errors"] == []
    with pytest.raises(AssertionError):
        await house.as_(done["apiKey"]["id"], ActorKind.API_KEY)


# ── agents ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_password_has_10_to_200_characters(house, monkeypatch):
    """SM2."""
    monkeypatch.setattr(passwords, "hash_password", lambda password: _done("hash"))
    agent = await house.agent()
    for password, refused in [("", "BLANK"), ("x" * 9, "INVALID"), ("x" * 10, None), ("é" * 200, None),
                              ("e\u0301" * 200, None), ("x" * 201, "TOO_LONG")]:  # fmt: skip
        done = await house.does("agentUpdate", id=agent, input={"password": password})
        assert [(one["code"], one["path"]) for one in done["errors"]] == (
            [(refused, ["input", "password"])] if refused else []
        )


async def _done(value):
    return value


async def test_an_agents_address_is_unique_on_the_server(house):
    """SB8: whatever its case; ifVersion guards an agent as well."""
    address = f"{ids.new_id().hex()}@x.example"
    agent = await house.made("agentCreate", "agent", name="An", email=address)
    for mutation, more in [("agentCreate", {}), ("agentUpdate", {"id": house.ids["loner"]})]:
        given = {"name": "x", "email": address.upper()}
        assert await house.refuses(mutation, **more, input=given) == [("TAKEN", "input.email")]
    assert await house.refuses("agentCreate", input={}) == [("BLANK", "input.name"), ("BLANK", "input.email")]
    done = await house.does("agentUpdate", id=agent, input={"name": "Bo"}, ifVersion=9)
    assert (done["errors"][0]["code"], done["errors"][0]["record"]["id"]) == ("CONFLICT", agent)


async def test_who_owns_customers_leaves_with_a_choice(house):
    """SB19: AGENT_HAS_CUSTOMERS by deactivation and by `active: false` alike; released, or assigned by turns."""
    leaver = await house.agent("Leaver")
    own = [await house.customer(owner={"id": leaver}, followUpStage="Offer sent") for _ in range(3)]
    archived = await house.customer(owner={"id": leaver})
    await house.bulk("customersArchive", target={"ids": [archived]})
    assert await house.refuses("agentDeactivate", id=leaver) == [("AGENT_HAS_CUSTOMERS", "customers")]
    assert await house.refuses("agentUpdate", id=leaver, input={"active": False, "name": "x"}) == [
        ("AGENT_HAS_CUSTOMERS", "input.active")
    ]
    for customers, refused in [
        ({"assign": {}}, ("INVALID", "customers.assign")),
        ({"assign": {"agents": ["agt_" + "0" * 32]}}, ("NOT_FOUND", "customers.assign.agents.0")),
        ({"assign": {"agents": [leaver]}}, ("AGENT_INACTIVE", "customers.assign.agents.0")),
    ]:
        assert await house.refuses("agentDeactivate", id=leaver, customers=customers) == [refused]
    empty = await house.made("departmentCreate", "department", name="Empty")
    assert await house.refuses("agentDeactivate", id=leaver, customers={"assign": {"departments": [empty]}}) == [
        ("DEPARTMENT_EMPTY", "customers.assign.departments.0")
    ]
    one, two = await house.agent("One", maxCustomers=1), await house.agent("Two", departments=[empty])
    full = await house.does("agentDeactivate", id=leaver, customers={"assign": {"agents": [one]}})
    assert [full["errors"][0][name] for name in ("code", "limit", "current")] == ["AGENT_AT_CAPACITY", 1, 3]
    assert {(await house.shown(each, "owner { id }"))["owner"]["id"] for each in own} == {leaver}
    choice = {"assign": {"agents": [one], "departments": [empty]}}
    done = await house.does("agentDeactivate", "agent { active customerCount }", id=leaver, customers=choice)
    assert done["agent"] == {"active": False, "customerCount": 0}
    shown = [await house.shown(each, "owner { id } previousOwner { id } followUpStage") for each in own]
    assert sorted(each["owner"]["id"] for each in shown) == sorted([one, two, two])
    assert {each["previousOwner"]["id"] for each in shown} == {leaver}
    assert (await house.shown(archived, "owner { id }"))["owner"]["id"] == leaver
    assert (await house.does("agentDeactivate", id=two, customers={"release": "TO_BE_ASSIGNED"}))["errors"] == []
    shown = [await house.shown(each, "stage owner { id } followUpStage") for each in own]
    assert sorted(each["stage"] for each in shown) == ["FOLLOW_UP", "TO_BE_ASSIGNED", "TO_BE_ASSIGNED"]
    assert [each["followUpStage"] for each in shown if not each["owner"]] == [None, None]


async def test_the_last_active_administrator_stays(house):
    """SM2: neither deactivated nor made less."""
    admin = house.ids["admin"]
    assert await house.refuses("agentDeactivate", id=admin) == [("IN_USE", "id")]
    assert await house.refuses("agentUpdate", id=admin, input={"active": False}) == [("IN_USE", "input.active")]
    assert await house.refuses("agentUpdate", id=admin, input={"role": "AGENT"}) == [("IN_USE", "input.role")]


async def test_capacity_is_the_agents_own_or_the_workspaces(house):
    """SB19: 0 is nobody, null the workspace's, whose null is no limit; archived ones take no room."""
    agent = await house.agent("Small")

    async def takes(limit):
        assert (await house.does("agentUpdate", id=agent, input={"maxCustomers": limit}))["errors"] == []
        given = {"name": "x", "owner": {"id": agent}}
        done = await house.does("customerCreate", "customer { id }", input=given)
        if done["customer"]:
            await house.does("customerDelete", by={"id": done["customer"]["id"]})
        return [(one["code"], one["limit"], one["current"]) for one in done["errors"]]

    held = await house.customer(owner={"id": agent})
    assert await takes(0) == [("AGENT_AT_CAPACITY", 0, 2)]
    assert await takes(1) == [("AGENT_AT_CAPACITY", 1, 2)]
    assert await takes(None) == []
    await house.settings(maxCustomersPerAgent=1)
    assert await takes(None) == [("AGENT_AT_CAPACITY", 1, 2)]
    assert await takes(2) == []
    await house.bulk("customersArchive", target={"ids": [held]})
    assert await takes(None) == []
    await house.settings(maxCustomersPerAgent=None)
    assert await house.refuses("agentUpdate", id=agent, input={"maxCustomers": -1}) == [
        ("INVALID", "input.maxCustomers")
    ]
