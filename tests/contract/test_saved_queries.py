"""The queries of docs/temporal-ui.md: each is its own link, the real server takes it, and it finds what it says."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from temporalio import workflow
from temporalio.api.workflowservice.v1 import PauseWorkflowExecutionRequest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from adapters.temporal_raw import listed
from collector import wire
from collector.domain.health import Status
from stack.server import Server
from tests.contract.fleet_rooms import record, registered
from workflows import presentation

pytestmark = pytest.mark.timeout(120)
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "temporal-ui.md"
ROW = re.compile(r"^\| ([^|]+) \| \[`([^`]+)`\]\(([^)]+)\) \|$", re.MULTILINE)
FOUND: Mapping[str, set[str]] = {
    "all chambers": {"collecting", "failing", "paused", "retiring", "elsewhere", "foreign", "fast"},
    "who fails": {"failing"},
    "who is paused": {"paused"},
    "who fails or is paused": {"failing", "paused"},
    "one section": {"collecting", "failing", "paused", "retiring", "foreign", "fast"},
    "one organization": {"collecting", "failing", "paused", "retiring", "elsewhere", "fast"},
    "one kind of device": {"fast"},
    "the fast ones": {"fast"},
    "who retires, and still has something to store": {"retiring"},
    "held in Temporal itself": {"held"},
    "reconciliations that failed": {"reconcile"},
}
"""What each finds of the fleet below. A chamber whose workflow tasks fail is in test_fleet_runs.py."""
STUCK = "whose workflow tasks fail"


def saved() -> dict[str, tuple[str, str]]:
    """What each row of the document finds, its query and its link."""
    rows = ROW.findall(DOCUMENT.read_text("utf-8"))
    assert len(rows) == len({what for what, _, _ in rows})
    return {what: (query, link) for what, query, link in rows}


def test_the_document_has_these_queries_and_no_other() -> None:
    assert saved().keys() == {*FOUND, STUCK}


@pytest.mark.parametrize("what", [*FOUND, STUCK])
def test_a_link_leads_to_its_query(what: str) -> None:
    query, link = saved()[what]
    where = urlsplit(link)
    assert where.path == "/temporal/namespaces/default/workflows"
    assert parse_qs(where.query, strict_parsing=True) == {"query": [query]}
    assert "ExecutionStatus=" in query  # closed runs keep their attributes


@workflow.defn(name=wire.RECONCILE_WORKFLOW)
class Fails:
    """A reconciliation that repaired nothing."""

    @workflow.run
    async def run(self) -> None:
        raise ApplicationError("too much differs", non_retryable=True)


@pytest_asyncio.fixture
async def client(server: Server) -> Client:
    return await registered(server)


async def begin(client: Client, name: str, status: Status = Status.COLLECTING, **changes: Any) -> None:
    """A chamber as operators see it; no worker runs it."""
    await client.start_workflow(
        wire.CHAMBER_WORKFLOW,
        id=wire.workflow_id(name),
        task_queue="nobody",
        search_attributes=presentation.attributes(replace(record(name).spec, **changes), status),
    )


async def begin_all(client: Client) -> None:
    """One of each kind."""
    await begin(client, "collecting")
    await begin(client, "failing", Status.FAILING)
    await begin(client, "paused", Status.PAUSED)
    await begin(client, "retiring", Status.RETIRING)
    await begin(client, "elsewhere", section="incubators")
    await begin(client, "foreign", organization="acme")
    await begin(client, "fast", profile="airgradient", interval_ms=5_000)
    await begin(client, "ended", Status.FAILING)
    await client.get_workflow_handle(wire.workflow_id("ended")).terminate()
    await begin(client, "held", Status.PAUSED)
    request = PauseWorkflowExecutionRequest(namespace="default", workflow_id=wire.workflow_id("held"), reason="a test")
    await client.workflow_service.pause_workflow_execution(request)
    async with Worker(client, task_queue="r", workflows=[Fails], workflow_runner=UnsandboxedWorkflowRunner()):
        with pytest.raises(WorkflowFailureError):
            await client.execute_workflow(wire.RECONCILE_WORKFLOW, id="reconcile", task_queue="r")


async def found_by(client: Client, query: str) -> set[str]:
    return {wire.chamber_id(info.execution.workflow_id) async for info in listed(client, query)}


async def test_each_query_finds_what_it_says(client: Client) -> None:
    await begin_all(client)
    expected, found = {**FOUND, STUCK: set[str]()}, dict[str, set[str]]()
    for _ in range(200):  # lists lag behind what was started
        found = {what: await found_by(client, query) for what, (query, _) in saved().items()}
        if found == expected:
            break
        await asyncio.sleep(0.1)
    assert found == expected
