"""A chamber as people see it, while its round runs."""

import pytest

from collector.domain.chamber import Pause
from collector.messages import ChamberStatus
from collector.ports import ChamberRecord
from collector.usecases.fleet import view_of
from tests.unit.jumping_time import NOON_MS
from tests.unit.round_stage import chamber

SPEC = chamber(10)
RECORD = ChamberRecord(SPEC, None, "collecting", NOON_MS, NOON_MS, NOON_MS)


def live(next_slot_ms: int | None, interval_ms: int = 10_000, pause: Pause | None = None) -> ChamberStatus:
    return ChamberStatus("x", "collecting", next_slot_ms, pause, 0, None, "", 0, 0, 1, interval_ms)


@pytest.mark.parametrize(
    ("first_slot", "interval", "now", "coming"),
    [(5, 10, 0, 5), (5, 10, 4, 5), (5, 10, 5, 15), (5, 10, 37, 45), (3, 7, 200, 206)],
)
def test_the_next_slot_is_never_one_that_the_running_round_has_collected(
    first_slot: int, interval: int, now: int, coming: int
) -> None:
    status = live(NOON_MS + first_slot * 1000, interval * 1000)
    assert view_of(RECORD, NOON_MS + now * 1000, status).next_slot_ms == NOON_MS + coming * 1000


def test_a_chamber_that_is_paused_without_end_has_no_next_slot() -> None:
    assert view_of(RECORD, NOON_MS, live(None, pause=Pause(NOON_MS))).next_slot_ms is None
