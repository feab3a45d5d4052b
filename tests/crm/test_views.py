"""Saved views: whose they are, who may change them, what they show (SM3-7, SM11, SM18, SB7)."""

import pytest

from crm.catalogue import saved_views
from crm.workspace import workspaces
from db import tables
from db.queries.catalogue import saved_views as queries
from db.tables.enums import ChangeAction, CustomFieldType, EntityType, Permission, Role
from tests.crm.conftest import named
from tests.support import factories


def _id(row):
    return named(row)["id"]


@pytest.fixture
async def an(save, someone):
    await save(agent := factories.agent("An"))
    return someone(Role.AGENT, agent=agent)


@pytest.fixture
async def binh(save, someone):
    await save(agent := factories.agent("Bình"))
    return someone(Role.AGENT, agent=agent)


@pytest.fixture
async def sharer(save, someone):
    await save(agent := factories.agent("Sharer"))
    return someone(Role.AGENT, agent=agent, grant=(Permission.VIEW_SHARE,))


async def test_a_new_one_is_ones_own_with_the_usual_columns_and_no_filter(does, an, log):
    made = await does(saved_views.create, {"name": " Mine "}, by=an)
    assert (made.name, made.owner_id, made.shared, made.protected) == ("Mine", an.agent_id, False, False)
    assert (made.filter, made.search, made.sort) == (None, None, None)
    assert tuple(one["field"] for one in made.columns) == workspaces.DEFAULT_VIEW_COLUMNS
    assert [line.action for line in await log(made)] == [ChangeAction.CREATED]


async def test_a_search_that_no_list_takes_is_not_kept(refuses, an):
    assert await refuses(saved_views.create, {"name": "Mine", "search": "x" * 201}, by=an) == (
        "TOO_LONG",
        "input.search",
    )


async def test_it_keeps_what_is_given_and_null_clears_it(does, an):
    stored = {"filter": {"stage": {"eq": "POOL"}}, "search": " gold ", "sort": [{"name": "ASC"}]}
    made = await does(
        saved_views.create, {"name": "Mine", **stored, "columns": [{"field": "name", "width": 90}]}, by=an
    )
    assert (made.filter, made.search, made.sort) == (stored["filter"], "gold", stored["sort"])
    assert made.columns == [{"field": "name", "width": 90}]
    cleared = await does(
        saved_views.update, _id(made), {"filter": None, "search": None, "sort": None, "columns": None}, by=an
    )
    assert (cleared.filter, cleared.search, cleared.sort) == (None, None, None)
    assert len(cleared.columns) == len(workspaces.DEFAULT_VIEW_COLUMNS)


async def test_own_ones_come_first_then_shared_ones_by_position(does, save, an, binh, session):
    everybody = factories.view("All", protected=True, shared=True)
    foreign, shared = (
        factories.view("B's", owner_id=binh.agent_id),
        factories.view("For all", owner_id=binh.agent_id, shared=True),
    )
    await save(everybody, foreign, shared)
    for name, position in (("second", None), ("first", 0)):
        await does(saved_views.create, {"name": name, "position": position}, by=an)
    found = await queries.visible_views(session, an.agent_id, None)
    assert [row.name for row in found] == ["first", "second", "All", "For all"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(
            {"filter": {"or": [{"customFields": [{"key": "off", "is": {"text": {"eq": "x"}}}]}]}},
            ("FIELD_UNKNOWN", "input.filter.or.0.customFields.0.key"),
            id="a field that is switched off",
        ),
        pytest.param({"filter": {"name": {"eq": None}}}, ("INVALID", "input.filter.name.eq"), id="a null"),
        pytest.param({"filter": {"id": {"in": ["x"] * 1001}}}, ("LIMIT_EXCEEDED", "input.filter.id.in"), id="too many"),
        pytest.param(
            {"sort": [{"name": "ASC"}, {"customField": {"key": "size", "order": "ASC"}}]},
            ("FIELD_UNKNOWN", "input.sort.1.customField.key"),
            id="a field that is not there",
        ),
    ],
)
async def test_what_cannot_be_asked_is_not_kept(refuses, save, an, given, expected):
    await save(factories.custom_field("off", active=False))
    assert await refuses(saved_views.create, {"name": "A", **given}, by=an) == expected


