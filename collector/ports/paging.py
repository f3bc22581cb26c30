"""A part of a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list; `next_cursor` continues it, None = the end."""

    items: Sequence[T]
    next_cursor: str | None = None
