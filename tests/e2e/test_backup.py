"""The readings' database is lost and restored from a dump into another server, as docs/backup.md says."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from stack.fleet import now_ms
from stack.postgres import start_postgres
from stack.scratch import START_S
from stack.server import Server
from stack.supervisor import Part
from tests.e2e.running_fleet import Json, RunningFleet, running_fleet, until
from tests.e2e.running_stack import code_lines

PAGE = Path(__file__).parents[2] / "docs/backup.md"
HOLE_S = 10
"""What was stored so long after the dump is lost with the server."""
SLACK_MS = 6_000
"""Slots of rounds in hand at the dump and at the loss belong to the hole too."""
ROUND_S = 5
"""A chamber learns at the end of a round what was stored; by default that lasts 5 minutes."""
STALE_S = 60 + 2 * 5 + 5
"""A chamber of 5 s that settles nothing is stale after this: then reconcile looks at what it thinks is stored."""
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300), pytest.mark.xdist_group("backup")]


@pytest_asyncio.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[RunningFleet]:
    async with running_fleet(tmp_path / ".chamberlog", 7) as running:
        yield running


async def test_what_was_stored_after_the_dump_is_recorded_as_lost_and_nothing_else(
    fleet: RunningFleet, tmp_path: Path
) -> None:
    (dump,), (restore,) = code_lines(PAGE, "pg_dump"), code_lines(PAGE, "pg_restore")
    await fleet.enrol([1, 1, 2, 2, 5, 5], ROUND_S)
    await fleet.until_collected_since(now_ms())
    from_ms = now_ms()

    await fleet.shell(dump, tmp_path)
    dumped_ms = now_ms()
    await asyncio.sleep(HOLE_S)
    stored_in_hole = (await fleet.api.audit(dumped_ms, now_ms()))["stored"]
    (orphan,) = await fleet.enrol([2], ROUND_S)
    await fleet.until_collected_since(dumped_ms)
    await lose_postgres(fleet)
    lost_ms = now_ms()
    await start_another_postgres(fleet)
    await fleet.shell(restore, tmp_path)
    assert await reconciled(fleet, tmp_path) == {"orphan": 1}, "enrolled after the dump: the registry does not know it"
    await fleet.enrol_again(orphan, 2, ROUND_S)
    await fleet.until_collected_since(now_ms())
    assert (await fleet.api.audit(dumped_ms, lost_ms))["overdue"] > 0, "nobody says that the hole is settled"

    await asyncio.sleep(max(0, STALE_S - (now_ms() - dumped_ms) / 1000))
    await reconciled(fleet, tmp_path)
    to_ms = now_ms()
    proof = await fleet.settled(from_ms, to_ms)
    runs = await fleet.gaps(from_ms, to_ms)
    assert proof["unaccounted"] == 0
    assert gaps_of(proof).keys() == {"lost"}, runs
    assert proof["expected"] == proof["stored"] + proof["gaps"]["lost"]
    hole = await fleet.api.audit(dumped_ms - SLACK_MS, lost_ms + SLACK_MS)
    assert hole["gaps"]["lost"] == proof["gaps"]["lost"], runs
    assert hole["gaps"]["lost"] >= stored_in_hole > 20, runs


async def reconciled(fleet: RunningFleet, folder: Path) -> Json:
    """Run it by hand until it finds nothing that it could repair; its schedule runs beside. Answers what is left."""
    (command,) = code_lines(PAGE, "temporal workflow execute")

    left: Json = {}

    async def finds_nothing() -> bool:
        answer = json.loads(await fleet.shell(f"{command} -o json", folder))
        assert answer["status"] == "COMPLETED", answer
        left.clear()
        left.update(answer["result"]["counts"])
        if not {"begun_again", "failed", "told", "started"} & left.keys():
            return True
        await asyncio.sleep(ROUND_S)  # what it told them is stored with their next round
        return False

    await until(finds_nothing)
    return left


async def lose_postgres(fleet: RunningFleet) -> None:
    """The server and its data are gone."""
    await fleet.supervisor.keeper("postgres").stop()
    await asyncio.to_thread(shutil.rmtree, fleet.layout.home.data("postgres"))


async def start_another_postgres(fleet: RunningFleet) -> None:
    """An empty server in its place: the workers find nothing that they know."""
    layout = fleet.layout

    def start() -> Server:
        data, port, password = layout.home.data("restored"), layout.ports["postgres"], layout.passwords["postgres"]
        return start_postgres(data, port, password, log=layout.home.log("restored"))

    async def at_once() -> bool:
        return True

    await fleet.supervisor.start([Part("postgres", start, at_once)], START_S)


def gaps_of(proof: Json) -> Json:
    return {reason: slots for reason, slots in proof["gaps"].items() if slots}
