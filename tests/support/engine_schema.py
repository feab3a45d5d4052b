"""A schema with Strawberry features that the product does not use, to test the engine with them."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any, NamedTuple

import strawberry
from strawberry import Info
from strawberry.extensions import FieldExtension, SchemaExtension
from strawberry.permission import BasePermission
from strawberry.scalars import JSON
from strawberry.types import ExecutionResult

from graph.engine import BreadthFirstEngine
from graph.engine.field_declarations import InlineConversion, ParentRows, batched, column


@dataclass
class Context:
    """`told` contains what resolvers received, in order."""

    told: list[Any] = field(default_factory=list)
    loaders: dict[Any, Any] = field(default_factory=dict)


@strawberry.enum
class Size(Enum):
    SMALL = 1
    LARGE = 2


class Row(NamedTuple):
    """A row like a database's: its class knows the columns."""

    id: int
    name: str | None
    friend: int | None
    size: int = 1


Row.__columns__ = Row._fields  # type: ignore[attr-defined] # the engine's protocol for rows
ROWS = {number: Row(number, f"row {number}", number % 3 + 1, number % 2 + 1) for number in range(1, 6)}


class Later:
    def __await__(self) -> Iterator[Any]:
        yield from asyncio.sleep(0).__await__()
        return 7


@strawberry.interface
class Thing:
    name: str | None = column("Its name.")


class Loud(FieldExtension):
    async def resolve_async(self, next_: Callable[..., Any], source: Any, info: Info, **kwargs: Any) -> Any:
        return (await next_(source, info, **kwargs)).upper()


class Never(BasePermission):
    message = "never"

    def has_permission(self, source: Any, info: Info, **kwargs: Any) -> bool:
        return False


@strawberry.input
class Near:
    to: int
    within: list[int] = strawberry.field(default_factory=lambda: [1, 2])


@strawberry.type
class Person(Thing):
    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        return isinstance(value, Row) and value.id != 4

    id: strawberry.ID = column(
        "Its number.", convert=InlineConversion("'per_' + format({value}, 'x')", returns_str=True)
    )
    size: Size = column("How large.")
    twice: int = column("Twice the number.", column_name="id", convert=lambda number: number * 2)
    odd: int | None = column(
        "The number where it is odd.", column_name="id", convert=lambda number: number if number % 2 else None
    )

    @batched("Another.", parent_columns=("friend",))
    async def friend(parents: ParentRows, info: Info) -> list["Person | None"]:
        info.context.told.append(("friend", len(parents), info.field_name))
        await asyncio.sleep(0)
        return [ROWS.get(parent.friend) for parent in parents]

    @batched("Lists of lists of others.", parent_columns=("id",))
    async def groups(parents: ParentRows, info: Info, size: int = 2) -> list[list[list["Person"] | None] | None]:
        others = [ROWS[1], ROWS[2], ROWS[3]]
        return [None if parent.id == 2 else [others[:size], None, []] for parent in parents]

    @batched("Numbers near one.", parent_columns=("id",))
    async def near(parents: ParentRows, info: Info, place: Near) -> list[list[int]]:
        return [[parent.id + place.to, *place.within] for parent in parents]

    @batched("Fails for the third.", parent_columns=("id",))
    async def fragile(parents: ParentRows, info: Info) -> list[int]:
        return [ValueError("the third") if parent.id == 3 else parent.id for parent in parents]  # type: ignore[misc]

    @strawberry.field
    def where(self, info: Info) -> str:
        """A resolver that reads its position in the answer."""
        return "/".join(map(str, info.path.as_list()))

    @strawberry.field
    async def slow(self: Any, info: Info, times: int = 1) -> str:
        await asyncio.sleep(0)
        return (self.name or "") * times

    @strawberry.field(extensions=[Loud()])
    async def loud(self: Any) -> str:
        return self.name or ""

    @strawberry.field(permission_classes=[Never])
    def secret(self) -> str | None:
        return "hidden"


@strawberry.type
class Place(Thing):
    name: str | None = strawberry.field(default=None)
    tags: list[str] = strawberry.field(default_factory=list)
    facts: JSON | None = None


