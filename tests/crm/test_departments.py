"""Departments: a tree without circles, and who works in it."""

import asyncio

import pytest

from crm.catalogue import departments
from crm.errors import InputError
from db import tables
from db.tables.enums import ChangeAction
from tests.crm.conftest import named
from tests.support import factories


def _id(row):
    return named(row)["id"]


async def _tree(save):
    top = factories.department("Top")
    middle = factories.department("Middle", parent_id=top.id)
    low = factories.department("Low", parent_id=middle.id)
    await save(top, middle, low)
    return top, middle, low


async def test_it_is_made_under_another_with_its_members(does, save, everything, log):
    top, an, binh = factories.department("Top"), factories.agent("An"), factories.agent("Bình")
    await save(top, an, binh)
    made = await does(departments.create, {"name": " Sales ", "parent": _id(top), "agents": [_id(binh), _id(an)]})
    assert (made.name, made.parent_id) == ("Sales", top.id)
    assert {row.agent_id for row in await everything(tables.AgentDepartment)} == {an.id, binh.id}
    lines = await log()
    assert [(line.entity, ChangeAction(line.action).name) for line in lines] == [
        ("Agent", "UPDATED"),
        ("Agent", "UPDATED"),
        ("Department", "CREATED"),
    ]
    assert lines[2].fields == [
        {"field": "name", "before": None, "after": "Sales"},
        {"field": "parent", "before": None, "after": _id(top)},
        {"field": "agents", "before": None, "after": [_id(binh), _id(an)]},
    ]


@pytest.mark.parametrize("given", [{}, {"name": None}, {"name": "  "}])
async def test_a_name_is_needed(refuses, given):
    assert await refuses(departments.create, given) == ("BLANK", "input.name")


async def test_members_given_replace_those_there_were(does, save, everything, log):
    sales, other = factories.department("Sales"), factories.department("Other")
    an, binh, chi = factories.agent("An"), factories.agent("Bình"), factories.agent("Chi")
    await save(sales, other, an, binh, chi)
    await save(factories.works_in(an, sales), factories.works_in(binh, other), factories.works_in(binh, sales, 1))
    await does(departments.update, _id(sales), {"agents": [_id(binh), _id(chi)]})
    places = [(row.agent_id, row.department_id, row.position) for row in await everything(tables.AgentDepartment)]
    assert sorted(places) == sorted([(binh.id, other.id, 0), (binh.id, sales.id, 1), (chi.id, sales.id, 0)])
    assert (await log(an))[0].fields == [{"field": "departments", "before": [_id(sales)], "after": []}]
    assert await log(binh) == []
    assert {row.id: row.version for row in await everything(tables.Agent)} == {an.id: 2, binh.id: 1, chi.id: 2}
    assert [line.action for line in await log(sales)] == [ChangeAction.UPDATED]


async def test_what_is_not_given_stays(does, save, everything, log):
    top, middle, _ = await _tree(save)
    await save(an := factories.agent("An"), factories.works_in(an, middle))
    await does(departments.update, _id(middle), {"name": "Centre"})
    row = next(row for row in await everything(tables.Department) if row.id == middle.id)
    assert (row.name, row.name_key, row.parent_id) == ("Centre", "centre", top.id)
    assert len(await everything(tables.AgentDepartment)) == 1
    assert [line.fields for line in await log()] == [[{"field": "name", "before": "Middle", "after": "Centre"}]]


async def test_the_same_again_changes_nothing(does, save, log):
    _, middle, _ = await _tree(save)
    await does(departments.update, _id(middle), {"name": "Middle", "agents": []})
    assert await log() == []


async def test_it_can_become_a_part_of_another_and_of_none(does, save, everything):
    top, _, low = await _tree(save)
    await does(departments.update, _id(low), {"parent": _id(top)})
    await does(departments.update, _id(low), {"parent": None})
    assert next(row for row in await everything(tables.Department) if row.id == low.id).parent_id is None


@pytest.mark.parametrize("below", [0, 1, 2], ids=["itself", "a part of it", "a part of a part of it"])
async def test_it_cannot_become_a_part_of_itself(refuses, save, below):
    tree = await _tree(save)
    assert await refuses(departments.update, _id(tree[0]), {"parent": _id(tree[below])}) == ("INVALID", "input.parent")


async def test_two_moves_at_once_make_no_circle(does, save, everything):
    await save(one := factories.department("One"), two := factories.department("Two"))
    moves = [(one, two), (two, one)] * 4
    done = await asyncio.gather(
        *(does(departments.update, _id(a), {"parent": _id(b)}) for a, b in moves), return_exceptions=True
    )
    assert all(not isinstance(one, BaseException) or isinstance(one, InputError) for one in done)
    assert sum(row.parent_id is None for row in await everything(tables.Department)) == 1


async def test_unknown_parents_and_agents_are_refused_where_they_are_named(refuses, save):
    await save(an := factories.agent("An"), sales := factories.department("Sales"))
    unknown = "agt_" + "0" * 32
    assert await refuses(departments.create, {"name": "A", "parent": _id(an)}) == ("NOT_FOUND", "input.parent")
    agents = {"name": "A", "agents": [_id(an), unknown]}
    assert await refuses(departments.create, agents) == ("NOT_FOUND", "input.agents.1")
    assert await refuses(departments.update, "dep_" + "0" * 32, {}) == ("NOT_FOUND", "id")
    assert await refuses(departments.update, _id(sales), {"name": "", "agents": ["x"]}) == [
        ("BLANK", "input.name"),
        ("NOT_FOUND", "input.agents.0"),
    ]


async def test_it_is_deleted_and_its_members_stay(does, save, everything, log):
    await save(sales := factories.department("Sales"), an := factories.agent("An"), factories.works_in(an, sales))
    assert (await does(departments.delete, _id(sales))).name == "Sales"
    assert await everything(tables.Department) == []
    assert await everything(tables.AgentDepartment) == []
    assert [line.action for line in await log(sales)] == [ChangeAction.DELETED]
    assert (await log(an))[0].fields == [{"field": "departments", "before": [_id(sales)], "after": []}]


async def test_it_is_not_deleted_while_something_uses_it(refuses, save):
    top, _, low = await _tree(save)
    assert await refuses(departments.delete, _id(top)) == ("IN_USE", "id")
    await save(factories.customer(department_id=low.id, archived_at=1))
    assert await refuses(departments.delete, _id(low)) == ("IN_USE", "id")


async def test_it_is_not_deleted_while_a_rule_assigns_to_it(refuses, save):
    await save(
        sales := factories.department("Sales"),
        rule := factories.rule("Rest"),
        factories.assigns(rule, department=sales),
    )
    assert await refuses(departments.delete, _id(sales)) == ("IN_USE", "id")


async def test_a_workspace_has_a_thousand_at_most(refuses, save):
    await save(*(factories.department(str(number)) for number in range(1000)))
    assert await refuses(departments.create, {"name": "One more"}) == ("LIMIT_EXCEEDED", "input")
