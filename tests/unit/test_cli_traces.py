"""`chamberlog traces` over a store: what it asks, how it reads both spellings of OTLP's JSON, what it prints."""

import base64
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cli.__main__ import main
from cli.traces.spans import Trace, traces_of
from tests.unit.json_schemas import check

pytestmark = pytest.mark.enable_socket
A, B = "0a" * 16, "b0" * 16
AT_NS = 1_795_910_400_000_000_000


def span(trace_id: str, number: int, parent: int | None, name: str, **more: Any) -> dict[str, Any]:
    begun = AT_NS + number * 1_000_000
    ids = {"traceId": trace_id, "spanId": f"{number:016x}"}
    times = {"startTimeUnixNano": str(begun), "endTimeUnixNano": str(begun + 2_500_000)}
    return {**ids, **({} if parent is None else {"parentSpanId": f"{parent:016x}"}), "name": name, **times, **more}


def part(service: str, *spans: dict[str, Any]) -> dict[str, Any]:
    named = [{"key": "service.name", "value": {"stringValue": service}}]
    return {"resource": {"attributes": named}, "scopeSpans": [{"scope": {}, "spans": list(spans)}]}


def said(**attributes: Any) -> list[dict[str, Any]]:
    kinds = {str: "stringValue", int: "intValue", bool: "boolValue"}
    return [{"key": name.replace("__", "."), "value": {kinds[type(v)]: v}} for name, v in attributes.items()]


REQUEST = [
    part("chamberlog-worker", span(A, 4, 3, "collect adhoc", attributes=said(chamberlog__chamber="sim-01"))),
    part("chamberlog-gateway", span(A, 1, 9, "ingress", kind=2), span(A, 2, 1, "async authz egress", kind=3)),
    part("chamberlog-api", span(A, 3, 1, "POST /v1/x", kind=2, attributes=said(http__response__status_code=200))),
]
ROUND = [
    part(
        "chamberlog-worker",
        span(B, 11, None, "collect round", attributes=said(chamberlog__chamber="sim-02"), links=[{"traceId": A}]),
        span(B, 12, 11, "collect slot", status={"code": 2}, attributes=said(chamberlog__gap__reason="timeout")),
    )
]


