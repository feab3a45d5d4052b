"""What is recorded with a customer moves the relationship, where a rule that is on counts it."""

import pytest

COUNTED = {
    "PAYMENT": {"kind": "PAYMENT", "outcome": "PAID", "amount": "9.5"},
    "APPOINTMENT": {"kind": "APPOINTMENT", "outcome": "ATTENDED"},
    "EVENT": {"kind": "EVENT", "outcome": "ATTENDED"},
    "MESSAGE": {"kind": "MESSAGE", "direction": "INBOUND"},
}
NOT_COUNTED = [
    {"kind": "PAYMENT"}, {"kind": "PAYMENT", "outcome": "FAILED"}, {"kind": "PAYMENT", "outcome": "VOID"},
    {"kind": "PAYMENT", "outcome": "ATTENDED"}, {"kind": "APPOINTMENT", "outcome": "NO_SHOW"},
    {"kind": "APPOINTMENT", "outcome": "CANCELLED"}, {"kind": "APPOINTMENT"}, {"kind": "EVENT", "outcome": "NO_SHOW"},
    {"kind": "EVENT", "outcome": "CANCELLED"}, {"kind": "MESSAGE"}, {"kind": "MESSAGE", "direction": "OUTBOUND"},
    {"kind": "CALL", "direction": "INBOUND"}, {"kind": "MEETING", "outcome": "ATTENDED"},
    {"kind": "EMAIL", "direction": "INBOUND"}, {"kind": "MARKETING_CLICKED"}, {"kind": "CARE"},
]  # fmt: skip


@pytest.fixture
def records(house):
    """The relationship of a customer of that relationship once these were recorded with him, one after the other."""

    async def done(*inputs, start="LEAD", customer=None):
        customer = customer or await house.customer(relationshipStatus=start)
        for input in inputs:
            recorded = await house.does(
                "interactionRecord", "customer { relationshipStatus }", customer={"id": customer}, input=input
            )
            assert recorded["errors"] == []
        return recorded["customer"]["relationshipStatus"]

    return done


@pytest.fixture
async def automation(house):
    """Changes the switches; they are all on again afterwards."""

    async def changed(**input):
        await house.settings(statusAutomation=input)

    yield changed
    await changed(enabled=True, rules=list(COUNTED))


async def test_all_rules_are_on_at_first_and_the_master_too(house):
    """VC11."""
    told = await house.ask("{ workspace { statusAutomation { enabled rules } } }")
    assert told["workspace"]["statusAutomation"] == {"enabled": True, "rules": list(COUNTED)}


async def test_each_rule_moves_a_lead_while_it_is_on(records, automation):
    """VC7, VC8, VC9, VC10, VC11: each of the four alone, all but it, and the master switch."""
    for rule, input in COUNTED.items():
        await automation(rules=[rule])
        assert [await records(one) for one in COUNTED.values()] == [
            "CUSTOMER" if other == rule else "LEAD" for other in COUNTED
        ]
        await automation(rules=[one for one in COUNTED if one != rule])
        assert await records(input) == "LEAD"
    await automation(enabled=False, rules=list(COUNTED))
    assert [await records(one) for one in COUNTED.values()] == ["LEAD"] * 4


async def test_what_does_not_count_moves_nobody(records):
    """VC7: no-show, cancelled, failed, void, outbound, and everything else."""
    assert await records(*NOT_COUNTED) == "LEAD"


async def test_a_hand_wins_and_nothing_is_moved_back(house, records):
    """VC6, VC10, VC12: a VIP is never touched; who was put back to LEAD becomes CUSTOMER by the next event only."""
    assert await records(*COUNTED.values(), start="VIP") == "VIP"
    assert await records({"kind": "PAYMENT", "outcome": "VOID"}, start="CUSTOMER") == "CUSTOMER"
    customer = await house.customer()
    assert await records(COUNTED["PAYMENT"], customer=customer) == "CUSTOMER"
    await house.does("customerUpdate", by={"id": customer}, input={"relationshipStatus": "LEAD"})
    assert await records({"kind": "CALL"}, customer=customer) == "LEAD"
    assert await records(COUNTED["EVENT"], customer=customer) == "CUSTOMER"


