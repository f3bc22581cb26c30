"""What the gateway decided about tracing a request, as its id says it."""

REASON = 14
"""The digit of a request id in which Envoy writes why it traces (`pack_trace_reason`)."""
TRACED = frozenset("9ab")
"""By chance, because somebody whom it trusts asks, because a client may ask; any other digit: it does not."""


def gateway_traces(request_id: str | None) -> bool:
    """Whether the gateway that gave a request this id keeps its trace.

    Only then the `traceparent` beside it is the gateway's own: otherwise it stands as the client wrote it.
    """
    return request_id is not None and len(request_id) == 36 and request_id[REASON] in TRACED
