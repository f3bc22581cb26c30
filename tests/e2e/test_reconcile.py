"""What operators and accidents do to a chamber behind the registry's back, on the real stack, cause after cause."""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from temporalio.client import Client

from adapters.postgres.pool import Postgres
from adapters.postgres.registry import PostgresRegistry
from adapters.temporal_control import TemporalFleet
from collector.domain.outcome import Epoch
from tests.e2e.running_stack import SCRAPE, Json, RunningStack, collecting, eventually, started

STALE_S = 66
"""A chamber at 1 or 2 s is stale after two intervals and 60 s."""
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(420), pytest.mark.xdist_group("reconcile")]


@dataclass(frozen=True)
class Behind:
    """The stack, and what was done to its chambers before the first test: all of it more than `STALE_S` ago."""

    stack: RunningStack
    document: Json

    def temporal(self, command: str) -> str:
        """Run a `temporal` command; it must succeed."""
        done = self.stack.shell(f"temporal {command}")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def reconcile(self, wish: str = "{}") -> Json:
        """Run it by hand, as the documents say, and answer what it found."""
        name = f"reconcile/{time.monotonic_ns()}"
        command = f"workflow execute --type Reconcile --task-queue chamberlog -w {name} --input '{wish}' -o json"
        answer = json.loads(self.temporal(command))["result"]
        assert isinstance(answer, dict)
        return answer

    def run_of(self, chamber: str) -> str:
        """The id of its newest run."""
        described = json.loads(self.temporal(f"workflow describe -w chamber/{chamber} -o json"))
        return str(described["workflowExecutionInfo"]["execution"]["runId"])

    def gaps(self, chamber: str) -> dict[str, int]:
        """Slots of the chamber's gaps by reason."""
        counted: dict[str, int] = {}
        for gap in self.stack.json(f"gaps {chamber} --from=-10m")["items"]:
            counted[gap["reason"]] = counted.get(gap["reason"], 0) + gap["slots"]
        return counted

    def unaccounted(self, chamber: str) -> int:
        """What the audit says of it."""
        audit = json.loads(self.stack.shell(f"chamberlog audit {chamber} --json").stdout)
        return int(audit["unaccounted"])

    @asynccontextmanager
    async def servers(self) -> AsyncIterator[tuple[PostgresRegistry, TemporalFleet]]:
        """The registry and the fleet, without the API."""
        postgres = Postgres(self.document["postgres"], size=1)
        try:
            yield PostgresRegistry(postgres), TemporalFleet(await Client.connect(self.document["temporal"]))
        finally:
            await postgres.close()


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    """A stack of twelve chambers, two of which Temporal itself holds."""
    home = tmp_path_factory.mktemp("reconcile") / ".chamberlog"
    with started(home) as process:
        stack = collecting(home, process)
        behind = Behind(stack, json.loads((home / "stack.json").read_text()))
        behind.temporal("schedule toggle --schedule-id reconcile --pause --reason test")  # runs by hand find it all
        behind.temporal("workflow pause -w chamber/sim-01 --reason test")
        pending = json.loads(behind.temporal("workflow describe -w chamber/sim-02 -o json"))["pendingActivities"]
        behind.temporal(f"activity pause -w chamber/sim-02 --activity-id {pending[0]['activityId']}")
        os.kill(behind.document["pids"]["worker"][0], signal.SIGKILL)  # a paused round goes on until its attempt ends
        time.sleep(STALE_S)
        yield behind
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)


def what_temporal_itself_holds_is_found_and_left_alone(behind: Behind) -> None:
    found = behind.reconcile()["examples"]
    assert found["held"] == ["sim-01: it is paused in Temporal itself"]
    assert "sim-02: its activity collect is paused in Temporal itself: unpause it" in found["stale"]
    assert behind.stack.json("show sim-01")["status"] == "stale"

    behind.temporal("workflow unpause -w chamber/sim-01 --reason test")
    pending = json.loads(behind.temporal("workflow describe -w chamber/sim-02 -o json"))["pendingActivities"]
    behind.temporal(f"activity unpause -w chamber/sim-02 --activity-id {pending[0]['activityId']}")

    for chamber, slots in (("sim-01", 30), ("sim-02", 30)):
        eventually(lambda c=chamber, s=slots: behind.gaps(c).get("missed", 0) >= s, 60)  # type: ignore[misc]
        eventually(lambda c=chamber: behind.stack.json(f"show {c}")["status"] == "collecting", 60)  # type: ignore[misc]
        assert behind.unaccounted(chamber) == 0
    left = behind.reconcile()
    assert "held" not in left["counts"]
    assert "sim-02" not in str(left["examples"].get("stale"))


