"""The time-skipping Temporal server from its wheel, ready for chambers."""

import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from weakref import WeakKeyDictionary

from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.testing import WorkflowEnvironment

from adapters.temporal_client import SEARCH_ATTRIBUTES
from tests.workflow.endings import ServerProcess, children, in_time

IDENTITY = "test"
"""Histories are stored: they must not name the machine that recorded them."""


def binary(name: str) -> str:
    """A program of the locked environment."""
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    assert found, f"{name} is not beside {sys.executable}: run `make check` once to make the environment"
    return found


_processes: WeakKeyDictionary[WorkflowEnvironment, ServerProcess] = WeakKeyDictionary()


def process_of(env: WorkflowEnvironment) -> ServerProcess:
    """The process behind an environment of `time_skipping`."""
    return _processes[env]


@asynccontextmanager
async def time_skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A server whose clock skips while no activity runs; in the end it is gone, whatever it does.

    Raises:
        AssertionError: it did not end when it was told to, and was killed.
    """
    path, before = binary("temporal-test-server"), children()
    env = await WorkflowEnvironment.start_time_skipping(test_server_existing_path=path, identity=IDENTITY)
    started = children() - before
    process = _processes[env] = ServerProcess(started.pop() if len(started) == 1 else None)
    try:
        wanted = AddSearchAttributesRequest(namespace=env.client.namespace, search_attributes=SEARCH_ATTRIBUTES)
        await env.client.operator_service.add_search_attributes(wanted)
        yield env
    finally:
        await in_time("the time-skipping server", env.shutdown(), process)
