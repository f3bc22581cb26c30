"""The local stack's receiver of OTLP: what it takes, what it keeps, and what it answers of it."""

import gzip
import json
from datetime import UTC, datetime

import httpx
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from stack.otlp.kept import Kept, KeptLogs, KeptMetrics, KeptTraces
from stack.otlp.taking import MOST_BYTES
from stack.otlp.web import PROTOBUF, web_app

AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
AT_NS = int(AT.timestamp()) * 10**9
A, B = "0a" * 16, "b0" * 16
SPAN = {"query.start_time_min": "2026-11-28T11:00:00Z", "query.start_time_max": "2026-11-28T13:00:00Z"}


def resource(service: str) -> Resource:
    return Resource(attributes=[KeyValue(key="service.name", value=AnyValue(string_value=service))])


def traces(
    service: str, *ids: str, name: str = "work", lasted_ms: int = 5, padding: int = 0
) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add(resource=resource(service)).scope_spans.add()
    for number, trace_id in enumerate(ids):
        scope.spans.add(
            trace_id=bytes.fromhex(trace_id),
            span_id=(number + 1).to_bytes(8, "big"),
            name=name + "x" * padding,
            kind=2,
            start_time_unix_nano=AT_NS,
            end_time_unix_nano=AT_NS + lasted_ms * 1_000_000,
        )
    return request


def metrics(service: str, name: str, value: int) -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add(resource=resource(service)).scope_metrics.add().metrics.add(name=name)
    metric.sum.data_points.add(as_int=value)
    return request


def logs(service: str, *texts: str, trace_id: str = "") -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add(resource=resource(service)).scope_logs.add()
    for text in texts:
        scope.log_records.add(body=AnyValue(string_value=text), trace_id=bytes.fromhex(trace_id))
    return request


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def http(kept: Kept) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(web_app(kept)), base_url="http://otlp")


def names(document: dict[str, dict[str, list[dict[str, list[dict[str, list[dict[str, str]]]]]]]]) -> list[str]:
    parts = document["result"]["resourceSpans"]
    return [span["name"] for part in parts for scope in part["scopeSpans"] for span in scope["spans"]]


async def test_a_trace_comes_back_as_it_was_sent(http: httpx.AsyncClient) -> None:
    sent = traces("api", A)
    answer = await http.post("/v1/traces", content=sent.SerializeToString(), headers={"content-type": PROTOBUF})
    assert (answer.status_code, answer.content) == (200, b"")
    found = (await http.get(f"/api/v3/traces/{A}")).json()
    assert found == {
        "result": {
            "resourceSpans": [
                {
                    "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "api"}}]},
                    "scopeSpans": [
                        {
                            "scope": {},
                            "spans": [
                                {
                                    "traceId": A,
                                    "spanId": "0000000000000001",
                                    "name": "work",
                                    "kind": 2,
                                    "startTimeUnixNano": str(AT_NS),
                                    "endTimeUnixNano": str(AT_NS + 5_000_000),
                                }
                            ],
                        }
                    ],
                }
            ]
        }
    }


async def test_json_in_gzip_is_the_same_trace(http: httpx.AsyncClient) -> None:
    await http.post("/v1/traces", content=traces("api", A).SerializeToString(), headers={"content-type": PROTOBUF})
    document = (await http.get(f"/api/v3/traces/{A}")).json()["result"]
    again = json.dumps(document | {"a_field_of_next_year": 1}).replace(A, B).encode()
    headers = {"content-type": "application/json; charset=utf-8", "content-encoding": "gzip"}
    answer = await http.post("/v1/traces", content=gzip.compress(again), headers=headers)
    assert (answer.status_code, answer.json()) == (200, {})
    assert (await http.get(f"/api/v3/traces/{B}")).json()["result"] == json.loads(json.dumps(document).replace(A, B))


@pytest.mark.parametrize(
    ("body", "headers", "refusal"),
    [
        (b"\xff\xff", {"content-type": PROTOBUF}, (400, b"")),
        (b"[1", {"content-type": "application/json"}, (400, b"Expecting")),
        (b'{"resourceSpans": 3}', {"content-type": "application/json"}, (400, b"ExportTraceServiceRequest")),
        (
            b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "xyz"}]}]}]}',
            {"content-type": "application/json"},
            (400, b"ExportTraceServiceRequest"),
        ),
        (b"[" * 100_000, {"content-type": "application/json"}, (400, b"")),
        (b"{}", {"content-type": "text/plain"}, (415, b"text/plain")),
        (b"{}", {"content-type": PROTOBUF, "content-encoding": "br"}, (415, b"br")),
        (b"{}", {"content-type": PROTOBUF, "content-encoding": "gzip"}, (400, b"gzip")),
        (
            gzip.compress(b"abc" * 50, mtime=0)[:-12],
            {"content-type": PROTOBUF, "content-encoding": "gzip"},
            (400, b"end"),
        ),
        (b"x" * (MOST_BYTES + 1), {"content-type": PROTOBUF}, (413, b"longer")),
        (
            gzip.compress(b"\0" * (MOST_BYTES + 1), mtime=0),
            {"content-type": PROTOBUF, "content-encoding": "gzip"},
            (413, b"unpacked"),
        ),
    ],
)
async def test_what_cannot_be_taken_is_refused(
    http: httpx.AsyncClient, kept: Kept, body: bytes, headers: dict[str, str], refusal: tuple[int, bytes]
) -> None:
    answer = await http.post("/v1/traces", content=body, headers=headers)
    assert answer.status_code == refusal[0]
    assert refusal[1] in answer.content
    assert kept.traces.spans == 0


