"""What may be asked for twice, and what nobody may overwrite unread: for everything that has a version."""

from collections.abc import Awaitable, Callable, Iterable, Set
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from collector.domain.errors import ConflictError, StaleVersionError

ATTRIBUTES = {"started_at": "started_ms", "ended_at": "ended_ms"}
"""Fields whose attribute has another name, because a unit stands in it."""


class Versioned(Protocol):
    """A thing that counts its changes."""

    @property
    def version(self) -> int:
        """Raised by each change."""
        ...


ATTEMPTS = 10
"""A change is tried so often when others come between its reading and its writing: more are no accident."""

T = TypeVar("T")
V = TypeVar("V", bound=Versioned)


@dataclass(frozen=True, slots=True)
class Made(Generic[T]):
    """What was asked for is there; `created` is False when it was there before, the same in all that was given."""

    thing: T
    created: bool


def refuse_unread(version: int, versions: Set[int] | None) -> None:
    """Refuse a change of what the caller has not seen.

    Args:
        version: that stands.
        versions: that the caller read; None = whatever stands.

    Raises:
        StaleVersionError: it is none of them.
    """
    if versions is not None and version not in versions:
        raise StaleVersionError(version)


def altered(before: V, versions: Set[int] | None, alter: Callable[[V], V]) -> V | None:
    """What the caller wants it to be; None when nothing differs, so that nothing need be written.

    Raises:
        StaleVersionError: as in `refuse_unread`.
        InvalidFieldError: as of `alter`.
    """
    refuse_unread(before.version, versions)
    wanted = alter(before)
    return None if wanted == before else wanted


async def as_it_stands(versions: Set[int] | None, change: Callable[[], Awaitable[T]]) -> T:
    """Make a change again when somebody else's came between, and the caller is content with what stands then.

    Args:
        versions: that the caller read; None = whatever stands.
        change: reads, alters and writes; it has written nothing when it raises `StaleVersionError`.

    Raises:
        StaleVersionError: it has a version that the caller did not read, or others change it all the time.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return await change()
        except StaleVersionError as stale:
            refuse_unread(stale.current, versions)
    return await change()


def refuse_other(called: str, there: object, wanted: object, given: Iterable[str]) -> None:
    """Refuse to make what is there already, and is another.

    Args:
        called: what it is, such as `section cold-store`.
        there: what is there.
        wanted: what was to be made.
        given: names of the fields that the caller has given; others are of no account.

    Raises:
        ConflictError: it differs in one of them.
    """
    attributes = {name: ATTRIBUTES.get(name, name) for name in given}
    refuse_different(
        f"{called} is there already",
        [name for name, attribute in attributes.items() if getattr(there, attribute) != getattr(wanted, attribute)],
    )


def refuse_different(called: str, names: Iterable[str]) -> None:
    """Refuse when there are names of fields that differ.

    Raises:
        ConflictError: field `id`; it names them.
    """
    differing = ", ".join(sorted(names))
    if differing:
        remedy = "change it with PATCH, or choose another id"
        raise ConflictError(f"{called} and differs in: {differing}", remedy, "id")
