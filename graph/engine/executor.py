"""Executes a plan level by level: each field is resolved once for all objects of its level."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
from functools import cached_property
from typing import Any, Final

from graphql import GraphQLResolveInfo, OperationType
from graphql.execution import Executor
from graphql.pyutils import Path
from strawberry import Info, Schema
from strawberry.execution import optimized_is_awaitable

from graph.engine import planner
from graph.engine.fallback import FallbackRequired
from graph.engine.list_shapes import ListShape
from graph.engine.planner import FieldPlan, FieldSource, ObjectPlan, OperationPlan
from graph.engine.reference_executor import RootOutcomes
from graph.engine.selected_columns import columns_to_read

_ID_OF_NONE: Final = id(None)
_NOT_OBJECTS: Final = (Exception, type(None))


class OperationRun:
    """One run of an operation.

    `root_outcomes` records what the root resolvers returned or raised, so that graphql-core can continue from there.

    Sibling fields are fetched concurrently while `is_only_operation` returns true. While other operations wait for the
    event loop anyway, they are fetched in sequence, because a task for each field would only add overhead.

    In the methods, `rows` are the source objects of a level and `outputs` are the response objects built from them.
    `path` is the level's path without list indexes; `paths` are the exact paths of the rows, or empty if not needed.
    """

    def __init__(
        self, schema: Schema, executor: Executor[Any], plan: OperationPlan, is_only_operation: Callable[[], bool]
    ) -> None:
        self._schema = schema
        self._executor = executor
        self._variables = executor.variable_values.coerced
        self._plan = plan
        self._is_only_operation = is_only_operation
        self.root_outcomes = RootOutcomes()

    async def execute(self) -> dict[str, Any]:
        """The response data. After any exception, graphql-core must execute the operation instead."""
        root, is_mutation = self._plan.root, self._plan.operation is OperationType.MUTATION
        rows = [self._executor.root_value]
        (output,) = outputs = root.builder(rows, None)
        if len(root.fields) == 1:
            await self._execute_root_field(root.fields[0], rows, outputs, is_mutation=is_mutation)
            return output
        fields = [self._execute_root_field(field, rows, outputs, is_mutation=is_mutation) for field in root.fields]
        in_sequence = is_mutation or not self._is_only_operation()
        await (_run_in_sequence(fields) if in_sequence else _run_concurrently(fields))
        return output

    async def _execute_root_field(
        self, field: FieldPlan, rows: list[Any], outputs: list[Any], *, is_mutation: bool
    ) -> None:
        try:
            results = await self._resolve(field, rows, None, [None], field.columns if not is_mutation else None)
        except FallbackRequired:
            # graphql-core will reject the arguments. No resolver was called.
            raise
        except Exception as error:
            self.root_outcomes.record_error(field.response_key, error)
            raise
        self.root_outcomes.record_value(field.response_key, results[0])
        await self._complete(field, results, outputs, None, [None])

    async def _build_objects(
        self, plan: ObjectPlan, rows: Sequence[Any], classes: set[type], path: Path, paths: Sequence[Path]
    ) -> list[dict[str, Any]]:
        """The response objects of rows of one GraphQL type. `classes` are the rows' Python classes."""
        outputs = plan.builder(rows, next(iter(classes)) if len(classes) == 1 else None)
        for field in plan.attribute_fields:
            await self._complete(field, _read_attributes(field, rows), outputs, path, paths)
        if len(plan.fetched_fields) > 1 and self._is_only_operation():
            await _run_concurrently([self._fetch(field, rows, outputs, path, paths) for field in plan.fetched_fields])
        else:
            for field in plan.fetched_fields:
                await self._fetch(field, rows, outputs, path, paths)
        return outputs

    async def _fetch(
        self, field: FieldPlan, rows: Sequence[Any], outputs: list[Any], path: Path, paths: Sequence[Path]
    ) -> None:
        results = await self._resolve(field, rows, path, paths, field.columns)
        await self._complete(field, results, outputs, path, paths)

    # ── resolving: from rows to results ───────────────────────────────────────────────────────────────────────────────

    async def _resolve(
        self,
        field: FieldPlan,
        rows: Sequence[Any],
        path: Path | None,
        paths: Sequence[Path | None],
        columns: frozenset[str] | None,
    ) -> Sequence[Any]:
        """The field's result for each row."""
        token = columns_to_read.set(columns)
        try:
            if field.source is FieldSource.BATCH:
                info = self._info(field, path)
                results = await field.load_batch(rows, info, **field.build_arguments(self._variables, info))
                return _check_count(field, rows, results)
            if field.source is FieldSource.ATTRIBUTE:
                return _read_attributes(field, rows)
            return await self._call_resolvers(field, rows, paths)
        finally:
            columns_to_read.reset(token)

    async def _call_resolvers(self, field: FieldPlan, rows: Sequence[Any], paths: Sequence[Path | None]) -> list[Any]:
        if len(rows) == 1:
            result = self._call_resolver(field, rows[0], paths[0])
            return [await result if optimized_is_awaitable(result) else result]
        calls = zip(rows, paths, strict=True)
        if field.declaration.is_async:
            return await _run_concurrently([self._call_async_resolver(field, row, path) for row, path in calls])
        results = [self._call_resolver(field, row, path) for row, path in calls]
        awaitable = [index for index, result in enumerate(results) if optimized_is_awaitable(result)]
        awaited = await _run_concurrently([_await(results[index]) for index in awaitable])
        for index, result in zip(awaitable, awaited, strict=True):
            results[index] = result
        return results

    def _call_resolver(self, field: FieldPlan, row: Any, path: Path | None) -> Any:
        assert field.call_resolver is not None
        info = self._info(field, path)
        return field.call_resolver(row, info, field.build_arguments(self._variables, info))

    async def _call_async_resolver(self, field: FieldPlan, row: Any, path: Path | None) -> Any:
        """Calls the resolver inside a coroutine, so that an exception at the call waits for the other calls."""
        result = self._call_resolver(field, row, path)
        return await result if optimized_is_awaitable(result) else result

    def _info(self, field: FieldPlan, path: Path | None) -> Info:
        info_class = self._schema.config.info_class
        if info_class is Info:
            return _LazyInfo(self, field, path, self._executor.context_value)
        resolve_info = self.resolve_info(field, Path(path, field.response_key, field.parent_type.name))
        return info_class(_raw_info=resolve_info, _field=field.declaration)

    def resolve_info(self, field: FieldPlan, path: Path) -> GraphQLResolveInfo[Any]:
        return self._executor.build_resolve_info(field.definition, field.nodes, field.parent_type, path)

    # ── completing: from results to response values ───────────────────────────────────────────────────────────────────

    async def _complete(
        self,
        field: FieldPlan,
        results: Collection[Any],
        outputs: list[Any],
        path: Path | None,
        paths: Sequence[Path | None],
    ) -> None:
        """Stores the response value of each result under the field's key."""
        if field.convert_leaves is not None:
            values: Sequence[Any] = field.convert_leaves(results)
        elif field.leaf_only_plan is not None:
            values = self._complete_leaf_only(field, field.leaf_only_plan, results, path)
        elif field.shape.item_shape is None and not field.needs_paths and len(results) > 1:
            values = await self._complete_distinct(field, results, path)
        else:
            values = await self._complete_all(field, results, path, paths)
        key = field.response_key
        for output, value in zip(outputs, values, strict=True):
            output[key] = value

    def _complete_leaf_only(
        self, field: FieldPlan, plan: ObjectPlan, results: Collection[Any], path: Path | None
    ) -> Sequence[Any]:
        """Completes objects that consist of leaves, which needs no await."""
        shape = field.shape
        ids = list(map(id, results)) if shape.item_shape is None and len(results) > 1 else []
        distinct = _distinct_objects(ids, results, shape)
        rows = shape.flatten(results) if not ids else list(distinct.values())
        if not rows:
            return shape.regroup(results, [])
        classes = set(map(type, rows))
        if not classes <= plan.known_classes:
            self._check_types(plan, field, rows, classes, Path(path, field.response_key, field.parent_type.name))
        outputs = plan.builder(rows, next(iter(classes)) if len(classes) == 1 else None)
        return _repeat_outputs(ids, distinct, outputs) if ids else shape.regroup(results, outputs)

    async def _complete_distinct(self, field: FieldPlan, results: Collection[Any], path: Path | None) -> Sequence[Any]:
        """Completes an object that is the result for several rows, such as a shared owner, once."""
        ids = list(map(id, results))
        distinct = _distinct_objects(ids, results, field.shape)
        outputs = await self._complete_objects(field, list(distinct.values()), path, ()) if distinct else []
        return _repeat_outputs(ids, distinct, outputs)

    async def _complete_all(
        self, field: FieldPlan, results: Collection[Any], path: Path | None, paths: Sequence[Path | None]
    ) -> Sequence[Any]:
        rows = field.shape.flatten(results)
        row_paths: Sequence[Path] = ()
        if field.needs_paths:
            result_paths = (Path(parent, field.response_key, field.parent_type.name) for parent in paths)
            row_paths = list(field.shape.flatten_paths(results, result_paths))
        outputs = await self._complete_objects(field, rows, path, row_paths) if rows else []
        return field.shape.regroup(results, outputs)

    async def _complete_objects(
        self, field: FieldPlan, rows: Sequence[Any], parent_path: Path | None, paths: Sequence[Path]
    ) -> list[dict[str, Any]]:
        path = Path(parent_path, field.response_key, field.parent_type.name)
        if field.abstract_type is not None:
            return await self._complete_by_type(field, rows, path, paths)
        (plan,) = field.object_plans.values()
        return await self._complete_type(field, plan, rows, path, paths)

    async def _complete_type(
        self, field: FieldPlan, plan: ObjectPlan, rows: Sequence[Any], path: Path, paths: Sequence[Path]
    ) -> list[dict[str, Any]]:
        classes = set(map(type, rows))
        if not classes <= plan.known_classes:
            self._check_types(plan, field, rows, classes, path)
        return await self._build_objects(plan, rows, classes, path, paths)

    def _check_types(
        self, plan: ObjectPlan, field: FieldPlan, rows: Sequence[Any], classes: set[type], path: Path
    ) -> None:
        """Raises FallbackRequired for null, exceptions, awaitables, and objects that `is_type_of` rejects."""
        if any(issubclass(class_, _NOT_OBJECTS) or hasattr(class_, "__await__") for class_ in classes):
            raise FallbackRequired(f"{field.response_key} is null, an exception, or awaitable")
        is_type_of: Any = plan.object_type.is_type_of
        depends_on_class = is_type_of is None or _depends_on_class(is_type_of)
        if is_type_of is not None:
            info = self.resolve_info(field, path)
            for row in {type(row): row for row in rows}.values() if depends_on_class else rows:
                if is_type_of(row, info) is not True:
                    raise FallbackRequired(f"{plan.object_type} does not accept a {type(row).__name__}")
        if depends_on_class:
            plan.known_classes |= classes

    async def _complete_by_type(
        self, field: FieldPlan, rows: Sequence[Any], path: Path, paths: Sequence[Path]
    ) -> list[dict[str, Any]]:
        """Completes the objects of an interface or union, grouped by their types."""
        info = self.resolve_info(field, path)
        groups: dict[str, list[int]] = {}
        for index, row in enumerate(rows):
            groups.setdefault(self._type_name(field, row, info), []).append(index)
        outputs: list[Any] = [None] * len(rows)
        for name, indexes in groups.items():
            group = [rows[index] for index in indexes]
            group_paths = [paths[index] for index in indexes] if paths else ()
            group_outputs = await self._complete_type(field, field.object_plans[name], group, path, group_paths)
            for index, output in zip(indexes, group_outputs, strict=True):
                outputs[index] = output
        return outputs

    def _type_name(self, field: FieldPlan, value: Any, info: GraphQLResolveInfo[Any]) -> str:
        resolve: Any = (field.abstract_type and field.abstract_type.resolve_type) or self._executor.type_resolver
        name = resolve(value, info, field.abstract_type)
        if name.__class__ is not str or name not in field.object_plans:
            raise FallbackRequired(f"{field.abstract_type} has no type {name}")
        return str(name)


