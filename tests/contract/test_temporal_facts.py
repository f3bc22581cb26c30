"""Facts of Temporal's server and SDK that the code leans on: an upgrade that changes one is to be noticed here.

Beside each stands who leans on it. The fact that a handler may not await `all_handlers_finished` is one of logic, and
that living workers' signs of life move is tried in test_temporal_rounds.py.
"""

import asyncio
import statistics
import time
from datetime import timedelta

import pytest
import pytest_asyncio
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.failures import MESSAGE_LIMIT
from collector.messages import RoundProgress
from stack.server import Server
from tests.contract.fact_rooms import (
    WORK,
    OneActivity,
    Policy,
    ShortTimers,
    attempt,
    begun,
    eventually,
    pending_of,
    working,
)

pytestmark = pytest.mark.timeout(120)


@pytest_asyncio.fixture
async def client(server: Server) -> Client:
    return await Client.connect(server.address, identity="facts")


# ---- timers: TIMER_FLOOR_MS of workflows/chamber.py, INNER_RETRY_MS of collector/usecases/collect.py


async def test_timers_of_less_than_a_second_last_about_a_second(client: Client) -> None:
    async with working(client, "timers"):
        took = await asyncio.gather(
            *(
                client.execute_workflow(ShortTimers.run, ms, id=f"timer-{ms}", task_queue="timers")
                for ms in (1, 250, 500)
            )
        )
    assert min(took) >= 900


async def test_retry_delays_of_less_than_a_second_mostly_last_about_a_second(client: Client) -> None:
    failed_s: dict[str, float] = {}

    @activity.defn(name=WORK)
    async def fails_once() -> float:
        run = activity.info().workflow_run_id or ""
        if attempt() == 1:
            failed_s[run] = time.monotonic()
            raise ApplicationError("again", next_retry_delay=timedelta(milliseconds=50))
        return time.monotonic() - failed_s[run]

    async with working(client, "retries", fails_once):
        took = await asyncio.gather(
            *(
                client.execute_workflow(OneActivity.run, Policy(), id=f"retry-{n}", task_queue="retries")
                for n in range(7)
            )
        )
    assert statistics.median(took) >= 0.9


# ---- heartbeats: activities/round_control.py


async def test_a_heartbeat_by_task_token_is_durable_when_it_returns_and_comes_back_without_types(
    client: Client,
) -> None:
    seen: list[bool] = []

    @activity.defn(name=WORK)
    async def beats() -> dict[str, object]:
        info = activity.info()
        if info.attempt == 1:
            by_token = client.get_async_activity_handle(task_token=info.task_token)
            await by_token.heartbeat(RoundProgress(next_index=7, failure=["timeout", "x"]))
            shown = await pending_of(client.get_workflow_handle("beats"))
            seen.append(b'"next_index":7' in shown.heartbeat_details.payloads[0].data)
            raise ApplicationError("again")
        details = info.heartbeat_details[0]
        return {"is": type(details).__name__, "next_index": details["next_index"], "failure": details["failure"]}

    async with working(client, "beats", beats):
        answer = await (await begun(client, "beats", Policy(heartbeat_s=60))).result()
    assert seen == [True]
    assert answer == {"is": "dict", "next_index": 7, "failure": ["timeout", "x"]}


async def test_a_heartbeat_of_an_attempt_that_another_one_followed_is_not_found(client: Client) -> None:
    tokens: dict[int, bytes] = {}
    followed = asyncio.Event()

    @activity.defn(name=WORK)
    async def followed_by_another() -> None:
        tokens[attempt()] = activity.info().task_token
        if attempt() == 1:
            raise ApplicationError("again")
        followed.set()
        await asyncio.sleep(60)

    async with working(client, "followed", followed_by_another):
        handle = await begun(client, "followed", Policy(heartbeat_s=60))
        await asyncio.wait_for(followed.wait(), 20)
        with pytest.raises(RPCError) as caught:
            await client.get_async_activity_handle(task_token=tokens[1]).heartbeat()
        assert caught.value.status is RPCStatusCode.NOT_FOUND
        await client.get_async_activity_handle(task_token=tokens[2]).heartbeat()
        await handle.terminate()


# ---- cancels: the interruption of a round in workflows/chamber.py, CHAMBERLOG_HEARTBEAT_S


async def test_a_cancel_reaches_a_silent_activity_at_once_and_what_it_returns_then_is_its_result(
    client: Client,
) -> None:
    running = asyncio.Event()
    heard_s: list[float] = []

    @activity.defn(name=WORK)
    async def finishes_its_slot() -> str:
        running.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            heard_s.append(time.monotonic())
            why = activity.cancellation_details()
            return "partial" if why is not None and why.cancel_requested else f"torn: {why}"
        return "whole"

    async with working(client, "cancels", finishes_its_slot):
        handle = await begun(client, "cancels")
        await asyncio.wait_for(running.wait(), 20)
        asked_s = time.monotonic()
        await handle.signal(OneActivity.cancel)
        assert await asyncio.wait_for(handle.result(), 20) == "partial"
    assert heard_s[0] - asked_s < 5


# ---- failures: activities/failures.py, and `collect` that never fails for good


@pytest.mark.parametrize(("length", "kept"), [(MESSAGE_LIMIT, True), (8_000, False)])
async def test_a_failure_that_waits_for_its_retry_keeps_its_type_when_its_message_is_short(
    client: Client, length: int, kept: bool
) -> None:
    @activity.defn(name=WORK)
    async def fails() -> None:
        raise ApplicationError("x" * length, type="DeviceTimeoutError") from None

    queue = f"failure-{length}"
    async with working(client, queue, fails):
        handle = await begun(client, queue, Policy(again_s=60))
        await eventually(lambda: has_failed(client, queue))
        failure = (await pending_of(handle)).last_failure
        assert (failure.application_failure_info.type == "DeviceTimeoutError") is kept
        assert (failure.message == "x" * length) is kept
        await handle.terminate()


async def has_failed(client: Client, workflow_id: str) -> bool:
    described = await client.get_workflow_handle(workflow_id).describe()
    return any(pending.HasField("last_failure") for pending in described.raw_description.pending_activities)


async def test_an_activity_that_fails_for_good_tells_the_workflow_nothing_of_its_heartbeats(client: Client) -> None:
    @activity.defn(name=WORK)
    async def gives_up() -> None:
        activity.heartbeat({"next_index": 7})
        token = activity.info().task_token
        await client.get_async_activity_handle(task_token=token).heartbeat({"next_index": 8})
        raise ApplicationError("no more", type="Broken", non_retryable=True)

    async with working(client, "for-good", gives_up):
        handle = await begun(client, "for-good", Policy(heartbeat_s=60))
        assert await handle.result() == {"type": "Broken", "details": []}
        assert "next_index" not in (await handle.fetch_history()).to_json()
