"""Plans are kept, and not more of them than there is room for."""

from typing import Any

import pytest
from graphql import parse
from strawberry.types import ExecutionContext

from graph.engine import planner
from graph.engine.lru_cache import WeightedLruCache
from graph.engine.plan_cache import PlanCache
from tests.support import engine_schema


def found(plans: PlanCache, document: Any, **variables: Any) -> Any:
    context = ExecutionContext(
        query=None,
        schema=engine_schema.REFERENCE,
        allowed_operations=(),
        graphql_document=document,
        variables=variables,
    )
    run = plans.get_or_plan(context)
    return run and run[1]


def test_a_plan_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    plans, document = PlanCache(), parse("{ people { name } }")
    first = found(plans, document)
    monkeypatch.setattr(planner, "plan_operation", None)
    assert first is not None
    assert found(plans, document) is first


def test_what_is_left_out_makes_another_plan() -> None:
    plans = PlanCache()
    document = parse("query ($all: Boolean!, $first: Int) { people(first: $first) { id name @include(if: $all) } }")
    assert found(plans, document, all=True) is not found(plans, document, all=False)
    assert found(plans, document, all=True, first=1) is found(plans, document, all=True, first=2)


def test_what_cannot_be_planned_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    plans, document = PlanCache(), parse("{ __schema { queryType { name } } }")
    assert found(plans, document) is None
    monkeypatch.setattr(planner, "plan_operation", lambda *_: pytest.fail("tried again"))
    assert found(plans, document) is None


def test_a_thousand_documents_leave_as_many_plans_as_there_is_room_for() -> None:
    plans = PlanCache(capacity=20_000)
    for number in range(1_000):
        found(plans, parse(f"{{ people {{ name a{number}: id friend {{ size }} }} }}"))
    assert 0 < plans.total_weight <= 20_000
    assert len(plans) < 200


def test_a_document_of_many_conditions_leaves_few_plans() -> None:
    plans = PlanCache()
    names = "abcdefgh"
    declared = ", ".join(f"${name}: Boolean!" for name in names)
    document = parse(
        f"query ({declared}) {{ people {{ id {' '.join(f'{n}: name @skip(if: ${n})' for n in names)} }} }}"
    )
    for number in range(256):
        found(plans, document, **{name: bool(number >> place & 1) for place, name in enumerate(names)})
    assert plans.total_weight < 20 * 20 * 12


def test_the_one_used_longest_ago_goes_first() -> None:
    recent: WeightedLruCache[str] = WeightedLruCache(10)
    recent.put("a", "a", 4)
    recent.put("b", "b", 4)
    assert recent.get("a") == "a"
    recent.put("c", "c", 4)
    assert (recent.get("a"), recent.get("b"), recent.get("c"), recent.total_weight) == ("a", None, "c", 8)


def test_what_is_larger_than_the_room_is_kept_alone() -> None:
    recent: WeightedLruCache[str] = WeightedLruCache(10)
    recent.put("a", "a", 4)
    recent.put("b", "b", 40)
    assert (recent.get("a"), recent.get("b"), len(recent)) == (None, "b", 1)