class _LazyInfo(Info):
    """The info of a resolver. Most resolvers read only the context, so the rest is built on first access."""

    def __init__(self, run: OperationRun, field: FieldPlan, path: Path | None, context: Any) -> None:
        self._field = field.declaration
        self._run = run
        self._field_plan = field
        self._path = path
        self._context = context

    @property
    def context(self) -> Any:
        return self._context

    @cached_property
    def _raw_info(self) -> GraphQLResolveInfo[Any]:  # type: ignore[override] # Info's own is an attribute, too.
        field = self._field_plan
        return self._run.resolve_info(field, Path(self._path, field.response_key, field.parent_type.name))


def _check_count(field: FieldPlan, rows: Sequence[Any], results: Sequence[Any]) -> Sequence[Any]:
    if len(results) != len(rows):
        raise ValueError(f"{field.response_key} received {len(rows)} objects and returned {len(results)} results")
    return results


def _distinct_objects(ids: list[int], results: Collection[Any], shape: ListShape) -> dict[int, Any]:
    """The objects in the results by their `id()`, each once and without null."""
    distinct = dict(zip(ids, results, strict=True)) if ids else {}
    if distinct.pop(_ID_OF_NONE, _ID_OF_NONE) is None and not shape.is_nullable:
        raise FallbackRequired("null for a type that is not nullable")
    return distinct


