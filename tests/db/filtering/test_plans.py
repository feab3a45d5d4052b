"""How questions are answered: by an index, never by going through all customers of the workspace, on every database.

PostgreSQL plans for what is there, so its module's database holds a few thousand customers and real statistics, and a
plan that sorts or scans them all shows. SQLite plans for a large workspace, whatever is there.
"""

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from db import tables
from db.engine import Database
from db.filtering import fields
from db.paging import keyset
from db.paging.keyset import PageRequest
from db.paging.sorting import CUSTOMER_SORTS
from db.queries.matching import matches
from db.queries.matching.matches import CustomerQuery
from db.tables.enums import CustomFieldType
from db.values import ids
from db.values.wire_format import id_encoder
from db.visibility import Visibility
from tests.support import factories
from tests.support.filter_model import NOW

CROWD = {"postgresql": 3_000, "sqlite": 300}
SORTS = [name for name, kind in CUSTOMER_SORTS.items() if not isinstance(kind, dict)]
ORDERS = ["ASC", "DESC", "ASC_NULLS_FIRST", "DESC_NULLS_FIRST"]


@pytest.fixture(scope="module")
async def crowd(database: Database) -> Any:
    """A workspace of many, and another beside it."""
    number, other = await factories.workspace(database), await factories.workspace(database)
    tag, rare = factories.tag("common"), factories.tag("rare")
    companies = [factories.company(f"Company {place}") for place in range(60)]
    agents = [factories.agent(f"agent {place}") for place in range(20)]
    note, points = factories.custom_field("note"), factories.custom_field("points", CustomFieldType.NUMBER)
    segment = factories.segment("By hand", kind=1)
    places = range(CROWD[database.dialect.name])
    customers = [_customer(place, agents, companies) for place in places]
    strangers = [_customer(place, [], []) for place in places]
    own = [[tag, rare], companies, [note, points], [segment], agents, customers]
    own += _belongings(customers, tag, rare, note, points, segment)

    async def fill(transaction: Any) -> None:
        for rows, workspace in [*((rows, number) for rows in own), (strangers, other)]:
            for row in rows:
                row.workspace_id = workspace
            await transaction.insert(*rows)

    await database.write(number, fill)
    return number, {
        "tag": id_encoder("Tag")(rare.id),
        "company": id_encoder("Company")(companies[1].id),
        "segment": id_encoder("Segment")(segment.id),
        "agent": id_encoder("Agent")(agents[3].id),
    }


def _customer(place: int, agents: list[Any], companies: list[Any]) -> tables.Customer:
    values: dict[str, Any] = {
        "id": ids.id_at(NOW - place * 1_000_000),
        "created_at": NOW - place * 1_000_000,
        "nickname": f"nick {place}" if place % 3 else None,
        "email": f"{place}@example.com" if place % 3 != 1 else None,
        "phone": f"+8490{place:07}" if place % 3 != 1 else None,
        "value": place * 7919 % 100_003,
        "gender": None if place % 4 == 0 else place % 3,
        "birth_date": None if place % 5 == 0 else f"{1950 + place % 50}-0{1 + place % 9}-11",
        "last_interaction_at": None if place % 6 == 0 else NOW - place * 7919 % 1_000_003,
        "relationship_status": place % 3,
        "subscription_status": place % 4,
        "tag_count": place % 7,
        "city": f"City {place % 200}",
        "source": f"Source {place % 40}",
        "first_tag_key": None if place % 2 else f"tag {place % 50}",
        "owner_id": agents[place % 20].id if agents else None,
        "company_id": companies[place % 60].id if companies and place % 2 else None,
    }
    kept = {name: value for name, value in values.items() if value is not None}
    return factories.customer(f"Person {place * 7919 % 3_000}", **kept)


def _belongings(customers: list[Any], tag: Any, rare: Any, note: Any, points: Any, segment: Any) -> list[list[Any]]:
    placed = list(enumerate(customers))
    return [
        [factories.worn(one, tag) for place, one in placed if place % 3 == 0],
        [factories.worn(one, rare) for place, one in placed if place % 1_000 == 7],
        [factories.order(one, number=str(place)) for place, one in placed if place % 3 == 1],
        [factories.value(one, note, text=f"text {place}") for place, one in placed if place % 2],
        [factories.value(one, points, number=float(place)) for place, one in placed if place % 2 == 0],
        [
            tables.SegmentMember(workspace_id=0, segment_id=segment.id, customer_id=one.id)
            for place, one in placed
            if place % 900 == 3
        ],
        [
            tables.CustomerSearch(
                workspace_id=0, customer_id=one.id, text=f"\t{one.name_key} quux{place} " + "and so on " * 30
            )
            for place, one in placed
        ],
    ]


