"""Running a plan, level by level: each field once for all objects that it is asked of."""

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
from graph.engine.fallback import Unplanned
from graph.engine.list_shapes import Shape
from graph.engine.planner import How, Place, Plan, Selection
from graph.engine.reference_executor import Outcomes
from graph.engine.selected_columns import wanted

_NULL: Final = id(None)
_NO_OBJECTS: Final = (Exception, type(None))


class Run:
    """Of one operation. `outcomes` are what its root resolvers came to, for graphql-core to go on from.

    Fields beside each other are fetched at once while `alone` says that the process has nothing else to do, and in
    turn when others wait for it anyway: a task for each would only take from them.
    """

    def __init__(self, schema: Schema, executor: Executor[Any], plan: Plan, alone: Callable[[], bool]) -> None:
        self._schema = schema
        self._executor = executor
        self._variables = executor.variable_values.coerced
        self._plan = plan
        self._alone = alone
        self.outcomes = Outcomes()

    async def data(self) -> dict[str, Any]:
        """What is answered. Whatever it raises, graphql-core has to answer instead."""
        root, mutation = self._plan.root, self._plan.operation is OperationType.MUTATION
        sources = [self._executor.root_value]
        (answer,) = answers = root.builder(sources, None)
        if len(root.places) == 1:
            await self._root(root.places[0], sources, answers, mutation=mutation)
            return answer
        transaction = [self._root(place, sources, answers, mutation=mutation) for place in root.places]
        await (_in_turn(transaction) if mutation or not self._alone() else _at_once(transaction))
        return answer

    async def _root(self, place: Place, sources: list[Any], answers: list[Any], *, mutation: bool) -> None:
        try:
            results = await self._results(place, sources, None, [None], place.wanted if not mutation else None)
        except Unplanned:
            # Its arguments are for graphql-core to refuse: nothing was called.
            raise
        except Exception as error:
            self.outcomes.failed(place.key, error)
            raise
        self.outcomes.succeeded(place.key, results[0])
        await self._fill(place, results, answers, None, [None])

    async def _answers(
        self, selection: Selection, rows: Sequence[Any], kinds: set[type], path: Path, paths: Sequence[Path]
    ) -> list[dict[str, Any]]:
        """Of objects of one type."""
        answers = selection.builder(rows, next(iter(kinds)) if len(kinds) == 1 else None)
        for place in selection.attributes:
            await self._fill(place, _attributes(place, rows), answers, path, paths)
        if len(selection.fetched) > 1 and self._alone():
            await _at_once([self._fetched(place, rows, answers, path, paths) for place in selection.fetched])
        else:
            for place in selection.fetched:
                await self._fetched(place, rows, answers, path, paths)
        return answers

    async def _fetched(
        self, place: Place, rows: Sequence[Any], answers: list[Any], path: Path, paths: Sequence[Path]
    ) -> None:
        results = await self._results(place, rows, path, paths, place.wanted)
        await self._fill(place, results, answers, path, paths)

    # ── results ───────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _results(
        self,
        place: Place,
        rows: Sequence[Any],
        path: Path | None,
        paths: Sequence[Path | None],
        columns: frozenset[str] | None,
    ) -> Sequence[Any]:
        """One for each row."""
        before = wanted.set(columns)
        try:
            if place.how is How.BATCH:
                info = self._info(place, path)
                results: Sequence[Any] = await place.batch(rows, info, **place.arguments(self._variables, info))
                if len(results) != len(rows):
                    raise ValueError(f"{place.key} was given {len(rows)} objects and returned {len(results)} results")
                return results
            if place.how is How.ATTRIBUTE:
                return _attributes(place, rows)
            return await self._resolved(place, rows, paths)
        finally:
            wanted.reset(before)

    async def _resolved(self, place: Place, rows: Sequence[Any], paths: Sequence[Path | None]) -> list[Any]:
        if len(rows) == 1:
            result = self._called(place, rows[0], paths[0])
            return [await result if optimized_is_awaitable(result) else result]
        calls = zip(rows, paths, strict=True)
        if place.declared.is_async:
            return await _at_once([self._called_later(place, row, path) for row, path in calls])
        results = [self._called(place, row, path) for row, path in calls]
        waiting = [index for index, result in enumerate(results) if optimized_is_awaitable(result)]
        awaited = await _at_once([_awaited(results[index]) for index in waiting])
        for index, result in zip(waiting, awaited, strict=True):
            results[index] = result
        return results

    def _called(self, place: Place, row: Any, path: Path | None) -> Any:
        assert place.call is not None
        info = self._info(place, path)
        return place.call(row, info, place.arguments(self._variables, info))

    async def _called_later(self, place: Place, row: Any, path: Path | None) -> Any:
        """What it raises before there is anything to wait for is raised like the rest."""
        result = self._called(place, row, path)
        return await result if optimized_is_awaitable(result) else result

    def _info(self, place: Place, path: Path | None) -> Info:
        kind = self._schema.config.info_class
        if kind is Info:
            return _Told(self, place, path, self._executor.context_value)
        return kind(_raw_info=self.raw_info(place, Path(path, place.key, place.parent.name)), _field=place.declared)

    def raw_info(self, place: Place, path: Path) -> GraphQLResolveInfo[Any]:
        return self._executor.build_resolve_info(place.graphql, place.nodes, place.parent, path)

    # ── answers ───────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _fill(
        self,
        place: Place,
        results: Collection[Any],
        answers: list[Any],
        path: Path | None,
        paths: Sequence[Path | None],
    ) -> None:
        """Puts under the place's key of each answer what its result comes to."""
        if place.convert is not None:
            values: Sequence[Any] = place.convert(results)
        elif place.leaves is not None:
            values = self._built(place, place.leaves, results, path)
        elif place.shape.of is None and not place.placed and len(results) > 1:
            values = await self._shared(place, results, path)
        else:
            values = await self._completed(place, results, path, paths)
        key = place.key
        for answer, value in zip(answers, values, strict=True):
            answer[key] = value

    def _built(self, place: Place, selection: Selection, results: Collection[Any], path: Path | None) -> Sequence[Any]:
        """What is made of leaves alone: nothing has to be waited for."""
        shape = place.shape
        ids = list(map(id, results)) if shape.of is None and len(results) > 1 else []
        distinct = _distinct(ids, results, shape)
        objects = shape.flat(results) if not ids else list(distinct.values())
        if not objects:
            return shape.regrouped(results, [])
        kinds = set(map(type, objects))
        if not kinds <= selection.known:
            self._check(selection, place, objects, kinds, Path(path, place.key, place.parent.name))
        answers = selection.builder(objects, next(iter(kinds)) if len(kinds) == 1 else None)
        return _spread(ids, distinct, answers) if ids else shape.regrouped(results, answers)

    async def _shared(self, place: Place, results: Collection[Any], path: Path | None) -> Sequence[Any]:
        """An object that is the result for many, as an owner of customers, is answered once for all of them."""
        ids = list(map(id, results))
        distinct = _distinct(ids, results, place.shape)
        answers = await self._objects(place, list(distinct.values()), path, ()) if distinct else []
        return _spread(ids, distinct, answers)

    async def _completed(
        self, place: Place, results: Collection[Any], path: Path | None, paths: Sequence[Path | None]
    ) -> Sequence[Any]:
        objects = place.shape.flat(results)
        there: Sequence[Path] = ()
        if place.placed:
            each = (Path(one, place.key, place.parent.name) for one in paths)
            there = list(place.shape.placed(results, each))
        answers = await self._objects(place, objects, path, there) if objects else []
        return place.shape.regrouped(results, answers)

    async def _objects(
        self, place: Place, objects: Sequence[Any], path: Path | None, paths: Sequence[Path]
    ) -> list[dict[str, Any]]:
        here = Path(path, place.key, place.parent.name)
        if place.abstract is not None:
            return await self._of_types(place, objects, here, paths)
        (selection,) = place.selections.values()
        return await self._of_type(place, selection, objects, here, paths)

    async def _of_type(
        self, place: Place, selection: Selection, objects: Sequence[Any], path: Path, paths: Sequence[Path]
    ) -> list[dict[str, Any]]:
        kinds = set(map(type, objects))
        if not kinds <= selection.known:
            self._check(selection, place, objects, kinds, path)
        return await self._answers(selection, objects, kinds, path, paths)

    def _check(self, selection: Selection, place: Place, objects: Sequence[Any], kinds: set[type], path: Path) -> None:
        """As graphql-core does: what is null, raised, or unknown to the type is none of its objects."""
        if any(issubclass(kind, _NO_OBJECTS) or hasattr(kind, "__await__") for kind in kinds):
            raise Unplanned(f"{place.key} is null, an exception, or has to be awaited")
        known: Any = selection.type.is_type_of
        by_class = known is None or _by_class(known)
        if known is not None:
            info = self.raw_info(place, path)
            for each in {type(each): each for each in objects}.values() if by_class else objects:
                if known(each, info) is not True:
                    raise Unplanned(f"{selection.type} does not know a {type(each).__name__}")
        if by_class:
            selection.known |= kinds

    async def _of_types(
        self, place: Place, objects: Sequence[Any], path: Path, paths: Sequence[Path]
    ) -> list[dict[str, Any]]:
        """Objects of an interface or union, grouped by their own types."""
        info = self.raw_info(place, path)
        groups: dict[str, list[int]] = {}
        for index, each in enumerate(objects):
            groups.setdefault(self._type_name(place, each, info), []).append(index)
        answers: list[Any] = [None] * len(objects)
        for name, indexes in groups.items():
            group = [objects[index] for index in indexes]
            places = [paths[index] for index in indexes] if paths else ()
            answered = await self._of_type(place, place.selections[name], group, path, places)
            for index, answer in zip(indexes, answered, strict=True):
                answers[index] = answer
        return answers

    def _type_name(self, place: Place, value: Any, info: GraphQLResolveInfo[Any]) -> str:
        resolve: Any = (place.abstract and place.abstract.resolve_type) or self._executor.type_resolver
        name = resolve(value, info, place.abstract)
        if name.__class__ is not str or name not in place.selections:
            raise Unplanned(f"{place.abstract} has no type {name}")
        return str(name)


