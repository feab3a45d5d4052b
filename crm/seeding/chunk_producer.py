"""Produces chunks in order and in advance, in a separate process, while this one waits for the database."""

import asyncio
import gc
import os
import signal
import threading
from collections import deque
from collections.abc import AsyncGenerator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process

from crm.seeding import chunks
from crm.seeding.plan import SeedPlan
from crm.seeding.rows import ChunkRows

_CHUNKS_IN_ADVANCE = 3
"""Chunks produced in advance: enough to never wait, few enough to keep the memory use constant."""


async def produce_chunks(plan: SeedPlan) -> AsyncGenerator[ChunkRows]:
    """Yields every chunk once. A single chunk is built in this process, because starting another does not pay off."""
    count = chunks.count_chunks(plan.customers)
    if count == 1:
        yield chunks.build_chunk(plan, 0)
        return
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_set_up_process) as executor:
        pending = deque(
            executor.submit(chunks.build_chunk, plan, number) for number in range(min(_CHUNKS_IN_ADVANCE, count))
        )
        for number in range(count):
            yield await asyncio.wrap_future(pending.popleft())
            if number + _CHUNKS_IN_ADVANCE < count:
                pending.append(executor.submit(chunks.build_chunk, plan, number + _CHUNKS_IN_ADVANCE))


def _set_up_process() -> None:
    """Ignores Ctrl-C, which the parent process handles, and ends with the parent. Garbage collection is off, because
    rows have no cycles."""
    gc.disable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
