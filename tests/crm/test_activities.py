"""Notes, interactions and orders, and the relationship that moves by itself."""

import pytest

from crm.activities import interactions, notes, orders
from db import tables
from db.tables.enums import (
    AutomationRule,
    Direction,
    InteractionKind,
    InteractionOutcome,
    Outcome,
    Permission,
    RelationshipStatus,
    Role,
)
from db.values import ids
from tests.crm.conftest import named
from tests.support import factories

COUNTED = [
    pytest.param(
        AutomationRule.PAYMENT, {"kind": InteractionKind.PAYMENT, "outcome": InteractionOutcome.PAID}, id="paid"
    ),
    pytest.param(
        AutomationRule.APPOINTMENT,
        {"kind": InteractionKind.APPOINTMENT, "outcome": InteractionOutcome.ATTENDED},
        id="came to an appointment",
    ),
    pytest.param(
        AutomationRule.EVENT,
        {"kind": InteractionKind.EVENT, "outcome": InteractionOutcome.ATTENDED},
        id="came to an event",
    ),
    pytest.param(AutomationRule.MESSAGE, {"kind": InteractionKind.MESSAGE, "direction": Direction.INBOUND}, id="wrote"),
]


async def _recorded(database, does, someone, given, customer=None, **settings):
    """The relationship of a customer of a workspace with those settings, once that was recorded."""
    number = await factories.workspace(database, **settings)
    admin = someone(Role.ADMIN)
    there = type(admin)(number, admin.actor_kind, admin.actor_id, admin.permissions)
    customer = customer or factories.customer()
    customer.workspace_id = number

    async def put(unit):
        await unit.transaction.insert(customer)

    await does(put, by=there)
    done = await does(interactions.record, named(customer), given, by=there)
    return RelationshipStatus(done.customer.relationship_status), done


@pytest.mark.parametrize(("rule", "given"), COUNTED)
async def test_a_rule_that_is_on_moves_a_lead(database, does, someone, rule, given):
    """VC7-VC10: in the same transaction."""
    status, done = await _recorded(database, does, someone, given, automation_rules=[int(rule)])
    assert (status, done.customer.version) == (RelationshipStatus.CUSTOMER, 2)


@pytest.mark.parametrize(("rule", "given"), COUNTED)
async def test_a_rule_that_is_off_does_not(database, does, someone, rule, given):
    """VC11."""
    others = [int(one) for one in AutomationRule if one is not rule]
    status, done = await _recorded(database, does, someone, given, automation_rules=others)
    assert (status, done.customer.version) == (RelationshipStatus.LEAD, 1)


@pytest.mark.parametrize(("rule", "given"), COUNTED)
async def test_the_master_switch_turns_all_off(database, does, someone, rule, given):
    status, _ = await _recorded(database, does, someone, given, automation_enabled=False)
    assert status is RelationshipStatus.LEAD


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"kind": InteractionKind.PAYMENT, "outcome": InteractionOutcome.FAILED}, id="failed"),
        pytest.param({"kind": InteractionKind.PAYMENT, "outcome": InteractionOutcome.VOID}, id="void"),
        pytest.param({"kind": InteractionKind.PAYMENT}, id="no outcome"),
        pytest.param({"kind": InteractionKind.APPOINTMENT, "outcome": InteractionOutcome.NO_SHOW}, id="no-show"),
        pytest.param({"kind": InteractionKind.EVENT, "outcome": InteractionOutcome.CANCELLED}, id="cancelled"),
        pytest.param({"kind": InteractionKind.MESSAGE, "direction": Direction.OUTBOUND}, id="outbound"),
        pytest.param({"kind": InteractionKind.CALL, "direction": Direction.INBOUND}, id="call"),
    ],
)
async def test_what_does_not_count(database, does, someone, given):
    status, _ = await _recorded(database, does, someone, given)
    assert status is RelationshipStatus.LEAD


async def test_a_vip_is_never_touched(database, does, someone):
    vip = factories.customer(relationship_status=RelationshipStatus.VIP)
    paid = {"kind": InteractionKind.PAYMENT, "outcome": InteractionOutcome.PAID}
    status, _ = await _recorded(database, does, someone, paid, customer=vip)
    assert status is RelationshipStatus.VIP


# ── interactions ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_interaction_does_not_change_the_version_and_is_the_last_one(does, save):
    await save(customer := factories.customer())
    at = ids.current_time() - 5_000
    done = await does(interactions.record, named(customer), {"kind": InteractionKind.CALL, "occurred_at": at})
    assert (done.customer.version, done.customer.last_interaction_at) == (1, at)
    older = {"kind": InteractionKind.CALL, "occurred_at": at - 1}
    assert (await does(interactions.record, named(customer), older)).customer.last_interaction_at == at


