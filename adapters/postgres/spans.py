"""What a trace says of statements, by OpenTelemetry's conventions for databases; never a statement's text or values."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from adapters.sql_attributes import sql_attributes
from collector.ports import NO_TRACING, OpenSpan, SpanKind, Tracing
from collector.ports.tracing import Attribute, is_kept

READINGS: Final = "INSERT reading"
"""The live path: one statement that stores readings and moves what is settled."""
OUTCOMES: Final = "INSERT reading gap"
"""A transaction that locks the chambers' rows and stores whatever became of their slots."""
ADHOC: Final = "INSERT reading_adhoc"
DECIDED: Final = "SELECT reading gap"


@contextmanager
def sql_span(
    tracing: Tracing, summary: str, *, parent: str | None = None, links: Sequence[str] = (), batch: int = 1
) -> Iterator[OpenSpan]:
    """The span of a statement, or of a transaction that is one step for whoever waits for it.

    Args:
        tracing: opens it.
        summary: its name: the operation, then the tables; of low cardinality.
        parent: as of `Tracing.span`.
        links: as of `Tracing.span`.
        batch: how many callers' outcomes it stores.
    """
    with tracing.span(summary, kind=SpanKind.CLIENT, parent=parent, links=links) as span:
        if span.kept:
            span.note(_attributes(summary, batch))
        yield span


def group_span(tracing: Tracing, summary: str, contexts: Sequence[str]) -> AbstractContextManager[OpenSpan]:
    """The span of a transaction that stores what many have handed over.

    It is a child of the first of them whose trace is kept, and names the others. Without any there is nothing to show.

    Args:
        tracing: opens it.
        summary: as of `sql_span`.
        contexts: those in which the batches were handed over, one for each.
    """
    kept = [context for context in contexts if is_kept(context)]
    if not kept:
        return NO_TRACING
    return sql_span(tracing, summary, parent=kept[0], links=kept[1:], batch=len(contexts))


def _attributes(summary: str, batch: int) -> dict[str, Attribute]:
    found: dict[str, Attribute] = {**sql_attributes(summary)}
    if batch > 1:  # by the conventions one is no batch
        found["db.operation.batch.size"] = batch
    return found
