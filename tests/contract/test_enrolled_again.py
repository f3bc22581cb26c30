"""A chamber that is enrolled again while the workflow of its former life still ends."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from adapters.temporal_client import register_search_attributes
from adapters.temporal_control import TemporalFleet
from collector import wire
from collector.messages import RetireRequest, StoreOutcome, StoreRequest
from stack.temporal import start_temporal
from tests.contract.fleet_rooms import collect, collect_adhoc, record
from workflows.chamber import ChamberWorkflow

pytestmark = pytest.mark.timeout(60)


async def test_the_new_life_begins_when_the_former_has_ended(tmp_path: Path) -> None:
    stored, answer = asyncio.Event(), asyncio.Event()

    @activity.defn(name=wire.STORE)
    async def store(request: StoreRequest) -> StoreOutcome:
        """The ledger has the end of the epoch; the workflow does not know yet."""
        stored.set()
        await answer.wait()
        return StoreOutcome()

    server = start_temporal(tmp_path / "data")
    try:
        client = await Client.connect(server.address)
        await register_search_attributes(client)
        activities: list[Callable[..., Any]] = [collect, store, collect_adhoc]
        async with Worker(client, task_queue=wire.TASK_QUEUE, workflows=[ChamberWorkflow], activities=activities):
            fleet = TemporalFleet(client)
            await fleet.start(record("phoenix"))
            await fleet.retire("phoenix", RetireRequest("moved"))
            await stored.wait()

            again = asyncio.create_task(fleet.start(record("phoenix", version=2)))
            await asyncio.sleep(0.5)
            answer.set()
            await again

            status = await fleet.status("phoenix")
            assert (status.version, status.status) == (2, "starting")
            await client.get_workflow_handle(wire.workflow_id("phoenix")).terminate()
    finally:
        server.stop()
