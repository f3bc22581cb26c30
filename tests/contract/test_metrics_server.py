import asyncio
import concurrent.futures
import contextlib
import re
import threading
import time
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry

from activities.collection import CollectionActivities
from adapters.telemetry import MetricsServer, OtelCollectionMetrics, make_meter_provider, serve_metrics
from workers.failover import keep_turning
from workers.readiness import Readiness


@dataclass(slots=True)
class Process:
    """A process that is ready or not."""

    wrong: str = ""

    def why_not(self) -> str:
        return self.wrong


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
    with serve_metrics("127.0.0.1", 0, process.why_not, registry) as server:
        yield server


def test_metrics_are_served_with_their_values(server: MetricsServer, provider: MeterProvider) -> None:
    OtelCollectionMetrics(provider).unsaved("lab", 4)
    answer = httpx.get(server.url + "/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'chamberlog_outcomes_unsaved{chamberlog_organization="lab"} 4.0' in answer.text.splitlines()


def test_readiness_follows_the_process(server: MetricsServer, process: Process) -> None:
    assert (httpx.get(server.url + "/readyz").status_code, httpx.get(server.url + "/readyz").text) == (200, "ready\n")
    process.wrong = "it does not poll Temporal yet"
    assert (httpx.get(server.url + "/readyz").status_code, httpx.get(server.url + "/readyz").text) == (
        503,
        "not ready: it does not poll Temporal yet\n",
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
        return [line for line in lines if line.startswith("chamberlog_outcomes_unsaved{")]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        bodies = list(pool.map(scrape, range(24)))
    assert all(body == bodies[0] and len(body) == 50 for body in bodies)


def test_a_taken_port_is_an_error_and_a_closed_server_frees_its_own(
    server: MetricsServer, process: Process, registry: CollectorRegistry
) -> None:
    with pytest.raises(OSError, match="in use"):
        serve_metrics("127.0.0.1", server.port, process.why_not, registry)
    server.close()
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url + "/metrics")
    assert "metrics" not in {thread.name for thread in threading.enumerate()}


class NoRounds(CollectionActivities):
    """Of a process that carries nothing."""

    def __init__(self) -> None:
        self._running = {}


@pytest.mark.timeout(60)
def test_a_loop_that_hangs_is_not_ready_though_this_process_answers(registry: CollectorRegistry) -> None:
    readiness = Readiness(lambda: time.monotonic_ns() // 200_000)  # five times as fast as the turns, to wait less
    readiness.set()
    loop = asyncio.new_event_loop()
    turning = threading.Thread(target=lambda: run_until_cancelled(loop, keep_turning(NoRounds(), readiness.turned)))
    turning.start()
    try:
        with serve_metrics("127.0.0.1", 0, readiness.why_not, registry) as server:
            time.sleep(1.5)
            assert httpx.get(server.url + "/readyz").text == "ready\n"
            hung = time.monotonic()
            loop.call_soon_threadsafe(time.sleep, 4.0)
            answer = eventually(server, 503)
            assert re.fullmatch(r"not ready: the event loop has not turned for \d+ s\n", answer)
            assert time.monotonic() - hung < 4.0
            assert eventually(server, 200) == "ready\n"
    finally:
        loop.call_soon_threadsafe(lambda: [task.cancel() for task in asyncio.all_tasks(loop)])
        turning.join()


def run_until_cancelled(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None]) -> None:
    with contextlib.closing(loop), contextlib.suppress(asyncio.CancelledError):
        loop.run_until_complete(work)


def eventually(server: MetricsServer, status: int, within_s: float = 20.0) -> str:
    """The first answer of `/readyz` with that status."""
    deadline = time.monotonic() + within_s
    while (answer := httpx.get(server.url + "/readyz")).status_code != status:
        assert time.monotonic() < deadline, f"still {answer.text}"
        time.sleep(0.05)
    return answer.text
