"""The stages of an operation: Strawberry's extension hooks, entered without being looked for anew every time.

What an extension may be and do is Strawberry's; only the finding is kept, for it costs more than a small operation.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from functools import lru_cache, partial
from inspect import isasyncgenfunction, iscoroutinefunction, isfunction, isgeneratorfunction
from types import TracebackType
from typing import Any, Final

from strawberry.extensions import SchemaExtension
from strawberry.extensions.context import ExtensionContextManagerBase
from strawberry.extensions.runner import SchemaExtensionsRunner
from strawberry.types import ExecutionContext
from strawberry.utils.await_maybe import await_maybe

Raised = type[BaseException] | None


class StagesRunner(SchemaExtensionsRunner):
    """What `Schema.create_extensions_runner` returns."""

    def __init__(self, execution_context: ExecutionContext, extensions: list[SchemaExtension]) -> None:
        super().__init__(execution_context, extensions)
        self._kinds = tuple(map(type, extensions))

    def operation(self) -> Any:
        return self._stage("on_operation", super().operation)

    def validation(self) -> Any:
        return self._stage("on_validate", super().validation)

    def parsing(self) -> Any:
        return self._stage("on_parse", super().parsing)

    def executing(self) -> Any:
        return self._stage("on_execute", super().executing)

    async def get_extensions_results(self, ctx: ExecutionContext) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for place in _telling(self._kinds):
            told: Any = self.extensions[place].get_results()
            found.update(told if told.__class__ is dict else await await_maybe(told))
        found.update(ctx.extensions_results)
        return found

    def _stage(self, name: str, strawberrys: Callable[[], ExtensionContextManagerBase]) -> Any:
        """Nothing, or one hook, without more ado; several as Strawberry enters them."""
        found = _hooks(name, self._kinds)
        if not found:
            return NOTHING
        place, enter = found[0]
        if len(found) > 1 or enter is None:
            return strawberrys()
        return enter(self.extensions[place])


@lru_cache(maxsize=100)
def _hooks(name: str, kinds: tuple[type[SchemaExtension], ...]) -> list[tuple[int, Callable[[Any], Any] | None]]:
    """The places of the extensions that have the hook, and how it is entered where it is a generator."""
    return [
        (place, _entered(getattr(kind, name)))
        for place, kind in enumerate(kinds)
        if getattr(kind, name) is not getattr(SchemaExtension, name)
    ]


@lru_cache(maxsize=100)
def _telling(kinds: tuple[type[SchemaExtension], ...]) -> list[int]:
    """The places of the extensions that add to the answer."""
    return [place for place, kind in enumerate(kinds) if kind.get_results is not SchemaExtension.get_results]


def _entered(hook: Any) -> Callable[[Any], Any] | None:
    if isgeneratorfunction(hook):
        enter = contextmanager(hook)
        return lambda extension: _One(enter(extension))
    if isasyncgenfunction(hook):
        enter_async = asynccontextmanager(hook)
        return lambda extension: _OneAsync(enter_async(extension))
    if iscoroutinefunction(hook):
        return partial(_BeforeAsync, hook)
    return partial(_Before, hook) if isfunction(hook) else None


class _One:
    """A hook alone. As Strawberry has it, no hook keeps an exception from going on."""

    __slots__ = ("_hook",)

    def __init__(self, hook: AbstractContextManager[Any]) -> None:
        self._hook = hook

    def __enter__(self) -> None:
        self._hook.__enter__()

    def __exit__(self, kind: Raised, error: BaseException | None, trace: TracebackType | None) -> None:
        self._hook.__exit__(kind, error, trace)

    async def __aenter__(self) -> None:
        self._hook.__enter__()

    async def __aexit__(self, kind: Raised, error: BaseException | None, trace: TracebackType | None) -> None:
        self._hook.__exit__(kind, error, trace)


class _OneAsync:
    """The same for a hook that waits for something."""

    __slots__ = ("_hook",)

    def __init__(self, hook: AbstractAsyncContextManager[Any]) -> None:
        self._hook = hook

    def __enter__(self) -> None:
        raise RuntimeError("An extension hook failed to complete synchronously.")

    def __exit__(self, *_: object) -> None: ...

    async def __aenter__(self) -> None:
        await self._hook.__aenter__()

    async def __aexit__(self, kind: Raised, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._hook.__aexit__(kind, error, trace)


class _Before:
    """A hook that is a plain function, which Strawberry calls before the stage."""

    __slots__ = ("_extension", "_hook")

    def __init__(self, hook: Callable[[Any], None], extension: SchemaExtension) -> None:
        self._hook = hook
        self._extension = extension

    def __enter__(self) -> None:
        self._hook(self._extension)

    def __exit__(self, *_: object) -> None: ...

    async def __aenter__(self) -> None:
        self._hook(self._extension)

    async def __aexit__(self, *_: object) -> None: ...


class _BeforeAsync:
    """The same for one that waits for something."""

    __slots__ = ("_extension", "_hook")

    def __init__(self, hook: Callable[[Any], Awaitable[None]], extension: SchemaExtension) -> None:
        self._hook = hook
        self._extension = extension

    def __enter__(self) -> None:
        raise RuntimeError("An extension hook failed to complete synchronously.")

    def __exit__(self, *_: object) -> None: ...

    async def __aenter__(self) -> None:
        await self._hook(self._extension)

    async def __aexit__(self, *_: object) -> None: ...


class _Nothing:
    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


NOTHING: Final = _Nothing()
