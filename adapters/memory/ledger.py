"""The state that the in-memory twins share."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from adapters.memory.kept_people import KeptPeople
from collector.domain.chamber import ChamberSpec, Pause
from collector.domain.errors import AwayError, NotFoundError
from collector.domain.organization import FIRST_SECTION, Batch, Organization, Section
from collector.domain.outcome import Gap, Quality, Reading
from collector.domain.profile_document import ProfileDocument
from collector.domain.sealing import SealedAccount
from collector.ports.answers import AnswerKind, ChamberAnswer
from collector.ports.events import AuditEvent
from collector.ports.history import DetectorRecord, StoredReading
from collector.ports.keys import ADMINISTRATOR, KeyRecord


def wall_ms() -> int:
    """The wall clock, milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class KeptEpoch:
    """A row of schedule_epoch; `last_ms` None = open, `final` = ended by a retirement.

    `decided_ms` orders the epochs that a chamber decided on; 0 = it was enrolled with this one.
    """

    first_ms: int
    interval_ms: int
    phase_ms: int
    spec_version: int
    last_ms: int | None = None
    final: bool = False
    decided_ms: int = 0


@dataclass(slots=True)
class KeptGap:
    """A row of gap; `opened` = it was stored as an open run, `number` = order of recording."""

    gap: Gap
    recorded_ms: int
    number: int
    opened: bool = False


@dataclass(slots=True)
class KeptReading:
    """A row of reading; `stored_ms` is the commit."""

    reading: Reading
    stored_ms: int


@dataclass(slots=True)
class KeptHour:
    """A row of reading_hourly: one detector's readings of one hour; `total` is the sum of its values."""

    minimum: float | None
    total: float | None
    maximum: float | None
    count: int
    worst: Quality


@dataclass(slots=True)
class KeptChamber:
    """A row of chamber, and all that hangs on it.

    Attributes:
        spec: with the version that stands.
        created_ms: when it was enrolled first.
        began_ms: first slot since it was enrolled last.
        settled_ms: every slot up to here has its outcome.
        pause: that stands.
        resumed_ms: when the last pause was taken from the row.
        enrolment_trace: trace context of its last enrolment.
        sections: (from which slot on, in which section it stands), in order.
        hours: by detector and begin of the hour.
    """

    spec: ChamberSpec
    created_ms: int
    began_ms: int
    settled_ms: int
    pause: Pause | None = None
    resumed_ms: int | None = None
    retiring: bool = False
    retired_ms: int | None = None
    enrolment_trace: str = ""
    sections: list[tuple[int, str]] = field(default_factory=list)
    epochs: list[KeptEpoch] = field(default_factory=list)
    readings: dict[int, KeptReading] = field(default_factory=dict)
    gaps: list[KeptGap] = field(default_factory=list)
    adhoc: dict[str, StoredReading] = field(default_factory=dict)
    detectors: dict[str, DetectorRecord] = field(default_factory=dict)
    hours: dict[tuple[str, int], KeptHour] = field(default_factory=dict)

    def open_epoch(self) -> KeptEpoch | None:
        """The epoch that has no end yet, if any."""
        return next((e for e in self.epochs if e.last_ms is None), None)

    def last_epoch(self) -> KeptEpoch:
        """The open epoch, or else the last one."""
        return self.open_epoch() or max(self.epochs, key=lambda e: e.first_ms)

    def stand(self, first_ms: int, section: str) -> None:
        """Let it stand in the section from that slot on, whatever was to come after."""
        self.sections = [*(place for place in self.sections if place[0] < first_ms), (first_ms, section)]

    def section_at(self, slot_ms: int) -> str | None:
        """Where it stood at the slot; None before it stood anywhere."""
        return next((section for first_ms, section in reversed(self.sections) if first_ms <= slot_ms), None)


@dataclass(slots=True)
class KeptKey:
    """A row of api_key."""

    secret_sha256: bytes
    record: KeyRecord


