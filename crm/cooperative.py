"""Long work in memory, done so that others have their turn."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Final, TypeVar

T = TypeVar("T")

_FEW: Final = 16
"""So many customers take a process some three milliseconds."""


async def yield_periodically(many: Iterable[T]) -> AsyncIterator[T]:
    """Each of them; after every few, whoever else waits for this process goes on first."""
    for place, one in enumerate(many, 1):
        yield one
        if not place % _FEW:
            await asyncio.sleep(0)