def _repeat_outputs(ids: list[int], distinct: dict[int, Any], outputs: Sequence[Any]) -> Sequence[Any]:
    """The response object of each result, given those of the distinct objects. Equal results share one dict."""
    if len(outputs) == len(ids):
        return outputs
    by_id: dict[int, Any] = dict(zip(distinct, outputs, strict=True))
    by_id[_ID_OF_NONE] = None
    return [by_id[identity] for identity in ids]


def _read_attributes(field: FieldPlan, rows: Sequence[Any]) -> list[Any]:
    attribute, convert = planner.attribute_source(field.declaration)
    values = [getattr(row, attribute) for row in rows]
    return values if convert is None else [None if value is None else convert(value) for value in values]


def _depends_on_class(is_type_of: Any) -> bool:
    """Whether an `is_type_of` declares that it looks at nothing but the class of an object."""
    return getattr(is_type_of, "by_class", False)


async def _await(value: Any) -> Any:
    return await value


async def _run_in_sequence(coroutines: Iterable[Coroutine[Any, Any, Any]]) -> list[Any]:
    remaining = list(coroutines)
    try:
        return [await remaining.pop(0) for _ in range(len(remaining))]
    finally:
        for coroutine in remaining:
            coroutine.close()


async def _run_concurrently(coroutines: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
    """The results. All coroutines end before the first error is raised, so that none continues after the response."""
    if not coroutines:
        return []
    # The first coroutine needs no task of its own.
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines[1:]]
    results, errors = [], []
    try:
        for awaitable in (coroutines[0], *tasks):
            try:
                results.append(await awaitable)
            except Exception as error:
                errors.append(error)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
    if errors:
        raise errors[0]
    return results
