"""What filters find: the same as a plain model of them, on every database; and `not` is the exact complement."""

from typing import Any

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from db.filtering.errors import QueryError
from db.paging import keyset
from db.paging.keyset import PageRequest
from db.queries.matching import matches
from db.queries.matching.matches import CustomerQuery
from db.visibility import Visibility
from tests.support import filter_dataset, filter_model, filter_strategies

WORLDS = {seed: filter_dataset.made(seed) for seed in (1, 2)}
EVERYTHING = Visibility(sees_all=True)


@pytest.fixture(scope="module")
async def numbers(database: Any) -> dict[int, int]:
    return {seed: await filter_dataset.saved(database, world) for seed, world in WORLDS.items()}


async def found(
    database: Any, number: int, world: Any, question: CustomerQuery, visibility: Visibility = EVERYTHING
) -> list[bytes]:
    """The ids, in order, a page at a time."""
    session = database.session(number)
    try:
        match, order = await matches.compile_query(
            session, question, visibility=visibility, agent_id=world.viewer.id, now=filter_model.NOW
        )
    except QueryError:
        # It nests too deep.
        reject()
    listing = await matches.root_list_query(session, match, order)
    rows: list[bytes] = []
    after = None
    while True:
        page = await keyset.fetch_page(session, listing, PageRequest(50, after=after), order)
        rows += [row.id for row in page.rows]
        if not page.has_next:
            for indexed in (True, False):
                listing = matches.full_list_query(session, match, indexed=indexed, paged=True)
                assert await keyset.count_rows(session, listing) == len(rows)
            return rows
        after = page.cursor(page.rows[-1])


def expected(world: Any, asked: Any) -> list[bytes]:
    kept = [one for one in world.customers if filter_model.holds(asked, one, world)]
    return [one.id for one in filter_model.in_order(kept, [], {})]


@given(data=st.data(), seed=st.sampled_from(sorted(WORLDS)))
async def test_a_filter_finds_what_the_model_finds_and_its_opposite_all_the_others(database, numbers, data, seed):
    world = WORLDS[seed]
    asked = data.draw(filter_strategies.customers(world))
    every = [one.id for one in filter_model.in_order(world.customers, [], {})]
    hits = await found(database, numbers[seed], world, CustomerQuery(filter=asked, archived="INCLUDE"))
    assert hits == expected(world, asked)
    others = await found(database, numbers[seed], world, CustomerQuery(filter={"not": asked}, archived="INCLUDE"))
    assert sorted([*hits, *others]) == sorted(every)


@given(data=st.data(), seed=st.sampled_from(sorted(WORLDS)))
async def test_a_viewer_finds_only_what_he_sees(database, numbers, data, seed):
    world = WORLDS[seed]
    asked = data.draw(filter_strategies.customers(world).filter(lambda one: "customers" not in str(one)))
    mine = world.viewer.departments
    visibility = Visibility(False, world.viewer.id, tuple(one.id for one in mine))

    def seen(one: Any) -> bool:
        waits = one.stage.name == "TO_BE_ASSIGNED" and one.department in mine
        return one.stage.name == "POOL" or one.owner is world.viewer or (waits and one.department is not None)

    hits = await found(database, numbers[seed], world, CustomerQuery(filter=asked), visibility)
    kept = [
        one
        for one in world.customers
        if seen(one) and one.archived_at is None and filter_model.holds(asked, one, world)
    ]
    assert hits == [one.id for one in filter_model.in_order(kept, [], {})]


_words = st.lists(
    st.sampled_from(["dang", "an", "AN", "Müll", "ß", "100%", "100_", "web", "a", "hu", "tet", "é1", "vn", "x@y"]),
    min_size=1,
    max_size=3,
)


@given(words=_words, seed=st.sampled_from(sorted(WORLDS)), indexed=st.booleans())
async def test_a_search_finds_every_word_somewhere_by_index_and_one_by_one(database, numbers, words, seed, indexed):
    world, session = WORLDS[seed], database.session(numbers[seed])
    text = " ".join(words)
    match, order = await matches.compile_query(
        session,
        CustomerQuery(search=text, archived="INCLUDE"),
        visibility=EVERYTHING,
        agent_id=None,
        now=filter_model.NOW,
    )
    page = await keyset.fetch_page(
        session, matches.full_list_query(session, match, indexed=indexed), PageRequest(250), order
    )
    kept = [one for one in world.customers if filter_model.found(text, one)]
    assert [row.id for row in page.rows] == [one.id for one in filter_model.in_order(kept, [], {})]
