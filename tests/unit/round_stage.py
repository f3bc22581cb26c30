"""A round on a stage: the use case over doubles and twins, and its ledger by numbers of slots."""

import asyncio
from dataclasses import replace
from typing import Any

from adapters.memory import InMemoryEvents, InMemoryLatest, InMemoryLedger, InMemoryOutcomes, InMemoryRegistry
from adapters.memory.ledger import KeptChamber
from adapters.profile_files import FileProfiles, builtin_profiles_folder
from adapters.secrets import FileAndEnvSecrets
from collector.domain.chamber import ChamberSpec
from collector.domain.egress import EgressPolicies
from collector.domain.outcome import Epoch, Gap, Outcome, Reading
from collector.messages import RoundOutcome, RoundProgress, RoundRequest
from collector.packing import Packed, unpack
from collector.ports import NO_TRACING, CollectionMetrics, Tracing
from collector.usecases.collect import CollectRound, TryAgainError
from collector.usecases.events import RecordEvent
from collector.usecases.fetch import FetchReading
from collector.usecases.map_answer import MapAnswer
from collector.usecases.signal_events import RecordSignals
from tests.unit.jumping_time import NOON_MS, JumpingClock
from tests.unit.round_doubles import CountingMetrics, MoodyOutcomes, RecordingLive, ScriptedDevices, StagedRound

PROFILES = FileProfiles([builtin_profiles_folder()])


def chamber(interval_s: float = 10, **changes: Any) -> ChamberSpec:
    """A chamber whose slots lie at multiples of its interval."""
    interval_ms = int(interval_s * 1000)
    spec = ChamberSpec(
        id="incubator-3",
        organization="default",
        section="default",
        url="http://192.168.1.20/now",
        profile="generic-json",
        interval_ms=interval_ms,
        timeout_ms=min(2_000, interval_ms // 2),
        aligned=True,
    )
    return replace(spec, **changes)


class RoundStage:
    """`CollectRound` over the doubles and twins; make it inside a test in jumping time.

    Its one chamber is enrolled, and its first slot is at noon, which is now.
    """

    def __init__(
        self,
        spec: ChamberSpec | None = None,
        metrics: CollectionMetrics | None = None,
        tracing: Tracing = NO_TRACING,
    ) -> None:
        self.spec = spec or chamber()
        self.clock = JumpingClock()
        self.ledger = InMemoryLedger(self.clock.now_ms)
        self.devices = ScriptedDevices(self.clock)
        self.store = MoodyOutcomes(InMemoryOutcomes(self.ledger))
        self.latest = InMemoryLatest(self.clock.now_ms)
        self.live = RecordingLive()
        self.metrics = CountingMetrics()
        secrets, mapping = FileAndEnvSecrets({}), MapAnswer(tracing=tracing)
        self.tracing = tracing
        self.fetch = FetchReading(self.devices, PROFILES, secrets, EgressPolicies(), self.clock, mapping=mapping)
        self.signals = RecordSignals(RecordEvent(InMemoryEvents(self.ledger)))
        measured = metrics or self.metrics
        self.collect = CollectRound(self.fetch, self.store, self.latest, self.live, measured, tracing=tracing)

    async def enrol(self) -> None:
        """Write the chamber's row, if it is not there yet."""
        grid = self.spec.grid
        epoch = Epoch(NOON_MS, grid.interval_ms, grid.phase_ms, self.spec.version)
        await InMemoryRegistry(self.ledger).enrol(self.spec, epoch, self.clock.now_ms())

    def slot(self, index: int) -> int:
        """The slot, counted from 0 at noon."""
        return NOON_MS + index * self.spec.interval_ms

    def request(self, count: int, first: int = 0, **changes: Any) -> RoundRequest:
        """A round of so many slots."""
        return replace(RoundRequest(self.spec, self.slot(first), count), **changes)

    def control(self, attempt: int = 1) -> StagedRound:
        """The control of one attempt."""
        return StagedRound(self.clock, attempt)

    async def attempt(
        self, request: RoundRequest, progress: RoundProgress | None = None, control: StagedRound | None = None
    ) -> RoundOutcome:
        """One attempt of the round."""
        await self.enrol()
        return await self.collect(request, progress, control or self.control())

    async def carry(self, request: RoundRequest) -> tuple[RoundOutcome, list[TryAgainError]]:
        """The round as Temporal carries it: again after each `TryAgainError`, which are told too."""
        shown: list[TryAgainError] = []
        progress: RoundProgress | None = None
        while True:
            try:
                return await self.attempt(request, progress, self.control(1 + len(shown))), shown
            except TryAgainError as error:
                shown.append(error)
                progress = error.progress
                await asyncio.sleep(error.delay_ms / 1000)

    @property
    def chamber(self) -> KeptChamber:
        """What the ledger keeps."""
        return self.ledger.chambers[self.spec.id]

    @property
    def serials(self) -> dict[int, int]:
        """Index of each slot that has a reading -> serial number of the device's answer."""
        return {self.index(slot): serial_of(kept.reading) for slot, kept in sorted(self.chamber.readings.items())}

    @property
    def gaps(self) -> list[tuple[int, int, str]]:
        """First and last index of each gap run, and its reason."""
        return [self.run(kept.gap) for kept in self.chamber.gaps]

    def index(self, slot_ms: int) -> int:
        """The number of a slot, counted from noon."""
        return (slot_ms - NOON_MS) // self.spec.interval_ms

    def run(self, gap: Gap) -> tuple[int, int, str]:
        """A gap run by indexes."""
        assert gap.last_ms is not None
        return self.index(gap.first_ms), self.index(gap.last_ms), gap.reason.value


def serial_of(outcome: Outcome) -> int:
    """The serial number that the device gave its answer."""
    assert isinstance(outcome, Reading)
    return next(int(m.value) for m in outcome.measurements if m.name == "serial" and m.value is not None)


def unpacked(rows: list[Packed]) -> list[Outcome]:
    """Outcomes that travel."""
    return [unpack(row) for row in rows]
