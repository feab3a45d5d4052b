"""Lists of everything else, nested lists, and what a search found."""

from typing import Any

import pytest

from db import tables
from db.queries.customers import search_documents
from tests.support import factories


def document(customer: tables.Customer, **parts: Any) -> tables.CustomerSearch:
    text = search_documents.build_document(names=(customer.name, customer.nickname, customer.real_name), **parts)
    return tables.CustomerSearch(workspace_id=0, customer_id=customer.id, text=text)


@pytest.mark.parametrize("room", ["tags", "companies", "agents"])
async def test_nested_lists_of_a_level_take_a_fixed_number_of_statements(ask, save, sent, room):
    async def more(number: int) -> None:
        for place in range(number):
            agent, company, tag = (
                factories.agent(f"a{place}"),
                factories.company(f"c{place}"),
                factories.tag(f"t{number}-{place}"),
            )
            customers = [factories.customer(f"x{each}", owner_id=agent.id, company_id=company.id) for each in range(3)]
            await save(agent, company, tag, *customers)
            await save(*(factories.worn(customer, tag) for customer in customers))

    document = """{ ROOM { nodes { id customerCount
        customers(first: 2, sort: [{name: ASC}], filter: {name: {ne: "x1"}}) {
            totalCount nodes { name } pageInfo { hasNextPage } aggregate { count } } } } }""".replace("ROOM", room)
    await more(2)
    sent.clear()
    nodes = (await ask(document))[room]["nodes"]
    assert [[each["name"] for each in one["customers"]["nodes"]] for one in nodes] == [["x0", "x2"]] * 2
    assert [
        (one["customerCount"], one["customers"]["totalCount"], one["customers"]["aggregate"]["count"]) for one in nodes
    ] == [(3, 2, 2)] * 2
    before = len(sent)
    await more(7)
    sent.clear()
    assert len((await ask(document))[room]["nodes"]) == 9
    assert len(sent) == before == 6


async def test_lists_are_filtered_searched_and_sorted(ask, save):
    """SM8, SM9, SM12, SB12, SB13."""
    crowded, empty = factories.company("Đà Nẵng Steel", domain="steel.example"), factories.company("Acme")
    await save(crowded, empty, factories.customer("one", company_id=crowded.id))
    listed = """query ($f: CompanyFilter, $s: [CompanySort!], $q: String) {
      companies(filter: $f, sort: $s, search: $q) { nodes { name } totalCount } }"""

    async def names(**asked: Any) -> list[str]:
        return [one["name"] for one in (await ask(listed, **asked))["companies"]["nodes"]]

    assert await names(s=[{"name": "ASC"}]) == ["Acme", "Đà Nẵng Steel"]
    assert await names(s=[{"customerCount": "DESC"}]) == ["Đà Nẵng Steel", "Acme"]
    assert await names(q="nang STEEL") == ["Đà Nẵng Steel"]
    assert await names(q="steel.ex") == ["Đà Nẵng Steel"]
    assert await names(f={"customers": {"count": {"eq": 0}}}) == ["Acme"]
    assert await names(f={"customers": {"any": {"name": {"eq": "one"}}}}) == ["Đà Nẵng Steel"]
    assert await names(f={"domain": {"eq": "STEEL.example"}}) == ["Đà Nẵng Steel"]


SEARCH = """query ($q: String, $in: [CustomerSearchField!], $sort: [CustomerSort!]) {
  customers(search: $q, searchFields: $in, sort: $sort) { edges { highlight node { name } } totalCount } }"""


@pytest.fixture
async def people(save: Any) -> None:
    an, binh = factories.customer("Nguyễn Đăng An", nickname="An", city="Đà Nẵng"), factories.customer("Đăng Straße 12")
    await save(an, binh)
    await save(
        document(an, phones=["+84901234567"], address=["Đà Nẵng"], notes=["Prefers 100% cotton."], tags=["vip"]),
        document(binh, emails=["dang@example.com"], company="Nguyễn Steel"),
    )


