"""What a mutation itself wrote: the numbers that stand, whole, where the untouched answer has others.

Nobody can tell such an answer from a true one: `"t": 28.7` with a changed digit is the answer of a device at another
temperature. So a wrong number is excused where, and only where, the mutated answer itself says it: a number that the
untouched answer does not have, or has beside other words. A number that came about in any other way (the beginning of a
cut one, one without its unit, one that something else was taken for) is not.
"""

import re
from collections.abc import Iterator

from collector.domain.units import spellings, stored_unit, to_stored
from collector.mapping.measurement_rules import MeasurementRules
from fuzz.mutations import TOKEN

NEAR = 3
"""Words before and after a number that tell what it is: key, index, the unit behind it."""
_NUMBER = re.compile(rb"[+-]?[0-9].*", re.DOTALL)


def tokens(body: bytes) -> list[bytes]:
    """Words and numbers, in order."""
    return TOKEN.findall(body)


def written(untouched: bytes, mutated: bytes) -> Iterator[float]:
    """Numbers that the mutation wrote, or moved to other words."""
    known = set(_said(untouched))
    for number, before, after in set(_said(mutated)):
        if (number, before, after) not in known:
            yield float(number)


def words_changed(untouched: bytes, mutated: bytes) -> bool:
    """Whether there is a key or a unit that the untouched answer does not have."""
    return bool({*tokens(mutated)} - {*tokens(untouched)})


def could_be(rules: MeasurementRules, number: float, value: float) -> bool:
    """Whether a measurement of this value comes from that number, in any unit that may be meant."""
    codes = {code for code in spellings().values() if stored_unit(code) == rules.stored_unit}
    return any(_close(to_stored(number * rules.times, code), value) for code in codes)


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-9 * max(1.0, abs(one), abs(other))


def _said(body: bytes) -> Iterator[tuple[bytes, tuple[bytes, ...], tuple[bytes, ...]]]:
    found = tokens(body)
    for at, token in enumerate(found):
        if _NUMBER.fullmatch(token):
            yield token, tuple(found[max(0, at - NEAR) : at]), tuple(found[at + 1 : at + 1 + NEAR])
