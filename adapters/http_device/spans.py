"""What a trace says of a device request, by OpenTelemetry's conventions for HTTP clients.

Never a query, which may carry a credential, a header's value, or anything of an answer but its status.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from adapters.http_device.attempt import Attempt
from adapters.http_device.request import WrittenRequest
from collector.ports import SpanKind, Tracing
from collector.ports.tracing import Attribute

GET = "GET"
PATH_LIMIT = 200


@contextmanager
def request_span(tracing: Tracing, sent: WrittenRequest, attempt: Attempt) -> Iterator[None]:
    """One device request, from waiting for its turn to the last byte, repeated ones of Digest included.

    The device is told nothing of it: no trace context is in what is sent.
    """
    with tracing.span(GET, kind=SpanKind.CLIENT) as span:
        try:
            yield
        finally:
            if span.kept:
                span.note(_attributes(sent, attempt))


def _attributes(sent: WrittenRequest, attempt: Attempt) -> dict[str, Attribute]:
    found: dict[str, Attribute] = {
        "http.request.method": GET,
        "url.scheme": "https" if sent.secure else "http",
        "url.path": sent.target.partition("?")[0][:PATH_LIMIT],
        "server.address": sent.host,
        "server.port": sent.port,
    }
    if attempt.status:
        found["http.response.status_code"] = attempt.status
    if attempt.resent:
        found["http.request.resend_count"] = attempt.resent
    return found
