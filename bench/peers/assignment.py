"""What a peer's worker is told: addresses, chambers and tuning, in one JSON file that Node and Python read."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.devices import device_host
from bench.workloads import Workload
from collector.domain.cadence import Grid, phase_of
from stack.home import write_private

LONGEST_TIMEOUT_MS = 10_000
PhaseOf = Callable[[str, int], int]


@dataclass(frozen=True, slots=True)
class PeerChamber:
    """A chamber as a peer knows it.

    Attributes:
        id: the same as in the stack's own workload.
        number: counted from 1; what its rows carry.
        url: of its device.
        phase_ms: of its slots.
    """

    id: str
    number: int
    url: str
    phase_ms: int

    def grid(self, interval_ms: int) -> Grid:
        """Its slots."""
        return Grid(interval_ms, self.phase_ms)


@dataclass(frozen=True, slots=True)
class Assignment:
    """The whole of it.

    Attributes:
        postgres: DSN of the readings' database.
        redis: URL of Valkey.
        temporal: host:port.
        insert: the one statement that stores a reading.
        interval_ms: of every chamber.
        timeout_ms: of a request.
        ready_port: the worker listens there once it works.
        tuning: the peer's settings by name.
        chambers: all of them.
    """

    postgres: str = field(repr=False)
    redis: str = field(repr=False)
    temporal: str
    insert: str
    interval_ms: int
    timeout_ms: int
    ready_port: int
    tuning: Mapping[str, int]
    chambers: list[PeerChamber]

    def write(self, file: Path) -> None:
        """For its owner only: it holds passwords."""
        write_private(file, json.dumps(asdict(self), indent=1) + "\n")


def read_assignment(file: Path) -> Assignment:
    """What `Assignment.write` wrote."""
    document = json.loads(file.read_text())
    return Assignment(**document | {"chambers": [PeerChamber(**chamber) for chamber in document["chambers"]]})


def timeout_ms(interval_ms: int) -> int:
    """The time budget of a request, as chamberlog's chambers have it by default."""
    return min(LONGEST_TIMEOUT_MS, interval_ms // 2)


def chambers_of(workload: Workload, device_port: int, phase: PhaseOf = phase_of) -> list[PeerChamber]:
    """The fleet of a workload: the ids, devices and phases that chamberlog's own have.

    Args:
        workload: how many, and their interval.
        device_port: of all devices.
        phase: where a peer cannot keep chamberlog's phases, its own.
    """
    ids = [f"bench-{number:05d}" for number in range(1, workload.chambers + 1)]
    interval_ms = workload.interval_s * 1000
    return [
        PeerChamber(name, number, f"http://{device_host(number - 1)}:{device_port}/", phase(name, interval_ms))
        for number, name in enumerate(ids, 1)
    ]
