"""What waits for the writer of a process, and how much of it shares a transaction."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from collector.ports.outcomes import SaveBatch, SaveResult

GROUP_OUTCOMES = 2_000
"""Outcomes of one transaction, about: more would hold the rows of its chambers for too long."""


@dataclass(slots=True)
class Waiting:
    """A batch that somebody has handed over.

    Attributes:
        batch: what is to be stored.
        trace: the trace context in which it was handed over.
        done: its answer.
    """

    batch: SaveBatch
    trace: str = ""
    done: "asyncio.Future[SaveResult]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def answer(self, result: "SaveResult | BaseException") -> None:
        """Tell whoever waits, if anybody still does."""
        if self.done.done():
            return
        if isinstance(result, SaveResult):
            self.done.set_result(result)
        else:
            self.done.set_exception(result)


def next_group(waiting: Sequence[Waiting]) -> tuple[list[Waiting], list[Waiting]]:
    """The oldest, at most one of each chamber: their order per chamber stays, and each learns what was new."""
    group: dict[str, Waiting] = {}
    later: list[Waiting] = []
    size = 0
    for one in waiting:
        if one.batch.chamber_id in group or (group and size + len(one.batch.outcomes) > GROUP_OUTCOMES):
            later.append(one)
        else:
            group[one.batch.chamber_id] = one
            size += len(one.batch.outcomes)
    return list(group.values()), later
