"""What a question means is read once for those who ask it again."""

from functools import partial
from typing import Any

import pytest

from db.engine import Database
from db.queries.matching import matches
from db.queries.matching.matches import CustomerQuery
from db.visibility import Visibility

WORKSPACE = 4_711


def asking(database: Database, visibility: Visibility = Visibility(sees_all=True)) -> Any:  # noqa: B008 - it never changes.
    return partial(matches.compile_query, database.session(WORKSPACE), visibility=visibility, agent_id=None, now=1_000)


async def test_it_is_kept_with_its_words(database: Database) -> None:
    ask = asking(database)
    first = await ask(CustomerQuery(filter={"name": {"contains": "ann"}}))
    assert await ask(CustomerQuery(filter={"name": {"contains": "ann"}})) is first
    assert await ask(CustomerQuery(filter={"name": {"contains": "bob"}})) is not first
    assert await ask(CustomerQuery(filter={"name": {"contains": "ann"}}, archived="ONLY")) is not first


async def test_who_sees_less_has_his_own(database: Database) -> None:
    question = CustomerQuery(filter={"name": {"contains": "ann"}})
    everything = await asking(database)(question)
    less = await asking(database, Visibility(sees_all=False, agent_id=b"a" * 16))(question)
    assert not less[0].visibility.sees_all
    assert everything[0].visibility.sees_all


@pytest.mark.parametrize("plain", [{"createdAt": {"last": "P1D"}}, {"blocked": True}, {"age": {"gt": 3}}])
async def test_what_looks_at_the_clock_is_read_anew(database: Database, plain: Any) -> None:
    ask = asking(database)
    assert await ask(CustomerQuery(filter=plain)) is not await ask(CustomerQuery(filter=plain))


async def test_how_its_pages_were_found_best_is_remembered_all_the_same(database: Database) -> None:
    ask = asking(database)
    first, _ = await ask(CustomerQuery(filter={"age": {"gt": 41}}))
    first.page_choices["newest first"] = (True, 0.0)
    again, _ = await ask(CustomerQuery(filter={"age": {"gt": 41}}))
    assert again.page_choices == {"newest first": (True, 0.0)}
    other, _ = await ask(CustomerQuery(filter={"age": {"gt": 42}}))
    assert other.page_choices == {}


async def test_a_search_where_there_is_no_other_workspace_does_not_look_for_its_own(database: Database) -> None:
    match, _ = await asking(database)(CustomerQuery(search="ann"))
    assert ("workspace :" in match.parameters(WORKSPACE)["matched"]) is (database.dialect.name == "postgresql")
