"""Telling all chambers of a section at once."""

from typing import Protocol

from collector.domain.section_order import OrderKind, SectionOperation, SectionOrder


class SectionControl(Protocol):
    """Tells all chambers of a section at once, in the background.

    Every chamber obeys by itself and writes its pause back to its row, as after a signal of a person. Every method
    raises `EngineAwayError` when Temporal cannot be reached, and `InvalidFieldError` as `check_operation` does. An
    operation is found inside its organization and section only.
    """

    async def begin(self, order: SectionOrder, chambers: frozenset[str]) -> SectionOperation:
        """Begin to tell the chambers; one that has ended meanwhile counts as told.

        An id that has begun already: nobody else is told, that operation is answered.

        Args:
            order: what they are told.
            chambers: those that `running` has just answered. Of more than some thousands it may be those that are
                found when their turn comes: one that begins its next run just then hears nothing.

        Raises:
            EngineAwayError: also when Temporal carries as many operations as it may at a time; nothing has begun.
        """
        ...

    async def progress(self, organization: str, section: str, operation_id: str) -> SectionOperation | None:
        """How far it is; None when there is none of that id, or it ended so long ago that Temporal has forgotten it."""
        ...

    async def under_way(self, organization: str, section: str) -> str | None:
        """The id of an operation that still runs in the section."""
        ...

    async def running(self, organization: str, section: str, obeying: OrderKind | None = None) -> frozenset[str]:
        """Ids of the chambers that run in the section.

        Args:
            organization: whose.
            section: where.
            obeying: only those that are paused (or, for a resume, are not).
        """
        ...
