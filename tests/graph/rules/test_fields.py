"""Custom fields of customers and companies, and the values that they take."""

import pytest

TYPES = {
    "TEXT": ("a", 1), "LONG_TEXT": ("a\nb", 1), "NUMBER": (1.5, "1"), "BOOLEAN": (True, 1), "DATE": ("2026-02-28", 5),
    "DATE_TIME": ("2026-02-28T00:00:00.000Z", "soon"), "SELECT": ("a", "z"), "MULTI_SELECT": (["b", "a"], "a"),
    "EMAIL": ("a@x.example", "nobody"), "PHONE": ("+84901234567", "12"), "URL": ("https://x.example/", "x"),
}  # fmt: skip


@pytest.fixture
def field(house):
    """The id of a new custom field."""
    return lambda key, type="TEXT", entity="CUSTOMER", **more: house.made(
        "customFieldCreate", "customField", entity=entity, key=key, label=key.title(), type=type, **more
    )


@pytest.fixture
def value(house):
    """What a customer has in a field."""

    async def read(customer, key):
        return (await house.shown(customer, f'customField(key: "{key}") {{ value }}'))["customField"]["value"]

    return read


@pytest.mark.parametrize("type", TYPES)
async def test_each_type_takes_its_values_and_no_others(house, field, value, type):
    """EM8, SB5, SB15: of customers and of companies; the wrong type is INVALID at the value's path."""
    good, bad = TYPES[type]
    options = {"options": ["a", "b"]} if "SELECT" in type else {}
    for entity in ("CUSTOMER", "COMPANY"):
        await field(f"as_{type}", type, entity, **options)
    customer = await house.customer(customFields=[{"key": f"as_{type}", "value": good}])
    assert await value(customer, f"as_{type}") == good
    wrong = [{"key": f"as_{type}", "value": good}, {"key": f"as_{type}", "value": bad}]
    refused = [("INVALID", "input.customFields.1.value")]
    assert await house.refuses("customerUpdate", by={"id": customer}, input={"customFields": wrong}) == refused
    assert await house.refuses("companyCreate", input={"name": "x", "customFields": wrong}) == refused
    rows = await house.bulk("customersUpdate", target={"ids": [customer]}, input={"customFields": wrong})
    assert rows == refused
    rows = await house.bulk("customersUpsert", rows=[{"by": {"id": customer}, "input": {"customFields": wrong}}])
    assert rows == [("FAILED", ("INVALID", "rows.0.input.customFields.1.value"))]
    cleared = {"customFields": [{"key": f"as_{type}", "value": None}]}
    assert (await house.does("customerUpdate", by={"id": customer}, input=cleared))["outcome"] == "UPDATED"
    assert await value(customer, f"as_{type}") is None


async def test_a_required_field_is_required_from_then_on(house, field):
    """SB24, EM8: of who is new, and by no clearing; who has none yet can be changed."""
    before = await house.customer()
    company = await house.made("companyCreate", "company", name="Required")
    for entity in ("CUSTOMER", "COMPANY"):
        await field("must", entity=entity, required=True)
    assert (await house.does("customerUpdate", by={"id": before}, input={"nickname": "x"}))["errors"] == []
    assert (await house.does("companyUpdate", by={"id": company}, input={"phone": "0901234567"}))["errors"] == []
    for mutation in ("customerCreate", "companyCreate"):
        assert await house.refuses(mutation, input={"name": "x"}) == [("BLANK", "input.customFields")]
        assert await house.refuses(mutation, input={"name": "x", "customFields": None}) == [
            ("BLANK", "input.customFields")
        ]
        for blank in (None, "", "  "):
            given = {"name": "x", "customFields": [{"key": "must", "value": blank}]}
            assert await house.refuses(mutation, input=given) == [("BLANK", "input.customFields.0.value")]
        wrong = {"name": "x", "customFields": [{"key": "must", "value": 5}]}
        assert await house.refuses(mutation, input=wrong) == [("INVALID", "input.customFields.0.value")]
    must = {"customFields": [{"key": "must", "value": "x"}]}
    made = await house.customer(**must)
    emptied = {"customFields": [{"key": "must", "value": None}]}
    assert await house.refuses("customerUpdate", by={"id": made}, input=emptied) == [
        ("BLANK", "input.customFields.0.value")
    ]
    listed = "{ a: customFields(entity: CUSTOMER) { id key } b: customFields(entity: COMPANY) { id key } }"
    fields = await house.ask(listed)
    for one in (*fields["a"], *fields["b"]):
        if one["key"] == "must":
            done = await house.does("customFieldUpdate", id=one["id"], input={"required": False})
            assert done["errors"] == []
    assert (await house.does("customerUpdate", by={"id": made}, input=emptied))["outcome"] == "UPDATED"


