"""Companies, departments, segments, views, rules, the workspace: one of them made, changed and deleted."""

import pytest

from db.values.wire_format import id_encoder
from tests.support import factories
from tests.support.rules_workspace import told

NOTHING = "0" * 32


def deep(levels):
    filter = {"name": {"eq": "x"}}
    for _ in range(levels):
        filter = {"not": filter}
    return filter


# ── companies ─────────────────────────────────────────────────────────────────────────────────────────────────────────

COMPANY = """company { id version name domain phone address { city country } owner { id } customerCount
  externalIds { system value } customFields { value } }"""


async def test_a_company_is_made_changed_and_cleared(house):
    """SM1, SM20: absent is left, null clears; the version and ifVersion as with customers."""
    given = {
        "name": " Acme ", "domain": "Acme.Example", "phone": "0901 234 567", "address": {"city": "Huế"},
        "owner": {"id": house.ids["seller"]}, "externalIds": [{"system": "erp", "value": "acme"}],
    }  # fmt: skip
    made = await house.does("companyCreate", COMPANY, input=given)
    company = made["company"]["id"]
    assert (made["outcome"], made["company"]) == ("CREATED", {
        **given, "id": company, "version": 1, "name": "Acme", "phone": "+84901234567", "customerCount": 0,
        "address": {"city": "Huế", "country": None}, "customFields": [],
    })  # fmt: skip
    by = {"domain": "ACME.example"}
    assert (await house.does("companyUpdate", by=by, input={"phone": "+84901234567"}))["outcome"] == "UNCHANGED"
    nulls = dict.fromkeys(one for one in given if one != "name")
    done = await house.does("companyUpdate", COMPANY, by=by, input={**nulls, "customFields": None}, ifVersion=1)
    empty = {one: done["company"][one] for one in nulls}
    assert (done["outcome"], {one for one in empty if empty[one]}) == ("UPDATED", set())
    conflict = await house.does("companyUpdate", by={"id": company}, input={"name": "x"}, ifVersion=1)
    assert conflict["errors"][0]["record"] == {"__typename": "Company", "id": company, "version": 2}
    for input, refused in [
        ({"name": None}, ("BLANK", "input.name")),
        ({"domain": "no domain"}, ("INVALID", "input.domain")),
        ({"phone": "x"}, ("INVALID", "input.phone")),
        ({"owner": {"email": "nobody@x.example"}}, ("NOT_FOUND", "input.owner")),
        ({"externalIds": [{"system": "a", "value": ""}]}, ("BLANK", "input.externalIds.0.value")),
        ({"externalIds": [{"system": "a", "value": str(one)} for one in range(51)]},
         ("LIMIT_EXCEEDED", "input.externalIds")),
        ({"customFields": [{"key": "nothing", "value": 1}]}, ("FIELD_UNKNOWN", "input.customFields.0.key")),
    ]:  # fmt: skip
        assert await house.refuses("companyUpdate", by={"id": company}, input=input) == [refused]
    assert await house.refuses("companyUpdate", by={"domain": "nobody.example"}, input={}) == [("NOT_FOUND", "by")]


async def test_a_companys_domain_and_external_ids_are_its_own(house):
    """SM1: DuplicateError with the holder; its name is not; an upsert keeps its reference."""
    holder = await house.made(
        "companyCreate", "company", name="Own", domain="own.example", externalIds=[{"system": "erp", "value": "own"}]
    )
    for input, path in [
        ({"domain": "OWN.example"}, "input.domain"),
        ({"externalIds": [{"system": "x", "value": "1"}, {"system": "erp", "value": "own"}]},
         "input.externalIds.1.value"),
    ]:  # fmt: skip
        done = await house.does("companyCreate", input={"name": "Own", **input})
        assert told(done["errors"]) == [("TAKEN", path)]
        assert done["errors"][0]["existing"] == {"__typename": "Company", "id": holder}
    await house.made("companyCreate", "company", name="Own")
    for by in ({"domain": "up.example"}, {"externalId": {"system": "erp", "value": "up"}}):
        outcomes = []
        for name in ("Up", "Up", "Down"):
            done = await house.does("companyUpsert", COMPANY, by=by, input={"name": name})
            outcomes.append(done["outcome"])
        assert outcomes == ["CREATED", "UNCHANGED", "UPDATED"]
        assert by in ({"domain": done["company"]["domain"]}, {"externalId": (done["company"]["externalIds"] or [0])[0]})
    assert await house.refuses("companyUpsert", by={"id": "com_" + NOTHING}, input={"name": "x"}) == [
        ("NOT_FOUND", "by")
    ]