@pytest.fixture(scope="module")
async def explained(database: Database, database_url: str, crowd: Any) -> Any:
    """The plans of the statements that a page of the question takes, as text."""
    number, _ = crowd
    if database.dialect.name == "postgresql":
        connection = await asyncpg.connect(database_url)
        await connection.execute("SET random_page_cost = 1.1")
        await connection.execute("VACUUM (ANALYZE)")

    async def plan(question: CustomerQuery, window: PageRequest | None = None) -> list[str]:
        session = database.session(number)
        match, order = await matches.compile_query(
            session, question, visibility=Visibility(sees_all=True), agent_id=None, now=NOW
        )
        listing = await matches.root_list_query(session, match, order)
        if window is None:
            window = PageRequest(50)
        plans = []
        for phase in keyset.page_phases(order, window):
            statement = keyset._statement(
                keyset.ListQueryKey(listing), order.cache_key, phase.cache_key, window.backwards, 51
            )
            values = {"workspace_id": number, **listing.parameters, **order.parameters, **phase.parameters}
            text, arguments = statement.compiled_for(session.dialect).bind(values)
            if session.dialect.name == "postgresql":
                rows = await connection.fetch(f"EXPLAIN {text}", *arguments)
                plans.append("\n".join(row[0] for row in rows))
            else:
                plans.append(_of_sqlite(database, text, arguments))
        return plans

    yield plan
    if database.dialect.name == "postgresql":
        await connection.close()


def _of_sqlite(database: Database, text: str, arguments: list[Any]) -> str:
    with closing(sqlite3.connect(database.pool._path)) as connection:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {text}", arguments).fetchall()
    return "\n".join(row[3] for row in rows)


def assert_by_index(plan: str, *, sorted_by_index: bool) -> None:
    """Nothing is scanned from end to end; and where the order comes from an index, nothing of note is sorted."""
    assert not re.search(r"Seq Scan on (customer|customer_search|customer_tag|customer_value)\b", plan), plan
    assert not re.search(r"^SCAN (customer|document|customer_\w+)\b(?!.*VIRTUAL)", plan, re.MULTILINE), plan
    if sorted_by_index:
        assert (
            not re.search(r"^\s*(->  )?Sort\b|Sort Key: customer\.", plan, re.MULTILINE) or "Incremental Sort" in plan
        ), plan
        assert "USE TEMP B-TREE FOR ORDER BY" not in plan, plan


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", [name for name in SORTS if name != "id"])
async def test_every_sort_by_one_key_reads_its_index(explained, name, order):
    for plan in await explained(CustomerQuery(sort=[{name: order}])):
        assert_by_index(plan, sorted_by_index=True)


THROUGH = [{name: {inner: order}} for name, kind in CUSTOMER_SORTS.items() if isinstance(kind, dict)
           for inner in kind for order in ORDERS]  # fmt: skip
FIELDS = [{"customField": {"key": key, "order": order}} for key in ("note", "points") for order in ORDERS]


def counted(sort: dict[str, Any]) -> bool:
    """Whether customers have to be counted first, which no index does."""
    return "customerCount" in str(sort)


@pytest.mark.parametrize("sort", [one for one in [*THROUGH, *FIELDS] if not counted(one)], ids=str)
async def test_every_sort_through_a_relation_reads_an_index(explained, sort):
    question = CustomerQuery(sort=[sort])
    first, *_ = await explained(question)
    assert_by_index(first, sorted_by_index="NULLS_FIRST" not in str(sort))


@pytest.mark.parametrize("sort", [one for one in THROUGH if counted(one)], ids=str)
async def test_a_sort_by_a_number_of_customers_counts_them_from_an_index(database, explained, sort):
    for plan in await explained(CustomerQuery(sort=[sort])):
        assert not re.search(r"^SCAN customer\b", plan, re.MULTILINE), plan


