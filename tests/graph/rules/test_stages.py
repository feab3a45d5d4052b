"""Stages, owners and the pool: what moves a customer where, and what it leaves behind."""

import asyncio

import pytest

from crm.bulk import reclaiming
from db import batch_writes, tables
from db.values import ids
from db.values.wire_format import decode_id

SHOWS = "stage verification followUpStage owner { id } previousOwner { id } department { id } version"
STAGES = ("NEW", "TO_BE_ASSIGNED", "FOLLOW_UP", "POOL")


@pytest.fixture
def standing(house):
    """A customer who stands in that stage."""

    async def made(stage, owner="loner", **more):
        given = {"owner": {"id": house.ids[owner]}} if stage in ("FOLLOW_UP", "POOL") else {"stage": stage}
        customer = await house.customer(**given, **more)
        if stage == "POOL":
            assert await house.bulk("customersRelease", target={"ids": [customer]}) == [("UPDATED",)]
        return customer

    return made


def moved(house):
    """Each move from each stage: where it leads, None where it is so already, or what else is allowed."""
    agents = {"agents": [house.ids["seller"]]}
    return {
        ("customersVerify", "valid", True): {
            "NEW": "TO_BE_ASSIGNED", "TO_BE_ASSIGNED": None, "FOLLOW_UP": ["POOL"], "POOL": ["FOLLOW_UP"],
        },
        ("customersVerify", "valid", False): {
            "NEW": "NEW", "TO_BE_ASSIGNED": ["FOLLOW_UP"], "FOLLOW_UP": ["TO_BE_ASSIGNED", "POOL"],
            "POOL": ["FOLLOW_UP"],
        },
        ("customersAssign", "to", frozenset(agents)): {
            "NEW": ["TO_BE_ASSIGNED"], "TO_BE_ASSIGNED": "FOLLOW_UP", "FOLLOW_UP": "FOLLOW_UP", "POOL": "FOLLOW_UP",
        },
        ("customersRelease", "to", "POOL"): {
            "NEW": ["TO_BE_ASSIGNED"], "TO_BE_ASSIGNED": ["FOLLOW_UP"], "FOLLOW_UP": "POOL", "POOL": None,
        },
        ("customersRelease", "to", "TO_BE_ASSIGNED"): {
            "NEW": ["TO_BE_ASSIGNED"], "TO_BE_ASSIGNED": None, "FOLLOW_UP": "TO_BE_ASSIGNED", "POOL": ["FOLLOW_UP"],
        },
    }  # fmt: skip


@pytest.mark.parametrize("start", STAGES)
async def test_every_move_from_every_stage(house, standing, start):
    """SB2, SB18, SB23: NEW, TO_BE_ASSIGNED, FOLLOW_UP, POOL as drawn; any other is a TransitionError of stages; an
    owner is set in FOLLOW_UP alone."""
    for (mutation, name, value), ends in moved(house).items():
        given = {"agents": [house.ids["seller"]]} if mutation == "customersAssign" else value
        customer, end = await standing(start), ends[start]
        done = await house.does(
            mutation,
            "job { rows { nodes { outcome errors { code ... on TransitionError { from to allowed } } } } }",
            target={"ids": [customer]},
            **{name: given},
        )
        (row,) = done["job"]["rows"]["nodes"]
        after = await house.shown(customer, SHOWS)
        if isinstance(end, list):
            (error,) = row["errors"]
            assert (row["outcome"], error["code"], error["from"]) == ("FAILED", "INVALID_TRANSITION", start)
            assert error["to"] in STAGES
            assert error["allowed"] == end, (mutation, value, start)
        else:
            assert (row["outcome"], row["errors"]) == ("SKIPPED" if end is None else "UPDATED", []), (mutation, start)
        assert after["stage"] == (end if isinstance(end, str) else start)
        assert (after["owner"] is not None) == (after["stage"] == "FOLLOW_UP")


async def test_who_is_invalid_stays_new_and_may_be_found_valid_later(house):
    """SB2."""
    customer = await house.customer(stage="NEW")
    outcomes = []
    for valid in (False, False, True, True):
        ((outcome, *_),) = await house.bulk("customersVerify", target={"ids": [customer]}, valid=valid)
        shown = await house.shown(customer, "stage verification")
        outcomes.append((outcome, shown["stage"], shown["verification"]))
    assert outcomes == [
        ("UPDATED", "NEW", "INVALID"), ("SKIPPED", "NEW", "INVALID"),
        ("UPDATED", "TO_BE_ASSIGNED", "VALID"), ("SKIPPED", "TO_BE_ASSIGNED", "VALID"),
    ]  # fmt: skip


