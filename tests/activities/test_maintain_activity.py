"""`maintain` in Temporal's hands."""

import asyncio

import pytest
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.testing import ActivityEnvironment

from activities.maintenance import BEAT_S, FAILED, MaintenanceActivities
from adapters.clock import SystemClock
from adapters.memory import InMemoryLedger, InMemoryMaintenance, InMemoryUpkeep
from collector.domain.sealing import MaintenanceOutcome
from collector.ports import RolledUp
from collector.usecases.maintain import AHEAD_DAYS, MaintainLedger
from tests.unit.jumping_time import in_jumping_time
from workflows.policies import maintain_policy


class Slow(InMemoryMaintenance):
    """Rolling up takes ten minutes."""

    async def roll_up(self) -> RolledUp:
        await asyncio.sleep(600)
        return await super().roll_up()


class Broken(InMemoryMaintenance):
    """Rolling up is broken."""

    async def roll_up(self) -> RolledUp:
        raise ZeroDivisionError("no hours")


def activities(ledger: InMemoryMaintenance) -> MaintenanceActivities:
    return MaintenanceActivities(MaintainLedger(ledger, 30, SystemClock()), InMemoryUpkeep(InMemoryLedger()))


@in_jumping_time
async def test_it_gives_signs_of_life_while_it_works() -> None:
    environment, beats = ActivityEnvironment(), []
    environment.on_heartbeat = lambda *told: beats.append(told)
    outcome = await environment.run(activities(Slow(InMemoryLedger())).maintain)
    assert outcome == MaintenanceOutcome(partitions_made=AHEAD_DAYS + 2)
    assert len(beats) >= 600 / BEAT_S - 1


def test_its_signs_of_life_come_well_within_the_heartbeat_time_out() -> None:
    assert maintain_policy()["heartbeat_timeout"].total_seconds() >= 3 * BEAT_S


async def test_a_store_that_is_away_is_an_expected_fault() -> None:
    ledger = InMemoryLedger()
    ledger.away = True
    with pytest.raises(ApplicationError) as failed:
        await ActivityEnvironment().run(activities(InMemoryMaintenance(ledger)).maintain)
    assert (failed.value.type, failed.value.category) == ("AwayError", ApplicationErrorCategory.BENIGN)


async def test_a_failed_step_fails_it_and_the_outcome_says_what_was_done() -> None:
    with pytest.raises(ApplicationError) as failed:
        await ActivityEnvironment().run(activities(Broken(InMemoryLedger())).maintain)
    assert failed.value.type == FAILED
    assert failed.value.details[0].partitions_made == AHEAD_DAYS + 2
    assert "no hours" in failed.value.message
