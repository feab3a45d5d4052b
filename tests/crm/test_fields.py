"""Custom fields: what they can be, what keeps them as they are, and what goes with them (EM8, SB24)."""

import asyncio

import pytest

from crm.catalogue import custom_fields
from crm.customers import records
from db import tables
from db.tables.enums import ChangeAction, CustomFieldType, EntityType
from tests.crm.conftest import named
from tests.support import factories


def _id(row):
    return named(row)["id"]


def _given(type=CustomFieldType.TEXT, **given):
    return {"entity": EntityType.CUSTOMER, "key": "tier", "label": "Tier", "type": type, **given}


async def test_it_is_made_last_and_logged(does, save, everything, log):
    await save(factories.custom_field("first", position=4))
    made = await does(custom_fields.create, _given(description=" What he pays ", required=True))
    assert (made.label, made.description, made.position, made.active) == ("Tier", "What he pays", 5, True)
    (line,) = await log(made)
    assert {one["field"]: one["after"] for one in line.fields} == {
        "entity": "CUSTOMER",
        "key": "tier",
        "label": "Tier",
        "description": "What he pays",
        "type": "TEXT",
        "required": True,
        "unique": False,
        "active": True,
        "position": 5,
    }
    assert len(await everything(tables.CustomField)) == 2


@pytest.mark.parametrize("key", ["", "1st", "a.b", "a b", "é", "_a", "a" * 51])
async def test_a_key_is_a_plain_word(refuses, key):
    assert await refuses(custom_fields.create, _given(key=key)) == ("INVALID" if key else "BLANK", "input.key")


async def test_a_key_is_unique_for_its_entity(does, refuses):
    await does(custom_fields.create, _given())
    assert await refuses(custom_fields.create, _given()) == ("TAKEN", "input.key")
    assert await refuses(custom_fields.create, _given(key="Tier")) == ("TAKEN", "input.key")
    assert (await does(custom_fields.create, _given(entity=EntityType.COMPANY))).key == "tier"


async def test_of_many_with_one_key_at_once_one_is_made(does, everything):
    await asyncio.gather(*(does(custom_fields.create, _given()) for _ in range(6)), return_exceptions=True)
    assert len(await everything(tables.CustomField)) == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({"label": " "}, ("BLANK", "input.label"), id="no label"),
        pytest.param({"options": ["a"]}, ("INVALID", "input.options"), id="options of a text"),
        pytest.param({"type": CustomFieldType.SELECT}, ("BLANK", "input.options"), id="no options"),
        pytest.param({"type": CustomFieldType.SELECT, "options": []}, ("BLANK", "input.options"), id="empty options"),
        pytest.param(
            {"type": CustomFieldType.MULTI_SELECT, "options": ["a", " "]},
            ("BLANK", "input.options.1"),
            id="a blank one",
        ),
        pytest.param(
            {"type": CustomFieldType.SELECT, "options": ["a", "b", "A"]}, ("INVALID", "input.options.2"), id="one twice"
        ),
        pytest.param(
            {"type": CustomFieldType.SELECT, "options": [str(one) for one in range(1001)]},
            ("LIMIT_EXCEEDED", "input.options"),
            id="too many",
        ),
        pytest.param({"type": CustomFieldType.BOOLEAN, "unique": True}, ("INVALID", "input.unique"), id="unique yes"),
        pytest.param({"position": -1}, ("INVALID", "input.position"), id="before the first"),
    ],
)
async def test_what_cannot_be_taken_is_refused_where_it_stands(refuses, given, expected):
    assert await refuses(custom_fields.create, _given(**given)) == expected


async def test_an_entity_has_a_thousand_at_most(refuses, save):
    await save(*(factories.custom_field(f"f{number}") for number in range(1000)))
    assert await refuses(custom_fields.create, _given()) == ("LIMIT_EXCEEDED", "input")


# ── changing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_options_come_and_go_unless_somebody_has_one(does, refuses, save):
    made = await does(custom_fields.create, _given(CustomFieldType.MULTI_SELECT, options=["gold", "iron", "tin"]))
    await does(records.create, {"name": "An", "custom_fields": [{"key": "tier", "value": ["iron", "gold"]}]})
    changed = await does(custom_fields.update, _id(made), {"options": ["new", "iron", "gold"]})
    assert changed.options == ["new", "iron", "gold"]
    assert await refuses(custom_fields.update, _id(made), {"options": ["new"]}) == ("OPTION_IN_USE", "input.options")


async def test_a_required_field_is_asked_for_from_then_on(does, refuses):
    made = await does(custom_fields.create, _given())
    await does(records.create, {"name": "An"})
    await does(custom_fields.update, _id(made), {"required": True})
    wanted = {"name": "Bình", "custom_fields": [{"key": "tier", "value": None}]}
    assert await refuses(records.create, wanted) == ("BLANK", "input.customFields.0.value")


