"""The stack with a receiver of OTLP: one whole trace, a round of its own, metrics by value; all by the commands."""

import json
import re
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from stack.edge import edge_is_there
from tests.e2e.running_stack import Json, RunningStack, eventually, gateway_client, stack_at

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("telemetry"),
    pytest.mark.skipif(not edge_is_there(), reason="there is no Envoy for this platform"),
]
ROUTE = "/v1/chambers/{chamber_id}/collect"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    home = tmp_path_factory.mktemp("telemetry") / ".chamberlog"
    with stack_at(home, "--telemetry") as running:
        yield running


@pytest.fixture
def client(stack: RunningStack) -> Iterator[httpx.Client]:
    with gateway_client(stack) as opened:
        yield opened


class Shown:
    """A trace as `--json` prints it, with what one asks of it."""

    def __init__(self, document: Json) -> None:
        self.document, self.spans = document, document["spans"]

    def one(self, service: str, name: str, **attributes: object) -> Any:
        """The one span that fits; dots of attributes are two underscores."""
        wanted = {key.replace("__", "."): value for key, value in attributes.items()}
        found = [
            span
            for span in self.spans
            if (span["service"], span["name"]) == (f"chamberlog-{service}", name)
            and wanted.items() <= span["attributes"].items()
        ]
        assert len(found) == 1, (service, name, [(s["service"], s["name"]) for s in self.spans])
        return found[0]

    def above(self, span: Json) -> list[str]:
        """Names of what a span is part of, from its parent up."""
        by_id = {each["span_id"]: each for each in self.spans}
        found: list[str] = []
        while (span := by_id.get(span["parent_span_id"], {})) != {}:
            found.append(f"{span['service'].removeprefix('chamberlog-')}: {span['name']}")
        return found


def shown(stack: RunningStack, trace_id: str, is_whole: Callable[[Shown], bool]) -> Shown:
    """The trace once it is whole."""
    deadline = time.monotonic() + 30
    while True:
        done = stack.shell(f"chamberlog traces show {trace_id} --json")
        if done.returncode == 0 and is_whole(found := Shown(json.loads(done.stdout))):
            return found
        assert time.monotonic() < deadline, done.stdout or done.stderr
        time.sleep(0.5)


def stored(trace: Shown) -> bool:
    """Whether its statement is there: a first round goes the long way, which asks for gaps as well."""
    return any(span["name"] in ("INSERT reading", "INSERT reading gap") for span in trace.spans)


def asked(trace_id: str) -> dict[str, str]:
    """Headers of a request whose trace is to be kept for certain."""
    return {"traceparent": f"00-{trace_id}-{'b' * 16}-01", "x-envoy-force-trace": "true"}


def test_one_command_prints_one_whole_trace(stack: RunningStack) -> None:
    trace = Shown(stack.json("collect sim-01 --trace"))
    assert trace.document["services"] == [f"chamberlog-{name}" for name in ("gateway", "authz", "api", "worker")]
    assert (trace.document["chamber"], trace.document["failed"]) == ("sim-01", False)

    gateway = trace.one("gateway", "ingress")
    assert gateway["kind"] == "server"
    assert gateway["attributes"]["http.status_code"] == "200"
    assert gateway["attributes"]["http.url"].endswith("/v1/chambers/sim-01/collect")
    assert gateway["attributes"]["chamberlog.organization"] == "default"
    assert trace.above(gateway) == []
    assert gateway["parent_span_id"], "the caller's own span, which is in no store"

    authorize = trace.one("authz", "authorize")
    assert authorize["kind"] == "server"
    assert authorize["attributes"]["http.response.status_code"] == 200
    assert authorize["attributes"]["chamberlog.operation"] == "chambers.collect"
    assert trace.above(authorize) == ["gateway: async authz egress", "gateway: ingress"]
    lookup = trace.one("authz", "SELECT api_key", db__system__name="postgresql", db__collection__name="api_key")
    assert (lookup["kind"], trace.above(lookup)[0]) == ("client", "authz: authorize")

    served = trace.one("api", f"POST {ROUTE}", http__route=ROUTE, chamberlog__chamber="sim-01")
    assert served["kind"] == "server"
    assert served["attributes"]["http.response.status_code"] == 200
    assert trace.above(served) == ["gateway: ingress"]
    assert trace.above(trace.one("api", "INSERT audit_event")) == [f"api: POST {ROUTE}", "gateway: ingress"]
    update = trace.one("api", "UpdateWorkflow collect_reading", temporal__workflow__id="chamber/sim-01")
    assert (update["kind"], trace.above(update)[0]) == ("client", f"api: POST {ROUTE}")

    collected = trace.one("worker", "collect adhoc", chamberlog__chamber="sim-01", chamberlog__outcome="reading")
    assert trace.above(collected)[:2] == ["api: UpdateWorkflow collect_reading", f"api: POST {ROUTE}"]
    device = trace.one("worker", "GET", http__response__status_code=200)
    assert (device["kind"], trace.above(device)[0]) == ("client", "worker: collect adhoc")
    assert device["attributes"]["server.address"] == "127.0.0.1"
    stored = trace.one("worker", "INSERT reading_adhoc", db__system__name="postgresql")
    assert trace.above(stored)[:2] == ["worker: store outcomes", "worker: collect adhoc"]
    assert trace.above(stored)[-1] == "gateway: ingress"