class InMemoryLedger:
    """What PostgreSQL would hold, with organization `default` and its section `default`.

    Attributes:
        away: set True to let every twin refuse as if the server could not be reached.
        chambers: by id.
        keys: by key id, in the order in which they were made; revoked ones stay.
        organizations: by id.
        sections: by organization and id.
        batches: by organization and id.
        profiles: every version that is kept, by organization, name and version.
        offers: version of the organization's own that is offered, by organization and name.
        answers: last answers, by chamber id and kind.
        people: users, invitations and sessions.
        events: audit events, in the order in which they were recorded.
        now_ms: the clock that stamps `stored_ms`, `recorded_ms` and decides what is stale.
        retained_from_ms: readings of slots before are gone.
        rolled_up_ms: what was stored before is in the hours of its chamber.
        sealed: by day and chamber id; a day without an entry has no seal.
        partitions: days for which room was made; nothing depends on it here.
    """

    def __init__(self, now_ms: Callable[[], int] = wall_ms) -> None:
        self.now_ms = now_ms
        self._here = asyncio.Event()
        self._here.set()
        self.chambers: dict[str, KeptChamber] = {}
        self.keys: dict[str, KeptKey] = {}
        self.organizations: dict[str, Organization] = {}
        self.sections: dict[tuple[str, str], Section] = {}
        self.batches: dict[tuple[str, str], Batch] = {}
        self.profiles: dict[tuple[str, str, str], ProfileDocument] = {}
        self.offers: dict[tuple[str, str], str] = {}
        self.answers: dict[tuple[str, AnswerKind], ChamberAnswer] = {}
        self.people = KeptPeople()
        self.events: list[AuditEvent] = []
        self.retained_from_ms = self.rolled_up_ms = 0
        self.sealed: dict[date, dict[str, SealedAccount]] = {}
        self.partitions: set[date] = set()
        self._recorded = 0
        self.add_section("default", FIRST_SECTION)

    @property
    def away(self) -> bool:
        """Whether every twin refuses."""
        return not self._here.is_set()

    @away.setter
    def away(self, away: bool) -> None:
        if away:
            self._here.clear()
        else:
            self._here.set()

    async def wait_here(self) -> None:
        """Return when `away` is not set."""
        await self._here.wait()

    def add_section(self, organization: str, section: str) -> None:
        """Make a section, and its organization with it; again: nothing."""
        now_ms = self.now_ms()
        made = Organization(id=organization, created_ms=now_ms, updated_ms=now_ms)
        self.organizations.setdefault(organization, made)
        wanted = Section(organization=organization, id=section, created_ms=now_ms, updated_ms=now_ms)
        self.sections.setdefault((organization, section), wanted)

    def has_section(self, organization: str, section: str) -> bool:
        """Whether the section is there and active."""
        kept = self.sections.get((organization, section))
        return kept is not None and kept.active

    def sections_of(self, organization: str) -> list[str]:
        """Names of the organization's active sections, sorted."""
        return sorted(s.id for s in self.sections.values() if s.organization == organization and s.active)

    def add_key(self, key_id: str, secret_sha256: bytes, organization: str, name: str = "") -> KeptKey:
        """Keep a key, in place of one of that id."""
        record = KeyRecord(
            id=key_id, organization=organization, name=name, terms=ADMINISTRATOR, created_ms=self.now_ms()
        )
        self.keys[key_id] = KeptKey(secret_sha256, record)
        return self.keys[key_id]

    def next_number(self) -> int:
        """Counts what is recorded, so that two gaps of one millisecond have an order."""
        self._recorded += 1
        return self._recorded

    def check_here(self) -> None:
        """Refuse while `away` is set.

        Raises:
            AwayError: the twin plays a server that cannot be reached.
        """
        if self.away:
            raise AwayError("PostgreSQL cannot be reached (the in-memory twin plays it)")

    def chamber_of(self, organization: str, chamber_id: str) -> KeptChamber:
        """The chamber inside the organization.

        Raises:
            NotFoundError: not there, or another organization's.
            AwayError: as in `check_here`.
        """
        self.check_here()
        kept = self.chambers.get(chamber_id)
        if kept is None or kept.spec.organization != organization:
            raise NotFoundError(f"no chamber {chamber_id!r}")
        return kept
