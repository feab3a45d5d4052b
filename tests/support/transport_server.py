"""A schema and doors that are just enough to go through."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from typing import Any

import strawberry
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionResult, Info

from graph.errors.top_level import Forbidden, TopLevelError, Unavailable
from graph.limits import Limits
from graph.transport.ports import OperationCaller
from graph.transport.schema import Schema

VALID_TOKEN = "ses_toy"


@dataclass(frozen=True)
class Viewer:
    caller: str


@dataclass
class Context:
    caller: OperationCaller
    viewer: Viewer | None
    seen: list[str] = field(default_factory=list)


class DatabaseGone(Exception):
    pass


@strawberry.type
class Person:
    name: str

    @strawberry.field
    def friend(self) -> "Person":
        return Person(name=self.name)


@strawberry.input
class Nested:
    inner: "Nested | None" = None
    numbers: list[int] | None = None


@strawberry.type
class Query:
    @strawberry.field
    def me(self, info: Info) -> Person:
        return Person(name=info.context.viewer.caller)

    @strawberry.field
    def double(self, number: int) -> int:
        return number * 2

    @strawberry.field
    def nested(self, input: Nested) -> bool:
        return True

    @strawberry.field
    def request_id(self, info: Info) -> str:
        return str(info.context.caller.request_id)

    @strawberry.field
    def bug(self) -> int | None:
        raise KeyError("hunter2")

    @strawberry.field
    def too_big(self) -> int | None:
        return 2**40

    @strawberry.field
    def surrogate(self) -> str:
        return "\ud800"

    @strawberry.field
    def forbidden(self) -> int | None:
        raise Forbidden("You may not.")

    @strawberry.field
    def database(self) -> int | None:
        raise DatabaseGone

    @strawberry.field
    async def slow(self, seconds: float) -> bool:
        await asyncio.sleep(seconds)
        return True


@strawberry.type
class Mutation:
    @strawberry.mutation
    def sign_in(self, email: str, password: str) -> Person:
        return Person(name=email)

    @strawberry.mutation
    def rename(self, name: str) -> Person:
        return Person(name=name)


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, info: Info, to: int, pause: float = 0) -> AsyncGenerator[int]:
        for number in range(to):
            await asyncio.sleep(pause)
            yield number

    @strawberry.subscription
    async def breaks(self) -> AsyncGenerator[int]:
        yield 1
        raise KeyError("hunter2")


class Instead(SchemaExtension):
    """Sets the result before execution, as an engine does."""

    def on_execute(self) -> Iterator[None]:
        if self.execution_context.query == "{ me { name } } # instead":
            self.execution_context.result = ExecutionResult({"me": {"name": "engine"}}, None)
        yield


@dataclass
class InMemoryBackend:
    """One token is known; `tokens` may be changed while it runs."""

    tokens: dict[str, str] = field(default_factory=lambda: {VALID_TOKEN: "ada"})
    contexts: list[Context] = field(default_factory=list)
    running_count: int = 0
    problem: str | None = None
    is_database_down: bool = False

    async def authenticate(self, token: str) -> Viewer | None:
        if self.is_database_down:
            raise DatabaseGone
        name = self.tokens.get(token)
        return Viewer(name) if name else None

    def create_context(self, caller: OperationCaller) -> Context:
        self.contexts.append(context := Context(caller, caller.viewer))
        return context

    async def startup(self) -> None:
        self.running_count += 1

    async def shutdown(self) -> None:
        self.running_count -= 1

    async def readiness_problem(self) -> str | None:
        return self.problem

    def explain_error(self, error: Exception) -> TopLevelError | None:
        if isinstance(error, DatabaseGone):
            return Unavailable("The database does not answer.", retry_after=2)
        return None


def build_schema(limits: Limits | None = None, **given: Any) -> Schema:
    return Schema(
        Query, mutation=Mutation, subscription=Subscription, extensions=[Instead], limits=limits or Limits(), **given
    )