def test_a_trace_gives_no_secret_away(stack: RunningStack, client: httpx.Client) -> None:
    trace_id, secret = secrets.token_hex(16), "a-secret-in-a-query"
    client.get(f"/v1/chambers?section={secret}", headers=asked(trace_id))
    trace = shown(stack, trace_id, lambda seen: len(seen.document["services"]) == 3)
    assert trace.one("api", "GET /v1/chambers")["attributes"]["http.response.status_code"] in {200, 404, 422}
    text = json.dumps(trace.document)
    assert secret not in text
    assert stack.environment["CHAMBERLOG_API_KEY"].split("_", 2)[2] not in text


def test_people_see_a_tree(stack: RunningStack) -> None:
    done = stack.shell("chamberlog collect sim-02 --trace")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^ingress +gateway +\+0\.0 ms", done.stdout, re.MULTILINE)
    assert re.search(r"^│  └─ authorize +authz ", done.stdout, re.MULTILINE)
    assert re.search(r"└─ INSERT reading_adhoc +worker ", done.stdout)
    trace_id = re.search(r"^trace ([0-9a-f]{32}): \d+ spans of 4 services", done.stdout, re.MULTILINE)
    assert trace_id is not None
    listed = stack.json("traces --chamber sim-02 --service api")["items"]
    assert trace_id[1] in [trace["trace_id"] for trace in listed]
    assert {trace["chamber"] for trace in listed} == {"sim-02"}


def test_a_failed_collection_is_shown_with_its_error(stack: RunningStack) -> None:
    assert stack.shell("chamberlog add nowhere http://127.0.0.1:9 --profile airgradient --every 1h").returncode == 0
    done = stack.shell("chamberlog collect nowhere --trace --json")
    trace = Shown(json.loads(done.stdout))
    assert done.returncode != 0
    assert "error: " in done.stderr
    collected = trace.one("worker", "collect adhoc", chamberlog__outcome="gap")
    assert collected["failed"]
    assert collected["attributes"]["error.type"] == collected["attributes"]["chamberlog.gap.reason"] == "blocked"
    failed = stack.json("traces --errors --chamber nowhere")["items"]
    assert trace.document["trace_id"] in [each["trace_id"] for each in failed]
    assert stack.shell("chamberlog retire nowhere").returncode == 0


def test_a_round_is_a_trace_of_its_own_that_names_the_enrolment(stack: RunningStack, client: httpx.Client) -> None:
    trace_id, chamber = secrets.token_hex(16), "linked-1"
    device = next(each for each in stack.json("list")["items"] if each["id"] == "sim-01")
    body = {"id": chamber, "section": "default", "profile": device["profile"], "url": device["url"]}
    made = client.post("/v1/chambers", json=body | {"interval_s": 1, "round_span_s": 2}, headers=asked(trace_id))
    assert made.status_code == 201, made.text
    enrolment = shown(stack, trace_id, lambda seen: len(seen.document["services"]) == 3)
    assert enrolment.document["services"] == [f"chamberlog-{name}" for name in ("gateway", "authz", "api")]
    begun = enrolment.one("api", "StartWorkflow Chamber", temporal__workflow__id=f"chamber/{chamber}")
    assert enrolment.above(begun)[0] == "api: POST /v1/chambers"

    rounds: list[Json] = []

    def has_round() -> bool:
        listed = stack.json(f"traces --chamber {chamber} --service worker")["items"]
        rounds[:] = [each for each in listed if each["name"] == "collect round"]
        return bool(rounds)

    eventually(has_round, 60)
    assert rounds[0]["trace_id"] != trace_id
    trace = shown(stack, rounds[0]["trace_id"], stored)
    root = trace.one("worker", "collect round", chamberlog__chamber=chamber)
    assert (root["parent_span_id"], root["links"]) == (None, [trace_id])
    slots = [span for span in trace.spans if span["name"] == "collect slot"]
    assert 1 <= len(slots) <= root["attributes"]["chamberlog.round.slots"]  # a first round may end early, to be seen
    assert {trace.above(span)[0] for span in slots} == {"worker: collect round"}
    assert len({span["attributes"]["chamberlog.slot"] for span in slots}) == len(slots)
    requests = [span for span in trace.spans if span["name"] == "GET"]
    assert {trace.above(span)[0] for span in requests} == {"worker: collect slot"}
    assert stack.shell(f"chamberlog retire {chamber}").returncode == 0


