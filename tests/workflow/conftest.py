"""One time-skipping server a test: a chamber that ends with an activity pending would lock the clock of the next."""

from collections.abc import AsyncIterator

import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.workflow.servers import time_skipping


@pytest_asyncio.fixture
async def env() -> AsyncIterator[WorkflowEnvironment]:
    """A server whose clock skips while no activity runs."""
    async with time_skipping() as environment:
        yield environment
