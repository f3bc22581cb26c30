"""What a process tells of itself, by gRPC and by HTTP, to a real receiver; what becomes of it while that is away."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.contract.otlp_receiver import Receiver, receiving

TELL = """
import asyncio, logging, sys, time
from contextlib import AsyncExitStack
logging.basicConfig(level=logging.INFO, format="%(name)s %(levelname)s %(message)s")
logging.getLogger().handlers[0].addFilter(lambda record: record.name != "chamberlog")  # that is sent, and not shown
from adapters.telemetry import open_telemetry

async def main(spans, stays_s):
    began = time.monotonic()
    async with AsyncExitStack() as closing:
        telemetry = open_telemetry("chamberlog-worker", closing)
        opened = time.monotonic()
        tracer = telemetry.tracers.get_tracer("chamberlog")
        counter = telemetry.meters.get_meter("chamberlog").create_counter("chamberlog.collections")
        logger = logging.getLogger("chamberlog")
        for number in range(spans):
            with tracer.start_as_current_span(f"collect slot {number % 3}"):
                counter.add(1, {"outcome": "reading"})
                logger.info("a reading")
        worked = time.monotonic()
        await asyncio.sleep(stays_s)
        stopping = time.monotonic()
    ended = time.monotonic()
    print(f"{opened - began:.3f} {worked - opened:.3f} {ended - stopping:.3f}", flush=True)

asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
"""


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def tell(endpoint: str, spans: int, more: dict[str, str], stays_s: float = 0.0) -> "subprocess.CompletedProcess[str]":
    """A process of its own that tells of so many spans, stays, and ends."""
    own = {n: v for n, v in os.environ.items() if not n.startswith("OTEL_")}
    environment = own | {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_TRACES_SAMPLER": "parentbased_always_on"} | more
    command = [sys.executable, "-c", TELL, str(spans), str(stays_s)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=50)


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
@pytest.mark.parametrize("compression", ["", "none", "gzip"], ids=["plain", "none", "gzip"])
def test_all_three_signals_arrive(receiver: Receiver, protocol: str, compression: str) -> None:
    name = f"chamberlog-{protocol[:4]}-{compression or 'plain'}"
    own = {"OTEL_SERVICE_NAME": name, "OTEL_EXPORTER_OTLP_COMPRESSION": compression}
    done = tell(receiver.endpoint(protocol), 1, own | {"OTEL_EXPORTER_OTLP_PROTOCOL": protocol})
    assert done.stderr == "", "what was taken is answered as taken"
    (metric,) = receiver.get(f"/metrics.json?service={name}&name=chamberlog.collections")["resourceMetrics"]
    told = metric["scopeMetrics"][0]["metrics"][0]
    (point,) = told["sum"]["dataPoints"]
    assert point["asInt"] == "1"
    assert point["attributes"] == [{"key": "outcome", "value": {"stringValue": "reading"}}]
    (record,) = receiver.get(f"/logs.json?service={name}")["resourceLogs"]
    said = record["scopeLogs"][0]["logRecords"][0]
    assert said["body"] == {"stringValue": "a reading"}
    (part,) = receiver.get(f"/api/v3/traces/{said['traceId']}")["result"]["resourceSpans"]
    (span,) = part["scopeSpans"][0]["spans"]
    assert (span["name"], span["spanId"]) == ("collect slot 0", said["spanId"])
    attributes = {pair["key"]: pair["value"]["stringValue"] for pair in part["resource"]["attributes"]}
    assert attributes["service.name"] == name
    assert attributes["service.instance.id"].startswith(socket.gethostname())


@contextmanager
def nobody() -> Iterator[str]:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    yield f"http://127.0.0.1:{port}"


@contextmanager
def silence() -> Iterator[str]:
    """A port on which somebody listens who never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
@pytest.mark.parametrize("away", [nobody, silence])
def test_a_collector_that_is_away_holds_nothing_up(protocol: str, away: Any) -> None:
    """Neither the start nor the work, and the stop for 3 s; beside it the same work with the telemetry off."""
    quick = {"OTEL_BSP_SCHEDULE_DELAY": "500", "OTEL_BLRP_SCHEDULE_DELAY": "500", "OTEL_METRIC_EXPORT_INTERVAL": "1000"}
    with away() as endpoint:
        done = tell(endpoint, 5_000, quick | {"OTEL_EXPORTER_OTLP_PROTOCOL": protocol}, 8.0)
    opened_s, worked_s, ended_s = (float(text) for text in done.stdout.split())
    assert opened_s < 5, "5 x slack: it takes some hundredths"
    assert worked_s < 10, "5 x slack"
    assert ended_s < 6, done.stderr
    lines = [line for line in done.stderr.splitlines() if line]
    assert 1 <= len(lines) <= 8, done.stderr
    assert not [line for line in lines if "Traceback" in line], done.stderr
