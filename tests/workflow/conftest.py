"""The time-skipping Temporal server from its wheel."""

import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.testing import WorkflowEnvironment

from collector import wire


def binary(name: str) -> str:
    """A program of the locked environment."""
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    assert found, f"{name} is not beside {sys.executable}: run `make check` once to make the environment"
    return found


@pytest_asyncio.fixture
async def env() -> AsyncIterator[WorkflowEnvironment]:
    """One server a test: a chamber that is terminated with an activity pending would lock the clock of the next one."""
    environment = await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=binary("temporal-test-server")
    )
    kinds = dict.fromkeys(
        (wire.SEARCH_ORGANIZATION, wire.SEARCH_SECTION, wire.SEARCH_STATUS, wire.SEARCH_PROFILE),
        IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    )
    kinds[wire.SEARCH_INTERVAL_SECONDS] = IndexedValueType.INDEXED_VALUE_TYPE_INT
    async with environment:
        await environment.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=environment.client.namespace, search_attributes=kinds)
        )
        yield environment