async def test_a_page_far_inside_a_sorted_list_begins_in_the_index(database, crowd, explained):
    session = database.session(crowd[0])
    question = CustomerQuery(sort=[{"birthDate": "DESC"}])
    match, order = await matches.compile_query(
        session, question, visibility=Visibility(sees_all=True), agent_id=None, now=NOW
    )
    page = await keyset.fetch_page(
        session, await matches.root_list_query(session, match, order), PageRequest(200), order
    )
    for plan in await explained(question, PageRequest(50, after=page.cursor(page.rows[-1]))):
        assert_by_index(plan, sorted_by_index=True)
        assert "birth_date" in plan


FILTERS: dict[str, Any] = {
    "id": lambda known: {"id": {"in": ["cus_" + "0" * 32]}},
    "name": lambda known: {"name": {"eq": "Person 17"}},
    "name begins": lambda known: {"name": {"startsWith": "person 17"}},
    "nickname": lambda known: {"nickname": {"eq": "nick 17"}},
    "email": lambda known: {"email": {"eq": "17@example.com"}},
    "phone": lambda known: {"phone": {"eq": "+84900000017"}},
    "city": lambda known: {"city": {"eq": "City 17"}},
    "source": lambda known: {"source": {"eq": "Source 17"}},
    "birth date": lambda known: {"birthDate": {"eq": "1971-05-11"}},
    "value": lambda known: {"value": {"eq": "0.7919"}},
    "company": lambda known: {"company": {"id": {"eq": known["company"]}}},
    "owner": lambda known: {"owner": {"id": {"eq": known["agent"]}}},
    "created": lambda known: {"createdAt": {"last": "P1D"}},
    "tag": lambda known: {"tags": {"includesAll": [known["tag"]]}},
    "tag by name": lambda known: {"tags": {"any": {"name": {"eq": "rare"}}}},
    "segment": lambda known: {"segments": {"includesAll": [known["segment"]]}},
    "custom text": lambda known: {"customFields": [{"key": "note", "is": {"text": {"eq": "text 17"}}}]},
    "custom number": lambda known: {"customFields": [{"key": "points", "is": {"number": {"eq": "18"}}}]},
    "external id": lambda known: {"externalId": {"system": "erp", "value": {"eq": "17"}}},
}


# What else a customer can be asked for by a value of his own or of one record.
FILTERS |= {
    "realName": lambda known: {"realName": {"eq": "Nobody"}},
    "gender": lambda known: {"gender": {"eq": "MALE"}},
    "age": lambda known: {"age": {"eq": 40}},
    "region": lambda known: {"region": {"eq": "North"}},
    "country": lambda known: {"country": {"eq": "VN"}},
    "channel": lambda known: {"channel": {"eq": "Zalo"}},
    "relationshipStatus": lambda known: {"relationshipStatus": {"eq": "VIP"}},
    "subscriptionStatus": lambda known: {"subscriptionStatus": {"eq": "SUBSCRIBED"}},
    "stage": lambda known: {"stage": {"eq": "POOL"}},
    "verification": lambda known: {"verification": {"eq": "VALID"}},
    "followUpStage": lambda known: {"followUpStage": {"eq": "Offer sent"}},
    "department": lambda known: {"department": {"id": {"eq": id_encoder("Department")(bytes(16))}}},
    "wechatFriendOf": lambda known: {"wechatFriendOf": {"id": {"eq": known["agent"]}}},
    "notes": lambda known: {"notes": {"any": {"body": {"eq": "text 17"}}}},
    "interactions": lambda known: {"interactions": {"any": {"kind": {"eq": "PAYMENT"}}}},
    "orders": lambda known: {"orders": {"any": {"source": {"eq": "shop"}, "number": {"eq": "17"}}}},
    "order by number": lambda known: {"orders": {"any": {"number": {"eq": "17"}}}},
    "customFields": lambda known: {"customFields": [{"key": "note", "is": {"text": {"isNull": False}}}]},
    "externalId": lambda known: {"externalId": {"system": "erp"}},
    "blocked": lambda known: {"blocked": True},
    "resellerRelationship": lambda known: {"resellerRelationship": False},
    "archivedAt": lambda known: {"archivedAt": {"isNull": False}},
    "updatedAt": lambda known: {"updatedAt": {"last": "P1D"}},
    "lastInteractionAt": lambda known: {"lastInteractionAt": {"last": "PT1M"}},
}