async def test_switched_off_it_keeps_its_values_and_nobody_is_found_by_them(does, refuses, everything, log):
    made = await does(custom_fields.create, _given())
    customer = (
        await does(records.create, {"name": "An", "custom_fields": [{"key": "tier", "value": "Gold"}]})
    ).customer
    await does(custom_fields.update, _id(made), {"active": False})
    assert len(await everything(tables.CustomerValue)) == 1
    assert [row.text.split() for row in await everything(tables.CustomerSearch)] == [["an"]]
    wanted = {"custom_fields": [{"key": "tier", "value": "Tin"}]}
    assert await refuses(records.update, named(customer), wanted) == ("FIELD_UNKNOWN", "input.customFields.0.key")
    await does(custom_fields.update, _id(made), {"active": True})
    assert [row.text.split() for row in await everything(tables.CustomerSearch)] == [["an", "gold"]]
    assert len(await log(customer)) == 1


IS = {"text": {"eq": "gold"}}
USES = [
    pytest.param({"customFields": [{"key": "tier", "is": IS}]}, EntityType.CUSTOMER, id="at once"),
    pytest.param({"or": [{"not": {"customFields": [{"key": "tier", "is": IS}]}}]}, EntityType.CUSTOMER, id="deep"),
    pytest.param({"company": {"customFields": [{"key": "tier", "is": IS}]}}, EntityType.COMPANY, id="of the company"),
    pytest.param(
        {"company": {"customers": {"any": {"customFields": [{"key": "tier", "is": IS}]}}}},
        EntityType.CUSTOMER,
        id="of its customers",
    ),
]


@pytest.mark.parametrize(("filter", "entity"), USES)
async def test_it_stays_while_a_filter_names_it(does, refuses, save, filter, entity):
    made = await does(custom_fields.create, _given(entity=entity))
    other = await does(custom_fields.create, _given(entity=EntityType(1 - entity)))
    await save(factories.segment("Regulars", filter=filter))
    assert await refuses(custom_fields.update, _id(made), {"active": False}) == ("IN_USE", "input.active")
    assert await refuses(custom_fields.delete, _id(made)) == ("IN_USE", "id")
    await does(custom_fields.update, _id(other), {"active": False})
    await does(custom_fields.delete, _id(other))


@pytest.mark.parametrize(
    "user",
    [
        pytest.param(lambda used: factories.rule(filter=used), id="a rule"),
        pytest.param(lambda used: factories.view(filter=used), id="a view's filter"),
        pytest.param(
            lambda used: factories.view(sort=[{"customField": {"key": "tier", "order": "ASC"}}]), id="a view's sort"
        ),
    ],
)
async def test_it_stays_while_a_rule_or_view_uses_it(does, refuses, save, user):
    made = await does(custom_fields.create, _given())
    await save(user({"customFields": [{"key": "tier", "is": IS}]}))
    assert await refuses(custom_fields.delete, _id(made)) == ("IN_USE", "id")
    assert (await does(custom_fields.update, _id(made), {"label": "Level"})).label == "Level"


# ── deleting ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_deleted_it_takes_its_values_from_customers(does, everything, log):
    made = await does(custom_fields.create, _given())
    other = await does(custom_fields.create, _given(key="other"))
    values = [{"key": "tier", "value": "Gold"}, {"key": "other", "value": "Tin"}]
    customer = (await does(records.create, {"name": "An", "custom_fields": values})).customer
    await does(records.create, {"name": "Bình"})
    await does(custom_fields.delete, _id(made))
    assert [row.field_id for row in await everything(tables.CustomerValue)] == [other.id]
    assert {tuple(row.text.split()) for row in await everything(tables.CustomerSearch)} == {("an", "tin"), ("binh",)}
    assert [line.action for line in await log(made)] == [ChangeAction.CREATED, ChangeAction.DELETED]
    assert (await log(customer))[-1].fields == [{"field": "custom.tier", "before": "Gold", "after": None}]
    found = {row.name: row.version for row in await everything(tables.Customer)}
    assert found == {"An": 2, "Bình": 1}


async def test_deleted_it_is_no_column_of_a_view_any_more(does, save, everything, log):
    made = await does(custom_fields.create, _given())
    columns = [{"field": "name", "width": None}, {"field": "custom.tier", "width": 9}]
    await save(shown := factories.view("A", columns=columns), other := factories.view("B"))
    await does(custom_fields.delete, _id(made))
    assert [row.columns for row in await everything(tables.SavedView)] == [columns[:1]] * 2
    assert ([line.action for line in await log(shown)], await log(other)) == ([ChangeAction.UPDATED], [])


async def test_deleted_it_takes_its_values_from_companies(does, save, everything, log):
    made = await does(custom_fields.create, _given(CustomFieldType.NUMBER, entity=EntityType.COMPANY))
    await save(company := factories.company("Samsung"))
    await save(tables.CompanyValue(workspace_id=0, company_id=company.id, field_id=made.id, number=3.0))
    await does(custom_fields.delete, _id(made))
    assert await everything(tables.CompanyValue) == []
    (line,) = await log(company)
    assert (line.version, line.fields) == (2, [{"field": "custom.tier", "before": 3, "after": None}])


async def test_one_that_is_not_there_is_not_found(refuses):
    assert await refuses(custom_fields.update, "fld_1", {}) == ("NOT_FOUND", "id")
    assert await refuses(custom_fields.delete, "cus_" + "0" * 32) == ("NOT_FOUND", "id")