async def test_a_company_with_customers_is_deleted_when_they_are_detached(house):
    """SM1: archived ones count; each customer's change is told."""
    company = await house.made("companyCreate", "company", name="Delete")
    customer = await house.customer(company={"id": company})
    await house.bulk("customersArchive", target={"ids": [customer]})
    by = {"id": company}
    assert await house.refuses("companyDelete", by=by) == [("COMPANY_HAS_CUSTOMERS", "by")]
    done = await house.does("companyDelete", "company { id name }", by=by, detachCustomers=True)
    assert (done["outcome"], done["company"]) == ("DELETED", {"id": company, "name": "Delete"})
    assert (await house.log(customer))[-1]["fields"] == [{"field": "company", "before": company, "after": None}]
    assert await house.refuses("companyDelete", by=by) == [("NOT_FOUND", "by")]


# ── departments ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_departments_are_a_tree_that_goes_from_its_leaves(house):
    """SB19: never a part of itself; IN_USE while something hangs on it."""
    top = await house.made("departmentCreate", "department", name="Top")
    low = await house.made("departmentCreate", "department", name="Low", parent=top)
    for parent, refused in [(low, "INVALID"), (top, "INVALID"), ("dep_" + NOTHING, "NOT_FOUND")]:
        assert await house.refuses("departmentUpdate", id=top, input={"parent": parent}) == [(refused, "input.parent")]
    for input, refused in [({}, ("BLANK", "input.name")), ({"name": "x", "agents": [house.ids["seller"], "agt_x"]},
                                                           ("NOT_FOUND", "input.agents.1"))]:  # fmt: skip
        assert await house.refuses("departmentCreate", input=input) == [refused]
    agent = await house.agent(departments=[low])
    customer = await house.customer(owner={"id": agent})
    assert await house.refuses("departmentDelete", id=top) == [("IN_USE", "id")]
    assert await house.refuses("departmentDelete", id=low) == [("IN_USE", "id")]
    await house.does("customerDelete", by={"id": customer})
    rule = await house.made("assignmentRuleCreate", "assignmentRule", name="R", departments=[low], active=False)
    assert await house.refuses("departmentDelete", id=low) == [("IN_USE", "id")]
    await house.does("assignmentRuleDelete", id=rule)
    assert (await house.does("departmentDelete", "department { name }", id=low))["department"] == {"name": "Low"}
    assert (await house.does("departmentDelete", id=top))["errors"] == []
    assert await house.refuses("departmentDelete", id=top) == [("NOT_FOUND", "id")]


# ── segments ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_segment_is_static_or_dynamic_for_ever(house):
    """EM2, SM10: members of a dynamic one are what its filter finds now; a static one has none."""
    filter = {"source": {"eq": "segment"}}
    shows = "segment { id kind version filter customerCount }"
    made = await house.does("segmentCreate", shows, input={"name": "D", "filter": filter})
    dynamic = made["segment"]["id"]
    assert (made["segment"]["kind"], made["segment"]["filter"]) == ("DYNAMIC", filter)
    static = await house.made("segmentCreate", "segment", name="S", kind="STATIC")
    customer = await house.customer(source="segment")
    counts = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Segment { customerCount } } }"

    async def counted():
        return [one["customerCount"] for one in (await house.ask(counts, ids=[dynamic, static]))["nodes"]]

    assert await counted() == [1, 0]
    target = {"ids": [customer]}
    assert await house.bulk("segmentMembersChange", id=static, add=target) == [("UPDATED",)]
    assert await house.bulk("segmentMembersChange", id=static, add=target) == [("SKIPPED",)]
    assert await counted() == [1, 1]
    await house.bulk("customersArchive", target=target)
    assert await counted() == [0, 0]
    await house.bulk("customersUnarchive", target=target)
    assert await house.bulk("segmentMembersChange", id=static, remove=target) == [("UPDATED",)]
    assert await counted() == [1, 0]
    assert await house.bulk("segmentMembersChange", id=dynamic, add=target) == [("SEGMENT_IS_DYNAMIC", "id")]
    assert await house.bulk("segmentMembersChange", id="seg_" + NOTHING, add=target) == [("NOT_FOUND", "id")]
    for id, input, refused in [
        (static, {"kind": "DYNAMIC"}, ("FIELD_PROTECTED", "input.kind")),
        (static, {"filter": filter}, ("INVALID", "input.filter")),
        (dynamic, {"filter": None}, ("INVALID", "input.filter")),
        (dynamic, {"name": " "}, ("BLANK", "input.name")),
        (dynamic, {"filter": {"customFields": [{"key": "no", "is": {"text": {"eq": "x"}}}]}},
         ("FIELD_UNKNOWN", "input.filter.customFields.0.key")),
        (dynamic, {"filter": deep(9)}, ("LIMIT_EXCEEDED", "input.filter" + ".not" * 8)),
    ]:  # fmt: skip
        assert await house.refuses("segmentUpdate", id=id, input=input) == [refused], input
    conflict = await house.does("segmentUpdate", id=dynamic, input={"name": "x"}, ifVersion=7)
    assert conflict["errors"][0]["record"] == {"__typename": "Segment", "id": dynamic, "version": 1}
    assert await house.refuses("segmentCreate", input={"name": "x"}) == [("INVALID", "input.filter")]


