"""The clock of Temporal's server, by calls that every server and every worker's key has."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from temporalio.api.enums.v1 import TaskQueueKind, TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    PollWorkflowTaskQueueRequest,
    PollWorkflowTaskQueueResponse,
)
from temporalio.client import Client
from temporalio.service import RPCError

from collector.domain.errors import EngineAwayError
from collector.ports import Clock, ServerInstant

QUEUE, NORMAL = "chamberlog-clock", "chamberlog-clock-normal"
"""Nobody ever puts anything into it. A sticky queue names a normal one: with one name for both it lists nobody."""
POLL = timedelta(seconds=3)
"""The server refuses a poll of less than 2 s."""
LIMIT_S, AGAIN_S = 2.0, 0.02
"""An answer that took longer says little about a second. On one machine a poll is in the list after 2 to 7 ms."""


class TemporalServerClock:
    """Implements `collector.ports.ServerClock`.

    No answer of Temporal's service carries the server's time. But the server notes by its own clock when somebody
    polled a task queue, and lists that. So this polls an empty queue under a name that is used once, and asks for the
    list: no task is taken and no workflow started. The queue is of the sticky kind: that has one partition, and the
    server forgets it by itself.
    """

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client, self._service, self._clock = client, client.workflow_service, clock
        self._queue = TaskQueue(name=QUEUE, kind=TaskQueueKind.TASK_QUEUE_KIND_STICKY, normal_name=NORMAL)

    async def read(self) -> ServerInstant:
        """See `ServerClock.read`. Takes 5 to 30 ms on one machine, `LIMIT_S` at most."""
        me = f"{QUEUE}/{secrets.token_hex(8)}"
        try:
            async with asyncio.timeout(LIMIT_S):
                after_ms = self._clock.monotonic_ms()
                async with self._polling(me) as poll:
                    while (server_ms := await self._listed_ms(me)) is None:
                        if poll.done():
                            poll.result()
                        await asyncio.sleep(AGAIN_S)
                    return ServerInstant(server_ms, after_ms, self._clock.monotonic_ms())
        except TimeoutError:
            raise EngineAwayError(f"the server's clock was not seen within {LIMIT_S:g} s") from None
        except (RuntimeError, RPCError) as error:
            raise EngineAwayError(f"the server's clock cannot be seen: {error}") from error

    @asynccontextmanager
    async def _polling(self, me: str) -> AsyncIterator["asyncio.Task[PollWorkflowTaskQueueResponse]"]:
        request = PollWorkflowTaskQueueRequest(namespace=self._client.namespace, task_queue=self._queue, identity=me)
        poll = asyncio.create_task(self._service.poll_workflow_task_queue(request, timeout=POLL))
        try:
            yield poll
        finally:
            poll.cancel()
            await asyncio.gather(poll, return_exceptions=True)

    async def _listed_ms(self, me: str) -> int | None:
        request = DescribeTaskQueueRequest(
            namespace=self._client.namespace,
            task_queue=self._queue,
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
        answer = await self._service.describe_task_queue(request)
        return next((p.last_access_time.ToMilliseconds() for p in answer.pollers if p.identity == me), None)