@strawberry.type
class Wrong:
    number: int
    ratio: float
    yes: bool
    text: str
    label: strawberry.ID
    size: Size | None


Either = Annotated[Person | Place, strawberry.union("Either")]


@strawberry.type
class Query:
    @strawberry.field
    async def people(self, info: Info, first: int = 5, skip: list[int] | None = None) -> list[Person]:
        info.context.told.append(
            ("people", first, skip, str(info.path.key), [one.name for one in info.selected_fields])
        )
        return [row for row in ROWS.values() if row.id <= first and row.id not in (skip or ()) and row.id != 4]  # type: ignore[misc]

    @strawberry.field
    def person(self, id: int) -> Person | None:
        return ROWS.get(id)  # type: ignore[return-value] # rows are the objects

    @strawberry.field
    def things(self) -> list[Thing]:
        return [ROWS[1], Place(name="here", tags=["a", "b"]), ROWS[2]]  # type: ignore[list-item]

    @strawberry.field
    def either(self) -> list[Either | None]:
        return [Place(name=None, facts={"deep": [1, {"x": None}]}), None, ROWS[3]]  # type: ignore[list-item]

    @strawberry.field
    def generated(self) -> list[int]:
        return (number for number in range(3))  # type: ignore[return-value]

    @strawberry.field
    def unordered(self) -> list[int]:
        return {1: 0, 2: 0}.keys()  # type: ignore[return-value]

    @strawberry.field
    def wrong(self, number: float = 1.0, text: str = "1") -> Wrong | None:
        values: Mapping[str, Any] = {"number": number, "ratio": number, "yes": number, "text": number, "label": text}
        return Wrong(**values, size=3 if text == "size" else Size.LARGE)  # type: ignore[arg-type]

    @strawberry.field(permission_classes=[Never])
    def forbidden(self) -> int | None:
        return 1

    @strawberry.field
    async def breaks(self, info: Info) -> int | None:
        info.context.told.append("breaks")
        raise ValueError("broken")

    @strawberry.field
    async def breaks_all(self) -> int:
        raise ValueError("broken")

    @strawberry.field
    def awaited(self) -> list[int]:
        return [Later()]  # type: ignore[list-item] # it is awaited

    @strawberry.field
    def options(self, info: Info) -> JSON:
        return {"extensions": info.input_extensions, "variables": info.variable_values, "root": str(info.root_value)}


@strawberry.type
class Payload:
    person: Person | None = None
    number: int = 0


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def make(self, info: Info, id: int, fails: bool = False) -> Payload:
        info.context.told.append(("make", id))
        await asyncio.sleep(0)
        if fails:
            raise ValueError(f"{id} failed")
        return Payload(person=ROWS.get(id), number=id)  # type: ignore[arg-type]

    @strawberry.mutation
    def maybe(self, info: Info, id: int, fails: bool = False) -> Payload | None:
        info.context.told.append(("maybe", id))
        if fails:
            raise ValueError(f"{id} failed")
        return Payload(person=ROWS.get(id), number=id)  # type: ignore[arg-type]


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, to: int) -> AsyncGenerator[int]:
        for number in range(to):
            yield number


class Counted(SchemaExtension):
    """Observes the begin and end of the operation, and adds to the answer."""

    def on_execute(self) -> Iterator[None]:
        self.execution_context.context.told.append("begins")
        yield
        self.execution_context.context.told.append("ends")

    def get_results(self) -> dict[str, Any]:
        return {"seen": True}


def build_schema(*extensions: Any) -> strawberry.Schema:
    return strawberry.Schema(Query, Mutation, Subscription, types=[Person, Place], extensions=[Counted, *extensions])


ENGINE, REFERENCE = build_schema(BreadthFirstEngine()), build_schema()


async def execute_with_both(
    document: str, **more: Any
) -> tuple[tuple[ExecutionResult, Context], tuple[ExecutionResult, Context]]:
    """The answers of the engine and of graphql-core, each with what resolvers received."""
    answers = []
    for which in (ENGINE, REFERENCE):
        context = Context()
        answers.append((await which.execute(document, context_value=context, **more), context))
    fast, slow = answers
    return fast, slow
