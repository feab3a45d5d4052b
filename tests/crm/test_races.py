"""Limits that two requests could pass together: held on both databases, by real parallel transactions."""

import asyncio
from collections import Counter

import pytest

from crm.activities import interactions, notes, orders
from crm.catalogue import tags
from crm.customers import records
from crm.errors import InputError, InputErrors
from db import tables
from db.tables.enums import InteractionKind, Outcome
from tests.crm.conftest import named
from tests.support import factories


async def _outcomes(does, calls):
    """How often each outcome, or code of a refusal, came of calls made at once."""
    found = await asyncio.gather(
        *(does(rule, *arguments, **more) for rule, arguments, more in calls), return_exceptions=True
    )
    told = []
    for one in found:
        if isinstance(one, InputError | InputErrors):
            told.append(one.errors[0].code.name)
        elif isinstance(one, BaseException):
            raise one
        else:
            told.append(getattr(one, "outcome", None))
    return Counter(told)


async def test_150_tags_cannot_be_passed_together(does, save, everything):
    """MS2."""
    customer = factories.customer(tag_count=145)
    own = [factories.tag(f"t{number:03}") for number in range(145)]
    more = [factories.tag(f"n{number}") for number in range(10)]
    await save(customer, *own, *more, *(factories.worn(customer, tag) for tag in own))
    calls = [(records.update, (named(customer), {"tags": {"add": [named(tag)]}}), {}) for tag in more]
    assert await _outcomes(does, calls) == {Outcome.UPDATED: 5, "LIMIT_EXCEEDED": 5}
    assert len(await everything(tables.CustomerTag)) == 150
    assert [row.tag_count for row in await everything(tables.Customer)] == [150]


async def test_an_agents_limit_cannot_be_passed_together(does, save, everything):
    agent = factories.agent(max_customers=3)
    waiting = [factories.customer(f"c{number}") for number in range(8)]
    await save(agent, *waiting)
    calls = [(records.update, (named(one), {"owner": named(agent)}), {}) for one in waiting]
    assert await _outcomes(does, calls) == {Outcome.UPDATED: 3, "AGENT_AT_CAPACITY": 5}
    assert sum(row.owner_id == agent.id for row in await everything(tables.Customer)) == 3


async def test_an_external_id_is_taken_once(does, everything):
    given = {"external_ids": [{"system": "erp", "value": "1"}]}
    calls = [(records.create, ({"name": f"c{number}", **given},), {}) for number in range(8)]
    assert await _outcomes(does, calls) == {Outcome.CREATED: 1, "TAKEN": 7}
    assert len(await everything(tables.Customer)) == 1


async def test_a_unique_value_is_taken_once(does, save):
    await save(factories.custom_field("badge", unique=True))
    given = {"custom_fields": [{"key": "badge", "value": "7"}]}
    calls = [(records.create, ({"name": f"c{number}", **given},), {}) for number in range(8)]
    assert await _outcomes(does, calls) == {Outcome.CREATED: 1, "TAKEN": 7}


async def test_of_those_who_saw_a_version_one_changes_it(does, save):
    await save(customer := factories.customer())
    calls = [(records.update, (named(customer), {"nickname": f"n{number}"}), {"if_version": 1}) for number in range(8)]
    assert await _outcomes(does, calls) == {Outcome.UPDATED: 1, "CONFLICT": 7}


async def test_no_update_is_lost(does, save, everything, log):
    await save(customer := factories.customer())
    fields = ["nickname", "real_name", "source", "channel"]
    calls = [(records.update, (named(customer), {name: f"v{n}"}), {}) for n in range(3) for name in fields]
    found = await _outcomes(does, calls)
    (row,) = await everything(tables.Customer)
    lines = await log(customer)
    assert row.version == 1 + found[Outcome.UPDATED] == 1 + len(lines)
    assert [line.version for line in lines] == list(range(2, row.version + 1))
    assert all(getattr(row, name) is not None for name in fields)


async def test_a_new_tag_is_made_once(does, save, everything):
    waiting = [factories.customer(f"c{number}") for number in range(8)]
    await save(*waiting)
    change = {"tags": {"add": [{"name": "b"}, {"name": "a"}]}}
    other = {"tags": {"add": [{"name": "A"}, {"name": "B"}]}}
    calls = [(records.update, (named(one), change if n % 2 else other), {}) for n, one in enumerate(waiting)]
    assert await _outcomes(does, calls) == {Outcome.UPDATED: 8}
    assert len(await everything(tables.Tag)) == 2
    assert len(await everything(tables.CustomerTag)) == 16


@pytest.mark.parametrize(
    "by",
    [
        pytest.param({"external_id": {"system": "erp", "value": "1"}}, id="external id"),
        pytest.param({"email": "an@clientela.example"}, id="e-mail"),
    ],
)
async def test_parallel_upserts_make_one_customer(does, everything, by):
    calls = [(records.upsert, (by, {"name": f"c{number}"}), {}) for number in range(8)]
    found = await _outcomes(does, calls)
    assert (found[Outcome.CREATED], found.total()) == (1, 8)
    assert len(await everything(tables.Customer)) == 1


async def test_a_tag_that_is_deleted_meanwhile_is_on_nobody(does, save, everything):
    tag, waiting = factories.tag(), [factories.customer(f"c{number}") for number in range(6)]
    await save(tag, *waiting)
    calls = [(records.update, (named(one), {"tags": {"add": [named(tag)]}}), {}) for one in waiting]
    await _outcomes(does, [*calls[:3], (tags.delete, (named(tag)["id"],), {}), *calls[3:]])
    assert await everything(tables.Tag) == []
    assert await everything(tables.CustomerTag) == []
    assert {row.tag_count for row in await everything(tables.Customer)} == {0}


async def test_a_customer_is_found_by_every_note_written_at_once(does, save, everything):
    await save(customer := factories.customer("An"))
    await save(tables.CustomerSearch(workspace_id=0, customer_id=customer.id, text="an"))
    await _outcomes(does, [(notes.create, (named(customer), f"note{number}"), {}) for number in range(6)])
    (found,) = await everything(tables.CustomerSearch)
    assert set(found.text.split()) == {"an", *(f"note{number}" for number in range(6))}


async def test_an_interaction_is_recorded_once_and_an_order_written_once(does, save, everything):
    await save(customer := factories.customer())
    call = {"kind": InteractionKind.CALL, "external_id": {"system": "pbx", "value": "1"}}
    order = {"source": "shop", "number": "1"}
    calls = [(interactions.record, (named(customer), call), {}) for _ in range(5)]
    await _outcomes(does, calls + [(orders.upsert, (named(customer), order), {}) for _ in range(5)])
    assert len(await everything(tables.Interaction)) == 1
    assert len(await everything(tables.Order)) == 1