async def test_a_unique_value_belongs_to_one(house, field):
    """SB24: DuplicateError with the holder, TAKEN without who is out of sight; two in one request as well."""
    await field("badge", unique=True)
    await field("size", entity="COMPANY", unique=True)
    holder = await house.customer(customFields=[{"key": "badge", "value": "B 1"}])
    given = {"name": "x", "customFields": [{"key": "badge", "value": "b 1"}]}
    (error,) = (await house.does("customerCreate", input=given))["errors"]
    assert (error["__typename"], error["code"], error["path"], error["existing"]["id"]) == (
        "DuplicateError", "TAKEN", ["input", "customFields", "0", "value"], holder,
    )  # fmt: skip
    (error,) = (await house.does("customerCreate", who="loner", input=given))["errors"]
    assert (error["__typename"], error["code"]) == ("InputError", "TAKEN")
    rows = [{"input": {"name": "x", "customFields": [{"key": "badge", "value": "new"}]}}] * 2
    assert await house.bulk("customersUpsert", rows=rows) == [
        ("CREATED",), ("FAILED", ("TAKEN", "rows.1.input.customFields.0.value")),
    ]  # fmt: skip
    many = [await house.customer() for _ in range(2)]
    alike = {"customFields": [{"key": "badge", "value": "alike"}]}
    assert [one[0] for one in await house.bulk("customersUpdate", target={"ids": many}, input=alike)] == [
        "UPDATED", "FAILED",
    ]  # fmt: skip
    sized = {"name": "x", "customFields": [{"key": "size", "value": "L"}]}
    company = await house.made("companyCreate", "company", **sized)
    (error,) = (await house.does("companyCreate", input=sized))["errors"]
    assert (error["path"], error["existing"]["id"]) == (["input", "customFields", "0", "value"], company)


async def test_what_cannot_be_a_field_is_refused_where_it_stands(house, field):
    """EM8, SB5: keys are unique per entity, whatever the case."""
    await field("once")
    await field("once", entity="COMPANY")
    least = {"entity": "CUSTOMER", "key": "k", "label": "K", "type": "TEXT"}
    for more, refused in [
        ({"key": "ONCE"}, ("TAKEN", "input.key")),
        ({"key": ""}, ("BLANK", "input.key")),
        ({"key": "a b"}, ("INVALID", "input.key")),
        ({"label": " "}, ("BLANK", "input.label")),
        ({"options": ["a"]}, ("INVALID", "input.options")),
        ({"type": "SELECT"}, ("BLANK", "input.options")),
        ({"type": "SELECT", "options": ["a", " "]}, ("BLANK", "input.options.1")),
        ({"type": "SELECT", "options": ["a", "A"]}, ("INVALID", "input.options.1")),
        ({"type": "MULTI_SELECT", "options": ["a"], "unique": True}, ("INVALID", "input.unique")),
        ({"position": -1}, ("INVALID", "input.position")),
    ]:
        assert await house.refuses("customFieldCreate", input={**least, **more}) == [refused], more
    assert await house.refuses("customFieldUpdate", id="fld_x", input={}) == [("NOT_FOUND", "id")]
    assert await house.refuses("customFieldCreate", "seller", input=least) == [("FORBIDDEN", "")]


