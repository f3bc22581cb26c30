"""One collection of a simulated device under a fault: real sockets, the real client, the built-in profile."""

import asyncio
import time
import tracemalloc
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.http_device import HttpDeviceClient
from adapters.memory import InMemoryLatest, InMemoryLedger, InMemoryOutcomes, InMemoryRegistry
from adapters.profile_files import FileProfiles, builtin_profiles_folder
from adapters.secrets import FileAndEnvSecrets
from collector.domain.chamber import ChamberSpec
from collector.domain.egress import EgressPolicies, EgressPolicy, parse_rule
from collector.domain.health import FAILING_AFTER, Health
from collector.domain.memory import Memory
from collector.domain.outcome import Epoch, Gap, Measurement, Reading
from collector.messages import RoundProgress, RoundRequest
from collector.usecases.collect import CollectRound
from collector.usecases.fetch import FetchReading
from simulator.device import SimulatedDevice
from simulator.fleet import FleetPlan, SimulatedFleet, password_of, secret_of
from tests.contract.device_certificate import trusting_context
from tests.unit.round_doubles import CountingMetrics, RecordingLive

PROFILES = FileProfiles([builtin_profiles_folder()])
LOOPBACK = EgressPolicies(default=EgressPolicy((parse_rule("127.0.0.0/8"),)))
INTERVAL_MS = 60_000
AIR = {"temperature_c": 21.5, "humidity_pct": 45.0, "co2_ppm": 600, "pressure_hpa": 1013.2}
"""What the air is like around every device here, but for the noise of its sensors."""


class OffsetClock:
    """`Clock` that is a fixed time ahead of the machine's."""

    def __init__(self, ahead_ms: int = 0) -> None:
        self._ahead_ms = ahead_ms

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self._ahead_ms

    def monotonic_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000


