"""Customers: made or changed by a reference, and deleted."""

import pytest

from crm.activities import notes, orders
from crm.customers import records
from db import tables
from db.tables.enums import ChangeAction, CustomerStage, Outcome
from db.values import ids
from tests.crm.conftest import named
from tests.support import factories


@pytest.mark.parametrize(
    "by",
    [
        pytest.param({"external_id": {"system": "erp", "value": "7"}}, id="external id"),
        pytest.param({"email": "an@clientela.example"}, id="e-mail"),
    ],
)
async def test_an_upsert_keeps_its_reference_and_finds_it_again(does, everything, by):
    made = await does(records.upsert, by, {"name": "An", "phones": ["+84901234567"]})
    again = await does(records.upsert, by, {"name": "Bo", "external_ids": []})
    third = await does(records.upsert, by, {"name": "Bo"})
    assert [one.outcome for one in (made, again, third)] == [Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED]
    assert len(await everything(tables.Customer)) == 1


async def test_an_upsert_by_an_id_that_is_unknown_makes_nobody(refuses):
    assert await refuses(records.upsert, {"id": "cus_" + "0" * 32}, {"name": "An"}) == ("NOT_FOUND", "by")


async def test_any_customer_is_deleted_for_ever_and_one_line_stays(does, save, log, everything):
    """EM23, SB20."""
    await save(agent := factories.agent())
    given = {"name": "An", "phones": ["+84901234567"], "owner": named(agent), "tags": {"add": [{"name": "vip"}]}}
    made = (await does(records.create, given)).customer
    await save(factories.note(made), factories.order(made), factories.interaction(made))
    done = await does(records.delete, named(made))
    assert done.outcome is Outcome.DELETED
    for table in (tables.Customer, tables.CustomerPhone, tables.CustomerTag, tables.CustomerSearch, tables.Note,
                  tables.Order, tables.Interaction):  # fmt: skip
        assert await everything(table) == []
    (line,) = await log(made)
    assert (line.action, line.fields, line.version) == (ChangeAction.DELETED, [], 2)
    assert line.audience == {"stage": CustomerStage.FOLLOW_UP, "owner": agent.id.hex(), "department": None}


async def test_nothing_is_left_of_what_was_deleted_before_the_customer(does, log, everything):
    made = (await does(records.create, {"name": "An"})).customer
    note = await does(notes.create, named(made), "a secret")
    await does(notes.delete, named(note)["id"])
    order = (await does(orders.upsert, named(made), {"source": "shop", "number": "1"})).order
    assert {line.customer_id for line in await log() if line.entity != "Customer"} == {made.id}
    await does(records.delete, named(made))
    assert [line.entity for line in await log()] == ["Customer"]
    assert await log(order) == []


async def test_an_archived_customer_is_deleted_too(does, save, everything):
    await save(customer := factories.customer(archived_at=ids.current_time()))
    await does(records.delete, named(customer))
    assert await everything(tables.Customer) == []


async def test_a_customer_made_with_tags_and_a_custom_field_takes_few_statements(does, save, sent):
    await save(factories.custom_field("tier"), tag := factories.tag("vip"))
    sent.clear()
    given = {
        "name": "An",
        "phones": ["+84901234567"],
        "emails": ["an@clientela.example"],
        "tags": {"add": [named(tag), {"name": "new"}]},
        "custom_fields": [{"key": "tier", "value": "gold"}],
    }
    await does(records.create, given)
    assert len(sent) == 12
