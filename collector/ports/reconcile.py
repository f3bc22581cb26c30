"""What whoever repairs the fleet must know: the rows of every organization, and the chambers that run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from collector.ports.registry import ChamberRecord


@dataclass(frozen=True, slots=True)
class ChamberRun:
    """A chamber's workflow that has not ended, as a list of workflows shows it.

    Attributes:
        chamber_id: whose.
        version: of the spec that it has; None when the list does not say.
        held: it was paused in Temporal itself: it does nothing and answers nothing.
        problem: why its workflow tasks fail, if they do.
    """

    chamber_id: str
    version: int | None = None
    held: bool = False
    problem: str = ""


class FleetRuns(Protocol):
    """The chambers that run, as Temporal knows them. Raises `EngineAwayError` when it cannot be reached."""

    async def open(self) -> Sequence[ChamberRun]:
        """Every chamber whose workflow has not ended."""
        ...

    async def trouble(self, chamber_id: str) -> str | None:
        """What keeps its workflow's activities from running, as a sentence, empty when nothing is seen.

        None: it does not run.
        """
        ...


class FleetRows(Protocol):
    """The registry's rows of every organization. Raises `AwayError` when it cannot be reached."""

    async def all(self) -> Sequence[ChamberRecord]:
        """Every row by id, retired ones too."""
        ...

    async def lacks_outcomes(self, chamber_id: str, from_ms: int, to_ms: int) -> bool:
        """Whether a slot of the chamber in [from, to) has neither reading nor gap."""
        ...

    async def row(self, chamber_id: str) -> ChamberRecord | None:
        """The row of that id as it is now, retired or not; None when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class UpkeepNote:
    """When a kind of upkeep ended last, and what it came to.

    Attributes:
        finished_ms: the store's clock.
        counts: what was done or found to how often.
    """

    finished_ms: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class LedgerFigures:
    """The store in figures.

    Attributes:
        size: bytes of all that it keeps.
        relations: bytes of each kind of thing it keeps; those of all days together.
        rolled_up_ms: every reading that was stored before this instant is in the hourly figures; the store's clock.
        connections: state to connections, of all processes.
        committed: transactions since the store counts.
        rolled_back: those that were given up.
        at_ms: the store's clock.
    """

    size: int
    relations: Mapping[str, int]
    rolled_up_ms: int
    connections: Mapping[str, int]
    committed: int
    rolled_back: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class FleetFigures:
    """The fleet in figures, as the ledger knows it: it takes no worker to tell.

    Attributes:
        chambers: (organization, status) to chambers, retired ones left out.
        upkeep: kind to its last end.
        at_ms: the store's clock.
        lags: organization to the longest time, ms, since which a chamber of it that is to be read (neither paused nor
            retiring) has nothing settled, less its interval; never below 0. Absent when it has no such chamber.
    """

    chambers: Mapping[tuple[str, str], int]
    upkeep: Mapping[str, UpkeepNote]
    at_ms: int
    lags: Mapping[str, int] = field(default_factory=dict)


class UpkeepLog(Protocol):
    """When the fleet was looked after last."""

    async def note(self, kind: str, counts: Mapping[str, int]) -> None:
        """It ended now, and came to this; what was noted of the kind before is replaced.

        Raises:
            AwayError: the store cannot be reached.
        """
        ...

    async def figures(self) -> FleetFigures:
        """The fleet now.

        Raises:
            AwayError: the store cannot be reached.
        """
        ...

    async def ledger(self) -> LedgerFigures | None:
        """The store now; None for one that has no size.

        Raises:
            AwayError: the store cannot be reached.
        """
        ...


class FleetMetrics(Protocol):
    """Shows the fleet and its store in figures to whoever watches."""

    def show(self, figures: FleetFigures | None) -> None:
        """From now on these; None = nobody knows, and nothing is shown."""
        ...

    def show_ledger(self, figures: LedgerFigures | None) -> None:
        """From now on these of the store; None = nobody knows, and nothing is shown."""
        ...
