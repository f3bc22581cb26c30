"""To whom the stack's parts tell what they do: the stack's own receiver, or a person's collector."""

from pathlib import Path

import pytest

from edge.addresses import Address
from edge.ingress import Tracing
from stack.environment import part_environment
from stack.home import Home
from stack.layout import Layout
from stack.parts import otlp_parts
from stack.telemetry import gateway_tracing, sends

OTLP = {"otlp_grpc": 4317, "otlp_http": 4318}
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.fixture(autouse=True)
def nobody_collects(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (ENDPOINT, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_TRACES_SAMPLER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("OTEL_RESOURCE_ATTRIBUTES", raising=False)


def layout(path: Path, *, telemetry: bool) -> Layout:
    return Layout(Home(path), OTLP if telemetry else {}, {})


def test_without_a_receiver_nothing_is_told(tmp_path: Path) -> None:
    where = layout(tmp_path, telemetry=False)
    assert (where.otlp, where.traces) == (None, None)
    assert (sends(where, "api"), otlp_parts(where), gateway_tracing(where)) == ({}, [], None)


def test_with_a_receiver_every_part_is_told_and_everything_is_traced(tmp_path: Path) -> None:
    where = layout(tmp_path, telemetry=True)
    assert (where.otlp, where.traces) == ("http://127.0.0.1:4317", "http://127.0.0.1:4318")
    told = sends(where, "worker-2")
    assert told[ENDPOINT] == where.otlp
    assert told["OTEL_TRACES_SAMPLER"] == "parentbased_always_on"
    assert told["OTEL_RESOURCE_ATTRIBUTES"] == "service.instance.id=worker-2"
    assert gateway_tracing(where) == Tracing(collector=Address("127.0.0.1", 4317), percent=100)
    assert [part.name for part in otlp_parts(where)] == ["otlp"]


def test_a_person_s_own_choices_stand_and_their_collector_is_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=lab,service.instance.id=mine")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "https://collector.example.org")
    environment = part_environment(sends(layout(tmp_path, telemetry=True), "api"))
    assert environment["OTEL_TRACES_SAMPLER"] == "always_off"
    assert environment["OTEL_RESOURCE_ATTRIBUTES"] == "deployment.environment.name=lab,service.instance.id=mine"
    assert "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT" not in environment
    without = part_environment(sends(layout(tmp_path, telemetry=False), "api"))
    assert without["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"] == "https://collector.example.org"


@pytest.mark.parametrize(
    ("variables", "collector"),
    [
        ({ENDPOINT: "http://collector:4317"}, Address("collector", 4317)),
        ({ENDPOINT: "http://10.0.0.7"}, Address("10.0.0.7", 4317)),
        ({ENDPOINT: "http://a:1", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://b:2"}, Address("b", 2)),
        ({ENDPOINT: "https://collector:4317"}, None),
        ({ENDPOINT: "http://collector:4318", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, None),
        ({ENDPOINT: "collector"}, None),
    ],
)
def test_the_gateway_tells_a_person_s_collector_where_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], collector: Address | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found = gateway_tracing(layout(tmp_path, telemetry=False))
    assert found == (None if collector is None else Tracing(collector=collector))
