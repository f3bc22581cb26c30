"""Strict numbers: what a device sends becomes a finite float or nothing."""

import math
import re
from typing import NamedTuple

from collector.domain.units import find_unit, stored_unit

_TEXT_LIMIT = 64
_POINT = re.compile(r"([+-]?[0-9]+(?:\.[0-9]+)?)\s*(.*)", re.DOTALL)
_COMMA = re.compile(r"([+-]?[0-9]+(?:,[0-9]+)?)\s*(.*)", re.DOTALL)


class Sent(NamedTuple):
    """A number as the device sent it.

    Attributes:
        number: finite.
        glued: UCUM code of the unit that was glued to it; None without one.
    """

    number: float
    glued: str | None = None


def number_of(sent: object, unit: str, *, decimal_comma: bool = False) -> Sent | None:
    """Read one number.

    Args:
        sent: a JSON number, or text with one optional sign, digits, one optional decimal mark with digits on both
            sides, and optionally the unit glued to it.
        unit: UCUM code; a glued unit must be a spelling of one that is stored as this one is.
        decimal_comma: texts have a decimal comma, and a point is refused.

    Returns:
        None for everything else: booleans, `nan`, `1e999`, `0x1F`, `1,234.5`, another quantity's unit.
    """
    if isinstance(sent, str):
        return _of_text(sent.strip(), unit, _COMMA if decimal_comma else _POINT)
    if isinstance(sent, bool) or not isinstance(sent, int | float):
        return None
    number = finite(sent)
    return None if number is None else Sent(number)


def finite(number: float) -> float | None:
    """The number as a float, or None when it is infinite, not a number, or an integer too large for a float."""
    try:
        value = float(number)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


def _of_text(text: str, unit: str, form: re.Pattern[str]) -> Sent | None:
    found = form.fullmatch(text) if len(text) <= _TEXT_LIMIT else None
    if found is None:
        return None
    digits, spelling = found.groups()
    glued = find_unit(spelling) if spelling else None
    if spelling and (glued is None or stored_unit(glued) != stored_unit(unit)):
        return None
    number = finite(float(digits.replace(",", ".")))
    return None if number is None else Sent(number, glued)
