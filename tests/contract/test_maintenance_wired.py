"""The worker as it is composed: it makes the schedule, and what that starts maintains a real PostgreSQL."""

import asyncio

import asyncpg
import pytest
from pydantic import SecretStr
from temporalio.client import Client

from collector import wire
from collector.domain.sealing import MaintenanceOutcome
from stack.server import Server
from workers.bootstrap import parts_of
from workers.chamber_worker import make_worker
from workers.settings import WorkerSettings

pytestmark = pytest.mark.timeout(120)


async def test_a_worker_makes_the_schedule_and_carries_out_what_it_starts(
    server: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
    settings = WorkerSettings(postgres=SecretStr(database), retention_days=30)
    async with parts_of(settings) as parts:
        worker = make_worker(parts.client, parts.activities, settings, upkeep=parts.upkeep)
        async with worker:
            await parts.client.get_schedule_handle(wire.MAINTENANCE_SCHEDULE).trigger()
            outcome = await asyncio.wait_for(result_of(parts.client), 30)
    assert outcome == MaintenanceOutcome(partitions_made=12)
    connection = await asyncpg.connect(database)
    try:
        assert await connection.fetchval("SELECT count(*) FROM pg_inherits WHERE inhparent = 'reading'::regclass") == 16
    finally:
        await connection.close()


async def result_of(client: Client) -> MaintenanceOutcome:
    """Of the run that the schedule started."""
    while True:
        async for found in client.list_workflows(f'WorkflowType="{wire.MAINTENANCE_WORKFLOW}"'):
            outcome: MaintenanceOutcome = await client.get_workflow_handle(
                found.id, result_type=MaintenanceOutcome
            ).result()
            return outcome
        await asyncio.sleep(0.1)
