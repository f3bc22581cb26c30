"""The time-skipping Temporal server from its wheel, ready for chambers."""

import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.testing import WorkflowEnvironment

from adapters.temporal_client import SEARCH_ATTRIBUTES

IDENTITY = "test"
"""Histories are stored: they must not name the machine that recorded them."""


def binary(name: str) -> str:
    """A program of the locked environment."""
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    assert found, f"{name} is not beside {sys.executable}: run `make check` once to make the environment"
    return found


@asynccontextmanager
async def time_skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A server whose clock skips while no activity runs."""
    path = binary("temporal-test-server")
    async with await WorkflowEnvironment.start_time_skipping(test_server_existing_path=path, identity=IDENTITY) as env:
        wanted = AddSearchAttributesRequest(namespace=env.client.namespace, search_attributes=SEARCH_ATTRIBUTES)
        await env.client.operator_service.add_search_attributes(wanted)
        yield env
