"""Resolvers are given what Strawberry would give them: made-up arguments of every root field, either way."""

import random
from typing import Any

import pytest
from graphql import GraphQLError, parse, specified_rules
from graphql.execution import Executor
from graphql.execution.collect_fields import collect_fields
from graphql.execution.values import get_argument_values
from strawberry.schema.schema import validate_document
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import convert_arguments

from graph.engine import resolver_calls
from graph.engine.fallback import FallbackRequired
from graph.engine.input_conversion import InputConversions
from tests.support import generated_documents
from tests.support.schemas import ENGINE

CORE: Any = ENGINE._schema
ROOTS = [(root, name) for root in (CORE.query_type, CORE.mutation_type) for name in root.fields]
TEXTS = {
    "DateTime": ["2026-11-21T09:30:00Z"],
    "Date": ["2026-11-21"],
    "Duration": ["P30D"],
    "Decimal": ["12.5", "-3"],
    "FilterJSON": ["{}"],
    "SortJSON": ["[]"],
}


def value(dice: random.Random, scalar: str, name: str) -> Any:
    if scalar == "Int":
        return dice.choice([0, 1, -7, 250])
    if scalar == "Float":
        return dice.random()
    return dice.random() < 0.5 if scalar == "Boolean" else dice.choice(TEXTS.get(scalar, ["a", "cus_" + "0" * 32]))


def executor(root: Any, name: str, seed: str) -> Executor[Any] | None:
    """Of a document that asks that field; None where validation refuses it."""
    making = generated_documents._Making(CORE, random.Random(seed), value)
    field, made = making._field(root, name, depth=6), making._made
    declared = f"({', '.join(made.declarations)})" if made.declarations else ""
    kind = "query" if root is CORE.query_type else "mutation"
    document = parse(f"{kind} Made{declared} {{ {field} }} {' '.join(made.fragments)}")
    if validate_document(CORE, document, tuple(specified_rules)):
        return None
    found = Executor.build(CORE, document, raw_variable_values=made.variables)
    return found if isinstance(found, Executor) else None


@pytest.mark.parametrize(("root", "name"), ROOTS, ids=lambda each: each if isinstance(each, str) else "")
def test_arguments_are_made_as_strawberry_makes_them(root: Any, name: str) -> None:
    compared = left = 0
    for number in range(25):
        running = executor(root, name, f"{name} {number}")
        if running is None:
            continue
        grouped = collect_fields(
            CORE, running.fragments, running.variable_values, root, running.operation, False
        ).grouped_field_set
        for (details,) in grouped.values():
            compared += 1
            ours, theirs = _ours(running, root.fields[name], details), _theirs(running, root.fields[name], details)
            left += ours is None and theirs is not None
            assert ours is None or repr(ours) == repr(theirs)
    assert compared
    assert left <= 0.2 * compared


def _ours(running: Executor[Any], field: Any, details: Any) -> Any:
    declared = field.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
    made: Any = None
    try:
        make = resolver_calls.compile_arguments(InputConversions(ENGINE), ENGINE, field, declared, details)
        for _ in range(2):
            # What one run was given, another must not see changed.
            _spoil(made)
            made = make(running.variable_values.coerced, None)  # type: ignore[arg-type] # nobody asks it
    except FallbackRequired:
        return None
    return made


def _spoil(made: Any) -> None:
    if isinstance(made, dict):
        for each in made.values():
            _spoil(each)
        made["spoilt"] = True
    elif isinstance(made, list):
        made.append("spoilt")


def _theirs(running: Executor[Any], field: Any, details: Any) -> Any:
    declared = field.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
    try:
        coerced = get_argument_values(field, details.node, running.variable_values)
        return convert_arguments(
            coerced, declared.arguments, ENGINE.schema_converter.scalar_registry, ENGINE.config, None
        )
    except (GraphQLError, ValueError):
        return None
