"""The account of a kill: what each slot became, and how long a chamber was silent."""

from bench.killing import KILL, Aftermath, Kill, account_of_kill, longest_silence_ms
from bench.peers.slots import Row
from bench.workloads import Workload
from collector.domain.cadence import Grid
from collector.domain.timerange import TimeRange

SPAN = TimeRange(100_000, 120_000)
GRIDS = {1: Grid(5_000, 0), 2: Grid(5_000, 1_200)}
FLEET = Workload("kill", chambers=2, interval_s=5, window_s=75.0)
DEATH = Kill(at_ms=104_000, down_s=3.14, span=SPAN)
STEADY = [Row(2, slot, slot + 4) for slot in range(101_200, 120_000, 5_000)]
"""Chamber 2 was spared: 4 slots."""


def test_every_slot_stored_once_is_no_loss() -> None:
    rows = [*STEADY, *(Row(1, slot, slot) for slot in range(100_000, 120_000, 5_000))]
    assert account_of_kill(DEATH, Aftermath(GRIDS, rows, {}), FLEET) == {
        "chambers": 2,
        "interval_s": 5,
        "from": "1970-01-01T00:01:40.000Z",
        "killed_at": "1970-01-01T00:01:44.000Z",
        "to": "1970-01-01T00:02:00.000Z",
        "worker_down_s": 3.1,
        "expected": 8,
        "stored": 8,
        "gaps": {},
        "lost_silently": 0,
        "doubled": 0,
        "late": 0,
        "longest_silence_s": 5.0,
    }


def test_lost_doubled_and_late_are_told_apart() -> None:
    rows = [*STEADY, Row(1, 100_000, 100_000), Row(1, 100_000, 112_000), Row(1, 115_000, 115_001)]
    found = account_of_kill(DEATH, Aftermath(GRIDS, rows, {}), FLEET)
    assert (found["stored"], found["lost_silently"]) == (6, 2)
    assert (found["doubled"], found["late"]) == (1, 1)
    assert found["longest_silence_s"] == 12.0


def test_a_recorded_gap_is_not_lost_silently() -> None:
    rows = [*STEADY, Row(1, 100_000, 100_000), Row(1, 115_000, 115_000)]
    found = account_of_kill(DEATH, Aftermath(GRIDS, rows, {"missed": 2}), FLEET)
    assert (found["gaps"], found["lost_silently"]) == ({"missed": 2}, 0)


def test_a_reading_exactly_an_interval_late_is_not_late() -> None:
    rows = [Row(1, 100_000, 105_000), Row(2, 101_200, 106_201)]
    assert account_of_kill(DEATH, Aftermath(GRIDS, rows, {}), FLEET)["late"] == 1


def test_a_chamber_that_never_came_back_is_silent_to_the_end() -> None:
    assert longest_silence_ms(Aftermath(GRIDS, [*STEADY, Row(1, 100_000, 100_250)], {}), SPAN) == 19_750
    assert longest_silence_ms(Aftermath(GRIDS, STEADY, {}), SPAN) == 20_000


def test_the_usual_fleet_is_watched_longer_than_any_of_them_needs_to_notice() -> None:
    assert (KILL.chambers, KILL.interval_s) == (100, 5)
    assert KILL.window_s > 60
