"""Saved views and the catalogue of fields."""

from dataclasses import replace

from db import tables
from db.tables.enums import CustomFieldType, EntityType
from db.values.folding import fold
from db.values.ids import new_id
from tests.support import factories

VIEWS = """query ($search: String) {
  savedViews(search: $search) { name owner { name } customers { totalCount nodes { name } } } }"""


def view(name: str, **values):
    values.setdefault("columns", [{"field": "name", "width": None}])
    return tables.SavedView(workspace_id=0, name=name, name_key=fold(name), **values)


async def test_own_views_come_before_shared_ones_by_position_and_others_not_at_all(ask, save, viewer):
    """SM3, SM4, SB7."""
    me, other = factories.agent("Me", id=viewer.actor_id), factories.agent("Other")
    await save(me, other)
    await save(
        view("shared late", shared=True, position=2),
        view("shared early", shared=True, position=1, owner_id=other.id),
        view("mine late", owner_id=me.id, position=9, shared=True),
        view("mine early", owner_id=me.id, position=3),
        view("his own", owner_id=other.id),
    )
    found = (await ask(VIEWS))["savedViews"]
    assert [one["name"] for one in found] == ["mine early", "mine late", "shared early", "shared late"]
    assert [one["name"] for one in (await ask(VIEWS, search="LATE shared"))["savedViews"]] == ["shared late"]
    key = replace(viewer, actor_id=new_id())
    assert [one["name"] for one in (await ask(VIEWS, viewer=key))["savedViews"]] == [
        "shared early",
        "shared late",
        "mine late",
    ]


async def test_a_view_shows_its_own_filter_search_and_sort_narrowed_by_what_is_asked(ask, save):
    """SM6, SM7."""
    first, second = factories.customer("An Nguyễn", value=30_000), factories.customer("Bình Nguyễn", value=20_000)
    third = factories.customer("Chi Trần", value=10_000)
    await save(first, second, third)
    await save(
        *(
            tables.CustomerSearch(workspace_id=0, customer_id=one.id, text=_document(one))
            for one in (first, second, third)
        )
    )
    await save(
        view("searched", shared=True, search="nguyen", sort=[{"value": "DESC"}]),
        view("filtered", shared=True, position=1, filter={"value": {"lte": "2"}}, sort=[{"name": "ASC"}]),
    )
    found = {
        one["name"]: [each["name"] for each in one["customers"]["nodes"]] for one in (await ask(VIEWS))["savedViews"]
    }
    assert found == {"searched": ["An Nguyễn", "Bình Nguyễn"], "filtered": ["Bình Nguyễn", "Chi Trần"]}
    narrowed = await ask(
        """{ savedViews { name
             customers(search: "binh", filter: {value: {gte: "1"}}, sort: [{value: ASC}]) { totalCount } } }"""
    )
    assert [one["customers"]["totalCount"] for one in narrowed["savedViews"]] == [1, 1]


async def test_badges_of_all_views_are_counted_with_one_statement(ask, save, sent):
    """SM3."""
    await save(*(view(f"view {number}", shared=True, filter={"name": {"eq": str(number)}}) for number in range(12)))
    sent.clear()
    await ask("{ savedViews { customers { totalCount(atMost: 10001) } } }")
    assert len(sent) == 2


async def test_fields_are_the_built_in_ones_the_systems_and_the_custom_ones(ask, save):
    """SM18, SB7."""
    customer = factories.customer()
    await save(customer, factories.custom_field("tier", CustomFieldType.SELECT, options=["gold"]))
    await save(factories.custom_field("off", active=False), factories.custom_field("size", entity=EntityType.COMPANY))
    await save(factories.external_id(customer, "erp", "1"), factories.external_id(customer, "crm", "2"))
    document = (
        "{ fields(entity: CUSTOMER) { key label type filterable sortable exportable importable custom { options } } }"
    )
    found = {one["key"]: one for one in (await ask(document))["fields"]}
    assert {"name", "address.city", "company", "externalId.crm", "externalId.erp", "custom.tier", "id"} <= set(found)
    assert "custom.off" not in found
    assert "custom.size" not in found
    assert found["custom.tier"]["custom"] == {"options": ["gold"]}
    assert (found["value"]["type"], found["createdAt"]["importable"]) == ("Decimal", False)


def _document(customer):
    from db.queries.customers import search_documents

    return search_documents.build_document(names=(customer.name, None, None))
