"""Spans kept in memory."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field

from collector.ports.tracing import (
    NO_TRACING,
    ROOT,
    Attribute,
    OpenSpan,
    SpanKind,
    error_type_of,
    is_kept,
)


@dataclass(slots=True)
class KeptSpan:
    """A span that has ended.

    Attributes:
        name: of what was done.
        kind: as it was opened.
        context: its own; trace and span are numbers, in the order in which they were opened.
        parent: the context that it continues; "" = it is a root.
        links: contexts that it names.
        attributes: as they were noted; a later value stands.
        error: `error.type`; "" = it did not fail.
        began_ms: by the twin's clock.
        ended_ms: by the twin's clock.
    """

    name: str
    kind: SpanKind
    context: str
    parent: str
    links: tuple[str, ...]
    attributes: dict[str, Attribute] = field(default_factory=dict)
    error: str = ""
    began_ms: int = 0
    ended_ms: int = 0

    @property
    def trace(self) -> str:
        """Id of its trace."""
        return self.context[3:35]


class InMemoryTracing:
    """`Tracing` that keeps what it is told.

    Args:
        keeps: of each trace that begins here, by its number from 1 on, whether it is kept; all of them when None.
        now_ms: milliseconds since the Unix epoch; time stands still when None.

    Attributes:
        spans: those that have ended and are kept, in the order of their ends.
    """

    def __init__(self, keeps: Callable[[int], bool] | None = None, now_ms: Callable[[], int] | None = None) -> None:
        self._keeps, self._now_ms = keeps or (lambda _: True), now_ms or (lambda: 0)
        self._here: ContextVar[str] = ContextVar("span", default="")
        self._traces = self._opened = 0
        self.spans: list[KeptSpan] = []

    def span(
        self,
        name: str,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        parent: str | None = None,
        links: Sequence[str] = (),
    ) -> AbstractContextManager[OpenSpan]:
        """See `Tracing.span`."""
        around = self.here() if parent is None else parent
        if parent is None and around and not is_kept(around):
            return NO_TRACING
        span = KeptSpan(name, kind, self._context(around), around, _kept(links), began_ms=self._now_ms())
        return _Opened(self, span)

    def here(self) -> str:
        """See `Tracing.here`."""
        return self._here.get()

    def named(self, name: str) -> list[KeptSpan]:
        """Spans of that name, in the order of their ends."""
        return [span for span in self.spans if span.name == name]

    def enter(self, context: str) -> Token[str]:
        """Make it the current one."""
        return self._here.set(context)

    def leave(self, token: Token[str], span: KeptSpan) -> None:
        """The span has ended; the current one is what it was before."""
        self._here.reset(token)
        span.ended_ms = self._now_ms()
        if is_kept(span.context):
            self.spans.append(span)

    def _context(self, parent: str) -> str:
        self._opened += 1
        if parent != ROOT:
            return f"{parent[:36]}{self._opened:016x}-{int(is_kept(parent)):02x}"
        self._traces += 1
        return f"00-{self._traces:032x}-{self._opened:016x}-{int(self._keeps(self._traces)):02x}"


class _Opened:
    def __init__(self, tracing: InMemoryTracing, span: KeptSpan) -> None:
        self._tracing, self._span = tracing, span
        self._token: Token[str] | None = None

    @property
    def kept(self) -> bool:
        return is_kept(self._span.context)

    def note(self, attributes: Mapping[str, Attribute]) -> None:
        self._span.attributes.update(attributes)

    def fail(self, error_type: str) -> None:
        self._span.error = self._span.error or error_type

    def __enter__(self) -> OpenSpan:
        self._token = self._tracing.enter(self._span.context)
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            self.fail(error_type_of(error))
        if self._token is not None:
            self._tracing.leave(self._token, self._span)


def _kept(contexts: Iterable[str]) -> tuple[str, ...]:
    return tuple(context for context in contexts if is_kept(context))