# ── who may ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_sharing_needs_the_permission(does, refuses, an, sharer):
    assert await refuses(saved_views.create, {"name": "A", "shared": True}, by=an) == ("FORBIDDEN", "input.shared")
    made = await does(saved_views.create, {"name": "A"}, by=an)
    assert await refuses(saved_views.update, _id(made), {"shared": True}, by=an) == ("FORBIDDEN", "input.shared")
    assert (await does(saved_views.create, {"name": "B", "shared": True}, by=sharer)).shared


async def test_the_owner_changes_and_takes_back_what_he_shared(does, save, an):
    await save(view := factories.view(owner_id=an.agent_id, shared=True))
    assert (await does(saved_views.update, _id(view), {"name": "New", "shared": True}, by=an)).name == "New"
    assert not (await does(saved_views.update, _id(view), {"shared": False}, by=an)).shared


async def test_anothers_shared_one_is_changed_with_the_permission_alone(
    does, refuses, save, an, binh, sharer, everything
):
    await save(view := factories.view("B's", owner_id=binh.agent_id, shared=True))
    for rule, arguments in ((saved_views.update, [{"name": "Mine"}]), (saved_views.delete, [])):
        assert await refuses(rule, _id(view), *arguments, by=an) == ("FORBIDDEN", "id")
    assert (await does(saved_views.update, _id(view), {"name": "Ours"}, by=sharer)).owner_id == binh.agent_id
    await does(saved_views.delete, _id(view), by=sharer)
    assert await everything(tables.SavedView) == []


async def test_anothers_own_one_is_as_if_it_were_not(refuses, save, binh, sharer, viewer):
    await save(view := factories.view(owner_id=binh.agent_id))
    for by in (sharer, viewer):
        assert await refuses(saved_views.update, _id(view), {"name": "Mine"}, by=by) == ("NOT_FOUND", "id")
        assert await refuses(saved_views.delete, _id(view), by=by) == ("NOT_FOUND", "id")


async def test_all_customers_is_protected(refuses, save):
    await save(view := factories.view("All customers", shared=True, protected=True))
    assert await refuses(saved_views.update, _id(view), {"position": 3}) == ("VIEW_PROTECTED", "id")
    assert await refuses(saved_views.delete, _id(view)) == ("VIEW_PROTECTED", "id")


async def test_a_keys_view_is_everybodys(does, refuses, viewer):
    key = type(viewer)(viewer.workspace_id, 1, viewer.actor_id, viewer.permissions)
    assert await refuses(saved_views.create, {"name": "A"}, by=key) == ("INVALID", "input.shared")
    assert (await does(saved_views.create, {"name": "A", "shared": True}, by=key)).owner_id is None


# ── columns ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_columns_are_fields_of_customers(does, save, an):
    await save(factories.custom_field("tier", CustomFieldType.TEXT))
    names = ["id", "name", "address.city", "externalId.erp", "custom.tier", "tags", "emails", "createdAt", "owner"]
    made = await does(saved_views.create, {"name": "A", "columns": [{"field": name} for name in names]}, by=an)
    assert made.columns == [{"field": name, "width": None} for name in names]


@pytest.mark.parametrize(
    "name", ["", "nam", "custom.off", "custom.size", "custom.", "externalId.", "address", "version", "customFields"]
)
async def test_an_unknown_column_is_refused_where_it_stands(refuses, save, an, name):
    await save(factories.custom_field("off", active=False), factories.custom_field("size", entity=EntityType.COMPANY))
    columns = [{"field": "name"}, {"field": name}]
    expected = ("FIELD_UNKNOWN", "input.columns.1.field")
    assert await refuses(saved_views.create, {"name": "A", "columns": columns}, by=an) == expected


async def test_a_column_comes_once_and_has_a_width(refuses, an):
    columns = [{"field": "name", "width": 0}, {"field": "phone"}, {"field": "phone"}]
    assert await refuses(saved_views.create, {"name": "A", "columns": columns}, by=an) == [
        ("INVALID", "input.columns.0.width"),
        ("INVALID", "input.columns.2.field"),
    ]


async def test_a_list_has_a_thousand_at_most(refuses, save, an, binh):
    await save(*(factories.view(str(number), owner_id=an.agent_id) for number in range(999)))
    await save(factories.view(owner_id=binh.agent_id), factories.view("All", shared=True))
    assert await refuses(saved_views.create, {"name": "One more"}, by=an) == ("LIMIT_EXCEEDED", "input")
