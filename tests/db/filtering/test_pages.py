"""Pages: forwards and backwards, for any sort, their union is the list as the model has it, on every database."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.paging import keyset
from db.paging.keyset import PageRequest
from db.queries.matching import matches
from db.queries.matching.matches import CustomerQuery
from db.values.folding import email_key, fold
from tests.db.filtering.test_meaning import EVERYTHING, WORLDS
from tests.support import filter_dataset, filter_model

_ORDERS = ["ASC", "DESC", "ASC_NULLS_FIRST", "DESC_NULLS_FIRST"]


def _folded(text: str | None) -> str | None:
    return None if text is None else fold(text)


def _named(record: Any) -> str | None:
    return None if record is None else fold(record.name)


def _counted(record: Any) -> int | None:
    return None if record is None else len(record.customers)


def _option(value: Any) -> str | None:
    return None if value is None else fold(value[0])


KEYS: dict[str, Any] = {
    "name": lambda one: fold(one.name),
    "nickname": lambda one: _folded(one.nickname),
    "phone": lambda one: one.phone,
    "email": lambda one: one.email and email_key(one.email),
    "value": lambda one: one.value,
    "gender": lambda one: one.gender,
    "birthDate": lambda one: one.birth_date,
    "updatedAt": lambda one: one.updated_at,
    "lastInteractionAt": lambda one: one.last_interaction_at,
    "relationshipStatus": lambda one: one.relationship_status,
    "subscriptionStatus": lambda one: one.subscription_status,
    "stage": lambda one: one.stage,
    "tags": lambda one: min((fold(tag.name) for tag in one.tags), default=None),
    "tagCount": lambda one: len(one.tags),
    "company.id": lambda one: one.company and one.company.id,
    "company.name": lambda one: _named(one.company),
    "company.customerCount": lambda one: _counted(one.company),
    "owner.id": lambda one: one.owner and one.owner.id,
    "owner.name": lambda one: _named(one.owner),
    "owner.customerCount": lambda one: _counted(one.owner),
    "custom.note": lambda one: _folded(one.values.get("note")),
    "custom.points": lambda one: one.values.get("points"),
    "custom.gift": lambda one: one.values.get("gift"),
    "custom.visit": lambda one: one.values.get("visit"),
    "custom.next": lambda one: one.values.get("next"),
    "custom.tier": lambda one: _option(one.values.get("tier")),
    "custom.likes": lambda one: _option(one.values.get("likes")),
}


def plain(name: str, order: str) -> dict[str, Any]:
    head, _, tail = name.partition(".")
    if head == "custom":
        return {"customField": {"key": tail, "order": order}}
    return {head: {tail: order}} if tail else {head: order}


@pytest.fixture(scope="module")
async def numbers(database: Any) -> dict[int, int]:
    return {seed: await filter_dataset.saved(database, world) for seed, world in WORLDS.items()}


_sorts = st.lists(st.tuples(st.sampled_from(sorted(KEYS)), st.sampled_from(_ORDERS)), max_size=3)


@given(sort=_sorts, size=st.sampled_from([1, 7, 30]), seed=st.sampled_from(sorted(WORLDS)))
async def test_the_union_of_pages_is_the_list_in_both_directions(database, numbers, sort, size, seed):
    await _paged(database, numbers[seed], WORLDS[seed], sort, size)


@pytest.mark.parametrize("order", _ORDERS)
@pytest.mark.parametrize("name", sorted(KEYS))
async def test_every_sort_puts_the_list_in_order(database, numbers, name, order):
    await _paged(database, numbers[1], WORLDS[1], [(name, order)], 30)


async def _paged(database: Any, number: int, world: Any, sort: Any, size: int) -> None:
    session = database.session(number)
    question = CustomerQuery(sort=[plain(*one) for one in sort] or None, archived="INCLUDE")
    match, order = await matches.compile_query(
        session, question, visibility=EVERYTHING, agent_id=None, now=filter_model.NOW
    )
    listing = await matches.root_list_query(session, match, order)
    wanted = [one.id for one in filter_model.in_order(world.customers, sort, KEYS)]
    assert await _walked(session, listing, order, size, backwards=False) == wanted
    assert await _walked(session, listing, order, size, backwards=True) == wanted


async def _walked(session: Any, listing: Any, order: Any, size: int, *, backwards: bool) -> list[bytes]:
    ids: list[bytes] = []
    cursor = None
    while True:
        window = PageRequest(size, None if backwards else cursor, cursor if backwards else None, backwards)
        page = await keyset.fetch_page(session, listing, window, order)
        found = [row.id for row in page.rows]
        ids = [*found, *ids] if backwards else [*ids, *found]
        if not (page.has_previous if backwards else page.has_next):
            return ids
        cursor = page.cursor(page.rows[0 if backwards else -1])


def _fitting(words: list[str]) -> Any:
    """How well a customer fits a search, from the contract of `relevance`."""
    whole = " ".join(words)

    def rank(one: Any) -> int:
        name, others = fold(one.name), [fold(text) for text in (one.nickname, one.real_name) if text]
        if name == whole:
            return 5
        if name.startswith(whole):
            return 4
        if all(word in name for word in words):
            return 3
        if any(all(word in text for word in words) for text in others):
            return 2
        return int(bool(one.email) and all(word in email_key(one.email) for word in words))

    return rank


@given(
    words=st.lists(
        st.sampled_from(["an", "dang", "muller", "e", "lu", "example", "100"]), min_size=1, max_size=2, unique=True
    ),
    order=st.sampled_from(_ORDERS),
    then=_sorts,
    size=st.sampled_from([1, 7, 30]),
    seed=st.sampled_from(sorted(WORLDS)),
)
async def test_pages_of_a_search_by_relevance_are_the_list_in_both_directions(
    database, numbers, words, order, then, size, seed
):
    world, session = WORLDS[seed], database.session(numbers[seed])
    sort = [("relevance", order), *then]
    question = CustomerQuery(search=" ".join(words), sort=[plain(*one) for one in sort], archived="INCLUDE")
    match, chosen = await matches.compile_query(
        session, question, visibility=EVERYTHING, agent_id=None, now=filter_model.NOW
    )
    listing = await matches.root_list_query(session, match, chosen)
    kept = [one for one in world.customers if filter_model.found(" ".join(words), one)]
    wanted = [one.id for one in filter_model.in_order(kept, sort, {**KEYS, "relevance": _fitting(words)})]
    assert await _walked(session, listing, chosen, size, backwards=False) == wanted
    assert await _walked(session, listing, chosen, size, backwards=True) == wanted


@given(sort=_sorts, seed=st.sampled_from(sorted(WORLDS)), data=st.data())
async def test_what_lies_between_two_cursors_is_a_part_of_the_list(database, numbers, sort, seed, data):
    world, session = WORLDS[seed], database.session(numbers[seed])
    question = CustomerQuery(sort=[plain(*one) for one in sort] or None, archived="INCLUDE")
    match, order = await matches.compile_query(
        session, question, visibility=EVERYTHING, agent_id=None, now=filter_model.NOW
    )
    listing = await matches.root_list_query(session, match, order)
    whole = await keyset.fetch_page(session, listing, PageRequest(250), order)
    first = data.draw(st.integers(0, len(whole.rows) - 1))
    last = data.draw(st.integers(first, len(whole.rows) - 1))
    window = PageRequest(20, whole.cursor(whole.rows[first]), whole.cursor(whole.rows[last]), data.draw(st.booleans()))
    page = await keyset.fetch_page(session, listing, window, order)
    between = [row.id for row in whole.rows[first + 1 : last]]
    assert [row.id for row in page.rows] == (between[-20:] if window.backwards else between[:20])
    assert len(world.customers) == len(whole.rows)