@contextmanager
def store(parts: list[dict[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    """A store of traces that answers with these, and notes what it is asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            path = urlsplit(self.path).path
            wanted = parse_qs(urlsplit(self.path).query).get("query.service_name", [""])[0]
            trace_id = path.removeprefix("/api/v3/traces/") if "traces/" in path else ""
            found = [one for one in parts if trace_id in json.dumps(one)]
            if wanted:
                ids = {
                    s["traceId"] for one in found if wanted in json.dumps(one) for s in one["scopeSpans"][0]["spans"]
                }
                found = [one for one in found if one["scopeSpans"][0]["spans"][0]["traceId"] in ids]
            services = sorted({one["resource"]["attributes"][0]["value"]["stringValue"] for one in parts} | {"other"})
            document = {"services": services} if path.endswith("/services") else {"result": {"resourceSpans": found}}
            body = json.dumps(document if found or "services" in path else {"error": {"httpCode": 404}}).encode()
            self.send_response(200 if found or "services" in path else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(list(argv))
    out, err = capsys.readouterr()
    return code, out, err


def trees(parts: list[dict[str, Any]]) -> list[tuple[int, str]]:
    (trace,) = traces_of({"result": {"resourceSpans": parts}})
    return [(depth, each.name) for depth, each in trace.tree()]


def test_spans_stand_below_those_that_they_continue() -> None:
    assert trees(REQUEST) == [(0, "ingress"), (1, "async authz egress"), (1, "POST /v1/x"), (2, "collect adhoc")]


def test_a_span_whose_parent_has_not_come_is_a_root() -> None:
    assert trees(REQUEST[:1]) == [(0, "collect adhoc")]
    (trace,) = traces_of({"result": {"resourceSpans": REQUEST[:1]}})
    assert not trace.whole(f"{9:016x}")
    (whole,) = traces_of({"result": {"resourceSpans": REQUEST}})
    assert whole.whole(f"{9:016x}")
    assert not whole.whole()


def test_a_span_that_was_sent_twice_is_shown_once() -> None:
    assert trees([*REQUEST, *REQUEST]) == trees(REQUEST)


def test_both_spellings_are_read() -> None:
    """Ids in base64, kinds and codes by their names: the JSON of Protobuf, which some stores write."""
    text = json.dumps(ROUND).replace('"code": 2', '"code": "STATUS_CODE_ERROR"')

    def spelt(match: re.Match[str]) -> str:
        return f'"{match[1]}": "{base64.b64encode(bytes.fromhex(match[2])).decode()}"'

    other = json.loads(re.sub(r'"(traceId|spanId|parentSpanId)": "([0-9a-f]+)"', spelt, text))
    assert "0a0a" not in json.dumps(other)
    documents = [one.document() for parts in (ROUND, other) for one in traces_of({"result": {"resourceSpans": parts}})]
    assert documents[0] == documents[1]
    assert documents[0]["failed"]
    assert documents[0]["spans"][0]["links"] == [A]


@pytest.mark.parametrize(
    "document", [{}, {"result": 3}, {"result": {"resourceSpans": [{"scopeSpans": [{"spans": [{}]}]}]}}]
)
def test_what_is_no_answer_of_a_store_is_said_to_be_none(document: Any) -> None:
    with pytest.raises(ValueError, match="no traces"):
        traces_of(document)


def test_traces_are_listed_the_newest_first(capsys: pytest.CaptureFixture[str]) -> None:
    with store([*REQUEST, *ROUND]) as (url, asked):
        code, out, err = run(capsys, "traces", "--traces", url, "--json")
        assert code == 0, err
        check("traces list", json.loads(out))
        assert [one["trace_id"] for one in json.loads(out)["items"]] == [B, A]
        services = [parse_qs(urlsplit(path).query).get("query.service_name") for path in asked[1:]]
        assert services == [["chamberlog-api"], ["chamberlog-gateway"], ["chamberlog-worker"]]
        _, out, _ = run(capsys, "traces", "--traces", url, "--service", "api")
        assert A in out
        assert B not in out
        for argv, trace_id in ((("--errors",), B), (("--chamber", "sim-01"), A), (("--limit", "1"), B)):
            _, out, _ = run(capsys, "traces", "--traces", url, *argv, "--json")
            assert [one["trace_id"] for one in json.loads(out)["items"]] == [trace_id], argv


def test_one_trace_is_shown_as_a_tree(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with store([*REQUEST, *ROUND]) as (url, _):
        monkeypatch.setenv("CHAMBERLOG_TRACES", url + "/")
        code, out, err = run(capsys, "traces", "show", A)
        assert code == 0, err
        assert [re.split(r" {2,}(?=\S+ +\+)", line)[0] for line in out.splitlines()[1:5]] == [
            "ingress",
            "├─ async authz egress",
            "└─ POST /v1/x",
            "   └─ collect adhoc",
        ]
        assert f"trace {A}: 4 spans of 3 services in 5.5 ms" in out
        _, out, _ = run(capsys, "traces", "show", B)
        assert "failed" in out
        assert f"linked to trace {A}" in out
        _, out, _ = run(capsys, "traces", "show", B.upper(), "--json")
        check("traces show", json.loads(out))


def test_what_others_have_named_moves_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    """A chamber's id in a call of gRPC is text of a client, and so is a path: whoever lists traces is somebody else."""
    evil = "x\x1b]0;y\x07\x1b[2J\r\n\x9bz"
    told = said(chamberlog__chamber=evil, url__path=evil)
    with store([part("chamberlog-api", span(A, 1, None, evil, attributes=told))]) as (url, _):
        for argv in (("traces", "list"), ("traces", "show", A)):
            code, out, _ = run(capsys, *argv, "--traces", url)
            assert code == 0
            assert "x ]0;y  [2J" in out
            assert not [c for c in out if not c.isprintable() and c != "\n"]


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (("traces", "show", "c" * 32), 3, "there is no trace"),
        (("traces", "show", "xyz"), 4, "no trace's id"),
        (("traces", "--traces", "ftp://x"), 4, "not a URL"),
        (("traces", "--traces", "http://127.0.0.1:9"), 6, "has no traces for us"),
        (("traces", "--since", "soon"), 4, "since"),
    ],
)
def test_what_goes_wrong_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...], code: int, words: str
) -> None:
    with store(ROUND) as (url, _):
        monkeypatch.setenv("CHAMBERLOG_TRACES", url)
        found, _, err = run(capsys, *argv)
    assert found == code
    assert words in err


def test_where_nobody_keeps_traces_the_remedy_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.delenv("CHAMBERLOG_TRACES", raising=False)
    code, _, err = run(capsys, "traces", "--home", str(tmp_path))
    assert code == 6
    assert "chamberlog up --telemetry" in err


def test_a_heading_is_of_the_first_span() -> None:
    (trace,) = traces_of({"result": {"resourceSpans": ROUND}})
    assert isinstance(trace, Trace)
    assert trace.heading() == {
        "trace_id": B,
        "started_at": "2026-11-29T00:00:00.011Z",
        "duration_ms": 3.5,
        "service": "chamberlog-worker",
        "name": "collect round",
        "services": ["chamberlog-worker"],
        "chamber": "sim-02",
        "failed": True,
    }
