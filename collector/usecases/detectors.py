"""The quantities of a chamber: their names, their aliases, and which of them are switched off."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from collector.domain.chamber import NAME_LIMIT
from collector.domain.errors import InvalidFieldError, NotFoundError
from collector.domain.outcome import Reading
from collector.ports import CHANGEABLE, ActiveChambers, DetectorRecord, LedgerReader, Registry, StoredReading
from collector.usecases.active import forgetting


class ListDetectors:
    """Detectors of one chamber, switched-off ones too."""

    def __init__(self, ledger: LedgerReader) -> None:
        self._ledger = ledger

    async def __call__(self, organization: str, chamber_id: str) -> Sequence[DetectorRecord]:
        """By name.

        Raises:
            NotFoundError: not there, or another organization's.
            AwayError: the store cannot be reached.
        """
        return await self._ledger.detectors(organization, chamber_id)


@dataclass(frozen=True, slots=True)
class DetectorWish:
    """What is wanted of a detector: of the fields that `given` names; those that it does not name stay."""

    alias: str | None = None
    active: bool = True
    given: frozenset[str] = CHANGEABLE


class ChangeDetector:
    """Gives a detector an alias, or switches it off or on. A second run changes nothing.

    The values of one that is switched off go on being stored: they are left out where nobody asks for them by name.
    """

    def __init__(self, registry: Registry, ledger: LedgerReader, active: ActiveChambers) -> None:
        self._registry, self._ledger, self._active = registry, ledger, active

    async def __call__(self, organization: str, chamber_id: str, detector: str, wish: DetectorWish) -> DetectorRecord:
        """Change the detector of that name or alias.

        Raises:
            NotFoundError: the chamber is not there, or another organization's; or it has no such detector.
            InvalidFieldError: field `alias`, when it cannot be one.
            ConflictError: field `alias`: another detector of the chamber has it.
            AwayError: the registry cannot be reached.
        """
        detectors = await self._ledger.detectors(organization, chamber_id)
        before = find_detector(detectors, detector)
        if before is None:
            remedy = f"GET /v1/chambers/{chamber_id}/detectors lists what there is"
            raise NotFoundError(f"the chamber has no detector {detector[:80]!r}", remedy)
        if wish.alias is not None:
            check_alias(wish.alias)
        wanted = replace(before, alias=wish.alias, active=wish.active)
        async with forgetting(self._active, organization):
            return await self._registry.change_detector(organization, chamber_id, wanted, wish.given)


def check_alias(alias: str) -> None:
    """Refuse what nobody could ask for again.

    Raises:
        InvalidFieldError: field `alias`.
    """
    if not alias.strip() or alias != alias.strip() or not alias.isprintable():
        remedy = "give a text without spaces around it, or null to remove the alias"
        raise InvalidFieldError("alias", "it is empty, or has characters that cannot be seen", remedy)
    if len(alias) > NAME_LIMIT:
        raise InvalidFieldError("alias", f"it is longer than {NAME_LIMIT} characters", "shorten it")


def find_detector(detectors: Sequence[DetectorRecord], wanted: str) -> DetectorRecord | None:
    """The detector of that name, else the one of that alias: a name may come with a reading after the alias."""
    named = (d for d in detectors if d.name == wanted)
    return next(named, None) or next((d for d in detectors if d.alias == wanted), None)


def unknown_detector(wanted: str, detectors: Sequence[DetectorRecord]) -> InvalidFieldError:
    """The error that lists what there is."""
    known = ", ".join(d.name for d in detectors) or "none yet: they come with the first reading"
    return InvalidFieldError("detector", f"there is no detector {wanted[:80]!r}", f"detectors of this chamber: {known}")


async def without_inactive(
    ledger: LedgerReader, organization: str, items: Sequence[StoredReading]
) -> Sequence[StoredReading]:
    """The same readings without the measurements of switched-off detectors; one question, however many chambers.

    Raises:
        AwayError: the store cannot be reached.
    """
    chambers = sorted({stored.chamber_id for stored in items})
    inactive = await ledger.inactive_detectors(organization, chambers) if chambers else {}
    return [
        replace(stored, reading=leaving_out(stored.reading, inactive.get(stored.chamber_id, ()))) for stored in items
    ]


def leaving_out(reading: Reading, names: Collection[str]) -> Reading:
    """The reading without the measurements of these names."""
    if not names:
        return reading
    return replace(reading, measurements=tuple(m for m in reading.measurements if m.name not in names))


def only(stored: StoredReading, detector: str) -> StoredReading:
    """The reading with the measurement of that name alone."""
    kept = tuple(m for m in stored.reading.measurements if m.name == detector)
    return replace(stored, reading=replace(stored.reading, measurements=kept))
