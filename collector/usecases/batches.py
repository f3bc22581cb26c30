"""What is observed in a section for a while, and the readings of it."""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace

from collector.domain.errors import ConflictError, InvalidFieldError, NotFoundError, StaleVersionError
from collector.domain.instants import iso
from collector.domain.organization import Batch, check_batch
from collector.ports import (
    Batches,
    BatchFilter,
    BatchPart,
    Clock,
    LedgerReader,
    Page,
    Registry,
    Stay,
    StoredReading,
)
from collector.usecases.detectors import find_detector, only, without_inactive
from collector.usecases.readings import Portion
from collector.usecases.versions import Made, altered, as_it_stands, refuse_other


class ListBatches:
    """The batches of an organization."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches

    async def __call__(self, organization: str, wanted: BatchFilter, *, limit: int, cursor: str | None) -> Page[Batch]:
        """One page, the one that started last first.

        Raises:
            InvalidFieldError: field `cursor`.
            AwayError: the store cannot be reached.
        """
        return await self._batches.page(organization, wanted, limit, cursor)


class ShowBatch:
    """One batch."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches

    async def __call__(self, organization: str, batch: str) -> Batch:
        """The batch.

        Raises:
            NotFoundError: not there, or another organization's.
            AwayError: the store cannot be reached.
        """
        return await self._batches.find(organization, batch)


class StartBatch:
    """Begins a batch. A second run with the same fields changes nothing, also when the batch has ended meanwhile."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches

    async def __call__(self, wanted: Batch, given: Set[str]) -> Made[Batch]:
        """Begin it; `given` names the fields that must agree if it is there already.

        Raises:
            InvalidFieldError: a field cannot be kept, or there is no such section.
            ConflictError: the id is there, and another (field `id`); or another batch overlaps it (field `section`).
            AwayError: the store cannot be reached.
        """
        there, created = await self._there(wanted), False
        if there is None:  # only then: begun now, it would end before it began if it was to end meanwhile
            check_batch(wanted)
            there, created = await self._batches.add(wanted)
        if there.section != wanted.section:
            problem = f"batch {wanted.id} is there already, in section {there.section!r}"
            raise ConflictError(problem, "choose another id: a batch never changes its section", "id")
        if not created:
            refuse_other(f"batch {wanted.id}", there, wanted, given)
        return Made(there, created)

    async def _there(self, wanted: Batch) -> Batch | None:
        try:
            return await self._batches.find(wanted.organization, wanted.id)
        except NotFoundError:
            return None


class ChangeBatch:
    """Writes a changed batch as the next version; which readings are its own follows at once."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches

    async def __call__(
        self, organization: str, batch: str, versions: Set[int] | None, alter: Callable[[Batch], Batch]
    ) -> Batch:
        """Change it; `versions` are those that the caller read, None = whatever stands.

        Raises:
            NotFoundError: not there, or another organization's.
            StaleVersionError: it has a version that the caller did not read.
            InvalidFieldError: a field cannot be kept.
            ConflictError: field `section`: another batch overlaps it.
            AwayError: the store cannot be reached.
        """

        async def change() -> Batch:
            before = await self._batches.find(organization, batch)
            wanted = altered(before, versions, alter)
            if wanted is None:
                return before
            check_batch(wanted)
            return await self._batches.change(wanted, before.version)

        return await as_it_stands(versions, change)


class EndBatch:
    """Ends a batch. A second run changes nothing."""

    def __init__(self, batches: Batches, clock: Clock) -> None:
        self._batches, self._clock = batches, clock

    async def __call__(self, organization: str, batch: str, at_ms: int | None) -> Batch:
        """End it at that instant, or now: then one whose end is planned for later ends now too.

        Raises:
            NotFoundError: not there, or another organization's.
            InvalidFieldError: field `at`: the batch begins later.
            ConflictError: field `at`: it has another end; or others change it all the time.
            AwayError: the store cannot be reached.
        """

        async def end() -> Batch:
            before = await self._batches.find(organization, batch)
            end_ms = _end_of(before, at_ms, self._clock.now_ms())
            if end_ms == before.ended_ms:
                return before
            return await self._batches.change(replace(before, ended_ms=end_ms), before.version)

        try:
            return await as_it_stands(None, end)
        except StaleVersionError:
            raise ConflictError(f"batch {batch} is being changed by others", "send the request again", "id") from None


def _end_of(before: Batch, at_ms: int | None, now_ms: int) -> int:
    there_ms = before.ended_ms
    if there_ms is not None and (there_ms <= now_ms if at_ms is None else there_ms == at_ms):
        return there_ms
    if there_ms is not None and at_ms is not None:
        remedy = "leave at out to keep that, or change ended_at with PATCH"
        raise ConflictError(f"batch {before.id} has another end, {iso(there_ms)}", remedy, "at")
    end_ms = now_ms if at_ms is None else at_ms
    if end_ms <= before.started_ms:
        remedy = "give a later instant, or change started_at with PATCH"
        raise InvalidFieldError("at", f"the batch begins only at {iso(before.started_ms)}", remedy)
    return end_ms


class ListBatchChambers:
    """Which chambers a batch is observed in, and when."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches

    async def __call__(self, organization: str, batch: str, *, limit: int, cursor: str | None) -> Page[Stay]:
        """One page, by chamber and time.

        Raises:
            NotFoundError: not there, or another organization's.
            InvalidFieldError: field `cursor`.
            AwayError: the store cannot be reached.
        """
        return await self._batches.stays(organization, batch, limit, cursor)


class ListBatchReadings:
    """Readings of a batch: of slots within it, of the chambers that stood in its section then."""

    def __init__(self, registry: Registry, ledger: LedgerReader) -> None:
        self._registry, self._ledger = registry, ledger

    async def __call__(self, organization: str, batch: str, wanted: BatchPart, portion: Portion) -> Page[StoredReading]:
        """One page by chamber and slot; with a detector only readings that have it, so the page may be a short one.

        Raises:
            NotFoundError: not there, or another organization's.
            InvalidFieldError: field `cursor`; or field `chamber`: the organization has none of that id.
            AwayError: the store cannot be reached.
        """
        if wanted.chamber_id is not None:
            await self._refuse_unknown(organization, wanted.chamber_id)
        page = await self._ledger.batch_readings(
            organization, batch, wanted, limit=portion.limit, cursor=portion.cursor
        )
        if portion.detector is None:
            return replace(page, items=await without_inactive(self._ledger, organization, page.items))
        names = await self._names(organization, page.items, portion.detector)
        kept = (only(stored, names[stored.chamber_id]) for stored in page.items if stored.chamber_id in names)
        return replace(page, items=[stored for stored in kept if stored.reading.measurements])

    async def _refuse_unknown(self, organization: str, chamber_id: str) -> None:
        try:
            await self._registry.find(organization, chamber_id)
        except NotFoundError:
            problem = f"there is no chamber {chamber_id[:80]!r}"
            raise InvalidFieldError("chamber", problem, "GET /v1/chambers lists what there is") from None

    async def _names(self, organization: str, items: Sequence[StoredReading], wanted: str) -> Mapping[str, str]:
        """The detector's name in each chamber that has it: its alias is its chamber's own."""
        names = {s.chamber_id: wanted for s in items if any(m.name == wanted for m in s.reading.measurements)}
        for chamber_id in sorted({stored.chamber_id for stored in items} - names.keys()):
            found = find_detector(await self._ledger.detectors(organization, chamber_id), wanted)
            if found is not None:
                names[chamber_id] = found.name
        return names