class AloneRound:
    """`RoundControl` of the one attempt of a round that nobody ends."""

    attempt = 1

    def __init__(self, clock: OffsetClock) -> None:
        self._clock = clock

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def beat(self, progress: RoundProgress) -> None:  # noqa: ARG002  the port's signature
        return

    async def make_durable(self, progress: RoundProgress) -> None:  # noqa: ARG002  the port's signature
        return

    async def wait(self, until_ms: int) -> bool:
        await asyncio.sleep(max(0, until_ms - self.now_ms()) / 1000)
        return True

    def fence(self) -> None:
        return

    def ended(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of a slot.

    Attributes:
        outcome: in the ledger.
        took_ms: from the start of the round to its end.
        peak_bytes: memory at its highest during the round, the simulator's own included; 0 = not measured.
        memory: what the next reading is judged by.
    """

    outcome: Reading | Gap
    took_ms: int
    peak_bytes: int
    memory: Memory | None

    @property
    def measurements(self) -> Mapping[str, Measurement]:
        """Of a reading, by name."""
        return {m.name: m for m in self.outcome.measurements} if isinstance(self.outcome, Reading) else {}

    @property
    def gap(self) -> tuple[str, str]:
        """Of a gap: reason and code."""
        assert isinstance(self.outcome, Gap), self.outcome
        return self.outcome.reason.value, self.outcome.detail.partition(":")[0]


class Chamber:
    """A chamber that a simulated device is, and its collections."""

    def __init__(self, device: SimulatedDevice, control: httpx.AsyncClient, password: str | None = None) -> None:
        self.device, self.control, self.dialect = device, control, device.dialect
        wanted = password_of(self.dialect, password)
        self._secrets = {} if wanted is None else {"DEVICE": secret_of(self.dialect, wanted)}

    async def suffer(self, fault: Mapping[str, object]) -> None:
        """Set a fault through the control port; where this machine cannot have it, the test is skipped."""
        answer = await self.control.put(f"/devices/{self.device.id}/fault", json=dict(fault))
        if answer.status_code == 409:
            pytest.skip(answer.json()["error"])
        assert answer.status_code == 200, answer.text

    async def served(self) -> list[dict[str, Any]]:
        """What the device served, oldest first."""
        answer = await self.control.get("/log", params={"device": self.device.id})
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def collect(
        self,
        *,
        timeout_ms: int = 10_000,
        at_ms: int | None = None,
        memory: Memory | None = None,
        measured: bool = False,
        **spec: Any,
    ) -> Seen:
        """Collect one slot, now or at another time of the chamber's clock.

        Args:
            timeout_ms: of the chamber.
            at_ms: what its worker's clock says.
            memory: what the reading is judged by.
            measured: tell the peak of memory.
            spec: changes of the chamber.
        """
        clock = OffsetClock(0 if at_ms is None else at_ms - time.time_ns() // 1_000_000)
        chamber = replace(self._spec(clock.now_ms(), timeout_ms), **spec)
        slot_ms = chamber.grid.at_or_before(clock.now_ms())
        ledger = InMemoryLedger(clock.now_ms)
        await InMemoryRegistry(ledger).enrol(chamber, _epoch(chamber, slot_ms), clock.now_ms())
        async with HttpDeviceClient(tls=trusting_context()) as client:
            secrets = FileAndEnvSecrets(self._secrets)
            fetch = FetchReading(client, PROFILES, secrets, LOOPBACK, clock)
            collect = CollectRound(
                fetch, InMemoryOutcomes(ledger), InMemoryLatest(clock.now_ms), RecordingLive(), CountingMetrics()
            )
            # A chamber that fails has one attempt a slot: what is seen here is what that one came to.
            health = Health(failures=FAILING_AFTER)
            request = RoundRequest(chamber, slot_ms, 1, health=health, memory=memory)
            began, base = time.monotonic(), _begin_measuring(measured)
            result = await collect(request, None, AloneRound(clock))
            took_ms, peak = round((time.monotonic() - began) * 1000), _end_measuring(measured, base)
        return Seen(_only(ledger, chamber.id), took_ms, peak, result.memory)

    def _spec(self, now_ms: int, timeout_ms: int) -> ChamberSpec:
        """With an id whose slot in hand has most of its time left."""
        for number in count():
            spec = ChamberSpec(
                id=f"chamber-{number}",
                organization="default",
                section="default",
                url=self.device.url,
                profile=self.dialect.name,
                interval_ms=INTERVAL_MS,
                timeout_ms=timeout_ms,
                timezone=self.dialect.zone,
                secret_ref="env:DEVICE" if self._secrets else None,
            )
            if now_ms - spec.grid.at_or_before(now_ms) < INTERVAL_MS // 3:
                return spec
        raise AssertionError("the numbers ended")


@asynccontextmanager
async def chambers(folder: Path, *dialects: str, password: str | None = None) -> AsyncIterator[list[Chamber]]:
    """Chambers in air that does not change, one a dialect."""
    series = folder / "flat.csv"
    values = ",".join(str(value) for value in AIR.values())
    series.write_text(f"elapsed_s,{','.join(AIR)}\n0,{values}\n600,{values}\n")
    plan = FleetPlan(devices=len(dialects), dialects=dialects, series=series, password=password)
    async with (
        SimulatedFleet(plan) as fleet,
        httpx.AsyncClient(base_url=fleet.control_url, trust_env=False, verify=False) as control,
    ):
        yield [Chamber(device, control, password) for device in fleet.devices.values()]


def aged(memory: Memory | None, seconds: float) -> Memory | None:
    """The memory as if it had been made so much earlier."""
    if memory is None:
        return None
    since, ms = memory.device_since_ms, round(seconds * 1000)
    values = {
        name: [good, _earlier(when, ms), last, _earlier(begin, ms)]
        for name, (good, when, last, begin) in memory.values.items()
    }
    return replace(memory, device_since_ms=None if since is None else since - ms, values=values)


def _earlier(instant: float | None, ms: int) -> float | None:
    return None if instant is None else instant - ms


def _epoch(chamber: ChamberSpec, slot_ms: int) -> Epoch:
    return Epoch(slot_ms, chamber.interval_ms, chamber.grid.phase_ms, chamber.version)


def _only(ledger: InMemoryLedger, chamber_id: str) -> Reading | Gap:
    """The one outcome that the slot has: exactly one reading or one gap."""
    kept = ledger.chambers[chamber_id]
    outcomes: list[Reading | Gap] = [*(k.reading for k in kept.readings.values()), *(k.gap for k in kept.gaps)]
    assert len(outcomes) == 1, outcomes
    return outcomes[0]


def _begin_measuring(measured: bool) -> int:
    if not measured:
        return 0
    tracemalloc.start()
    return tracemalloc.get_traced_memory()[0]


def _end_measuring(measured: bool, base: int) -> int:
    if not measured:
        return 0
    peak = tracemalloc.get_traced_memory()[1] - base
    tracemalloc.stop()
    return peak
