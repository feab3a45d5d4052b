"""From a document to a plan: for each selection a function that builds its objects, and the fields to fill in."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from graphql import (
    DirectiveNode,
    FieldNode,
    GraphQLAbstractType,
    GraphQLField,
    GraphQLObjectType,
    OperationType,
    VariableNode,
    Visitor,
    get_named_type,
    is_abstract_type,
    visit,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetails, collect_fields, collect_subfields
from strawberry import Schema
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from graph.engine import leaf_codegen, resolver_calls
from graph.engine.codegen import Builder, Leaf
from graph.engine.fallback import Unplanned
from graph.engine.field_declarations import Batched, Column
from graph.engine.input_conversion import Inputs
from graph.engine.list_shapes import Shape
from graph.engine.resolver_calls import Arguments, Call

logger: Final = logging.getLogger("clientela.engine")

TYPE_NAME: Final = "__typename"
_CONDITIONS: Final = frozenset({"skip", "include"})

Grouped = Mapping[str, list[FieldDetails]]


class How(Enum):
    """Where a field's results come from."""

    ATTRIBUTE = "read off the objects"
    BATCH = "one call for all objects"
    RESOLVER = "a call for each object, as graphql-core makes it"


@dataclass(slots=True)
class Selection:
    """What is asked of objects of one type. `builder` makes their answers, all but the `places`."""

    type: GraphQLObjectType
    builder: Builder
    attributes: tuple["Place", ...]
    """The fields that are read off the objects, and ask something of what they find there."""
    fetched: tuple["Place", ...]
    """Those that have to be waited for."""
    columns: frozenset[str] | None
    """What is read of such an object; None where a resolver of its own may read anything."""
    placed: bool
    """Whether a resolver in it, or below, has to be told where each object stands in the answer."""
    places: tuple["Place", ...]
    """All of them, in the order of the answer's keys."""
    known: set[Any] = field(default_factory=set)
    """Classes whose objects are all of the type."""


@dataclass(slots=True)
class Place:
    """A field whose results have to be fetched or completed, for all objects of a level at once."""

    key: str
    how: How
    parent: GraphQLObjectType
    graphql: GraphQLField
    declared: StrawberryField
    nodes: list[FieldNode]
    arguments: Arguments
    call: Call | None
    """For fields that are resolved object by object."""
    batch: Callable[..., Any]
    """For those that are resolved for all objects at once."""
    shape: Shape
    convert: Callable[[Any], list[Any]] | None
    """For leaves."""
    selections: dict[str, Selection] = field(default_factory=dict)
    """For objects: one for each type that there may be."""
    abstract: GraphQLAbstractType | None = None
    wanted: frozenset[str] | None = None
    """The columns of the rows that become its objects; None for all."""
    placed: bool = False
    leaves: Selection | None = None
    """What is asked of its objects, where that is of one type and all of it leaves."""


@dataclass(slots=True)
class Plan:
    """Of one operation with one choice of what is skipped and included."""

    operation: OperationType
    root: Selection
    weight: int


def conditions(document: Any) -> tuple[str, ...]:
    """The variables on which the document's @skip and @include depend."""
    found: dict[str, None] = {}

    class Conditions(Visitor):
        def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
            if node.name.value in _CONDITIONS:
                values = [argument.value for argument in node.arguments or ()]
                found.update({value.name.value: None for value in values if isinstance(value, VariableNode)})

    visit(document, Conditions())
    return tuple(found)


def plan(schema: Schema, executor: Executor[Any]) -> Plan:
    """The plan of the operation that the executor was built for. Raises Unplanned for what is left to graphql-core."""
    operation = executor.operation
    if operation.operation is OperationType.SUBSCRIPTION or operation.directives:
        raise Unplanned("a subscription, or an operation with directives")
    root = executor.schema.get_root_type(operation.operation)
    assert root is not None
    planner = _Planner(schema, executor)
    collected = collect_fields(
        executor.schema, executor.fragments, executor.variable_values, root, operation, executor.hide_suggestions
    )
    selection = planner.selection(root, collected.grouped_field_set)
    return Plan(operation.operation, selection, planner.weight)


