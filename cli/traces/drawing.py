"""A trace as a table whose first column is a tree."""

from collections.abc import Sequence
from itertools import pairwise

from cli.output import plain, print_table
from cli.tables import Fit
from cli.traces.spans import Span, Trace

SAID = (
    "http.method",
    "http.url",
    "server.address",
    "server.port",
    "url.path",
    "http.response.status_code",
    "http.status_code",
    "rpc.response.status_code",
    "error.type",
    "chamberlog.chamber",
    "chamberlog.profile",
    "chamberlog.slot",
    "chamberlog.round.slots",
    "chamberlog.outcome",
    "chamberlog.gap.reason",
    "chamberlog.lateness_s",
    "chamberlog.subject",
    "temporal.workflow.id",
    "db.operation.batch.size",
)
"""What people want to know first; `--json` has the rest."""
OURS = ("chamberlog.", "chamberlog-")


def print_trace(trace: Trace) -> None:
    """All spans of a trace, each below the one that it continues."""
    rows = list(trace.tree())
    branches = _branches([depth for depth, _ in rows])
    table = [
        (
            branch + plain(span.name),
            _short(span.service),
            _ms(span.began_ns - trace.began_ns),
            _length(span),
            _state(span),
            _said(span),
        )
        for branch, (_, span) in zip(branches, rows, strict=True)
    ]
    print_table(
        ("span", "service", "begins", "lasts", "", "said"),
        table,
        f"trace {trace.id}: {len(rows)} spans of {len(trace.services)} services in {trace.lasted_ms:.1f} ms",
        Fit(texts=("said",), spare=("said",)),
    )


def print_traces(traces: Sequence[Trace]) -> None:
    """A line each, the newest first."""
    print_table(
        ("trace", "began", "lasted", "", "what", "chamber", "spans", "services"),
        [
            (
                trace.id,
                str(trace.heading()["started_at"])[11:23],
                f"{trace.lasted_ms:.1f} ms",
                "failed" if trace.failed else "",
                plain(trace.spans[0].name),
                plain(trace.chamber or ""),
                str(len(trace.spans)),
                ", ".join(_short(name) for name in trace.services),
            )
            for trace in traces
        ],
        None if traces else "no traces: nothing was kept, or not of these",
        Fit(spare=("services", "spans", "chamber")),
    )


def _branches(depths: Sequence[int]) -> list[str]:
    """Lines of a tree, from how deep each row stands."""
    found: list[str] = []
    for index, depth in enumerate(depths):
        marks = []
        for level in range(1, depth + 1):
            later = next((d for d in depths[index + 1 :] if d <= level), 0)
            goes_on = later == level
            if level == depth:
                marks.append("├─ " if goes_on else "└─ ")
            else:
                marks.append("│  " if goes_on else "   ")
        found.append("".join(marks))
    assert all(after <= before + 1 for before, after in pairwise(depths))
    return found


def _ms(ns: int) -> str:
    return f"+{ns / 1e6:.1f} ms"


def _length(span: Span) -> str:
    return f"{span.lasted_ms:.1f} ms"


def _state(span: Span) -> str:
    return "failed" if span.failed else ""


def _short(service: str) -> str:
    return plain(service.removeprefix(OURS[1]))


def _said(span: Span) -> str:
    said = [f"{name.removeprefix(OURS[0])}={span.attributes[name]}" for name in SAID if name in span.attributes]
    links = [f"linked to trace {trace_id}" for trace_id in span.links]
    return plain(" ".join([*said, *links]))
