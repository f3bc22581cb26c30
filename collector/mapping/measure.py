"""One measurement of an answer: select, number, unit, quality."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from collector.domain.errors import MalformedAnswerError, MisconfiguredError
from collector.domain.outcome import Measurement, Quality
from collector.domain.quality import quality_of
from collector.domain.units import SIGNIFICANT_DIGITS, stored_unit, to_stored, unit_code
from collector.mapping.excerpt import excerpt
from collector.mapping.measurement_rules import MeasurementRules
from collector.mapping.numbers import finite, number_of
from collector.mapping.select import holds, select, shown
from collector.mapping.tree import Tree, Unended

_NUMBERS = frozenset({int, float})
_SHOWN_BELOW = 10**18
"""Larger integers may have thousands of digits, which Python refuses to write."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A measurement and how it came about.

    Attributes:
        rules: of the profile.
        measurement: what is stored.
        sent: the number before conversion, None without one.
        stage: where it failed, if it did, or may have: `select`, `sentinel`, `number`, `unit` or `truncated`.
        why: what was seen there.
        absent: the device does not name it, or names it null.
    """

    rules: MeasurementRules
    measurement: Measurement
    sent: float | None = None
    stage: str = ""
    why: str = ""
    absent: bool = False

    @property
    def left_out(self) -> bool:
        """Whether the reading does without it: it may be absent, and it is."""
        return self.rules.optional and self.absent


def measure(rules: MeasurementRules, tree: Tree) -> Measured:
    """Find, read, convert and judge one measurement; a faulty channel is a `bad` measurement, not an error.

    Raises:
        MisconfiguredError: the device names a unit that the table does not know, or one of another quantity.
    """
    try:
        found = select(rules.select, tree)
        if rules.is_plain and type(found) in _NUMBERS:
            return _plain(rules, found)
        return _absent(rules, found) or _faulty(rules, found, tree) or _read(rules, found, tree)
    except MalformedAnswerError as error:
        return _without_value(rules, Quality.BAD, "select", error.detail)


def _plain(rules: MeasurementRules, found: float) -> Measured:
    """Of most measurements of most answers: nothing needs to be read, converted or asked for."""
    value = finite(found)
    if value is None:
        return _without_value(rules, Quality.BAD, "number", f"{_seen(found)} is not a number in {rules.unit_code}")
    if value in rules.sentinel_numbers:
        return _without_value(rules, Quality.BAD, "sentinel", _seen(found))
    return Measured(rules, Measurement(rules.name, value, rules.stored_unit, quality_of(value, rules.range)), value)


def _absent(rules: MeasurementRules, found: object) -> Measured | None:
    if found is None:
        nothing = Measurement(rules.name, None, rules.stored_unit, Quality.MISSING)
        return Measured(rules, nothing, stage="select", why="nothing is there", absent=True)
    if rules.missing and isinstance(found, str) and _is_one_of(rules.missing, found.strip()):
        return _without_value(rules, Quality.MISSING, "select", f"the word {excerpt(found)}")
    return None


def _faulty(rules: MeasurementRules, found: object, tree: Tree) -> Measured | None:
    if _is_sentinel(rules, found):
        return _without_value(rules, Quality.BAD, "sentinel", _seen(found))
    if rules.bad_when is not None and holds(select(rules.bad_when, tree)):
        return _without_value(rules, Quality.BAD, "sentinel", f"{shown(rules.bad_when)} holds")
    return None


def _read(rules: MeasurementRules, found: object, tree: Tree) -> Measured:
    code = _code_sent(rules, tree)
    if code is None:
        return _without_value(rules, Quality.BAD, "unit", f"the device names none at {shown(str(rules.unit_select))}")
    sent = number_of(found, code, decimal_comma=rules.decimal_comma)
    glued = code if sent is None or sent.glued is None else sent.glued
    if rules.unit_select is not None and glued != code:
        return _without_value(rules, Quality.BAD, "unit", f"{_seen(found)}, and the device names {code}")
    stored = None if sent is None else finite(to_stored(_times(rules.times, sent.number), glued))
    if sent is None or stored is None:
        return _without_value(rules, Quality.BAD, "number", f"{_seen(found)} is not a number in {code}")
    measurement = Measurement(rules.name, stored, rules.stored_unit, quality_of(stored, rules.range))
    return _judged(rules, measurement, sent.number, found)


def _judged(rules: MeasurementRules, measurement: Measurement, sent: float, found: object) -> Measured:
    if isinstance(found, Unended):
        why = f"nothing after {_seen(found)} shows that it is whole"
        return Measured(rules, replace(measurement, quality=Quality.SUSPECT), sent, "truncated", why)
    return Measured(rules, measurement, sent)


def _times(times: float, number: float) -> float:
    """Rounded, so that 283 tenths are 28.3 and not 28.300000000000001."""
    return number if times == 1.0 else float(f"{number * times:.{SIGNIFICANT_DIGITS}g}")


def _is_sentinel(rules: MeasurementRules, found: object) -> bool:
    if not rules.sentinels:
        return False
    if isinstance(found, str) and _is_one_of(rules.sentinel_words, found.strip()):
        return True
    sent = number_of(found, rules.unit_code, decimal_comma=rules.decimal_comma)
    return sent is not None and sent.number in rules.sentinel_numbers


def _is_one_of(words: Collection[str], found: str) -> bool:
    return found in words or any(len(word) > 1 and word[-1] == "*" and found.startswith(word[:-1]) for word in words)


def _code_sent(rules: MeasurementRules, tree: Tree) -> str | None:
    if rules.unit_select is None:
        return rules.unit_code
    named = select(rules.unit_select, tree)
    if named is None or named == "":
        return None
    word = named.strip() if isinstance(named, str) else _seen(named)
    code = unit_code(rules.unit_words.get(word, word))
    if stored_unit(code) != rules.stored_unit:
        raise MisconfiguredError(
            f"unit: {rules.name} comes in {code}, and the profile expects what is stored as {rules.stored_unit}"
        )
    return code


def _without_value(rules: MeasurementRules, quality: Quality, stage: str, why: str) -> Measured:
    return Measured(rules, Measurement(rules.name, None, rules.stored_unit, quality), stage=stage, why=why)


def _seen(found: object) -> str:
    if isinstance(found, str):
        return excerpt(found)
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, int | float):
        return str(found) if abs(found) < _SHOWN_BELOW else "a huge number"
    return "a list" if isinstance(found, list) else "an object"