class _Planner:
    """Of one document. What is asked of a type in the same words twice is planned once."""

    def __init__(self, schema: Schema, executor: Executor[Any]) -> None:
        self._schema = schema
        self._executor = executor
        self._inputs = Inputs(schema)
        self._selections: dict[tuple[str, tuple[int, ...]], Selection] = {}
        self.weight = 0

    def selection(self, type_: GraphQLObjectType, grouped: Grouped) -> Selection:
        built: list[Leaf] = []
        places: list[Place] = []
        columns: set[str] = set()
        for key, details in grouped.items():
            self.weight += 1
            name = details[0].node.name.value
            if name == TYPE_NAME:
                built.append(Leaf(key, constant=type_.name))
                continue
            definition = self._definition(type_, name, details)
            declared = definition.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
            if _how(declared) is How.ATTRIBUTE and leaf_codegen.leaf(definition.type):
                built.append(Leaf(key, definition.type, *source(declared)))
            else:
                built.append(Leaf(key))
                places.append(self._place(key, type_, definition, declared, details))
            columns |= _columns(declared)
        anything = any(place.how is How.RESOLVER for place in places)
        return Selection(
            type_,
            Builder(built),
            tuple(place for place in places if place.how is How.ATTRIBUTE),
            tuple(place for place in places if place.how is not How.ATTRIBUTE),
            None if anything else frozenset(columns),
            placed=anything or any(place.placed for place in places),
            places=tuple(places),
        )

    def _definition(self, type_: GraphQLObjectType, name: str, details: list[FieldDetails]) -> GraphQLField:
        definition = type_.fields.get(name)
        if definition is None:
            raise Unplanned(f"introspection: {name}")
        for each in details:
            if any(directive.name.value not in _CONDITIONS for directive in each.node.directives or ()):
                raise Unplanned("a directive")
        if getattr(definition.resolve, "__module__", None) != GraphQLCoreConverter.__module__:
            raise Unplanned("a resolver that Strawberry did not make")
        return definition

    def _place(
        self,
        key: str,
        parent: GraphQLObjectType,
        definition: GraphQLField,
        declared: StrawberryField,
        details: list[FieldDetails],
    ) -> Place:
        leaf, how = leaf_codegen.leaf(definition.type), _how(declared)
        place = Place(
            key,
            how,
            parent,
            definition,
            declared,
            [each.node for each in details],
            resolver_calls.arguments(self._inputs, self._schema, definition, declared, details[0]),
            resolver_calls.call(declared) if how is How.RESOLVER else None,
            declared.batch if isinstance(declared, Batched) else _never,
            Shape(definition.type),
            leaf_codegen.converter(definition.type) if leaf else None,
        )
        if not leaf:
            self._below(place, details)
        return place

    def _below(self, place: Place, details: list[FieldDetails]) -> None:
        """What is asked of the objects of each type that the field may answer with."""
        type_: Any = get_named_type(place.graphql.type)
        if is_abstract_type(type_):
            place.abstract = type_
        types = self._executor.schema.get_possible_types(type_) if place.abstract else [type_]
        place.selections = {each.name: self._subselection(each, details) for each in types}
        wanted = _united(_handed_over(selection) for selection in place.selections.values())
        if wanted is not None and isinstance(place.declared, Batched):
            wanted |= place.declared.reads
        place.wanted = wanted
        if not place.abstract and not place.selections[type_.name].places:
            place.leaves = place.selections[type_.name]
        place.placed = any(selection.placed for selection in place.selections.values())

    def _subselection(self, type_: GraphQLObjectType, details: list[FieldDetails]) -> Selection:
        words = (type_.name, tuple(id(each.node) for each in details))
        found = self._selections.get(words)
        if found is None:
            executor = self._executor
            collected = collect_subfields(
                executor.schema,
                executor.fragments,
                executor.variable_values,
                executor.operation,
                type_,
                details,
                executor.hide_suggestions,
            )
            if collected.new_defer_usages:
                raise Unplanned("@defer")
            found = self._selections[words] = self.selection(type_, collected.grouped_field_set)
        return found


async def _never(*_: Any) -> Any:
    raise AssertionError("no batched field")


def _how(declared: StrawberryField) -> How:
    if isinstance(declared, Batched):
        return How.RESOLVER if declared.extensions else How.BATCH
    plain = type(declared).get_result in (Column.get_result, StrawberryField.get_result)
    return How.ATTRIBUTE if plain and declared.is_basic_field else How.RESOLVER


def source(declared: StrawberryField) -> tuple[str, Any]:
    """The attribute that the field reads, and how that is converted."""
    if isinstance(declared, Column):
        return declared.column, declared.convert
    return str(declared.python_name), None


def _columns(declared: StrawberryField) -> frozenset[str]:
    if isinstance(declared, Batched):
        return declared.needs
    return frozenset({source(declared)[0]})


def _handed_over(selection: Selection) -> frozenset[str] | None:
    """The columns of an object's own, and of those that it brings along."""
    brought = [*selection.attributes, *(place for place in selection.fetched if _brings(place))]
    reads = [place.declared.reads for place in brought if isinstance(place.declared, Batched)]
    carried = [each for place in brought for each in place.selections.values()]
    return _united([selection.columns, *reads, *map(_handed_over, carried)])


def _brings(place: Place) -> bool:
    """Whether what is fetched came along with the parent."""
    return isinstance(place.declared, Batched) and place.declared.carries


def _united(many: Iterator[frozenset[str] | None] | list[frozenset[str] | None]) -> frozenset[str] | None:
    united: set[str] = set()
    for columns in many:
        if columns is None:
            return None
        united |= columns
    return frozenset(united)
