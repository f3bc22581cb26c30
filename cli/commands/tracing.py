"""Traces: what a request, or a round, did and for how long."""

import secrets
from typing import Annotated

import typer

from cli.exits import CommandError, Complaint, ExitCode
from cli.group import ListingGroup
from cli.output import print_json
from cli.session import HomeFlag, JsonFlag
from cli.times import parse_duration_ms
from cli.traces.drawing import print_trace, print_traces
from cli.traces.spans import Trace
from cli.traces.store import VARIABLE, TraceStore, find_store

group = typer.Typer(cls=ListingGroup, help="Traces of requests and rounds. Told nothing else, it lists the newest.")
WORKERS = "collect adhoc"
"""The span by which a collection on demand has come to its worker."""
WITHIN_S = 20.0
"""Above the 5 s after which a gateway and a process hand over their spans, and a store's own bundles."""
FAILED_WITHIN_S = 10.0
"""Of a request that perhaps reached nobody who keeps traces: as long as handing over takes, and hardly longer."""
StoreFlag = Annotated[
    str | None, typer.Option("--traces", help=f"Where traces are kept ({VARIABLE}); else the local stack's.")
]


@group.command("list")
def list_traces(
    *,
    chamber: Annotated[str | None, typer.Option("--chamber", help="About this chamber only.")] = None,
    service: Annotated[str | None, typer.Option("--service", help="Of this service only, such as worker.")] = None,
    errors: Annotated[bool, typer.Option("--errors", help="Those in which something failed only.")] = False,
    since: Annotated[str, typer.Option("--since", help="Not older than this, such as 10m.")] = "1h",
    limit: Annotated[int, typer.Option("--limit", min=1, help="So many at most.")] = 20,
    traces: StoreFlag = None,
    home: HomeFlag = None,
    as_json: JsonFlag = False,
) -> None:
    """List the newest traces."""
    store = find_store(traces, home)
    found = store.newest(_named(service), parse_duration_ms("since", since) / 1000)
    shown = [trace for trace in found if chamber in (None, trace.chamber) and (trace.failed or not errors)][:limit]
    if as_json:
        print_json({"items": [trace.heading() for trace in shown], "next_cursor": None})
    else:
        print_traces(shown)


@group.command("show")
def show(
    trace_id: Annotated[str, typer.Argument(metavar="TRACE_ID", help="32 hexadecimal digits.")],
    *,
    traces: StoreFlag = None,
    home: HomeFlag = None,
    as_json: JsonFlag = False,
) -> None:
    """Show one trace as a tree: who did what, when it began and how long it took."""
    if not 1 <= len(trace_id) <= 32 or set(trace_id.lower()) - set("0123456789abcdef"):
        complaint = Complaint("trace_id", f"{trace_id[:80]!r} is no trace's id", "`chamberlog traces` lists them")
        raise CommandError(ExitCode.REFUSED, complaint)
    store = find_store(traces, home)
    show_trace(store.find(trace_id.zfill(32).lower()), trace_id, as_json=as_json)


def show_trace(trace: Trace | None, trace_id: str, *, as_json: bool) -> None:
    """Print it.

    Raises:
        CommandError: NOT_FOUND, there is none.
    """
    if trace is None:
        remedy = (
            "`chamberlog traces` lists those that were kept; a gateway keeps it for certain for --traced-for networks"
        )
        raise CommandError(ExitCode.NOT_FOUND, Complaint("trace_id", f"there is no trace {trace_id}", remedy))
    if as_json:
        print_json(trace.document())
    else:
        print_trace(trace)


class Traced:
    """A request that asks to be traced.

    Args:
        store: where its trace will be found.
    """

    def __init__(self, store: TraceStore) -> None:
        self._store = store
        self.trace_id, self._span_id = secrets.token_hex(16), secrets.token_hex(8)

    @property
    def headers(self) -> dict[str, str]:
        """To be sent with it: the second one is for a gateway, which believes it of those whom it trusts."""
        return {"traceparent": f"00-{self.trace_id}-{self._span_id}-01", "x-envoy-force-trace": "true"}

    def found(self) -> Trace | None:
        """The trace, once a worker has told its part; what there is of it after `WITHIN_S`."""
        return self._store.wait_for(self.trace_id, self._is_whole, WITHIN_S)

    def found_of_failure(self) -> Trace | None:
        """The trace of a request that failed, for which perhaps no worker was asked; what there is of it soon."""
        return self._store.wait_for(self.trace_id, lambda trace: trace.whole(self._span_id), FAILED_WITHIN_S)

    def _is_whole(self, trace: Trace) -> bool:
        return trace.whole(self._span_id) and any(span.name == WORKERS for span in trace.spans)


def _named(service: str | None) -> str | None:
    return service if service is None or service.startswith("chamberlog-") else f"chamberlog-{service}"
