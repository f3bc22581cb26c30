"""Signs of life beside work that has none of its own."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from temporalio import activity

T = TypeVar("T")


async def beating_while(coroutine: Coroutine[Any, Any, T], each_s: float) -> T:
    """What the work answers; the activity heartbeats each so many seconds until then.

    A cancel of the activity cancels the work, and is passed on once that has ended.
    """
    work = asyncio.create_task(coroutine)
    try:
        while not (await asyncio.wait([work], timeout=each_s))[0]:
            activity.heartbeat()
        return await work
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
