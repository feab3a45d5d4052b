"""Chunks in their order, made ahead by a process beside this one, which has the database to wait for."""

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
from crm.seeding.plan import Plan
from crm.seeding.rows import Rows

_AHEAD = 3
"""Chunks that are made before they are wanted: enough never to wait, few enough for memory to stay flat."""


async def made(plan: Plan) -> AsyncGenerator[Rows]:
    """Every chunk once. A single one is made here: it is not worth a process."""
    count = chunks.count(plan.customers)
    if count == 1:
        yield chunks.made(plan, 0)
        return
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_at_work) as maker:
        coming = deque(maker.submit(chunks.made, plan, number) for number in range(min(_AHEAD, count)))
        for number in range(count):
            yield await asyncio.wrap_future(coming.popleft())
            if number + _AHEAD < count:
                coming.append(maker.submit(chunks.made, plan, number + _AHEAD))


def _at_work() -> None:
    """Ctrl-C is for the process that asked; when that one is gone, so is this one. Rows make no cycles to collect."""
    gc.disable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