@pytest.mark.parametrize(
    ("words", "fields", "names"),
    [
        pytest.param("dang", None, ["Đăng Straße 12", "Nguyễn Đăng An"], id="without accents and strokes"),
        pytest.param("STRASSE", None, ["Đăng Straße 12"], id="ß is ss"),
        pytest.param("nguyen dang", None, ["Đăng Straße 12", "Nguyễn Đăng An"], id="words in different places"),
        pytest.param("nguyen dang", ["NAME"], ["Nguyễn Đăng An"], id="all words in the fields asked"),
        pytest.param("+84 90 123", None, ["Nguyễn Đăng An"], id="a number with marks"),
        pytest.param("090-1234", None, ["Nguyễn Đăng An"], id="a number as it is dialled at home"),
        pytest.param("0901234567", ["PHONE"], ["Nguyễn Đăng An"], id="a number among numbers"),
        pytest.param("12", None, ["Đăng Straße 12"], id="two digits do not look at numbers"),
        pytest.param("12", ["PHONE"], [], id="two digits among numbers find nothing"),
        pytest.param("123", None, ["Nguyễn Đăng An"], id="three do"),
        pytest.param("100%", None, ["Nguyễn Đăng An"], id="% is a character"),
        pytest.param("1_0", None, [], id="_ is a character"),
        pytest.param("an", None, ["Đăng Straße 12", "Nguyễn Đăng An"], id="two letters"),
        pytest.param("v", ["TAG"], ["Nguyễn Đăng An"], id="one letter"),
        pytest.param("  ", None, ["Đăng Straße 12", "Nguyễn Đăng An"], id="nothing but space asks nothing"),
        pytest.param("nobody", None, [], id="a word that nobody has"),
    ],
)
async def test_a_search_finds_parts_of_words(ask, people, words, fields, names):
    """SM8, EM3, SB13."""
    found = (await ask(SEARCH, **{"q": words, "in": fields}))["customers"]
    assert [edge["node"]["name"] for edge in found["edges"]] == names
    assert found["totalCount"] == len(names)


async def test_a_highlight_shows_the_words_as_they_were_typed(ask, people):
    def marks(answer: Any) -> list[Any]:
        return [edge["highlight"] for edge in answer["customers"]["edges"]]

    assert marks(await ask(SEARCH, q="dang an")) == ["«Đăng» Straße 12", "Nguyễn «Đăng» «An»"]
    assert marks(await ask(SEARCH, q="cotton")) == ["prefers 100% «cotton»."]
    assert marks(await ask(SEARCH, q="da nang", sort=None)) == ["«Đà» «Nẵng»"]
    assert marks(await ask("{ customers { edges { highlight } } }")) == [None, None]


async def test_relevance_puts_names_before_all_else(ask, save):
    whole, begins, within, elsewhere = (
        factories.customer(name) for name in ("Steel", "Steel Ltd", "Big Steel", "Other")
    )
    await save(elsewhere, within, begins, whole)
    await save(*map(document, (whole, begins, within)), document(elsewhere, company="Steel"))
    found = (await ask(SEARCH, q="steel", sort=[{"relevance": "DESC"}]))["customers"]["edges"]
    assert [edge["node"]["name"] for edge in found] == ["Steel", "Steel Ltd", "Big Steel", "Other"]


async def test_what_is_written_is_found_by_the_next_request_and_what_is_deleted_is_not(ask, save, database, viewer):
    """SM8, EM3."""
    from sqlalchemy import bindparam, delete, update

    from db.statements import in_workspace, prepare

    customer = factories.customer("Old name")
    await save(customer)
    await save(document(customer))
    row = tables.CustomerSearch

    async def renamed(transaction: Any) -> None:
        text = search_documents.build_document(names=("Renamed", None, None))
        await transaction.execute(
            prepare(update(row).where(in_workspace(row), row.customer_id == bindparam("one")).values(text=text)),
            one=customer.id,
        )

    async def removed(transaction: Any) -> None:
        table = tables.Customer
        await transaction.execute(
            prepare(delete(table).where(in_workspace(table), table.id == bindparam("one"))), one=customer.id
        )

    await database.write(viewer.workspace_id, renamed)
    assert (await ask(SEARCH, q="renamed"))["customers"]["totalCount"] == 1
    assert (await ask(SEARCH, q="old name"))["customers"]["totalCount"] == 0
    await database.write(viewer.workspace_id, removed)
    assert (await ask(SEARCH, q="renamed"))["customers"]["totalCount"] == 0