async def test_traces_are_found_by_service_name_time_and_duration(http: httpx.AsyncClient, kept: Kept) -> None:
    kept.take(traces("api", A, name="GET /v1/chambers"))
    kept.take(traces("worker", A, name="collect slot"))
    kept.take(traces("worker", B, name="collect round", lasted_ms=900))

    async def found(**query: str) -> list[str]:
        answer = await http.get("/api/v3/traces", params=SPAN | {f"query.{k}": v for k, v in query.items()})
        return names(answer.json()) if answer.status_code == 200 else []

    assert await found(service_name="worker") == ["collect round", "GET /v1/chambers", "collect slot"]
    assert await found(service_name="worker", search_depth="1") == ["collect round"]
    assert await found(service_name="api") == ["GET /v1/chambers", "collect slot"]
    assert await found(service_name="worker", operation_name="collect slot") == ["GET /v1/chambers", "collect slot"]
    assert await found(service_name="worker", duration_min="0.5s") == ["collect round"]
    assert await found(service_name="worker", start_time_min="2026-11-28T12:00:01Z") == []
    assert (await http.get("/api/v3/services")).json() == {"services": ["api", "worker"]}


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/api/v3/traces/xyz", {}, "trace_id"),
        ("/api/v3/traces", {}, "query.start_time_min"),
        ("/api/v3/traces", SPAN | {"query.start_time_max": "2026-11-28T12:00:00"}, "query.start_time_max"),
        ("/api/v3/traces", SPAN | {"query.search_depth": "0"}, "query.search_depth"),
        ("/api/v3/traces", SPAN | {"query.duration_min": "long"}, "query.duration_min"),
        ("/logs.json", {"limit": "all"}, "limit"),
    ],
)
async def test_a_wrong_question_is_told_which_part(
    http: httpx.AsyncClient, path: str, query: dict[str, str], field: str
) -> None:
    answer = await http.get(path, params=query)
    assert answer.status_code == 400
    assert field in answer.json()["error"]["message"]


async def test_a_trace_that_is_not_known_is_404(http: httpx.AsyncClient) -> None:
    assert (await http.get(f"/api/v3/traces/{A}")).json() == {"error": {"httpCode": 404, "message": "No traces found"}}


async def test_leading_zeros_may_be_left_out(http: httpx.AsyncClient, kept: Kept) -> None:
    kept.take(traces("api", "00" * 8 + "0a" * 8))
    assert names((await http.get("/api/v3/traces/" + "a" + "0a" * 7)).json()) == ["work"]


def test_the_oldest_trace_goes_first() -> None:
    kept = KeptTraces(limit=3_000)
    ids = [f"{number:032x}" for number in range(1, 11)]
    for trace_id in ids:
        kept.take(traces("api", trace_id, padding=500))
    left = [trace_id for trace_id in ids if kept.find(bytes.fromhex(trace_id))]
    assert left == ids[-5:]


def test_one_trace_does_not_push_the_others_out() -> None:
    kept = KeptTraces(limit=10_000, one=2_000)
    kept.take(traces("api", B))
    for _ in range(100):
        kept.take(traces("api", A, padding=500))
    assert len(kept.find(bytes.fromhex(A))) == 3
    assert (kept.spans, kept.dropped) == (4, 97)
    assert kept.find(bytes.fromhex(B))


def test_a_request_may_bring_spans_of_several_traces() -> None:
    kept = KeptTraces()
    kept.take(traces("api", A, B, A))
    assert [len(part.scope_spans[0].spans) for part in kept.find(bytes.fromhex(A))] == [2]
    assert [len(part.scope_spans[0].spans) for part in kept.find(bytes.fromhex(B))] == [1]


async def test_the_newest_report_of_a_metric_is_kept(http: httpx.AsyncClient, kept: Kept) -> None:
    for value in (1, 2):
        kept.take(metrics("worker", "chamberlog.collections", value))
    kept.take(metrics("worker", "chamberlog.answers.dropped", 7))
    kept.take(metrics("api", "chamberlog.collections", 9))
    query = {"service": "worker", "name": "chamberlog.collections"}
    (one,) = (await http.get("/metrics.json", params=query)).json()["resourceMetrics"]
    assert one["scopeMetrics"][0]["metrics"][0]["sum"]["dataPoints"] == [{"asInt": "2"}]
    assert len((await http.get("/metrics.json")).json()["resourceMetrics"]) == 3


def test_metrics_are_bounded() -> None:
    kept = KeptMetrics(limit=2_000)
    for number in range(1_000):
        kept.take(metrics("worker", f"metric.{number}", number))
    left = [one.scope_metrics[0].metrics[0].name for one in kept.newest()]
    assert left[-1] == "metric.999"
    assert 20 < len(left) < 60


async def test_logs_are_found_by_service_and_trace(http: httpx.AsyncClient, kept: Kept) -> None:
    kept.take(logs("worker", "one", "two"))
    kept.take(logs("api", "three", trace_id=A))

    async def texts(**query: str) -> list[str]:
        found = (await http.get("/logs.json", params=query)).json()["resourceLogs"]
        return [one["scopeLogs"][0]["logRecords"][0]["body"]["stringValue"] for one in found]

    assert await texts() == ["one", "two", "three"]
    assert await texts(service="worker", limit="1") == ["two"]
    assert await texts(trace_id=A) == ["three"]


def test_logs_are_bounded() -> None:
    kept = KeptLogs(limit=1_000)
    for number in range(500):
        kept.take(logs("worker", f"line {number}"))
    left = kept.newest(500)
    assert 10 < len(left) < 50
    assert left[-1].scope_logs[0].log_records[0].body.string_value == "line 499"
