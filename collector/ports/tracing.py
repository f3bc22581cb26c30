"""Where spans are opened: what a trace shows of a round, of its collections, and of what they ask for.

A span's context travels as the text of W3C `traceparent` (`00-<trace>-<span>-<flags>`); "" is no context at all.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from enum import Enum
from typing import Protocol, Self

from collector.domain.errors import SlotFailedError

ROOT = ""
"""As a parent: the span begins a trace of its own, whatever is open around it."""
Attribute = str | bool | int | float


class SpanKind(Enum):
    """Which side of a request a span shows."""

    INTERNAL = "internal"
    CLIENT = "client"
    SERVER = "server"


class OpenSpan(Protocol):
    """A span that has begun."""

    @property
    def kept(self) -> bool:
        """Whether anybody will see it: attributes that cost something to make are made only then."""
        ...

    def note(self, attributes: Mapping[str, Attribute]) -> None:
        """Add attributes, by OpenTelemetry's names; never a secret, a body, a query or a header's value."""
        ...

    def fail(self, error_type: str) -> None:
        """Its work failed; the first word stands. `error_type`: a gap reason, or the class of an error."""
        ...


class Tracing(Protocol):
    """Opens spans; cheap enough for each slot, and for each statement."""

    def span(
        self,
        name: str,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        parent: str | None = None,
        links: Sequence[str] = (),
    ) -> AbstractContextManager[OpenSpan]:
        """A span that lasts as long as the block, and is the current one within it, in tasks made there too.

        An error that leaves the block is the span's failure (see `error_type_of`), and leaves it all the same. Whether
        it is kept is decided where its trace begins: a child of a span that is not kept is not kept either.

        Args:
            name: of low cardinality: what is done, not to whom.
            kind: as in OpenTelemetry.
            parent: None = the current span; `ROOT` = none; else the context that it continues.
            links: contexts that it has to do with; those that nobody keeps, or that are none, are left out.
        """
        ...

    def here(self) -> str:
        """The context of the current span; "" when there is none, or when nothing is traced."""
        ...


def is_kept(context: str) -> bool:
    """Whether a context is one of a span that its trace keeps (W3C: the flag `sampled`)."""
    try:
        return bool(int(context[-2:], 16) & 1)
    except ValueError:
        return False


def error_type_of(error: BaseException) -> str:
    """`error.type` of an error: the gap reason of a slot that failed, else the error's class."""
    return error.reason.value if isinstance(error, SlotFailedError) else type(error).__name__


class Untraced:
    """`Tracing` that traces nothing, and each span of it."""

    kept = False

    def span(
        self,
        name: str,  # noqa: ARG002 - the port's
        *,
        kind: SpanKind = SpanKind.INTERNAL,  # noqa: ARG002 - the port's
        parent: str | None = None,  # noqa: ARG002 - the port's
        links: Sequence[str] = (),  # noqa: ARG002 - the port's
    ) -> Self:
        """Itself."""
        return self

    def here(self) -> str:
        """None."""
        return ""

    def note(self, attributes: Mapping[str, Attribute]) -> None:
        """Nothing."""

    def fail(self, error_type: str) -> None:
        """Nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


NO_TRACING = Untraced()
"""For processes that send no traces."""