async def test_a_segment_is_no_part_of_itself_and_stays_while_it_is_used(house):
    """EM2, SM10: SEGMENT_CYCLE; IN_USE by a segment, a view or a rule."""
    inner = await house.made("segmentCreate", "segment", name="I", filter={"source": {"eq": "x"}})
    using = {"not": {"segments": {"includesAll": [inner]}}}
    outer = await house.made("segmentCreate", "segment", name="O", filter=using)
    for cycle in (inner, outer):
        filter = {"or": [{"segments": {"includesAll": [cycle]}}]}
        (refused,) = await house.refuses("segmentUpdate", id=inner, input={"filter": filter})
        assert refused[0] == "SEGMENT_CYCLE"
        assert refused[1].startswith("input.filter")
    assert await house.refuses("segmentDelete", id=inner) == [("IN_USE", "id")]
    assert (await house.does("segmentDelete", id=outer))["errors"] == []
    for record, input in [("savedView", {"filter": using}), ("assignmentRule", {"filter": using})]:
        user = await house.made(f"{record}Create", record, name="U", **input)
        assert await house.refuses("segmentDelete", id=inner) == [("IN_USE", "id")]
        await house.does(f"{record}Delete", id=user)
    assert (await house.does("segmentDelete", "segment { name }", id=inner))["segment"] == {"name": "I"}


# ── views and rules ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_views_are_ones_own_or_shared(house):
    """SM3, SM5, SB7: others' own ones are not there; shared ones are changed with VIEW_SHARE; a key has none."""
    made = await house.does("savedViewCreate", "savedView { id filter search sort shared owner { id } }", "seller",
                            input={"name": "Mine"})  # fmt: skip
    view = made["savedView"]["id"]
    assert made["savedView"] == {
        "id": view, "filter": None, "search": None, "sort": None, "shared": False, "owner": {"id": house.ids["seller"]},
    }  # fmt: skip
    for mutation, more in [("savedViewUpdate", {"input": {"name": "x"}}), ("savedViewDelete", {})]:
        assert await house.refuses(mutation, "colleague", id=view, **more) == [("NOT_FOUND", "id")]
    assert await house.refuses("savedViewUpdate", "seller", id=view, input={"shared": True}) == [
        ("FORBIDDEN", "input.shared")
    ]
    shared = await house.made("savedViewCreate", "savedView", name="Ours", shared=True)
    assert await house.refuses("savedViewUpdate", "colleague", id=shared, input={"name": "x"}) == [("FORBIDDEN", "id")]
    assert (await house.does("savedViewUpdate", who="manager", id=shared, input={"name": "x"}))["errors"] == []
    seen = await house.ask("{ savedViews { id } }", "seller")
    assert {one["id"] for one in seen["savedViews"]} >= {view, shared}
    for input, refused in [
        ({"name": ""}, ("BLANK", "input.name")),
        ({"columns": [{"field": "name"}, {"field": "nothing"}]}, ("FIELD_UNKNOWN", "input.columns.1.field")),
        ({"filter": {"segments": {"includesAll": ["seg_x"]}, "not": deep(9)}},
         ("LIMIT_EXCEEDED", "input.filter" + ".not" * 8)),
        ({"sort": [{"customField": {"key": "no"}}]}, ("FIELD_UNKNOWN", "input.sort.0.customField.key")),
    ]:  # fmt: skip
        assert await house.refuses("savedViewUpdate", id=shared, input=input) == [refused], input


