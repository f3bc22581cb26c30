"""The peers' fleets, and the arithmetic of their slots: expected, doubled, missing, late."""

import re
from pathlib import Path
from stat import S_IMODE

import pytest

from bench.accounting import MachineCpu, Memory
from bench.errors import BenchError
from bench.measure import Used, bodies
from bench.peers import node
from bench.peers.activities import NAMES, instant, numbers
from bench.peers.assignment import Assignment, chambers_of, read_assignment, timeout_ms
from bench.peers.kinds import PEERS, peer_of
from bench.peers.measure import PeerWindow, peer_figures, what
from bench.peers.slots import Row, SlotCount, count_slots, expected_slots, lateness_ms
from bench.workloads import Workload
from collector.domain.cadence import Grid, grid_of
from collector.domain.timerange import TimeRange

FLEET = Workload("fast", 600, 5, 15.0)
GRIDS = {1: Grid(5_000, 0), 2: Grid(5_000, 1_200)}
SPAN = TimeRange(100_000, 110_000)
"""Slots of 1: 100,000 and 105,000; of 2: 101,200 and 106,200."""


def test_a_peer_has_the_chambers_devices_and_phases_of_the_stack() -> None:
    ours, theirs = bodies(FLEET, 29_000), chambers_of(FLEET, 29_000)
    assert [(c.id, c.url) for c in theirs] == [(body["id"], body["url"]) for body in ours]
    assert [c.number for c in theirs] == list(range(1, 601))
    assert all(c.grid(5_000) == grid_of(c.id, 5_000) for c in theirs)


def test_schedules_keep_whole_seconds_because_their_server_does() -> None:
    phases = {c.phase_ms for c in chambers_of(FLEET, 29_000, PEERS["schedules"].phase)}
    assert phases == {0, 1_000, 2_000, 3_000, 4_000}


def test_a_request_has_the_time_that_chamberlog_gives_it() -> None:
    assert (timeout_ms(1_000), timeout_ms(5_000), timeout_ms(60_000)) == (500, 2_500, 10_000)


def test_an_assignment_is_read_as_it_was_written_and_private(tmp_path: Path) -> None:
    file = tmp_path / "assignment.json"
    written = Assignment("dsn", "url", "host:1", "INSERT", 5_000, 2_500, 4, {"room": 7}, chambers_of(FLEET, 29_000))
    written.write(file)
    assert read_assignment(file) == written
    assert S_IMODE(file.stat().st_mode) == 0o600
    assert "dsn" not in repr(written)


@pytest.mark.parametrize(
    ("span", "slots"),
    [
        (SPAN, 4),
        (TimeRange(100_000, 100_001), 1),
        (TimeRange(100_001, 101_200), 0),
        (TimeRange(100_001, 105_000), 1),
        (TimeRange(100_000, 100_000), 0),
    ],
)
def test_slots_are_expected_from_the_begin_of_a_range_to_before_its_end(span: TimeRange, slots: int) -> None:
    assert expected_slots(GRIDS.values(), span) == slots


def test_each_slot_is_stored_doubled_or_missing() -> None:
    rows = [Row(1, 100_000, 100_003), Row(1, 100_000, 130_000), Row(2, 101_200, 101_201), Row(2, 106_201, 106_201)]
    assert count_slots(GRIDS, rows, SPAN) == SlotCount(expected=4, stored=2, doubled=1, missing=2, astray=1)
    assert count_slots(GRIDS, [], SPAN) == SlotCount(4, 0, 0, 4, 0)


def test_lateness_is_interpolated_as_the_database_does_it_for_the_stack() -> None:
    rows = [Row(1, 100_000, 100_000 + late) for late in (40, 10, 30, 20)]
    assert lateness_ms(rows) == {"p50": 25.0, "p95": 38.5, "p99": 39.7, "max": 40.0}
    assert lateness_ms(rows[:1]) == {"p50": 40.0, "p95": 40.0, "p99": 40.0, "max": 40.0}
    assert lateness_ms([]) == {}


def window(*rows: Row) -> PeerWindow:
    cpu_s = {"postgres": 0.02, "valkey": 0.01, "worker": 0.05, "devices": 0.03}
    used = Used(SPAN, 10.0, cpu_s, 0.04, MachineCpu(0.5, 0.0))
    return PeerWindow(used, GRIDS, rows, {"worker": Memory(3, 2)})


def test_figures_are_per_slot_with_a_reading() -> None:
    found = peer_figures(window(Row(1, 100_000, 100_010), Row(1, 100_000, 100_030), Row(2, 101_200, 101_250)))
    assert found == {
        "window": {"from": "1970-01-01T00:01:40.000Z", "to": "1970-01-01T00:01:50.000Z", "seconds": 10.0},
        "readings": {"expected": 4, "stored": 2, "doubled": 1, "missing": 2, "astray": 0, "per_second": 0.2},
        "cpu_ms_per_reading": {"postgres": 10.0, "valkey": 5.0, "worker": 25.0, "total": 40.0},
        "apart_cpu_ms_per_reading": {"devices": 15.0, "bench": 20.0},
        "cores_used": 0.008,
        "machine_cpu_s": {"stack": 0.08, "apart": 0.07, "other": 0.35, "busy": 0.5, "steal": 0.0},
        "lateness_ms": {"p50": 30.0, "p95": 48.0, "p99": 49.6, "max": 50.0},
        "memory_bytes": {"worker": {"rss_peak": 3, "pss": 2}},
    }


def test_a_peer_that_stored_nothing_has_no_figures() -> None:
    with pytest.raises(BenchError, match="stored no reading"):
        peer_figures(window())


def test_what_was_measured_is_said_with_its_settings() -> None:
    said = what(peer_of("naive"), FLEET)
    assert (said["name"], said["chambers"], said["interval_s"]) == ("naive", 600, 5)
    assert said["settings"]["max_cached_workflows"] > 600


def test_a_peer_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(BenchError, match="'bull'; there are bullmq, schedules, naive"):
        peer_of("bull")


def test_temporal_peers_have_room_for_every_chamber_at_once() -> None:
    for name in ("schedules", "naive"):
        room = peer_of(name).tuning(5_000)
        assert room["max_cached_workflows"] >= 5_000
        assert room["max_concurrent_activities"] >= 5_000


def test_numbers_are_taken_in_their_order_and_must_be_finite() -> None:
    document = {"serial": 5, "pressure": 4, "co2": 3, "humidity": 2, "temperature": 1.5}
    assert numbers(document) == [1.5, 2.0, 3.0, 4.0, 5.0]
    with pytest.raises(ValueError, match="not finite"):
        numbers(document | {"co2": float("nan")})


def test_the_pipeline_in_node_takes_the_same_numbers() -> None:
    listed = re.search(r"const NAMES = \[(.*?)\]", (node.FOLDER / "bullmq" / "worker.mjs").read_text())
    assert listed is not None
    assert tuple(re.findall(r"'(\w+)'", listed[1])) == NAMES


def test_instants_keep_their_milliseconds() -> None:
    assert instant(1_700_000_000_001).isoformat() == "2023-11-14T22:13:20.001000+00:00"