def a_terminated_chamber_is_started_and_what_it_held_is_lost(behind: Behind) -> None:
    behind.temporal("workflow terminate -w chamber/sim-04 --reason test")
    time.sleep(5)
    assert behind.reconcile()["examples"]["started"] == ["sim-04: its workflow did not run"]
    eventually(lambda: behind.stack.json("show sim-04")["status"] == "collecting", 30)
    before = len(behind.stack.readings("sim-04"))
    eventually(lambda: len(behind.stack.readings("sim-04")) > before, 30)
    assert set(behind.gaps("sim-04")) <= {"missed", "lost"}
    assert behind.unaccounted("sim-04") == 0


def the_schedule_starts_it_too(behind: Behind) -> None:
    ended = behind.run_of("sim-06")
    behind.temporal("schedule toggle --schedule-id reconcile --unpause --reason test")
    behind.temporal("workflow terminate -w chamber/sim-06 --reason test")
    eventually(lambda: behind.run_of("sim-06") != ended, 80)
    behind.temporal("schedule toggle --schedule-id reconcile --pause --reason test")
    metrics = behind.stack.shell(SCRAPE).stdout
    assert 'chamberlog_upkeep_age_seconds{upkeep="reconcile"}' in metrics
    assert 'status="stale"' in metrics


def a_reset_chamber_goes_on_and_its_readings_win(behind: Behind) -> None:
    stored = len(behind.stack.readings("sim-05"))
    behind.temporal("workflow reset -w chamber/sim-05 --type FirstWorkflowTask --reason test")
    eventually(lambda: len(behind.stack.readings("sim-05")) > stored + 1, 60)
    assert behind.unaccounted("sim-05") == 0
    slots = [reading["slot"] for reading in behind.stack.readings("sim-05")]
    assert len(slots) == len(set(slots))
    eventually(lambda: json.loads(behind.stack.shell("chamberlog audit sim-05 --json").stdout)["overdue"] == 0, 60)


def a_row_that_nobody_started_is_started_and_a_chamber_without_a_row_is_an_orphan(behind: Behind) -> None:
    async def prepare() -> None:
        async with behind.servers() as (registry, fleet):
            row = await registry.find("default", "sim-03")
            now_ms = time.time_ns() // 1_000_000
            for name in ("never-started", "orphan"):
                spec = replace(row.spec, id=name, version=1)
                first = spec.grid.after(now_ms)
                if name == "orphan":
                    await fleet.start(replace(row, spec=spec, settled_through_ms=first - 1, first_slot_ms=first))
                else:
                    epoch = Epoch(first, spec.grid.interval_ms, spec.grid.phase_ms, 1)
                    await registry.enrol(spec, epoch, now_ms)

    asyncio.run(prepare())
    eventually(lambda: "chamber/orphan" in behind.temporal("workflow list -o json"), 30)
    answer = behind.reconcile()
    assert answer["examples"]["started"] == ["never-started: its workflow did not run"]
    assert answer["examples"]["orphan"] == ["orphan: it runs, and the registry has no such chamber"]
    eventually(lambda: len(behind.stack.readings("never-started")) > 1, 60)
    assert behind.unaccounted("never-started") == 0
    assert "chamber/orphan" in behind.temporal("workflow list --query 'ExecutionStatus=\"Running\"' -o json")
    behind.temporal("workflow terminate -w chamber/orphan --reason test")


def the_report_is_a_page_in_the_web_ui(behind: Behind) -> None:
    behind.reconcile('{"dry_run": true}')
    names = behind.temporal("workflow list --query 'WorkflowType=\"Reconcile\"' --limit 1 -o json")
    name = json.loads(names)[0]["execution"]["workflowId"]
    assert "chambers in the registry" in behind.temporal(f"workflow metadata -w {name}")


CAUSES = (
    what_temporal_itself_holds_is_found_and_left_alone,
    a_terminated_chamber_is_started_and_what_it_held_is_lost,
    the_schedule_starts_it_too,
    a_reset_chamber_goes_on_and_its_readings_win,
    a_row_that_nobody_started_is_started_and_a_chamber_without_a_row_is_an_orphan,
    the_report_is_a_page_in_the_web_ui,
)
"""In this order: what Temporal itself holds is let go first, so that the stack can stop in the end."""


def test_each_cause_is_seen_repaired_and_recorded_as_the_runbook_says(behind: Behind) -> None:
    for cause in CAUSES:
        cause(behind)