async def test_the_view_of_all_customers_stays_as_it_is(house, database):
    """SM6: VIEW_PROTECTED, for an administrator as well; it shows everybody."""
    protected = factories.view("All customers", shared=True, protected=True)
    protected.workspace_id = house.number
    await database.write(house.number, lambda transaction: transaction.insert(protected))
    view = id_encoder("SavedView")(protected.id)
    refused = [("VIEW_PROTECTED", "id")]
    assert await house.refuses("savedViewUpdate", id=view, input={"name": "x"}) == refused
    assert await house.refuses("savedViewDelete", id=view) == refused
    document = "query ($id: ID!) { node(id: $id) { ... on SavedView { protected customers { totalCount } } } }"
    shown = (await house.ask(document, id=view))["node"]
    everybody = (await house.ask("{ customers { totalCount } }"))["customers"]
    assert shown == {"protected": True, "customers": everybody}


async def test_what_cannot_be_a_rule_is_refused_where_it_stands(house):
    """SB3."""
    gone = await house.agent(active=False)
    for input, refused in [
        ({}, ("BLANK", "input.name")),
        ({"name": "x", "agents": [house.ids["seller"], gone]}, ("AGENT_INACTIVE", "input.agents.1")),
        ({"name": "x", "agents": ["agt_" + NOTHING]}, ("NOT_FOUND", "input.agents.0")),
        ({"name": "x", "departments": ["dep_" + NOTHING]}, ("NOT_FOUND", "input.departments.0")),
        ({"name": "x", "filter": deep(9)}, ("LIMIT_EXCEEDED", "input.filter" + ".not" * 8)),
    ]:
        assert await house.refuses("assignmentRuleCreate", input=input) == [refused], input
    assert await house.refuses("assignmentRuleDelete", id="rul_x") == [("NOT_FOUND", "id")]


# ── the workspace ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("input", "refused"),
    [
        ({"name": ""}, ("BLANK", "input.name")),
        ({"timezone": "Mars/Base"}, ("INVALID", "input.timezone")),
        ({"defaultCountry": "XX"}, ("INVALID", "input.defaultCountry")),
        ({"defaultStage": "POOL"}, ("INVALID", "input.defaultStage")),
        ({"bulkDelete": None}, ("INVALID", "input.bulkDelete")),
        ({"maxCustomersPerAgent": -1}, ("INVALID", "input.maxCustomersPerAgent")),
        ({"followUpStages": ["a", " "]}, ("BLANK", "input.followUpStages.1")),
        ({"statusAutomation": {"rules": None}}, ("INVALID", "input.statusAutomation.rules")),
        ({"pool": {"idleDays": 0}}, ("INVALID", "input.pool.idleDays")),
        ({"pool": {"dailyClaimLimit": -1}}, ("INVALID", "input.pool.dailyClaimLimit")),
    ],
    ids=str,
)
async def test_a_setting_that_cannot_be_is_refused_where_it_stands(house, input, refused):
    """SB8: SETTINGS_MANAGE, which a MANAGER lacks."""
    assert await house.refuses("workspaceUpdate", input=input) == [refused]
    assert await house.refuses("workspaceUpdate", "manager", input=input) == [("FORBIDDEN", "")]


# ── lists without pages ───────────────────────────────────────────────────────────────────────────────────────────────

FULL = {
    "departmentCreate": (lambda one: factories.department(f"d{one}"), {"name": "x"}),
    "savedViewCreate": (lambda one: factories.view(f"v{one}", shared=True), {"name": "x"}),
    "assignmentRuleCreate": (lambda one: factories.rule(f"r{one}", active=False), {"name": "x"}),
    "apiKeyCreate": (lambda one: factories.api_key(f"k{one}"), {"name": "x", "permissions": ["NOTE_WRITE"]}),
    "customFieldCreate": (
        lambda one: factories.custom_field(f"f{one}", active=False),
        {"entity": "CUSTOMER", "key": "more", "label": "x", "type": "TEXT"},
    ),
}


@pytest.mark.parametrize("mutation", FULL)
async def test_a_list_without_pages_holds_1000(house, database, mutation):
    """LIMIT_EXCEEDED with the refused number on create; deleting makes room."""
    one, input = FULL[mutation]
    rows = [one(place) for place in range(1_000)]

    async def put(transaction):
        for row in rows:
            row.workspace_id = house.number
        await transaction.insert(*rows)

    await database.write(house.number, put)
    done = await house.does(mutation, input=input)
    error = done["errors"][0]
    assert (error["__typename"], error["code"], error["path"], error["limit"]) == (
        "LimitError", "LIMIT_EXCEEDED", ["input"], 1_000,
    )  # fmt: skip
    assert error["current"] > 1_000
