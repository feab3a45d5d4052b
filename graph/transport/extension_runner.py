"""Runs the hooks of Strawberry extensions, with the look-up of the hooks cached.

Strawberry looks for every hook in every operation, which costs more than a small operation itself.
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

ExceptionClass = type[BaseException] | None


class CachedHooksRunner(SchemaExtensionsRunner):
    """The runner that `Schema.create_extensions_runner` returns."""

    def __init__(self, execution_context: ExecutionContext, extensions: list[SchemaExtension]) -> None:
        super().__init__(execution_context, extensions)
        self._classes = tuple(map(type, extensions))

    def operation(self) -> Any:
        return self._stage("on_operation", super().operation)

    def validation(self) -> Any:
        return self._stage("on_validate", super().validation)

    def parsing(self) -> Any:
        return self._stage("on_parse", super().parsing)

    def executing(self) -> Any:
        return self._stage("on_execute", super().executing)

    async def get_extensions_results(self, ctx: ExecutionContext) -> dict[str, Any]:
        results: dict[str, Any] = {}
        for index in _indexes_with_results(self._classes):
            added: Any = self.extensions[index].get_results()
            results.update(added if added.__class__ is dict else await await_maybe(added))
        results.update(ctx.extensions_results)
        return results

    def _stage(self, name: str, strawberry_stage: Callable[[], ExtensionContextManagerBase]) -> Any:
        """A context manager that runs no hook or one hook directly, and leaves several to Strawberry."""
        hooks = _find_hooks(name, self._classes)
        if not hooks:
            return NO_HOOK
        index, create_manager = hooks[0]
        if len(hooks) > 1 or create_manager is None:
            return strawberry_stage()
        return create_manager(self.extensions[index])


@lru_cache(maxsize=100)
def _find_hooks(name: str, classes: tuple[type[SchemaExtension], ...]) -> list[tuple[int, Callable[[Any], Any] | None]]:
    """The indexes of the extensions that have the hook, and what creates its context manager; None for an odd hook."""
    return [
        (index, _manager_factory(getattr(class_, name)))
        for index, class_ in enumerate(classes)
        if getattr(class_, name) is not getattr(SchemaExtension, name)
    ]


@lru_cache(maxsize=100)
def _indexes_with_results(classes: tuple[type[SchemaExtension], ...]) -> list[int]:
    """The indexes of the extensions that add to the response."""
    return [index for index, class_ in enumerate(classes) if class_.get_results is not SchemaExtension.get_results]


def _manager_factory(hook: Any) -> Callable[[Any], Any] | None:
    if isgeneratorfunction(hook):
        enter = contextmanager(hook)
        return lambda extension: _GeneratorHook(enter(extension))
    if isasyncgenfunction(hook):
        enter_async = asynccontextmanager(hook)
        return lambda extension: _AsyncGeneratorHook(enter_async(extension))
    if iscoroutinefunction(hook):
        return partial(_AsyncFunctionHook, hook)
    return partial(_FunctionHook, hook) if isfunction(hook) else None


class _GeneratorHook:
    """A hook that is a generator. As in Strawberry, a hook cannot suppress an exception."""

    __slots__ = ("_hook",)

    def __init__(self, hook: AbstractContextManager[Any]) -> None:
        self._hook = hook

    def __enter__(self) -> None:
        self._hook.__enter__()

    def __exit__(self, kind: ExceptionClass, error: BaseException | None, trace: TracebackType | None) -> None:
        self._hook.__exit__(kind, error, trace)

    async def __aenter__(self) -> None:
        self._hook.__enter__()

    async def __aexit__(self, kind: ExceptionClass, error: BaseException | None, trace: TracebackType | None) -> None:
        self._hook.__exit__(kind, error, trace)


class _AsyncGeneratorHook:
    """A hook that is an async generator."""

    __slots__ = ("_hook",)

    def __init__(self, hook: AbstractAsyncContextManager[Any]) -> None:
        self._hook = hook

    def __enter__(self) -> None:
        raise RuntimeError("An extension hook failed to complete synchronously.")

    def __exit__(self, *_: object) -> None: ...

    async def __aenter__(self) -> None:
        await self._hook.__aenter__()

    async def __aexit__(self, kind: ExceptionClass, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._hook.__aexit__(kind, error, trace)


class _FunctionHook:
    """A hook that is a function, which Strawberry calls before the stage."""

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


class _AsyncFunctionHook:
    """A hook that is a coroutine function, which Strawberry calls before the stage."""

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


class _NoHook:
    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


NO_HOOK: Final = _NoHook()
