"""Strict numbers: what a device sends becomes a finite float or nothing."""

import math
import re

from collector.domain.units import find_unit

_TEXT_LIMIT = 64
_POINT = re.compile(r"([+-]?[0-9]+(?:\.[0-9]+)?)\s*(.*)", re.DOTALL)
_COMMA = re.compile(r"([+-]?[0-9]+(?:,[0-9]+)?)\s*(.*)", re.DOTALL)


def number_of(sent: object, unit: str, *, decimal_comma: bool = False) -> float | None:
    """Read one number.

    Args:
        sent: a JSON number, or text with one optional sign, digits, one optional decimal mark with digits on both
            sides, and optionally the unit glued to it.
        unit: UCUM code; a glued unit must be a spelling of exactly this one.
        decimal_comma: texts have a decimal comma, and a point is refused.

    Returns:
        A finite float; None for everything else: booleans, `nan`, `1e999`, `0x1F`, `1,234.5`, another unit.
    """
    if isinstance(sent, str):
        return _of_text(sent.strip(), unit, _COMMA if decimal_comma else _POINT)
    if isinstance(sent, bool) or not isinstance(sent, int | float):
        return None
    return finite(sent)


def finite(number: float) -> float | None:
    """The number as a float, or None when it is infinite, not a number, or an integer too large for a float."""
    try:
        value = float(number)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


def _of_text(text: str, unit: str, form: re.Pattern[str]) -> float | None:
    found = form.fullmatch(text) if len(text) <= _TEXT_LIMIT else None
    if found is None:
        return None
    digits, glued = found.groups()
    if glued and find_unit(glued) != unit:
        return None
    return finite(float(digits.replace(",", ".")))
