"""The mailing list: what is moved by hand, by one and by many, and what events move."""

import pytest

from db.tables.enums import Permission
from tests.support.rules_workspace import without

STATES = ("NOT_SUBSCRIBED", "SUBSCRIBED", "UNSUBSCRIBED", "DELETED")
ALLOWED = {"SUBSCRIBED": ["UNSUBSCRIBED"], "UNSUBSCRIBED": ["SUBSCRIBED"]}
SHOWS = "subscriptionStatus allowedSubscriptionTransitions viewerCan version"


@pytest.mark.parametrize("start", STATES)
async def test_by_hand_two_of_sixteen_pairs_move_for_one_and_for_many(house, start):
    """EM9, EM10, EM11, EM12: same to same is no change; of the others only what a menu offers."""
    one, many = [await house.customer(name=start, subscriptionStatus=start) for _ in range(2)]
    target, update = {"ids": [many]}, {"by": {"id": one}}
    assert (await house.shown(one, SHOWS))["allowedSubscriptionTransitions"] == ALLOWED.get(start, [])
    assert (await house.does("customerUpdate", **update, input={"subscriptionStatus": start}))["errors"] == []
    assert await house.bulk("customersUpdate", target=target, input={"subscriptionStatus": start}) == [("UNCHANGED",)]
    for to in STATES:
        if to == start or to in ALLOWED.get(start, []):
            continue
        done = await house.does("customerUpdate", **update, input={"subscriptionStatus": to, "nickname": "x"})
        (error,) = done["errors"]
        assert [error[name] for name in ("__typename", "code", "path", "from", "to", "allowed")] == [
            "TransitionError", "INVALID_TRANSITION", ["input", "subscriptionStatus"], start, to, ALLOWED.get(start, []),
        ]  # fmt: skip
        refused = [("FAILED", ("INVALID_TRANSITION", "input.subscriptionStatus"))]
        assert await house.bulk("customersUpdate", target=target, input={"subscriptionStatus": to}) == refused
    assert (await house.shown(one, SHOWS))["version"] == (await house.shown(many, SHOWS))["version"] == 1
    for to in ALLOWED.get(start, []):
        assert (await house.does("customerUpdate", **update, input={"subscriptionStatus": to}))["outcome"] == "UPDATED"
        assert await house.bulk("customersUpdate", target=target, input={"subscriptionStatus": to}) == [("UPDATED",)]
        assert (await house.shown(many, SHOWS))["subscriptionStatus"] == to


async def test_of_many_the_allowed_ones_move(house):
    """EM12."""
    each = [await house.customer(subscriptionStatus=one) for one in STATES]
    rows = await house.bulk("customersUpdate", target={"ids": each}, input={"subscriptionStatus": "SUBSCRIBED"})
    assert [one[0] for one in rows] == ["FAILED", "UNCHANGED", "UPDATED", "FAILED"]


@pytest.mark.parametrize(
    ("kind", "to"), [("OPT_IN", "SUBSCRIBED"), ("OPT_OUT", "UNSUBSCRIBED"), ("DELIVERY_FAILED", "DELETED")]
)
async def test_an_event_moves_it_wherever_it_is(house, kind, to):
    """EM13: the record stays; only consent needs CONSENT_RECORD."""
    for start in STATES:
        customer = await house.customer(subscriptionStatus=start, relationshipStatus="VIP")
        done = await house.does(
            "interactionRecord",
            "customer { subscriptionStatus version archivedAt }",
            customer={"id": customer},
            input={"kind": kind},
        )
        moved = start != to
        assert done["customer"] == {"subscriptionStatus": to, "version": 1 + moved, "archivedAt": None}
    lacking = without(house.viewers["admin"], Permission.CONSENT_RECORD)
    call = {"customer": {"id": customer}, "input": {"kind": kind}}
    if kind == "OPT_IN":
        assert await house.refuses("interactionRecord", lacking, **call) == [("FORBIDDEN", "input.kind")]
        rows = [call]
        assert await house.bulk("interactionsRecord", lacking, rows=rows) == [
            ("FAILED", ("FORBIDDEN", "rows.0.input.kind"))
        ]
    else:
        assert (await house.does("interactionRecord", who=lacking, **call))["errors"] == []


async def test_statuses_need_their_permission_and_a_customer_of_ones_own(house):
    """SB8, EM9, VC12: STATUS_CHANGE; an agent changes those of his own customers; on create none is asked for."""
    own = await house.customer(subscriptionStatus="SUBSCRIBED", owner={"id": house.ids["seller"]})
    waiting = await house.customer(who="seller", subscriptionStatus="SUBSCRIBED", relationshipStatus="VIP")
    lacking = without(house.viewers["admin"], Permission.STATUS_CHANGE)
    for name, value in [("subscriptionStatus", "UNSUBSCRIBED"), ("relationshipStatus", "CUSTOMER")]:
        for who, customer in [(lacking, own), ("seller", waiting)]:
            given = {name: value, "nickname": "x"}
            assert await house.refuses("customerUpdate", who, by={"id": customer}, input=given) == [
                ("FORBIDDEN", f"input.{name}")
            ]
    can = [(await house.shown(one, "viewerCan", "seller"))["viewerCan"] for one in (own, waiting)]
    assert ["CHANGE_STATUS" in one for one in can] == [True, False]
    same = {"subscriptionStatus": "SUBSCRIBED", "relationshipStatus": "VIP"}
    assert (await house.does("customerUpdate", who="seller", by={"id": waiting}, input=same))["outcome"] == "UNCHANGED"
    moved = {"subscriptionStatus": "UNSUBSCRIBED", "relationshipStatus": "VIP"}
    assert (await house.does("customerUpdate", who="seller", by={"id": own}, input=moved))["outcome"] == "UPDATED"


async def test_the_relationship_goes_anywhere_by_hand(house):
    """VC6, VC12, VC13: all pairs, by one and by many."""
    customer = await house.customer()
    for to in ("VIP", "LEAD", "CUSTOMER", "VIP", "CUSTOMER", "LEAD"):
        done = await house.does("customerUpdate", by={"id": customer}, input={"relationshipStatus": to})
        assert done["outcome"] == "UPDATED"
    for to in ("VIP", "LEAD", "CUSTOMER", "VIP", "CUSTOMER", "LEAD"):
        assert await house.bulk("customersUpdate", target={"ids": [customer]}, input={"relationshipStatus": to}) == [
            ("UPDATED",)
        ]
