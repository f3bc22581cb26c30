"""The chambers that were enrolled."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Protocol

from collector.domain.cadence import Grid
from collector.domain.chamber import ChamberSpec, Pause
from collector.domain.outcome import Epoch
from collector.ports.active import ActiveChamber
from collector.ports.history import CHANGEABLE, DetectorRecord
from collector.ports.paging import Page


@dataclass(frozen=True, slots=True)
class ChamberRecord:
    """The registry's row of a chamber: the truth about what its owner wants.

    Attributes:
        spec: with the version that stands.
        pause: set while it is deliberately not read.
        status: see `collector.domain.health.Status`, computed from the ledger (`stale` included).
        settled_through_ms: every slot up to here has its outcome; before the first epoch's first slot at the start.
        first_slot_ms: first slot of the open (or last) epoch.
        created_ms: when it was enrolled.
        last_reading_ms: slot of the newest reading, if any.
        retired_ms: when it retired, if it did.
        grid: of that epoch; another than the spec's while the chamber has not heard of a change. None = the spec's.
        enrolment_trace: the trace context of its enrolment (W3C `traceparent`); "" = nobody traced it.
    """

    spec: ChamberSpec
    pause: Pause | None
    status: str
    settled_through_ms: int
    first_slot_ms: int
    created_ms: int
    last_reading_ms: int | None = None
    retired_ms: int | None = None
    grid: Grid | None = None
    enrolment_trace: str = ""


@dataclass(frozen=True, slots=True)
class ChamberFilter:
    """Which chambers of an organization a list shows; None does not restrict.

    Attributes:
        section: exact.
        status: one of `Status`.
        text: part of the id or the name, any case.
    """

    section: str | None = None
    status: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How one chamber stands, by its row and the ledger alone: little enough to ask for a whole fleet each second.

    Attributes:
        id: the chamber.
        name: for people.
        section: where it stands.
        profile: by which it is read.
        status: as in `ChamberRecord`.
        interval_ms: of the spec.
        grid: of the open (or last) epoch.
        first_slot_ms: that epoch's first slot.
        settled_ms: every slot up to here has its outcome.
        last_reading_ms: slot of the newest reading, if any.
        late_ms: how late that one's request began.
        resumed_ms: last slot of the last pause that the ledger knows; may be None where the newest settled slot has a
            reading.
        paused: the row has a pause.
        until_ms: its end, if it has one.
    """

    id: str
    name: str
    section: str
    profile: str
    status: str
    interval_ms: int
    grid: Grid
    first_slot_ms: int
    settled_ms: int
    last_reading_ms: int | None = None
    late_ms: int | None = None
    resumed_ms: int | None = None
    paused: bool = False
    until_ms: int | None = None


class Registry(Protocol):
    """The chambers that were enrolled. Every read and change is inside one organization."""

    async def has_section(self, organization: str, section: str) -> bool:
        """Whether chambers can be enrolled there: it exists and is active."""
        ...

    async def sections(self, organization: str) -> Sequence[str]:
        """Names of the organization's active sections, sorted."""
        ...

    async def enrol(self, spec: ChamberSpec, epoch: Epoch, now_ms: int, trace: str = "") -> ChamberRecord:
        """Write the row and its first epoch in one transaction; detectors come with the first reading.

        Enrolling a chamber again that is there and not retired changes nothing and answers its row. A retired id
        is enrolled anew: the row takes the spec with the next version, a new epoch opens, its history stays. The
        chamber stands in its section from its first slot on. `trace`, the context of the enrolment, stays with the row
        until it is enrolled anew.

        Raises:
            InvalidFieldError: field `section`: it does not exist or is closed.
            ConflictError: another organization has the id, whoever that is.
        """
        ...

    async def find(self, organization: str, chamber_id: str) -> ChamberRecord:
        """One chamber.

        Raises:
            NotFoundError: not there, or another organization's.
        """
        ...

    async def page(
        self, organization: str, wanted: ChamberFilter, limit: int, cursor: str | None
    ) -> Page[ChamberRecord]:
        """Chambers by id, retired ones only when `wanted.status` asks for them.

        Raises:
            InvalidFieldError: field `cursor`, when it is not one of ours.
        """
        ...

    async def active(self, organization: str, at_most: int) -> Sequence[ActiveChamber]:
        """The first chambers that have not retired, in the order of `page`; their statuses are not looked at."""
        ...

    async def standings(self, organization: str, section: str | None, text: str | None) -> Sequence[Standing]:
        """How every chamber stands that has not retired, by id: one question, however many there are.

        Args:
            organization: whose.
            section: only those that stand there; None = all.
            text: as in `ChamberFilter`.
        """
        ...

    async def change_spec(self, spec: ChamberSpec, expected_version: int) -> ChamberRecord:
        """Write the spec as version `expected_version + 1`.

        With another section than before the chamber stands there from now on, by the store's clock: readings of
        earlier slots stay where they were taken, those that are stored late too.

        Raises:
            NotFoundError: as in `find`.
            InvalidFieldError: field `section`: it does not exist, or the chamber would move to a closed one.
            StaleVersionError: the row has another version.
            ConflictError: it retires or retired.
        """
        ...

    async def change_pause(self, organization: str, chamber_id: str, pause: Pause | None) -> ChamberRecord:
        """Write or remove the pause and raise the version by one; the same again changes nothing.

        Raises:
            NotFoundError: as in `find`.
            ConflictError: it retires or retired.
        """
        ...

    async def retire(self, organization: str, chamber_id: str) -> ChamberRecord:
        """Mark it `retiring`; it is `retired` once its epoch has ended in the ledger. Again: nothing changes.

        Raises:
            NotFoundError: as in `find`.
        """
        ...

    async def change_detector(
        self, organization: str, chamber_id: str, wanted: DetectorRecord, given: Set[str] = CHANGEABLE
    ) -> DetectorRecord:
        """Write fields of the detector of that name; answers it as it stands then. Again: nothing.

        Args:
            organization: whose.
            chamber_id: of which chamber.
            wanted: its name, and what is to be written.
            given: names of the fields to write; the others stay as they are then, whoever changes them meanwhile.

        Raises:
            NotFoundError: as in `find`, or the chamber has no detector of that name.
            ConflictError: field `alias`: it is another detector's name or alias in this chamber.
        """
        ...
