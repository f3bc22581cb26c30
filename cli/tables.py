"""Tables that fit: what a terminal is too narrow for is wrapped, left out or put below, and never cut in the middle."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

GAP = 2
"""Blanks between two columns."""
NARROWEST_TEXT = 16
"""A text that is wrapped has at least so many columns."""


@dataclass(frozen=True, slots=True)
class Fit:
    """What may become of columns that do not fit.

    Attributes:
        texts: headings of columns that may be wrapped at blanks.
        spare: headings of columns that may be left out, the first one first.
        keys: how many columns at the left say what a row is: they are repeated where the rest is put below.
    """

    texts: Sequence[str] = ()
    spare: Sequence[str] = ()
    keys: int = 1


ANYWHERE = Fit()


def parts_of(columns: Sequence[str], widths: Sequence[int], available: int, fit: Fit) -> list[list[int]]:
    """Which columns stand side by side: one list of indices, or several when the rest has to be put below.

    Args:
        columns: headings.
        widths: of the widest cell of each, its heading included.
        available: columns of the terminal.
        fit: what may be done.
    """
    needed = [min(w, NARROWEST_TEXT) if c in fit.texts else w for c, w in zip(columns, widths, strict=True)]
    kept = list(range(len(columns)))
    for heading in fit.spare:
        if _total(needed, kept) <= available:
            break
        kept = [index for index in kept if columns[index] != heading]
    keys, rest = kept[: fit.keys], kept[fit.keys :]
    parts: list[list[int]] = []
    for index in rest:
        if parts and _total(needed, [*parts[-1], index]) <= available:
            parts[-1].append(index)
        else:
            parts.append([*keys, index])
    return parts or [keys]


def natural_width(widths: Iterable[int]) -> int:
    """What a table takes that nothing is done to."""
    widths = list(widths)
    return sum(widths) + GAP * (len(widths) - 1)


def _total(needed: Sequence[int], indices: Sequence[int]) -> int:
    return natural_width(needed[index] for index in indices)