class _Told(Info):
    """What a resolver is told of its field: most look at the context alone, and the rest is put together for others."""

    def __init__(self, run: Run, place: Place, path: Path | None, context: Any) -> None:
        self._field = place.declared
        self._run = run
        self._place = place
        self._path = path
        self._context = context

    @property
    def context(self) -> Any:
        return self._context

    @cached_property
    def _raw_info(self) -> GraphQLResolveInfo[Any]:  # type: ignore[override] # Info's own is an attribute, too.
        place = self._place
        return self._run.raw_info(place, Path(self._path, place.key, place.parent.name))


def _distinct(ids: list[int], results: Collection[Any], shape: Shape) -> dict[int, Any]:
    """The objects in the results, each once, by their identities."""
    distinct = dict(zip(ids, results, strict=True)) if ids else {}
    if distinct.pop(_NULL, _NULL) is None and not shape.nullable:
        raise Unplanned("null where none may be")
    return distinct


def _spread(ids: list[int], distinct: dict[int, Any], answers: Sequence[Any]) -> Sequence[Any]:
    """The answer of each result, made of those of the distinct objects."""
    if len(answers) == len(ids):
        return answers
    found: dict[int, Any] = dict(zip(distinct, answers, strict=True))
    found[_NULL] = None
    return [found[each] for each in ids]


def _attributes(place: Place, rows: Sequence[Any]) -> list[Any]:
    attribute, convert = planner.source(place.declared)
    values = [getattr(row, attribute) for row in rows]
    return values if convert is None else [None if value is None else convert(value) for value in values]


def _by_class(known: Any) -> bool:
    """Whether a type's `is_type_of` says that it looks at nothing but the class of an object."""
    return getattr(known, "by_class", False)


async def _awaited(value: Any) -> Any:
    return await value


async def _in_turn(transaction: Iterable[Coroutine[Any, Any, Any]]) -> list[Any]:
    remaining = list(transaction)
    try:
        return [await remaining.pop(0) for _ in range(len(remaining))]
    finally:
        for each in remaining:
            each.close()


async def _at_once(transaction: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
    """The results. All of them are waited for before the first error is raised: nothing goes on behind an answer."""
    if not transaction:
        return []
    # The first one needs no task of its own.
    tasks = [asyncio.ensure_future(each) for each in transaction[1:]]
    results, errors = [], []
    try:
        for each in (transaction[0], *tasks):
            try:
                results.append(await each)
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