async def test_a_transfer_keeps_the_previous_owner_and_the_follow_up_stage(house, standing):
    """SB18, SB12: leaving FOLLOW_UP clears the follow-up stage; the same owner again is SKIPPED."""
    customer = await standing("FOLLOW_UP", followUpStage="Offer sent")
    target = {"ids": [customer]}
    to = {"agents": [house.ids["seller"]]}
    assert await house.bulk("customersAssign", target=target, to=to) == [("UPDATED",)]
    assert await house.bulk("customersAssign", target=target, to=to) == [("SKIPPED",)]
    shown = await house.shown(customer, SHOWS)
    assert shown == {
        "stage": "FOLLOW_UP", "verification": "UNVERIFIED", "followUpStage": "Offer sent", "version": 2,
        "owner": {"id": house.ids["seller"]}, "previousOwner": {"id": house.ids["loner"]},
        "department": {"id": house.ids["sales"]},
    }  # fmt: skip
    await house.bulk("customersRelease", target=target, to="TO_BE_ASSIGNED")
    shown = await house.shown(customer, SHOWS)
    assert (shown["followUpStage"], shown["owner"], shown["previousOwner"]) == (None, None, {"id": house.ids["seller"]})


async def test_a_department_is_its_members_or_its_queue(house, standing):
    """SB18: expanded to active members after the agents named, each once; queued where the workspace says so."""
    empty = await house.made("departmentCreate", "department", name="Nobody")
    gone = await house.agent("Gone", departments=[empty], active=False)
    each = [await standing("TO_BE_ASSIGNED") for _ in range(5)]
    target = {"ids": each}
    for to, refused in [
        ({"departments": [empty]}, ("DEPARTMENT_EMPTY", "to.departments.0")),
        ({"agents": [house.ids["loner"], gone]}, ("AGENT_INACTIVE", "to.agents.1")),
        ({"agents": ["agt_" + "0" * 32]}, ("NOT_FOUND", "to.agents.0")),
        ({}, ("INVALID", "to")),
    ]:
        assert await house.bulk("customersAssign", target=target, to=to) == [refused]
    assert await house.refuses("customersUpdate", target=target, input={"owner": {"id": gone}}) == [
        ("AGENT_INACTIVE", "input.owner")
    ]
    to = {"agents": [house.ids["seller"], house.ids["seller"]], "departments": [house.ids["sales"]]}
    shares = "job { perAgent { agent { name } count } }"
    done = await house.does("customersAssign", shares, target=target, to=to)
    assert [(one["agent"]["name"], one["count"]) for one in done["job"]["perAgent"]] == [
        ("Seller", 3),
        ("Colleague", 2),
    ]
    await house.settings(departmentAssignment="QUEUE")
    waiting = await house.bulk("customersAssign", target={"ids": each[:2]}, to={"departments": [house.ids["sales"]]})
    assert waiting == [("UPDATED",)] * 2
    shown = await house.shown(each[0], SHOWS, "seller")
    assert (shown["stage"], shown["owner"], shown["department"]) == (
        "TO_BE_ASSIGNED", None, {"id": house.ids["sales"]},
    )  # fmt: skip
    await house.settings(departmentAssignment="EXPAND")


async def test_claims_are_limited_a_day_and_cool_down(house, standing):
    """SB22, SB23: of two at once one wins; a department's queue counts, and makes nobody wait."""
    one, two, three = [await standing("POOL", "colleague") for _ in range(3)]
    done = await asyncio.gather(
        *(house.bulk("customersClaim", who, target={"ids": [one]}) for who in ("seller", "colleague"))
    )
    assert sorted(row[0] for (row,) in done) == ["FAILED", "UPDATED"]
    (lost,) = [row for (row,) in done if row[0] == "FAILED"]
    assert lost[1][0] in ("ALREADY_CLAIMED", "NOT_FOUND")
    await house.settings(pool={"reclaimCooldownDays": 1, "dailyClaimLimit": 2})
    assert await house.bulk("customersClaim", "colleague", target={"ids": [two]}) == [
        ("FAILED", ("CLAIM_COOLDOWN", "target.ids.0"))
    ]
    assert "CLAIM" not in (await house.shown(two, "viewerCan", "colleague"))["viewerCan"]
    queued = await house.customer(who="seller")
    assert await house.bulk("customersClaim", "loner", target={"ids": [two]}) == [("UPDATED",)]
    claimed = await house.bulk("customersClaim", "loner", target={"ids": [three, one]})
    assert [row[0] for row in claimed] == ["UPDATED", "FAILED"]
    four = await standing("POOL", "seller")
    done = await house.does("customersClaim", "job { rows { nodes { errors { code ... on LimitError { limit current } "
                            "} } } }", "loner", target={"ids": [four]})  # fmt: skip
    assert done["job"]["rows"]["nodes"][0]["errors"] == [{"code": "CLAIM_LIMIT", "limit": 2, "current": 3}]
    assert await house.bulk("customersClaim", "manager", target={"ids": [queued]}) == [
        ("FAILED", ("AGENT_NOT_IN_DEPARTMENT", "target.ids.0"))
    ]
    assert await house.bulk("customersClaim", "seller", target={"ids": [queued]}) == [("UPDATED",)]
    await house.settings(pool={"reclaimCooldownDays": 0, "dailyClaimLimit": None})


