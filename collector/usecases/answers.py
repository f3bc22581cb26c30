"""Showing what a chamber's device answered last."""

from collections.abc import Sequence

from collector.ports import AnswerShelf, ChamberAnswer


class ListAnswers:
    """The last answer of a chamber that could be read, and the last one that could not."""

    def __init__(self, shelf: AnswerShelf) -> None:
        self._shelf = shelf

    async def __call__(self, organization: str, chamber_id: str) -> Sequence[ChamberAnswer]:
        """At most two, the one that came last first; none while nothing was kept.

        Raises:
            NotFoundError: the chamber is not there, or another organization's.
            AwayError: the store cannot be reached.
        """
        return await self._shelf.answers(organization, chamber_id)