def test_every_name_of_the_filter_is_among_them():
    known = {"company": "", "agent": "", "tag": "", "segment": ""}
    asked = {name for make_filter in FILTERS.values() for name in make_filter(known)}
    assert asked == set(fields.CUSTOMER_FIELDS) - {"and", "or", "not"}


@pytest.mark.parametrize("name", FILTERS)
async def test_equality_begins_with_an_index(explained, crowd, name):
    for plan in await explained(CustomerQuery(filter=FILTERS[name](crowd[1]))):
        assert_by_index(plan, sorted_by_index=False)


async def test_an_order_is_found_by_its_number(explained):
    for plan in await explained(CustomerQuery(filter={"orders": {"any": {"number": {"in": ["16", "19"]}}}})):
        assert "ix_customer_order_number_key_customer_id" in plan, plan


async def test_one_of_several_ways_is_looked_for_row_by_row(explained, crowd):
    """Whoever is related in one way would be gathered whole otherwise, for a page of a few."""
    many = {"or": [{"tags": {"includesAll": [crowd[1]["tag"]]}}, {"value": {"gte": "5"}}]}
    for plan in await explained(CustomerQuery(filter=many)):
        assert_by_index(plan, sorted_by_index=True)
        assert "hashed SubPlan" not in plan, plan


@pytest.mark.parametrize("name", ["tag", "segment", "custom text", "custom number"])
@pytest.mark.parametrize("window", [PageRequest(50), PageRequest(50, backwards=True)], ids=["forwards", "backwards"])
async def test_sqlite_reads_a_list_along_what_is_related_in_its_order(database, explained, crowd, name, window):
    question = CustomerQuery(filter={**FILTERS[name](crowd[1]), "relationshipStatus": {"eq": "VIP"}})
    for plan in await explained(question, window):
        assert_by_index(plan, sorted_by_index=database.dialect.name == "sqlite")
        assert database.dialect.name == "postgresql" or plan.startswith("SEARCH leading USING"), plan


async def test_sqlite_does_not_begin_with_a_frequent_tag_where_another_index_finds_fewer(database, explained, crowd):
    question = CustomerQuery(filter={**FILTERS["tag"](crowd[1]), **FILTERS["phone"](crowd[1])})
    for plan in await explained(question):
        assert_by_index(plan, sorted_by_index=False)
        assert "leading" not in plan, plan


async def test_sqlite_leaves_the_workspace_out_of_a_search_where_there_is_no_other(database, crowd):
    if database.dialect.name == "sqlite":
        session = database.session(crowd[0])
        match, _ = await matches.compile_query(
            session, CustomerQuery(search="quux17"), visibility=Visibility(sees_all=True), agent_id=None, now=NOW
        )
        assert "workspace :" in match.parameters(crowd[0])["matched"]
        assert match.search is not None
        assert "workspace :" not in replace(match.search, is_only_workspace=True).parameters(crowd[0])["matched"]


async def test_sqlite_begins_with_an_index_in_each_of_several_ways(database, explained, crowd):
    """Of what holds together within one way, too: nothing holds beside the choice that it could begin with."""
    rare = {**FILTERS["tag by name"](crowd[1]), **FILTERS["order by number"](crowd[1])}
    for plan in await explained(CustomerQuery(filter={"or": [rare, FILTERS["email"](crowd[1])]})):
        assert database.dialect.name == "postgresql" or "MULTI-INDEX OR" in plan, plan


@pytest.mark.parametrize("search", ["quux1717", "person quux1717", "quux4711 person"])
async def test_a_search_for_a_rare_word_begins_with_its_index(database, explained, search):
    (plan,) = await explained(CustomerQuery(search=search))
    assert_by_index(plan, sorted_by_index=False)
    assert ("ix_customer_search_text" in plan) or ("VIRTUAL TABLE" in plan), plan


async def test_a_search_for_a_frequent_word_follows_the_list(database, explained):
    (plan,) = await explained(CustomerQuery(search="person"))
    assert_by_index(plan, sorted_by_index=True)
    assert "ix_customer_search_text" not in plan
    assert "VIRTUAL TABLE" not in plan
