"""Assignment rules: their order, and whom they assign to."""

import pytest

from crm.assignment import rules
from db import tables
from db.queries.assignment import rules as queries
from db.tables.enums import AssignmentStrategy, ChangeAction
from tests.crm.conftest import named
from tests.support import factories


def _id(row):
    return named(row)["id"]


async def _members(session, rule):
    people = await queries.agents(session, [rule.id])
    places = await queries.departments(session, [rule.id])
    return [row.name for row in people.get(rule.id, [])], [row.name for row in places.get(rule.id, [])]


async def test_it_is_made_last_with_its_agents_and_departments_in_order(does, save, session, log):
    an, binh, sales = factories.agent("An"), factories.agent("Bình"), factories.department("Sales")
    await save(an, binh, sales, factories.rule(position=3))
    given = {"name": "Rest", "agents": [_id(binh), _id(an), _id(binh)], "departments": [_id(sales)]}
    made = await does(rules.create, {**given, "filter": {"country": {"eq": "VN"}}})
    assert (made.position, made.active, made.strategy) == (4, True, AssignmentStrategy.ROUND_ROBIN)
    assert await _members(session, made) == (["Bình", "An"], ["Sales"])
    (line,) = await log(made)
    told = {one["field"]: one["after"] for one in line.fields}
    assert (told["agents"], told["departments"]) == ([_id(binh), _id(an)], [_id(sales)])
    assert (told["filter"], told["strategy"]) == ({"country": {"eq": "VN"}}, "ROUND_ROBIN")


async def test_members_given_replace_those_there_were(does, save, session, log):
    an, binh, sales = factories.agent("An"), factories.agent("Bình"), factories.department("Sales")
    await save(an, binh, sales)
    made = await does(rules.create, {"name": "A", "agents": [_id(an)], "departments": [_id(sales)]})
    await does(rules.update, _id(made), {"agents": [_id(binh), _id(an)]})
    assert await _members(session, made) == (["Bình", "An"], ["Sales"])
    assert (await log(made))[-1].fields == [{"field": "agents", "before": [_id(an)], "after": [_id(binh), _id(an)]}]
    await does(
        rules.update, _id(made), {"departments": None, "active": False, "strategy": AssignmentStrategy.LEAST_LOADED}
    )
    assert await _members(session, made) == (["Bình", "An"], [])


async def test_the_turn_is_kept_and_the_same_again_changes_nothing(does, save, session, log):
    await save(an := factories.agent("An"), rule := factories.rule("A", turn=7), factories.assigns(rule, agent=an))
    await does(rules.update, _id(rule), {"name": "A", "agents": [_id(an)], "filter": None})
    assert await log() == []
    await does(rules.update, _id(rule), {"name": "B"})
    assert [(row.name, row.turn) for row in await queries.all_rules(session)] == [("B", 7)]


async def test_they_stand_in_order(does, save, session):
    for name, position in (("last", None), ("first", 0), ("middle", 0)):
        await does(rules.create, {"name": name, "position": position})
    assert [row.name for row in await queries.all_rules(session)] == ["last", "first", "middle"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({"name": " "}, ("BLANK", "input.name"), id="no name"),
        pytest.param({"active": None}, ("INVALID", "input.active"), id="active or not"),
        pytest.param({"strategy": None}, ("INVALID", "input.strategy"), id="no strategy"),
        pytest.param(
            {"filter": {"customFields": [{"key": "size", "is": {"text": {"eq": "x"}}}]}},
            ("FIELD_UNKNOWN", "input.filter.customFields.0.key"),
            id="no such field",
        ),
        pytest.param({"position": -1}, ("INVALID", "input.position"), id="before the first"),
        pytest.param({"agents": ["agt_" + "0" * 32]}, ("NOT_FOUND", "input.agents.0"), id="no such agent"),
        pytest.param({"departments": ["dep_1"]}, ("NOT_FOUND", "input.departments.0"), id="no such department"),
    ],
)
async def test_what_cannot_be_taken_is_refused_where_it_stands(refuses, given, expected):
    assert await refuses(rules.create, {"name": "A", **given}) == expected


async def test_an_inactive_agent_is_not_named_anew_and_may_stay(does, refuses, save):
    an, gone = factories.agent("An"), factories.agent("Gone", active=False)
    await save(an, gone, rule := factories.rule(), factories.assigns(rule, agent=gone))
    wanted = {"name": "A", "agents": [_id(an), _id(gone)]}
    assert await refuses(rules.create, wanted) == ("AGENT_INACTIVE", "input.agents.1")
    await does(rules.update, _id(rule), wanted)


async def test_it_is_deleted(does, refuses, save, everything, log):
    await save(an := factories.agent("An"), rule := factories.rule(), factories.assigns(rule, agent=an))
    await does(rules.delete, _id(rule))
    assert await everything(tables.AssignmentRule) == []
    assert await everything(tables.AssignmentRuleMember) == []
    assert [line.action for line in await log(rule)] == [ChangeAction.DELETED]
    assert await refuses(rules.delete, _id(rule)) == ("NOT_FOUND", "id")


async def test_a_workspace_has_a_thousand_at_most(refuses, save):
    await save(*(factories.rule(str(number)) for number in range(1000)))
    assert await refuses(rules.create, {"name": "One more"}) == ("LIMIT_EXCEEDED", "input")
