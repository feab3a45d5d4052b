"""Values of custom fields: what each type takes, and what a field asks of them."""

import pytest

from crm.customers import records
from db.tables.enums import CustomFieldType, Outcome
from tests.crm.conftest import named
from tests.support import factories


async def _changes(log, record):
    return {one["field"]: (one["before"], one["after"]) for one in (await log(record))[-1].fields}


@pytest.mark.parametrize(
    ("kind", "options", "value", "told"),
    [
        pytest.param(CustomFieldType.TEXT, [], " Hà Nội ", "Hà Nội", id="text"),
        pytest.param(CustomFieldType.LONG_TEXT, [], "x" * 900, "x" * 900, id="long text"),
        pytest.param(CustomFieldType.NUMBER, [], 7, 7, id="whole number"),
        pytest.param(CustomFieldType.NUMBER, [], 7.25, 7.25, id="number"),
        pytest.param(CustomFieldType.BOOLEAN, [], False, False, id="boolean"),
        pytest.param(CustomFieldType.DATE, [], "2024-02-29", "2024-02-29", id="date"),
        pytest.param(
            CustomFieldType.DATE_TIME, [], "2024-02-29T10:00:00+07:00", "2024-02-29T03:00:00.000Z", id="date and time"
        ),
        pytest.param(CustomFieldType.SELECT, ["a", "b"], "b", "b", id="select"),
        pytest.param(CustomFieldType.MULTI_SELECT, ["a", "b"], ["b", "a", "b"], ["b", "a"], id="multi select"),
        pytest.param(CustomFieldType.EMAIL, [], "An@b.example", "An@b.example", id="e-mail"),
        pytest.param(CustomFieldType.PHONE, [], "+84 90 123 4567", "+84901234567", id="phone"),
        pytest.param(CustomFieldType.URL, [], "https://b.example/x", "https://b.example/x", id="url"),
    ],
)
async def test_each_type_keeps_its_values(does, save, log, kind, options, value, told):
    """EM8, SB5, SB15."""
    await save(field := factories.custom_field("own", kind, options=options), customer := factories.customer())
    given = {"custom_fields": [{"key": "own", "value": value}]}
    await does(records.update, named(customer), given)
    assert await _changes(log, customer) == {"custom.own": (None, told)}
    assert (await does(records.update, named(customer), given)).outcome is Outcome.UNCHANGED
    await does(records.update, named(customer), {"custom_fields": [{"key": field.key, "value": None}]})
    assert await _changes(log, customer) == {"custom.own": (told, None)}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        pytest.param(CustomFieldType.TEXT, 5, id="number for text"),
        pytest.param(CustomFieldType.TEXT, "x" * 501, id="long text"),
        pytest.param(CustomFieldType.NUMBER, "5", id="text for number"),
        pytest.param(CustomFieldType.NUMBER, True, id="boolean for number"),
        pytest.param(CustomFieldType.BOOLEAN, 1, id="number for boolean"),
        pytest.param(CustomFieldType.DATE, "2023-02-29", id="no such day"),
        pytest.param(CustomFieldType.DATE_TIME, "2023-02-28T10:00:00", id="no offset"),
        pytest.param(CustomFieldType.SELECT, "c", id="no such option"),
        pytest.param(CustomFieldType.MULTI_SELECT, "a", id="no list"),
        pytest.param(CustomFieldType.MULTI_SELECT, ["a", "c"], id="one of them no option"),
        pytest.param(CustomFieldType.EMAIL, "nobody", id="no address"),
        pytest.param(CustomFieldType.PHONE, "12", id="no phone"),
        pytest.param(CustomFieldType.URL, "ftp://b.example", id="no web address"),
    ],
)
async def test_a_value_of_the_wrong_type_is_refused_at_its_place(refuses, save, kind, value):
    await save(factories.custom_field("own", kind, options=["a", "b"]), customer := factories.customer())
    given = {"custom_fields": [{"key": "own", "value": value}]}
    code = "TOO_LONG" if value == "x" * 501 else "INVALID"
    assert await refuses(records.update, named(customer), given) == (code, "input.customFields.0.value")


@pytest.mark.parametrize("value", [1.5e308, -2.5e300, 2.0**53, 9007199254740993, 0.1])
async def test_a_number_of_any_size_is_told_and_kept(does, save, log, value):
    await save(factories.custom_field("points", CustomFieldType.NUMBER))
    made = await does(records.create, {"name": "An", "custom_fields": [{"key": "points", "value": value}]})
    (line,) = [one for one in await log(made.customer) if one.entity == "Customer"]
    assert {"field": "custom.points", "before": None, "after": float(value)} in line.fields


async def test_a_required_field_is_required_from_then_on(does, refuses, save):
    await save(factories.custom_field("tier", required=True), customer := factories.customer())
    assert await refuses(records.create, {"name": "An"}) == ("BLANK", "input.customFields")
    clear = {"custom_fields": [{"key": "tier", "value": None}]}
    assert await refuses(records.update, named(customer), clear) == ("BLANK", "input.customFields.0.value")
    assert (await does(records.update, named(customer), {"name": "Bo"})).outcome is Outcome.UPDATED


async def test_a_field_that_is_switched_off_takes_nothing(refuses, save):
    await save(factories.custom_field("tier", active=False), customer := factories.customer())
    given = {"custom_fields": [{"key": "tier", "value": "gold"}]}
    assert await refuses(records.update, named(customer), given) == ("FIELD_UNKNOWN", "input.customFields.0.key")


async def test_a_unique_value_belongs_to_one(does, refuses, save):
    await save(factories.custom_field("badge", unique=True), one := factories.customer(), other := factories.customer())
    await does(records.update, named(one), {"custom_fields": [{"key": "badge", "value": "Á1"}]})
    given = {"custom_fields": [{"key": "badge", "value": "á1"}]}
    assert await refuses(records.update, named(other), given) == ("TAKEN", "input.customFields.0.value")
    assert (await does(records.update, named(one), given)).outcome is Outcome.UPDATED
