"""What a dialect is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from simulator.replay import Sample

WRONG_TEXT = "warm"
"""Stands where a number belongs when a device answers with the wrong type."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of a device's answer and what the device calls it."""

    body: bytes
    content_type: str


class Dialect(Protocol):
    """How one device family answers."""

    @property
    def name(self) -> str:
        """The built-in profile that reads it."""
        ...

    @property
    def path(self) -> str:
        """Where its measurements stand."""
        ...

    def answer(self, device_id: str, sample: Sample, serial: int) -> Answer:
        """The answer that carries these values and this serial number."""
        ...

    def answer_in_texts(self, device_id: str, sample: Sample, serial: int) -> Answer:
        """The same answer with words where the measured numbers belong; the serial number stays a number."""
        ...


def json_answer(document: Mapping[str, object]) -> Answer:
    """A JSON document as devices send it."""
    return Answer(json.dumps(document).encode(), "application/json")


def in_texts(document: Mapping[str, object], kept: frozenset[str]) -> dict[str, object]:
    """The document with a word in place of each number but those under the `kept` keys."""
    return {
        key: WRONG_TEXT if isinstance(value, int | float) and key not in kept else value
        for key, value in document.items()
    }
