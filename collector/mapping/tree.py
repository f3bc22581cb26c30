"""What every decoder makes of an answer."""

from typing import Any

Tree = dict[str, Any] | list[Any]


class Unended(str):
    """A text after which nothing stands that would show its end: `2` may be the beginning of `23.5`.

    A measurement that is read from it is `suspect` at best.
    """

    __slots__ = ()
