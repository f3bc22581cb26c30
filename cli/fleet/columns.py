"""What a fleet file can say of a chamber, column by column, as CSV writes it (texts) and as YAML does (values)."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cli.times import parse_duration_ms, seconds_of
from collector.domain.errors import InvalidFieldError

LABEL = "label."
"""Begins the name of a column that holds one label."""
YES, NO = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})
TEXT_REMEDY = "write a text, in quotes where YAML would read a number, date, yes, no or null"


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        field: of the API's chamber that it fills.
        read: from a cell to the field's value; raises `InvalidFieldError` with the column's name.
    """

    field: str
    read: Callable[[str, Any], Any]


def column_of(name: str) -> Column | None:
    """The column of that name, or None."""
    if name.startswith(LABEL) and len(name) > len(LABEL):
        return Column("labels", lambda _, cell: {name.removeprefix(LABEL): _text(name, cell)})
    return COLUMNS.get(name)


def _text(name: str, cell: Any) -> str:
    if not isinstance(cell, str):
        raise InvalidFieldError(name, f"{_shown(cell)} is not a text", TEXT_REMEDY)
    return cell


def _reference(name: str, cell: Any) -> str | None:
    return None if cell is None else _text(name, cell)


def _given_or_not(name: str, cell: Any) -> str | None:
    return _reference(name, cell) or None


def _duration(name: str, cell: Any) -> int | float:
    if not isinstance(cell, str):
        remedy = f"write it with its unit, such as 10s or 5m, or use the column {name}_s for seconds"
        raise InvalidFieldError(name, f"{_shown(cell)} does not say its unit", remedy)
    return seconds_of(parse_duration_ms(name, cell))


def _seconds(name: str, cell: Any) -> int | float:
    try:
        number = float(cell) if not isinstance(cell, bool) else math.nan
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise InvalidFieldError(name, f"{_shown(cell)} is not a number of seconds", "write it like 10 or 0.5")
    milliseconds = number * 1000
    if abs(milliseconds - round(milliseconds)) > 1e-6:
        raise InvalidFieldError(name, f"{_shown(cell)} is finer than a millisecond", "give at most three decimals")
    return seconds_of(round(milliseconds))


def _optional(read: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    return lambda name, cell: None if cell is None else read(name, cell)


def _flag(name: str, cell: Any) -> bool:
    if isinstance(cell, bool):
        return cell
    word = str(cell).strip().lower()
    if word not in YES | NO:
        raise InvalidFieldError(name, f"{_shown(cell)} is neither yes nor no", "write true or false")
    return word in YES


def _labels(name: str, cell: Any) -> dict[str, str | None]:
    if not isinstance(cell, dict):
        raise InvalidFieldError(name, f"{_shown(cell)} is not a mapping", "write it like {room: A1}")
    return {key: None if value is None else _text(f"{name}.{key}", value) for key, value in cell.items()}


def _shown(cell: Any) -> str:
    return repr(cell)[:60]


COLUMNS: Mapping[str, Column] = {
    "id": Column("id", _text),
    "url": Column("url", _text),
    "profile": Column("profile", _text),
    "section": Column("section", _text),
    "name": Column("name", _text),
    "interval": Column("interval_s", _duration),
    "interval_s": Column("interval_s", _seconds),
    "timeout": Column("timeout_s", _duration),
    "timeout_s": Column("timeout_s", _seconds),
    "round_span": Column("round_span_s", _optional(_duration)),
    "round_span_s": Column("round_span_s", _optional(_seconds)),
    "aligned": Column("aligned", _flag),
    "verify_tls": Column("verify_tls", _flag),
    "secret_ref": Column("secret_ref", _reference),
    "timezone": Column("timezone", _given_or_not),
    "serial_number": Column("serial_number", _given_or_not),
    "labels": Column("labels", _labels),
}
"""All but the labels that have a column of their own. YAML's null removes what may be absent, and a label."""
