"""A round's surroundings."""

from typing import Protocol

from collector.domain.outcome import GapReason
from collector.messages import RoundProgress


class RoundControl(Protocol):
    """What a running round may tell and ask whoever carries it."""

    @property
    def attempt(self) -> int:
        """1 for the first attempt of the round."""
        ...

    def beat(self, progress: RoundProgress) -> None:
        """Tell the progress some time; cheap."""
        ...

    async def make_durable(self, progress: RoundProgress) -> None:
        """Tell the progress now: when it returns normally the engine has it, or could not be reached in time."""
        ...

    async def wait(self, until_ms: int) -> bool:
        """Wait for the instant; False at once when the round is asked to end (pause, deploy, taken over).

        Raises:
            FrozenError: this process stood still for so long that another may carry the round by now.
        """
        ...

    def fence(self) -> None:
        """Return while this attempt may still store.

        Raises:
            FrozenError: as in `wait`.
        """
        ...

    def ended(self) -> bool:
        """Whether the round is asked to end after the slot in hand."""
        ...

    def now_ms(self) -> int:
        """The wall clock of the round's start plus the monotonic time since."""
        ...


class CollectionMetrics(Protocol):
    """What is counted of collections. Attributes are bounded: never a chamber id or a URL."""

    def reading(self, organization: str, lateness_ms: int, fetch_ms: int) -> None:
        """A reading; lateness is the request's start against the slot."""
        ...

    def gap(self, organization: str, reason: GapReason, slots: int) -> None:
        """A gap run of that many slots."""
        ...

    def failed_attempt(self, organization: str, reason: GapReason, fetch_ms: int) -> None:
        """An attempt that failed; the slot is not lost yet."""
        ...

    def unsaved(self, organization: str, delta: int) -> None:
        """Readings that wait for the store: refused (+) or stored at last (-)."""
        ...

    def held(self, holder: object, since_ms: int | None) -> None:
        """What waits for the store in this process: the oldest outcome that the holder tries to store and cannot.

        Args:
            holder: hashable; told again, the first time counts until `let_go`.
            since_ms: wall clock: when that outcome arrived from its device; None = nothing did, it is as old as this
                refusal.
        """
        ...

    def let_go(self, holder: object) -> None:
        """The holder has nothing that waits, or somebody else has it now; again: nothing."""
        ...

    def clock_skew(self, skew_ms: int) -> None:
        """How far this process's wall clock is ahead of the engine's server (+) or behind it (-): the newest counts."""
        ...
