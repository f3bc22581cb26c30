"""The end of a stage comes even when its server has stopped answering, and says so."""

import asyncio
import os
import signal
import time

import pytest

from tests.workflow.endings import ServerProcess, children, in_time
from tests.workflow.servers import process_of, time_skipping
from tests.workflow.stage import spec, staged


async def frozen(seen: list[ServerProcess]) -> None:
    """A chamber whose server stops answering in the middle of a test."""
    async with time_skipping() as env, staged(env, spec("frozen", 60)) as stage:
        await stage.pass_s(100)
        process = process_of(env)
        seen.append(process)
        process.limit_s = 1.0
        if process.pid is None:
            pytest.skip("the server's process cannot be found without /proc")
        os.kill(process.pid, signal.SIGSTOP)


async def test_a_server_that_answers_no_more_is_killed_and_the_test_fails_with_a_sentence() -> None:
    began, seen = time.monotonic(), list[ServerProcess]()
    with pytest.raises(AssertionError, match="did not end within 1 s; the time-skipping server was killed"):
        await frozen(seen)
    assert time.monotonic() - began < 30
    assert [process.killed for process in seen] == [True]
    assert seen[0].pid not in children()


async def test_what_ends_in_time_kills_nothing() -> None:
    server = ServerProcess(None)
    await in_time("nothing", asyncio.sleep(0), server)
    assert not server.killed


async def test_what_fails_while_it_ends_is_told() -> None:
    async def failing() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await in_time("failing", failing(), ServerProcess(None))