async def test_an_option_in_use_stays(house, field):
    """SB24: OPTION_IN_USE; others come and go."""
    identifier = await field("option", "MULTI_SELECT", options=["a", "b"])
    await house.customer(customFields=[{"key": "option", "value": ["a"]}])
    assert await house.refuses("customFieldUpdate", id=identifier, input={"options": ["b", "c"]}) == [
        ("OPTION_IN_USE", "input.options")
    ]
    done = await house.does(
        "customFieldUpdate", "customField { options }", id=identifier, input={"options": ["c", "a"]}
    )
    assert done["customField"] == {"options": ["c", "a"]}


async def test_a_field_that_is_off_hides_its_values_and_keeps_them(house, field, value):
    """SB24: it takes no writes and no filters; on again, all is there; deleting drops the values."""
    identifier = await field("off")
    customer = await house.customer(customFields=[{"key": "off", "value": "kept"}])
    assert (await house.does("customFieldUpdate", id=identifier, input={"active": False}))["errors"] == []
    given = {"customFields": [{"key": "off", "value": "x"}]}
    assert await house.refuses("customerUpdate", by={"id": customer}, input=given) == [
        ("FIELD_UNKNOWN", "input.customFields.0.key")
    ]
    asked = 'customers(filter: {customFields: [{key: "off", is: {text: {eq: "kept"}}}]}) { totalCount }'
    answer = await house.answer(f"{{ {asked} }}")
    assert (answer.errors[0].extensions["code"], answer.errors[0].extensions["reason"]) == (
        "BAD_USER_INPUT", "FIELD_UNKNOWN",
    )  # fmt: skip
    shown = await house.shown(customer, "customFields { field { key } }")
    assert "off" not in [one["field"]["key"] for one in shown["customFields"]]
    await house.does("customFieldUpdate", id=identifier, input={"active": True})
    assert await value(customer, "off") == "kept"
    assert (await house.ask(f"{{ {asked} }}"))["customers"]["totalCount"] == 1
    done = await house.does("customFieldDelete", "customField { key }", id=identifier)
    assert done["customField"] == {"key": "off"}
    line = (await house.log(customer))[-1]
    assert line["fields"] == [{"field": "custom.off", "before": "kept", "after": None}]


async def test_a_field_that_is_filtered_or_sorted_by_stays(house, field):
    """SB24, SM18: IN_USE by a view, a segment or a rule; a view's column goes with it."""
    filter = {"customFields": [{"key": "used", "is": {"text": {"eq": "x"}}}]}
    identifier = await field("used")
    users = [
        ("segment", {"name": "S", "filter": {"or": [filter]}}),
        ("savedView", {"name": "V", "filter": {"not": filter}}),
        ("savedView", {"name": "V", "sort": [{"customField": {"key": "used", "order": "DESC"}}]}),
        ("assignmentRule", {"name": "R", "filter": filter}),
    ]
    for record, input in users:
        user = await house.made(f"{record}Create", record, **input)
        assert await house.refuses("customFieldDelete", id=identifier) == [("IN_USE", "id")]
        assert await house.refuses("customFieldUpdate", id=identifier, input={"active": False}) == [
            ("IN_USE", "input.active")
        ]
        assert (await house.does(f"{record}Delete", id=user))["errors"] == []
    columns = [{"field": "name"}, {"field": "custom.used"}]
    view = await house.made("savedViewCreate", "savedView", name="V", columns=columns)
    assert (await house.does("customFieldDelete", id=identifier))["errors"] == []
    shown = await house.ask("query ($id: ID!) { node(id: $id) { ... on SavedView { columns { field } } } }", id=view)
    assert shown["node"]["columns"] == [{"field": "name"}]
