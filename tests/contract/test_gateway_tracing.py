"""Which requests a real gateway traces, and who may let it: nobody may fill a store of traces by a header."""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from edge.addresses import Address
from edge.envoy import find_envoy
from edge.ingress import Tracing
from edge.tracing import gateway_traces
from tests.contract.gateway_room import GOOD, Room, ingress_settings, opened
from tests.contract.otlp_receiver import Receiver, receiving

pytestmark = pytest.mark.skipif(find_envoy() is None, reason="there is no Envoy for this platform")
FORCE = {"x-envoy-force-trace": "true"}
WITHIN_S, CALM_S = 20.0, 3.0
"""Envoy hands spans over each second."""


@dataclass(frozen=True)
class Traced:
    """A gateway and the receiver of its traces."""

    room: Room
    receiver: Receiver

    def ask(self, path: str = "/v1/echo", **headers: str) -> tuple[str, httpx.Response]:
        """A request in a trace of its own, which the caller keeps."""
        trace_id = secrets.token_hex(16)
        sent = {"traceparent": f"00-{trace_id}-{'b' * 16}-01"} | {n.replace("_", "-"): v for n, v in headers.items()}
        return trace_id, httpx.get(self.room.url + path, headers=sent, trust_env=False)

    def names(self, trace_id: str) -> list[str]:
        """Names of the spans that come within a while, until that of the request itself is there: it ends last."""
        deadline, found = time.monotonic() + WITHIN_S, list[str]()
        while "ingress" not in found and time.monotonic() < deadline:
            time.sleep(0.2)
            found = sorted(span["name"] for span in self.receiver.spans(trace_id))
        return found


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def gateway(
    receiver: Receiver, factory: pytest.TempPathFactory, percent: int, askers: tuple[str, ...]
) -> Iterator[Traced]:
    tracing = Tracing(collector=Address("127.0.0.1", receiver.grpc), percent=percent, askers=askers)
    with opened(factory.mktemp("traced"), ingress_settings(1, tracing=tracing)) as room:
        yield Traced(room, receiver)


@pytest.fixture(scope="module")
def by_askers(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    """Traces nothing by chance, and what callers of loopback ask for."""
    yield from gateway(receiver, tmp_path_factory, 0, ("127.0.0.0/8",))


@pytest.fixture(scope="module")
def by_nobody(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    """Traces nothing by chance, and this machine is a stranger."""
    yield from gateway(receiver, tmp_path_factory, 0, ("10.0.0.0/8",))


@pytest.fixture(scope="module")
def by_chance(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    """Traces everything by chance; nobody may ask."""
    yield from gateway(receiver, tmp_path_factory, 100, ())


def test_who_may_ask_has_a_trace_that_goes_on(by_askers: Traced) -> None:
    trace_id, answer = by_askers.ask(**GOOD, **FORCE)
    assert by_askers.names(trace_id) == ["async authz egress", "ingress"]
    ingress = next(span for span in by_askers.receiver.spans(trace_id) if span["name"] == "ingress")
    assert ingress["parentSpanId"] == "b" * 16
    seen = dict(answer.json()["headers"])
    assert seen["traceparent"] == f"00-{trace_id}-{ingress['spanId']}-01"
    assert gateway_traces(seen["x-request-id"])


def test_no_query_and_no_credential_stands_in_a_span(by_askers: Traced) -> None:
    trace_id, _ = by_askers.ask("/v1/echo?token=hush-hush", **GOOD, **FORCE)
    by_askers.names(trace_id)
    ingress = next(span for span in by_askers.receiver.spans(trace_id) if span["name"] == "ingress")
    assert ingress["attributes"]["http.url"] == f"{by_askers.room.url}/v1/echo"
    assert ingress["attributes"]["chamberlog.subject"] == "user/ada"
    assert "hush" not in str(by_askers.receiver.spans(trace_id))
    assert "good" not in str(by_askers.receiver.spans(trace_id))


@pytest.mark.parametrize(
    "headers",
    [{}, {"x-client-trace-id": "1"}, {"x-envoy-decorator-operation": "x"}, {"x-b3-sampled": "1"}],
    ids=["flagged", "client trace id", "decorator", "b3"],
)
def test_a_flag_alone_changes_nothing(by_askers: Traced, headers: dict[str, str]) -> None:
    trace_id, answer = by_askers.ask(**GOOD, **headers)
    seen = dict(answer.json()["headers"])
    assert not gateway_traces(seen["x-request-id"])
    assert seen["traceparent"].startswith(f"00-{trace_id}-"), "the id is believed"
    assert seen["traceparent"].endswith("-00"), "and the flag is not: nobody behind it keeps anything"
    time.sleep(CALM_S)
    assert by_askers.receiver.spans(trace_id) == []


def test_a_stranger_s_asking_changes_nothing(by_nobody: Traced) -> None:
    made = {"x-request-id": "686e86c9-8c8e-a89d-9d3c-3a282de81bee"}
    for headers in (FORCE, FORCE | {"x-client-trace-id": "1"}, made):
        trace_id, answer = by_nobody.ask(**GOOD, **headers)
        assert not gateway_traces(dict(answer.json()["headers"])["x-request-id"]), headers
        time.sleep(CALM_S)
        assert by_nobody.receiver.spans(trace_id) == []


def test_by_chance_everybody_s_request_is_traced_but_streams_probes_and_pages(by_chance: Traced) -> None:
    traced, _ = by_chance.ask(**GOOD)
    untraced = [by_chance.ask(path, **GOOD)[0] for path in ("/v1/live", "/healthz", "/docs", "/temporal")]
    assert by_chance.names(traced) == ["async authz egress", "ingress"]
    time.sleep(CALM_S)
    assert [by_chance.receiver.spans(trace_id) for trace_id in untraced] == [[], [], [], []]


def test_the_line_of_the_log_names_the_trace(by_chance: Traced) -> None:
    trace_id, _ = by_chance.ask("/v1/echo?x=1", **GOOD)
    deadline = time.monotonic() + WITHIN_S
    while trace_id not in [line.get("trace_id") for line in by_chance.room.access_log()]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