def test_a_stranger_leaves_no_spans_behind_the_gateway(stack: RunningStack) -> None:
    """Here the gateway traces everything; what it lets nobody do is not told by the API, whatever the caller asks."""
    refused, probed = secrets.token_hex(16), secrets.token_hex(16)
    url = stack.environment["CHAMBERLOG_API"]
    direct = json.loads((stack.home / "stack.json").read_text())["api"]
    assert httpx.get(f"{url}/v1/chambers", headers=asked(refused)).status_code == 401
    assert httpx.get(f"{direct}/v1/chambers", headers=asked(probed)).status_code == 401
    assert httpx.get(f"{direct}/healthz", headers=asked(probed)).status_code == 200
    trace = shown(stack, refused, lambda seen: len(seen.spans) >= 3)
    assert trace.document["services"] == ["chamberlog-gateway", "chamberlog-authz"]
    assert trace.one("authz", "authorize")["attributes"]["http.response.status_code"] == 401
    time.sleep(2.5)  # the API hands over once a second
    assert stack.shell(f"chamberlog traces show {probed}").returncode == 3


def test_logs_come_with_the_trace_in_which_they_were_written(stack: RunningStack, client: httpx.Client) -> None:
    """A sign-in of somebody who is not there is told by the log alone; the gateway's decision counts for it."""
    trace_id, traces = secrets.token_hex(16), stack.environment["CHAMBERLOG_TRACES"]
    body = {"email": "nobody@example.org", "password": "correct horse battery staple"}
    assert client.post("/v1/auth/sign-in", json=body, headers=asked(trace_id)).status_code == 401
    trace = shown(stack, trace_id, lambda seen: len(seen.document["services"]) == 3)
    span = trace.one("api", "POST /v1/auth/sign-in")
    assert (span["failed"], "chamberlog.subject" in span["attributes"]) == (False, False)
    found: list[Any] = []

    def has_come() -> bool:
        query = {"service": "chamberlog-api", "trace_id": trace_id}
        found[:] = httpx.get(f"{traces}/logs.json", params=query).json()["resourceLogs"]
        return bool(found)

    eventually(has_come, 30)
    record = found[0]["scopeLogs"][0]["logRecords"][0]
    assert "no audit event" in record["body"]["stringValue"]
    assert (record["traceId"], record["severityText"]) == (trace_id, "INFO")
    assert record["spanId"] in {each["span_id"] for each in trace.spans if each["service"] == "chamberlog-api"}


def test_metrics_by_otlp_are_those_of_the_metrics_page(stack: RunningStack) -> None:
    """A report lies between two looks at the page, for a counter that only grows."""
    traces = stack.environment["CHAMBERLOG_TRACES"]
    ports = json.loads((stack.home / "ports.json").read_text())

    def page() -> int:
        text = httpx.get(f"http://127.0.0.1:{ports['worker']}/metrics").text
        found = re.search(
            r'^chamberlog_collections_total\{[^}]*outcome="reading"[^}]*\} ([\d.e+]+)$', text, re.MULTILINE
        )
        assert found is not None
        return int(float(found[1]))

    def report() -> tuple[int, int]:
        query = {"service": "chamberlog-worker", "name": "chamberlog.collections"}
        (one,) = httpx.get(f"{traces}/metrics.json", params=query).json()["resourceMetrics"]
        told = one["scopeMetrics"][0]["metrics"][0]
        assert (told["unit"], told["sum"]["isMonotonic"]) == ("{collection}", True)
        points: list[Any] = told["sum"]["dataPoints"]
        reading = {"key": "outcome", "value": {"stringValue": "reading"}}
        (point,) = [each for each in points if reading in each["attributes"]]
        return int(point["asInt"]), int(point["timeUnixNano"])

    eventually(lambda: httpx.get(f"{traces}/metrics.json?name=chamberlog.collections").json()["resourceMetrics"] != [])
    before, since_ns = page(), time.time_ns()
    eventually(lambda: report()[1] > since_ns, 30)
    value, _ = report()
    assert before <= value <= page()
    assert value > 0