async def test_one_with_a_known_external_id_is_not_recorded_again(does, refuses, save, everything):
    await save(customer := factories.customer(), other := factories.customer())
    given = {"kind": InteractionKind.CALL, "external_id": {"system": "pbx", "value": "1"}}
    first = await does(interactions.record, named(customer), given)
    again = await does(interactions.record, named(customer), given)
    assert again.interaction.id == first.interaction.id
    assert len(await everything(tables.Interaction)) == 1
    found = await refuses(interactions.record, named(other), given)
    assert found == ("TAKEN", "input.externalId.value")


async def test_nobody_records_with_whom_he_does_not_see(refuses, save, someone):
    await save(customer := factories.customer())
    given = {"kind": InteractionKind.CALL}
    assert await refuses(interactions.record, named(customer), given, by=someone()) == ("NOT_FOUND", "customer")


# ── notes ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_note_has_1_to_1000_characters(does, refuses, save):
    """EM14."""
    await save(customer := factories.customer())
    assert len((await does(notes.create, named(customer), f" {'é' * 1000} ")).body) == 1000
    assert await refuses(notes.create, named(customer), "x" * 1001) == ("TOO_LONG", "input.body")
    assert await refuses(notes.create, named(customer), " \n ") == ("BLANK", "input.body")


async def test_a_customer_is_found_by_its_notes_at_once(does, save, everything):
    await save(customer := factories.customer("An"))
    await save(tables.CustomerSearch(workspace_id=0, customer_id=customer.id, text="an"))
    note = await does(notes.create, named(customer), "Thích cà phê")
    assert (await everything(tables.CustomerSearch))[0].text.split() == ["an", "thich", "ca", "phe"]
    await does(notes.update, f"not_{note.id.hex()}", "Thích trà")
    assert (await everything(tables.CustomerSearch))[0].text.split() == ["an", "thich", "tra"]
    await does(notes.delete, f"not_{note.id.hex()}")
    assert (await everything(tables.CustomerSearch))[0].text.split() == ["an"]
    assert (await everything(tables.Customer))[0].version == 1


async def test_only_its_author_or_a_note_manager_changes_it(does, refuses, save, someone):
    """EM15."""
    await save(author := factories.agent(), customer := factories.customer(owner_id=author.id))
    writer = someone(agent=author)
    note = await does(notes.create, named(customer), "Called.", by=writer)
    wire = f"not_{note.id.hex()}"
    manager = someone(Role.ADMIN, revoke=(Permission.NOTE_MANAGE,))
    assert await refuses(notes.update, wire, "x", by=manager) == ("FORBIDDEN", "id")
    assert (await does(notes.update, wire, "Called twice.", by=writer)).version == 2
    assert (await does(notes.update, wire, "Never called.")).version == 3


async def test_a_note_about_an_archived_customer_is_refused(refuses, save):
    await save(customer := factories.customer(archived_at=1), note := factories.note(customer))
    assert await refuses(notes.create, named(customer), "x") == ("CUSTOMER_ARCHIVED", "customer")
    assert await refuses(notes.delete, f"not_{note.id.hex()}") == ("CUSTOMER_ARCHIVED", "id")


# ── orders ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_order_is_the_same_whenever_source_and_number_are(does, refuses, save, log):
    """SM1, SB16."""
    await save(customer := factories.customer(), other := factories.customer())
    given = {"source": "shop", "number": "7", "total": 1_500_000, "currency": "vnd", "lines": [{"sku": "x"}]}
    made = await does(orders.upsert, named(customer), given)
    again = await does(orders.upsert, named(customer), given)
    paid = await does(orders.upsert, named(customer), {"source": "shop", "number": "7", "status": "paid"})
    assert [made.outcome, again.outcome, paid.outcome] == [Outcome.CREATED, Outcome.UNCHANGED, Outcome.UPDATED]
    assert (paid.order.total, paid.order.currency, paid.order.status) == (1_500_000, "VND", "paid")
    assert [len(line.fields) for line in await log(made.order)][1:] == [1]
    assert await refuses(orders.upsert, named(other), given) == ("TAKEN", "input.number")
    assert (await does(orders.delete, f"ord_{made.order.id.hex()}")).outcome is Outcome.DELETED


async def test_an_order_is_refused_for_an_archived_customer(refuses, save):
    await save(customer := factories.customer(archived_at=1))
    given = {"source": "shop", "number": "7"}
    assert await refuses(orders.upsert, named(customer), given) == ("CUSTOMER_ARCHIVED", "customer")
