"""Keeping outcomes: the store and the cache of latest readings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from collector.domain.chamber import ChamberSpec
from collector.domain.outcome import Outcome, Reading


@dataclass(frozen=True, slots=True)
class SaveBatch:
    """Outcomes of one chamber, in the order in which they are to take effect.

    Attributes:
        chamber_id: whose.
        outcomes: at least one, unless only `settled_through_ms` moves.
        settled_through_ms: every slot up to here has its outcome once these are stored; None moves nothing.
    """

    chamber_id: str
    outcomes: Sequence[Outcome]
    settled_through_ms: int | None = None


@dataclass(frozen=True, slots=True)
class SaveResult:
    """What a save came to.

    Attributes:
        new_readings: readings that were not there before.
        lost_changes: changes that lost against the registry row: a sentence each.
        behind: `settled_through` did not move, because the store has forgotten slots before the batch.
    """

    new_readings: int = 0
    lost_changes: tuple[str, ...] = ()
    behind: bool = False


class OutcomeStore(Protocol):
    """Keeps outcomes for good. Everything may be stored twice: the second time changes nothing."""

    async def save(self, batch: SaveBatch) -> SaveResult:
        """Store the outcomes and move `settled_through`, in one transaction.

        A reading is stored once by (chamber, slot); `latest` moves only to a newer slot. `settled_through` moves only
        forward, and not at all while a slot before the first one of the batch has no outcome: whoever saves takes it
        for stored, and the store has forgotten it (it was restored from a dump). A gap run is stored once by
        (chamber, first, last, reason). An open `paused` run is stored once by its first slot, and its `PauseEnd`
        closes it. An `Epoch` closes the open one and is stored once by when it was decided; `EpochEnd` closes the
        open one. A `Change` is applied when the row has the expected version and raises it by one; else it is lost.
        An outcome that the database itself refuses becomes a `malformed` gap with its SQLSTATE; outcomes outside the
        window that is kept become `misconfigured`.

        Raises:
            StoreRefusedError: the store is away or too slow; nothing or all of it is stored, keep it.
        """
        ...

    async def save_adhoc(self, chamber_id: str, request_id: str, reading: Reading) -> None:
        """Store a reading off the grid, once by (chamber, request_id).

        Raises:
            StoreRefusedError: as in `save`.
        """
        ...

    async def decided_slots(self, chamber_id: str, first_ms: int, last_ms: int) -> frozenset[int]:
        """Slots in the closed interval that have a reading, or that a gap run covers.

        A pause decides none: one that began at a slot of a round has ended before it, stored already or not.

        Raises:
            StoreRefusedError: as in `save`.
        """
        ...

    async def wait_available(self) -> None:
        """Return when the store answers again; at once while it does. One probe per process, jittered."""
        ...


@dataclass(frozen=True, slots=True)
class CachedLatest:
    """The newest reading of a chamber, as caches keep it."""

    chamber_id: str
    reading: Reading


class LatestCache(Protocol):
    """The latest readings, for reads that would rather not ask the store. Losing it slows, never lies."""

    async def put(self, organization: str, spec: ChamberSpec, reading: Reading) -> None:
        """Keep the reading if its slot is newer than the kept one; forget it after min(2 x interval, 60 s).

        Never raises: a failed write deletes the key once the server is back.
        """
        ...

    async def get(self, organization: str, chamber_id: str) -> CachedLatest | None:
        """The kept reading, or None: not there, or the cache is away."""
        ...

    async def get_many(self, organization: str, chamber_ids: Sequence[str]) -> Mapping[str, CachedLatest]:
        """The kept readings by chamber id, in few round trips; those that `get` would not find are absent."""
        ...
