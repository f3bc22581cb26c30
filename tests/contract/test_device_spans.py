"""What a trace shows of device requests, and that devices are told nothing of it: on the wire, straight, by Envoy."""

from collections.abc import Iterator
from typing import Any

import pytest

from adapters.http_device import HttpDeviceClient
from collector.domain.egress import EgressPolicies
from collector.domain.egress_proxy import EgressProxy
from collector.domain.errors import SlotFailedError
from collector.mapping.credentials import Credentials
from collector.ports import DeviceRequest
from edge.egress import EgressLimits
from stack.ports import free_port
from tests.contract.device_server import DeviceServer, Visit, answering, ok
from tests.contract.egress_envoy import EgressEnvoy, running
from tests.contract.guarded_device import GuardedDevice
from tests.contract.test_http_device import DEFAULTS, LOOPBACK
from tests.unit.span_rooms import SpanRoom, otel_spans

TRACE_HEADERS = (
    b"traceparent",
    b"tracestate",
    b"baggage",
    b"b3",
    b"x-b3-traceid",
    b"x-b3-spanid",
    b"x-b3-sampled",
    b"uber-trace-id",
    b"x-ot-span-context",
    b"x-datadog-trace-id",
    b"x-cloud-trace-context",
    b"x-amzn-trace-id",
    b"sw8",
    b"x-request-id",
    b"x-envoy-original-path",
    b"x-client-trace-id",
)
"""Of W3C, and of everybody who had them before; what Envoy adds when it traces or gives numbers to requests."""


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EgressEnvoy]:
    with running(tmp_path_factory.mktemp("egress"), EgressPolicies(default=LOOPBACK), EgressLimits()) as started:
        yield started


def asking(port: int, path: str = "/now?token=hunter2", **more: Any) -> DeviceRequest:
    defaults: dict[str, Any] = {"budget_ms": 5_000, "egress": LOOPBACK, "section": "default/lab3"}
    return DeviceRequest(f"http://127.0.0.1:{port}{path}", **(defaults | more))


async def ask(spans: SpanRoom, request: DeviceRequest, proxy: EgressProxy | None = None) -> str:
    """Ask within a slot's span; answers with that span's context."""
    async with HttpDeviceClient(**DEFAULTS, proxy=proxy, tracing=spans.tracing) as client:
        with spans.tracing.span("collect slot"):
            context = spans.tracing.here()
            try:
                await client.fetch(request)
            except SlotFailedError:
                spans.tracing.here()
            return context


def names_of(head: bytes) -> set[bytes]:
    """Names of the headers that came."""
    lines = head.split(b"\r\n\r\n")[0].split(b"\r\n")[1:]
    return {line.partition(b":")[0].strip().lower() for line in lines}


@pytest.mark.parametrize("way", ["straight", "by the egress proxy"])
async def test_a_device_is_told_nothing_of_the_trace(way: str, envoy: EgressEnvoy) -> None:
    spans = otel_spans()
    with DeviceServer(answering(ok(b"23.5"))) as server:
        context = await ask(spans, asking(server.port), envoy.proxy if way != "straight" else None)
        [visit] = server.visits
    assert names_of(visit.request) == {b"host", b"user-agent", b"accept", b"accept-encoding", b"connection"}
    assert not names_of(visit.request) & set(TRACE_HEADERS)
    for part in (context[3:35], context[36:52], spans.only("GET").context[36:52]):
        assert part.encode() not in visit.request
    assert spans.only("GET").parent == context, "it was traced all the same"


async def test_a_request_is_shown_by_the_conventions_and_without_its_query() -> None:
    spans = otel_spans()
    with DeviceServer(answering(ok(b"23.5"))) as server:
        request = asking(server.port, headers={"Authorization": "Bearer hunter2"}, parameters=(("key", "hunter2"),))
        context = await ask(spans, request)
    span = spans.only("GET")
    assert (span.kind, span.parent, span.error) == ("client", context, "")
    assert span.attributes == {
        "http.request.method": "GET",
        "url.scheme": "http",
        "url.path": "/now",
        "server.address": "127.0.0.1",
        "server.port": server.port,
        "http.response.status_code": 200,
    }
    assert "hunter2" not in repr(spans.seen())


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        (b"HTTP/1.1 500 hunter2\r\nContent-Length: 0\r\n\r\n", 500, "http_status"),
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", 403, "unauthorized"),
        (b"HTTP/1.1 302 Found\r\nLocation: /hunter2\r\nContent-Length: 0\r\n\r\n", 302, "http_status"),
        (b"hunter2\r\n\r\n", None, "malformed"),
    ],
    ids=["500", "403", "302", "nonsense"],
)
async def test_a_request_that_failed_says_why_and_quotes_nothing(answer: bytes, status: int | None, error: str) -> None:
    spans = otel_spans()
    with DeviceServer(answering(answer)) as server:
        await ask(spans, asking(server.port))
    span = spans.only("GET")
    assert (span.attributes.get("http.response.status_code"), span.error) == (status, error)
    assert "hunter2" not in repr(spans.seen())


async def test_a_device_that_is_not_there_has_no_status() -> None:
    spans = otel_spans()
    await ask(spans, asking(free_port()))
    span = spans.only("GET")
    assert ("http.response.status_code" in span.attributes, span.error) == (False, "unreachable")


async def test_a_device_that_is_silent_is_a_time_out() -> None:
    def silent(visit: Visit) -> None:
        visit.hear()
        visit.rest(5)

    spans = otel_spans()
    with DeviceServer(silent) as server:
        await ask(spans, asking(server.port, budget_ms=200))
    assert spans.only("GET").error == "timeout"


async def test_an_answered_challenge_is_the_same_request_sent_again() -> None:
    spans = otel_spans()
    device = GuardedDevice("hunter2")
    with DeviceServer(device) as server:
        await ask(spans, asking(server.port, digest=Credentials("admin", "hunter2")))
    span = spans.only("GET")
    assert device.log == ["401", "ok"]
    assert span.attributes["http.request.resend_count"] == 1
    assert (span.attributes["http.response.status_code"], span.error) == (200, "")
    assert "hunter2" not in repr(spans.seen())


async def test_a_trace_that_is_not_kept_has_no_request() -> None:
    spans = otel_spans(keeps=False)
    with DeviceServer(answering(ok(b"23.5"))) as server:
        await ask(spans, asking(server.port))
        assert len(server.visits) == 1
    assert spans.seen() == []
