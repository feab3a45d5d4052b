"""Plans an operation: per object type a generated function for its leaves, and the fields that need more work."""

import logging
from collections.abc import Callable, Iterable, Mapping
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
from graph.engine.codegen import ObjectBuilder, ResponseKey
from graph.engine.fallback import FallbackRequired
from graph.engine.field_declarations import BatchedField, ColumnField
from graph.engine.input_conversion import InputConversions
from graph.engine.list_shapes import ListShape
from graph.engine.resolver_calls import BuildArguments, CallResolver

logger: Final = logging.getLogger("clientela.engine")

TYPENAME_FIELD: Final = "__typename"
_CONDITIONAL_DIRECTIVES: Final = frozenset({"skip", "include"})

GroupedFields = Mapping[str, list[FieldDetails]]


class FieldSource(Enum):
    """Where a field's results come from."""

    ATTRIBUTE = "an attribute of the object"
    BATCH = "one call for all objects of the level"
    RESOLVER = "one call per object, as graphql-core makes it"


@dataclass(slots=True)
class ObjectPlan:
    """A selection set on one object type. `builder` builds the response objects without the values of `fields`."""

    object_type: GraphQLObjectType
    builder: ObjectBuilder
    attribute_fields: tuple["FieldPlan", ...]
    """Fields that hold objects and are attributes of the parent."""
    fetched_fields: tuple["FieldPlan", ...]
    """Fields that are awaited: batched fields and resolvers."""
    columns: frozenset[str] | None
    """The attributes that are read of each object; None if a resolver may read any attribute."""
    needs_paths: bool
    """Whether a resolver here or below needs the path of each object in the response."""
    fields: tuple["FieldPlan", ...]
    """All fields that the builder leaves out, in response order."""
    known_classes: set[Any] = field(default_factory=set)
    """Python classes all of whose objects belong to `object_type`."""


@dataclass(slots=True)
class FieldPlan:
    """A field that is resolved or completed for all objects of a level together."""

    response_key: str
    source: FieldSource
    parent_type: GraphQLObjectType
    definition: GraphQLField
    declaration: StrawberryField
    nodes: list[FieldNode]
    build_arguments: BuildArguments
    call_resolver: CallResolver | None
    """For FieldSource.RESOLVER."""
    load_batch: Callable[..., Any]
    """For FieldSource.BATCH."""
    shape: ListShape
    convert_leaves: Callable[[Any], list[Any]] | None
    """For leaf types."""
    object_plans: dict[str, ObjectPlan] = field(default_factory=dict)
    """For object types and abstract types: by the name of each possible type."""
    abstract_type: GraphQLAbstractType | None = None
    columns: frozenset[str] | None = None
    """The columns needed of the rows that become the field's objects; None for all columns."""
    needs_paths: bool = False
    leaf_only_plan: ObjectPlan | None = None
    """The plan of the field's objects if they have one type and the selection holds leaves only."""


@dataclass(slots=True)
class OperationPlan:
    """The plan of an operation for one combination of @skip and @include values."""

    operation: OperationType
    root: ObjectPlan
    weight: int
    """The number of planned fields."""


def condition_variables(document: Any) -> tuple[str, ...]:
    """The names of the variables that the document's @skip and @include depend on."""
    names: dict[str, None] = {}

    class ConditionVisitor(Visitor):
        def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
            if node.name.value in _CONDITIONAL_DIRECTIVES:
                values = [argument.value for argument in node.arguments or ()]
                names.update({value.name.value: None for value in values if isinstance(value, VariableNode)})

    visit(document, ConditionVisitor())
    return tuple(names)


def plan_operation(schema: Schema, executor: Executor[Any]) -> OperationPlan:
    """Plans the executor's operation. Raises FallbackRequired if graphql-core must execute it."""
    operation = executor.operation
    if operation.operation is OperationType.SUBSCRIPTION or operation.directives:
        raise FallbackRequired("a subscription, or an operation with directives")
    root_type = executor.schema.get_root_type(operation.operation)
    assert root_type is not None
    planner = _Planner(schema, executor)
    collected = collect_fields(
        executor.schema, executor.fragments, executor.variable_values, root_type, operation, executor.hide_suggestions
    )
    root = planner.plan_object(root_type, collected.grouped_field_set)
    return OperationPlan(operation.operation, root, planner.weight)


