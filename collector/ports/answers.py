"""The last answers of chambers, for people who look why a device is read as it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

ANSWER_LIMIT = 65_536
"""Bytes of an answer that are kept: the largest recorded one has 2 KB, and the rest of a longer one says no more."""


class AnswerKind(StrEnum):
    """Whether an answer could be read."""

    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class ChamberAnswer:
    """What a device answered.

    Attributes:
        chamber_id: whose.
        kind: whether it could be read.
        slot_ms: for which slot it was asked.
        received_ms: when it had come.
        body: decompressed, at most `ANSWER_LIMIT` bytes, what looks like a secret masked.
        size: bytes of the whole answer as it came.
        sha256: 32 bytes, of the whole answer as it came.
        problem: of a failure: gap reason and detail.
        remarks: what the mapping remarked on.
        spec_version: of the chamber's spec.
        profile_version: which version of the profile read it; "" = whichever the worker had.
    """

    chamber_id: str
    kind: AnswerKind
    slot_ms: int
    received_ms: int
    body: bytes
    size: int
    sha256: bytes
    problem: str = ""
    remarks: tuple[str, ...] = ()
    spec_version: int = 0
    profile_version: str = ""

    @property
    def truncated(self) -> bool:
        """Whether the body is only the beginning of the answer."""
        return self.size > ANSWER_LIMIT


class AnswerKeeper(Protocol):
    """Takes answers that are worth keeping."""

    def offer(self, answer: ChamberAnswer) -> None:
        """Take an answer; it is the chamber's last of its kind soon, or never.

        It returns at once and never raises: readings do not wait for it, and an answer that is lost harms nobody.
        """
        ...


class AnswerShelf(Protocol):
    """Where the answers that were kept are read."""

    async def answers(self, organization: str, chamber_id: str) -> Sequence[ChamberAnswer]:
        """The last success and the last failure, the one that came last first.

        Raises:
            NotFoundError: the chamber is not there, or another organization's.
        """
        ...
