import concurrent.futures
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry

from adapters.telemetry import MetricsServer, OtelCollectionMetrics, make_meter_provider, serve_metrics


@dataclass(slots=True)
class Process:
    """A process that is ready or not."""

    ready: bool = True

    def is_ready(self) -> bool:
        return self.ready


@pytest.fixture
def process() -> Process:
    return Process()


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def provider(registry: CollectorRegistry) -> Iterator[MeterProvider]:
    provider = make_meter_provider("chamberlog-worker", registry=registry)
    yield provider
    provider.shutdown()


@pytest.fixture
def server(process: Process, provider: MeterProvider, registry: CollectorRegistry) -> Iterator[MetricsServer]:
    with serve_metrics("127.0.0.1", 0, process.is_ready, registry) as server:
        yield server


def test_metrics_are_served_with_their_values(server: MetricsServer, provider: MeterProvider) -> None:
    OtelCollectionMetrics(provider).unsaved("lab", 4)
    answer = httpx.get(server.url + "/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'chamberlog_outcomes_unsaved{chamberlog_organization="lab"} 4.0' in answer.text.splitlines()


def test_readiness_follows_the_process(server: MetricsServer, process: Process) -> None:
    assert (httpx.get(server.url + "/readyz").status_code, httpx.get(server.url + "/readyz").text) == (200, "ready\n")
    process.ready = False
    assert (httpx.get(server.url + "/readyz").status_code, httpx.get(server.url + "/readyz").text) == (
        503,
        "not ready\n",
    )


def test_another_path_says_what_there_is(server: MetricsServer) -> None:
    answer = httpx.get(server.url + "/")
    assert (answer.status_code, answer.text) == (404, "use /metrics or /readyz\n")


def test_scrapes_at_once_do_not_mix(server: MetricsServer, provider: MeterProvider) -> None:
    metrics = OtelCollectionMetrics(provider)
    for index in range(50):
        metrics.unsaved(f"org-{index}", index)

    def scrape(_: int) -> list[str]:
        lines = httpx.get(server.url + "/metrics").text.splitlines()
        return [line for line in lines if line.startswith("chamberlog_outcomes_unsaved")]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        bodies = list(pool.map(scrape, range(24)))
    assert all(body == bodies[0] and len(body) == 50 for body in bodies)


def test_a_taken_port_is_an_error_and_a_closed_server_frees_its_own(
    server: MetricsServer, process: Process, registry: CollectorRegistry
) -> None:
    with pytest.raises(OSError, match="in use"):
        serve_metrics("127.0.0.1", server.port, process.is_ready, registry)
    server.close()
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url + "/metrics")
    assert "metrics" not in {thread.name for thread in threading.enumerate()}
