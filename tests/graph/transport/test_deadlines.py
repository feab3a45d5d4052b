"""One timer for all who have the same time."""

import asyncio

import pytest

from graph.transport.deadlines import SharedTimeout


async def test_who_takes_too_long_is_stopped_and_who_does_not_goes_on() -> None:
    deadlines = SharedTimeout(0.05)

    async def work(seconds: float) -> str:
        with deadlines.scope():
            await asyncio.sleep(seconds)
        return "done"

    results = await asyncio.gather(work(5), work(0), work(5), return_exceptions=True)
    assert [type(each) for each in results] == [TimeoutError, str, TimeoutError]
    assert await work(0) == "done"
    with pytest.raises(TimeoutError):
        await work(5)


async def test_who_is_cancelled_by_others_stays_cancelled() -> None:
    deadlines = SharedTimeout(5)

    async def work() -> None:
        with deadlines.scope():
            await asyncio.sleep(5)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
