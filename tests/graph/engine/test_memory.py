"""The caches stay within their limits, however many different documents arrive."""

from collections.abc import Iterator
from functools import _lru_cache_wrapper
from itertools import combinations, islice
from typing import Any

import pytest
from sqlmodel import select

from db import statements, tables
from db.engine import Database
from db.paging import keyset
from db.queries.matching import matches
from graph import schema
from graph.context import Context
from graph.engine import plan_cache
from graph.limits import Limits
from tests.support import factories

COLUMNS = [
    *("name", "nickname", "realName", "avatarUrl", "phone", "email", "gender", "birthDate", "value", "source"),
    *("channel", "relationshipStatus", "stage", "subscriptionStatus", "verification", "lastInteractionAt"),
]
ASKED = ('name: {contains: "a"}', 'value: {gte: "1"}', "stage: {eq: POOL}", "tags: {count: {gte: 0}}", "age: {gt: 1}")


def documents(count: int) -> Iterator[str]:
    """Each of other columns, and of questions that are not asked in these words before."""
    questions = [list(each) for size in range(1, 5) for each in combinations(ASKED, size)]
    for number, columns in enumerate(islice(combinations(COLUMNS, 5), count)):
        asked = ", ".join(questions[number % len(questions)])
        shown = " ".join(columns)
        yield f"{{ customers(first: {number % 250 + 1}, filter: {{{asked}}}) {{ totalCount nodes {{ {shown} }} }} }}"


def _kept(module: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if isinstance(value, _lru_cache_wrapper)}


@pytest.mark.long
async def test_a_thousand_documents_leave_bounded_caches(
    database: Database, viewer: Any, save: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parsed documents, plans, statements, classes of rows, and what the connections have prepared."""
    await save(factories.customer("An"), factories.customer("Bo"))
    used: list[Any] = []
    monkeypatch.setattr(plan_cache.PlanCache, "get_or_plan", _watched(plan_cache.PlanCache.get_or_plan, used))
    asked = schema.build_schema(engine="breadth-first", limits=Limits(cached_characters=20_000))
    for text in documents(1_000):
        context = Context(database, viewer, request_id="test")
        answer = await asked.execute(text, context_value=context)
        assert answer.errors is None
    assert 0 < used[0].total_weight <= plan_cache.MAX_PLAN_CACHE_CHARACTERS
    assert len(used[0]) < 1_000
    assert asked.documents._documents.total_weight <= 20_000
    for module in (statements, keyset, matches):
        for name, kept in _kept(module).items():
            bound = kept.cache_parameters()["maxsize"]
            assert bound is not None, f"{module.__name__}.{name} grows for ever"
            assert kept.cache_info().currsize <= bound
    assert 0 < len(database.component(matches._CompiledQueries)) <= matches._KEPT
    assert len(database.component(matches._SampleStatements)) <= matches._KEPT
    await _few_are_prepared(database)


def _watched(find: Any, used: list[Any]) -> Any:
    def watched(self: plan_cache.PlanCache, context: Any) -> Any:
        used[:] = [self]
        return find(self, context)

    return watched


async def _few_are_prepared(database: Database) -> None:
    """On the connections of PostgreSQL, which would keep them for as long as they are open."""
    if database.dialect.name != "postgresql":
        return
    for connection, _ in database.pool._idle:
        number = await connection._driver.fetchval("SELECT count(*) FROM pg_prepared_statements")
        assert 0 < number <= 500


async def test_a_statement_has_few_forms(database: Database) -> None:
    """One that reads whatever columns are wanted reads all of them where too many choices were met."""
    statement = statements.prepare(select(tables.Customer).where(statements.in_workspace(tables.Customer)))
    found = {
        id(statement.compiled_for(database.dialect, frozenset(columns)))
        for columns in islice(combinations(tables.Customer.model_fields, 3), 200)
    }
    assert len(found) == statements._MOST_FORMS + 1
    assert statement.compiled_for(database.dialect).columns == list(tables.Customer.model_fields)
