"""Texts in which the measured values are marked, so that a fault can write something else in their place."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

OPEN, SPLIT, CLOSE = "\ue000", "\ue001", "\ue002"
_FIELDS = SPLIT.join([f"([^{SPLIT}{CLOSE}]*)"] * 4)
MARK = re.compile(f'"{OPEN}([ns]){SPLIT}{_FIELDS}{CLOSE}"|{OPEN}(b){SPLIT}{_FIELDS}{CLOSE}')


class Place(StrEnum):
    """How a value stands in its text: a JSON number, a JSON text, or bare as in XML, CSV and key=value."""

    NUMBER = "n"
    TEXT = "s"
    BARE = "b"


@dataclass(frozen=True, slots=True)
class Mark:
    """One marked value.

    Attributes:
        quantity: what was measured, or `time` for the device's clock.
        value: as the device writes it, without a unit.
        glued: what the device itself writes behind the value.
        unit: the unit in which the value is, as people write it.
        place: see `Place`.
    """

    quantity: str
    value: str
    glued: str
    unit: str
    place: Place

    def like(self, value: str) -> "Token":
        """Another value in the way in which the device writes this one."""
        return Token(value + self.glued, literal=self.place is Place.NUMBER)

    def nothing(self) -> "Token":
        """The device's way of saying that there is no value: null in JSON, no text elsewhere."""
        return Token("" if self.place is Place.BARE else "null", literal=True)


@dataclass(frozen=True, slots=True)
class Token:
    """What is written in the place of a mark; `literal` texts get no quotes."""

    text: str
    literal: bool = False


Fill = Callable[[Mark], Token]


def number(quantity: str, value: float, unit: str = "") -> str:
    """A JSON number; `json.dumps` is to quote the mark."""
    return _mark(Place.NUMBER, quantity, str(value), "", unit)


def text(quantity: str, value: float | str, unit: str = "", *, glued: str = "") -> str:
    """A JSON text that holds a number, and a unit glued to it where the device does that."""
    return _mark(Place.TEXT, quantity, str(value), glued, unit)


def bare(quantity: str, value: float | str, unit: str = "", *, glued: str = "") -> str:
    """A value outside of JSON."""
    return _mark(Place.BARE, quantity, str(value), glued, unit)


def as_sent(mark: Mark) -> Token:
    """The value as the device writes it."""
    return mark.like(mark.value)


def glued(mark: Mark) -> Token:
    """The value with its unit behind it."""
    return Token(f"{mark.value} {mark.unit}".strip())


def written(draft: str, fill: Fill | None = None) -> str:
    """The text with every mark replaced.

    Args:
        draft: with marks.
        fill: what is written for each; None = as the device sends it, which is the short way: a fleet has thousands.
    """
    before, *behind = draft.split(OPEN)
    parts = [before]
    for part in behind:
        fields, _, rest = part.partition(CLOSE)
        place, quantity, value, behind_it, unit = fields.split(SPLIT)
        if place == Place.NUMBER or (fill is not None and place == Place.TEXT):  # its quotes belong to the mark
            parts[-1], rest = parts[-1][:-1], rest[1:]
        if fill is None:
            parts += (value + behind_it, rest)
        else:
            parts += (_token(Mark(quantity, value, behind_it, unit, Place(place)), fill), rest)
    return "".join(parts)


def marks(draft: str) -> list[Mark]:
    """The marked values in their order."""
    return [_found(found) for found in MARK.finditer(draft)]


def _mark(place: Place, *fields: str) -> str:
    return OPEN + SPLIT.join((place.value, *fields)) + CLOSE


def _found(found: re.Match[str]) -> Mark:
    place, quantity, value, glued, unit = (field for field in found.groups() if field is not None)
    return Mark(quantity, value, glued, unit, Place(place))


def _token(mark: Mark, fill: Fill) -> str:
    token = fill(mark)
    if token.literal or mark.place is Place.BARE:
        return token.text
    return json.dumps(token.text, ensure_ascii=False)