class _Planner:
    """Plans one operation. Equal selections on the same type share a plan."""

    def __init__(self, schema: Schema, executor: Executor[Any]) -> None:
        self._schema = schema
        self._executor = executor
        self._inputs = InputConversions(schema)
        self._object_plans: dict[tuple[str, tuple[int, ...]], ObjectPlan] = {}
        self.weight = 0

    def plan_object(self, object_type: GraphQLObjectType, grouped_fields: GroupedFields) -> ObjectPlan:
        response_keys: list[ResponseKey] = []
        fields: list[FieldPlan] = []
        columns: set[str] = set()
        for key, details in grouped_fields.items():
            self.weight += 1
            name = details[0].node.name.value
            if name == TYPENAME_FIELD:
                response_keys.append(ResponseKey(key, constant=object_type.name))
                continue
            definition = self._field_definition(object_type, name, details)
            declaration = definition.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
            if _field_source(declaration) is FieldSource.ATTRIBUTE and leaf_codegen.is_leaf(definition.type):
                response_keys.append(ResponseKey(key, definition.type, *attribute_source(declaration)))
            else:
                response_keys.append(ResponseKey(key))
                fields.append(self._plan_field(key, object_type, definition, declaration, details))
            columns |= _parent_columns(declaration)
        has_resolvers = any(plan.source is FieldSource.RESOLVER for plan in fields)
        return ObjectPlan(
            object_type,
            ObjectBuilder(response_keys),
            tuple(plan for plan in fields if plan.source is FieldSource.ATTRIBUTE),
            tuple(plan for plan in fields if plan.source is not FieldSource.ATTRIBUTE),
            None if has_resolvers else frozenset(columns),
            needs_paths=has_resolvers or any(plan.needs_paths for plan in fields),
            fields=tuple(fields),
        )

    def _field_definition(self, object_type: GraphQLObjectType, name: str, details: list[FieldDetails]) -> GraphQLField:
        definition = object_type.fields.get(name)
        if definition is None:
            raise FallbackRequired(f"introspection: {name}")
        for detail in details:
            if any(node.name.value not in _CONDITIONAL_DIRECTIVES for node in detail.node.directives or ()):
                raise FallbackRequired("a directive other than @skip and @include")
        if getattr(definition.resolve, "__module__", None) != GraphQLCoreConverter.__module__:
            raise FallbackRequired("a resolver that Strawberry did not create")
        return definition

    def _plan_field(
        self,
        key: str,
        parent_type: GraphQLObjectType,
        definition: GraphQLField,
        declaration: StrawberryField,
        details: list[FieldDetails],
    ) -> FieldPlan:
        is_leaf, source = leaf_codegen.is_leaf(definition.type), _field_source(declaration)
        plan = FieldPlan(
            key,
            source,
            parent_type,
            definition,
            declaration,
            [detail.node for detail in details],
            resolver_calls.compile_arguments(self._inputs, self._schema, definition, declaration, details[0]),
            resolver_calls.compile_call(declaration) if source is FieldSource.RESOLVER else None,
            declaration.batch if isinstance(declaration, BatchedField) else _not_batched,
            ListShape(definition.type),
            leaf_codegen.compile_converter(definition.type) if is_leaf else None,
        )
        if not is_leaf:
            self._plan_objects_of(plan, details)
        return plan

    def _plan_objects_of(self, plan: FieldPlan, details: list[FieldDetails]) -> None:
        """Plans the field's selection set for each type that its objects may have."""
        named_type: Any = get_named_type(plan.definition.type)
        if is_abstract_type(named_type):
            plan.abstract_type = named_type
        types = self._executor.schema.get_possible_types(named_type) if plan.abstract_type else [named_type]
        plan.object_plans = {type_.name: self._plan_subselection(type_, details) for type_ in types}
        columns = _union(map(_required_columns, plan.object_plans.values()))
        if columns is not None and isinstance(plan.declaration, BatchedField):
            columns |= plan.declaration.inspected_columns
        plan.columns = columns
        if not plan.abstract_type and not plan.object_plans[named_type.name].fields:
            plan.leaf_only_plan = plan.object_plans[named_type.name]
        plan.needs_paths = any(object_plan.needs_paths for object_plan in plan.object_plans.values())

    def _plan_subselection(self, object_type: GraphQLObjectType, details: list[FieldDetails]) -> ObjectPlan:
        key = (object_type.name, tuple(id(detail.node) for detail in details))
        plan = self._object_plans.get(key)
        if plan is None:
            executor = self._executor
            collected = collect_subfields(
                executor.schema,
                executor.fragments,
                executor.variable_values,
                executor.operation,
                object_type,
                details,
                executor.hide_suggestions,
            )
            if collected.new_defer_usages:
                raise FallbackRequired("@defer")
            plan = self._object_plans[key] = self.plan_object(object_type, collected.grouped_field_set)
        return plan


async def _not_batched(*_: Any) -> Any:
    raise AssertionError("the field is not batched")


def _field_source(declaration: StrawberryField) -> FieldSource:
    if isinstance(declaration, BatchedField):
        return FieldSource.RESOLVER if declaration.extensions else FieldSource.BATCH
    reads_attribute = type(declaration).get_result in (ColumnField.get_result, StrawberryField.get_result)
    return FieldSource.ATTRIBUTE if reads_attribute and declaration.is_basic_field else FieldSource.RESOLVER


def attribute_source(declaration: StrawberryField) -> tuple[str, Any]:
    """The attribute that the field reads, and the conversion of its value or None."""
    if isinstance(declaration, ColumnField):
        return declaration.column, declaration.convert
    return str(declaration.python_name), None


def _parent_columns(declaration: StrawberryField) -> frozenset[str]:
    if isinstance(declaration, BatchedField):
        return declaration.parent_columns
    return frozenset({attribute_source(declaration)[0]})


def _required_columns(plan: ObjectPlan) -> frozenset[str] | None:
    """The columns of the object itself and of the rows that come with it; None for all columns."""
    included = [*plan.attribute_fields, *(field for field in plan.fetched_fields if _is_from_parent(field))]
    inspected = [
        field.declaration.inspected_columns for field in included if isinstance(field.declaration, BatchedField)
    ]
    object_plans = [object_plan for field in included for object_plan in field.object_plans.values()]
    return _union([plan.columns, *inspected, *map(_required_columns, object_plans)])


def _is_from_parent(plan: FieldPlan) -> bool:
    """Whether the rows of the field come with its parents."""
    return isinstance(plan.declaration, BatchedField) and plan.declaration.from_parent


def _union(column_sets: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    """All columns of the sets; None if one of them is None."""
    union: set[str] = set()
    for columns in column_sets:
        if columns is None:
            return None
        union |= columns
    return frozenset(union)