async def test_switched_on_it_looks_at_nothing_that_was_before(house, records, automation):
    """VC11: not retroactive."""
    await automation(enabled=False)
    customer = await house.customer()
    await records(COUNTED["PAYMENT"], customer=customer)
    await automation(enabled=True)
    assert (await house.shown(customer, "relationshipStatus"))["relationshipStatus"] == "LEAD"


async def test_the_move_is_one_change_with_what_was_recorded(house, records):
    """VC10: one line of the customer, one of the interaction; what moves nothing leaves the customer alone."""
    customer = await house.customer()
    await records({"kind": "CALL"}, customer=customer)
    assert (await house.shown(customer, "version lastInteractionAt"))["version"] == 1
    await records(COUNTED["MESSAGE"], customer=customer)
    lines = await house.log(customer)
    assert [one["fields"] for one in lines[1:]] == [
        [{"field": "relationshipStatus", "before": "LEAD", "after": "CUSTOMER"}]
    ]
    assert (await house.shown(customer, "version"))["version"] == lines[-1]["version"] == 2


async def test_many_recorded_at_once_move_likewise(house):
    """SB16, VC5, VC7: those that count, each with its customer; a customer twice changes once."""
    one, other = await house.customer(), await house.customer()
    given = [(one, COUNTED["EVENT"]), (other, {"kind": "MARKETING_VIEWED"}), (one, COUNTED["PAYMENT"])]
    rows = [{"customer": {"id": customer}, "input": input} for customer, input in given]
    assert await house.bulk("interactionsRecord", rows=rows) == [("CREATED",)] * 3
    shown = [await house.shown(each, "relationshipStatus version") for each in (one, other)]
    assert shown == [
        {"relationshipStatus": "CUSTOMER", "version": 2}, {"relationshipStatus": "LEAD", "version": 1},
    ]  # fmt: skip


async def test_what_happened_while_archived_has_its_effect_once_in_the_order_it_happened(house, records):
    """EM6, VC7, EM13: recorded in another order; looked at on unarchive, and not again."""
    customer = await house.customer(subscriptionStatus="NOT_SUBSCRIBED")
    target = {"ids": [customer]}
    await house.bulk("customersArchive", target=target)
    events = [
        {"kind": "OPT_OUT", "occurredAt": "2026-03-03T00:00:00Z"},
        {"kind": "DELIVERY_FAILED", "occurredAt": "2026-03-01T00:00:00Z"},
        {"kind": "OPT_IN", "occurredAt": "2026-03-02T12:00:00+14:00"},
        {**COUNTED["PAYMENT"], "occurredAt": "2026-02-01T00:00:00Z"},
    ]
    shows = "relationshipStatus subscriptionStatus version"
    assert await records(*events, customer=customer) == "LEAD"
    assert (await house.shown(customer, "subscriptionStatus version")) == {
        "subscriptionStatus": "NOT_SUBSCRIBED", "version": 2,
    }  # fmt: skip
    assert await house.bulk("customersUnarchive", target=target) == [("UPDATED",)]
    assert await house.shown(customer, shows) == {
        "relationshipStatus": "CUSTOMER", "subscriptionStatus": "UNSUBSCRIBED", "version": 3,
    }  # fmt: skip
    line = (await house.log(customer))[-1]
    assert {one["field"] for one in line["fields"]} == {"archivedAt", "relationshipStatus", "subscriptionStatus"}
    again = {"relationshipStatus": "LEAD", "subscriptionStatus": "SUBSCRIBED"}
    await house.does("customerUpdate", by={"id": customer}, input=again)
    await house.bulk("customersArchive", target=target)
    await house.bulk("customersUnarchive", target=target)
    assert await house.shown(customer, shows) == {**again, "version": 6}
