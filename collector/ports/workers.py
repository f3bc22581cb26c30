"""The workers of the fleet, and the rounds that they carry."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Signs:
    """What Temporal knows of the workers.

    Attributes:
        beats: identity to the instant of its last sign of life, ms; one that ended long ago may still be listed.
        ended: identities of processes of this machine that have ended: nothing needs to be waited for.
    """

    beats: Mapping[str, int]
    ended: frozenset[str]


class RunningRounds(Protocol):
    """The running rounds of all workers, as Temporal knows them."""

    async def signs_of_life(self) -> Signs:
        """All workers that it lists.

        Raises:
            EngineAwayError: Temporal does not answer.
        """
        ...

    async def end_abandoned(self, gone: Callable[[str], bool], held: Callable[[str], bool]) -> int:
        """End the attempts that nobody carries any more; Temporal begins each anew, with its progress.

        Again: those that run again are somebody's, and stay.

        Args:
            gone: whether the worker of this identity is gone.
            held: whether this process carries a round of that chamber.

        Returns:
            How many.

        Raises:
            EngineAwayError: Temporal does not answer; some may have been ended.
        """
        ...