async def test_the_idle_go_back_to_the_pool_and_vips_never(house, standing):
    """SB22, VC6: only where the workspace reclaims; as an ordinary release, by the system."""
    idle, vip, fresh = [await standing("FOLLOW_UP") for _ in range(3)]
    await house.does("customerUpdate", by={"id": vip}, input={"relationshipStatus": "VIP"})
    await house.does("customerUpdate", by={"id": idle}, input={"followUpStage": "Offer sent"})
    long_ago = [(decode_id("Customer", one), {"owned_since": 1}) for one in (idle, vip)]
    await house.database.write(
        house.number, lambda transaction: batch_writes.update_rows(transaction, tables.Customer, long_ago)
    )
    assert await reclaiming.start_reclaim(house.database, house.number, now=ids.current_time()) is None
    await house.settings(pool={"autoReclaim": True, "idleDays": 1})
    await reclaiming.start_reclaim(house.database, house.number, now=ids.current_time())
    await house.settings(pool={"autoReclaim": False})
    assert [(await house.shown(one, "stage"))["stage"] for one in (idle, vip, fresh)] == [
        "POOL", "FOLLOW_UP", "FOLLOW_UP",
    ]  # fmt: skip
    shown = await house.shown(idle, SHOWS)
    assert (shown["followUpStage"], shown["previousOwner"]) == (None, {"id": house.ids["loner"]})


async def test_a_rule_assigns_who_comes_to_be_assigned(house):
    """SB3: made, verified, released; the first that means him; in one change; never back to the previous owner."""
    both = [house.ids["seller"], house.ids["colleague"]]
    filter = {"source": {"eq": "ruled"}}
    last = await house.made(
        "assignmentRuleCreate", "assignmentRule", name="2", filter=filter, agents=[house.ids["loner"]]
    )
    rule = await house.made("assignmentRuleCreate", "assignmentRule", name="1", position=0, filter=filter, agents=both)
    await house.does("assignmentRuleUpdate", id=last, input={"position": 5})
    made = [await house.customer("owner { id } stage version", source="ruled") for _ in range(3)]
    assert [one["owner"]["id"] for one in made] == [*both, both[0]]
    assert {(one["stage"], one["version"]) for one in made} == {("FOLLOW_UP", 1)}
    other = await house.customer("owner { id }", source="unruled")
    assert other["owner"] is None
    target = {"ids": [made[1]["id"]]}
    for previous in (both[1], both[0]):
        assert await house.bulk("customersRelease", target=target, to="TO_BE_ASSIGNED") == [("UPDATED",)]
        shown = await house.shown(made[1]["id"], SHOWS)
        assert (shown["previousOwner"]["id"], shown["owner"]["id"] != previous) == (previous, True)
    new = await house.customer(source="ruled", stage="NEW")
    await house.bulk("customersVerify", target={"ids": [new]}, valid=True)
    assert (await house.shown(new, "stage version"))["stage"] == "FOLLOW_UP"
    waiting = await house.customer(source="ruled", stage="NEW")
    await house.bulk("customersBlock", target={"ids": [waiting]}, reason="x")
    await house.bulk("customersVerify", target={"ids": [waiting]}, valid=True)
    await house.bulk("customersUnblock", target={"ids": [waiting]})
    assert (await house.shown(waiting, "stage"))["stage"] == "TO_BE_ASSIGNED"
    for one in (rule, last):
        await house.does("assignmentRuleDelete", id=one)
