"""Debian's Prometheus against the running stack: every query of every dashboard, and three alerts by their faults."""

import asyncio
import json
import math
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import httpx
import pytest

from stack.binaries import postgres_bin
from stack.edge import edge_is_there
from tests.e2e.dashboards import POSTGRES, PROMETHEUS, PROMQL_VALUES, Query, all_queries, metric_names, promql, sql
from tests.e2e.prometheus_server import NO_PROMETHEUS, PrometheusServer, alert_expressions, running
from tests.e2e.running_stack import RunningStack, eventually, stack_at

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("prometheus"),
    pytest.mark.skipif(bool(NO_PROMETHEUS), reason=NO_PROMETHEUS or "there is one"),
    pytest.mark.skipif(not edge_is_there(), reason="there is no Envoy for this platform"),
]
READER = Path(__file__).resolve().parents[2] / "deploy/observability/reader.sql"
STALE_S = 66
"""A chamber at 1 or 2 s is stale after two intervals and 60 s."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    home = tmp_path_factory.mktemp("prometheus") / ".chamberlog"
    with stack_at(home) as running:
        yield running


@pytest.fixture(scope="module")
def prometheus(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    """It watches what the stack has of the jobs that ship; the others are the overlay's own services."""
    ports = json.loads((stack.home / "ports.json").read_text())
    jobs = {"worker": "worker", "api": "api", "authz": "authz", "gateway": "gateway_admin", "egress": "egress_admin"}
    targets = {f"chamberlog-{job}": [f"127.0.0.1:{ports[port]}"] for job, port in jobs.items()}
    with running(tmp_path_factory.mktemp("watching"), targets) as server:
        yield server


@pytest.fixture
def traffic(stack: RunningStack) -> Iterator[None]:
    """People who read, collect and listen, all by the gateway."""
    done = threading.Event()
    headers = {"Authorization": f"Bearer {stack.environment['CHAMBERLOG_API_KEY']}"}

    def ask() -> None:
        opened = httpx.Client(base_url=stack.environment["CHAMBERLOG_API"], headers=headers, timeout=20.0)
        with opened as client, client.stream("GET", "/v1/live"):
            while not done.wait(0.25):
                for path in ("/v1/chambers", "/v1/latest", "/v1/chambers/sim-01/readings"):
                    client.get(path)
                client.post("/v1/chambers/sim-02/collect")

    asking = threading.Thread(target=ask)
    asking.start()
    yield
    done.set()
    asking.join()


def has_data(prometheus: PrometheusServer, query: Query) -> bool:
    """Whether it answers with a number, as a panel or a variable would show it."""
    asked, now = promql(query.text, PROMQL_VALUES), time.time()
    if query.instant:
        values = [value for _, value in prometheus.instant(asked)]
    else:
        values = prometheus.over(asked, now - 10, now, 1)
    return any(math.isfinite(value) for value in values)


def test_every_query_of_the_dashboards_to_prometheus_returns_data(prometheus: PrometheusServer, traffic: None) -> None:
    left = all_queries(PROMETHEUS)
    assert len(left) > 90

    def all_have() -> bool:
        left[:] = [query for query in left if not has_data(prometheus, query)]
        return not left

    deadline = time.monotonic() + 90
    while not all_have() and time.monotonic() < deadline:
        time.sleep(1)
    assert [f"{query.where}: {query.text}" for query in left] == []


def test_every_metric_that_a_query_or_a_rule_names_is_there(
    stack: RunningStack, prometheus: PrometheusServer, traffic: None
) -> None:
    """Many queries have 0 for a series that is not there: a wrong name would look like that."""
    stack.shell("temporal schedule trigger --schedule-id maintenance")  # else an hour until it has found something
    asked = {query.text for query in all_queries(PROMETHEUS)} | set(alert_expressions())
    named = {name for text in asked for name in metric_names(text)}
    assert len(named) > 50
    bridge = Path(str(find_spec("temporalio.bridge.temporal_sdk_bridge").origin)).read_bytes()  # type: ignore[union-attr]

    def unknown() -> set[str]:
        shown = set(prometheus.ask("label/__name__/values"))
        return {name for name in named - shown if sdk_name(name) not in bridge}

    deadline = time.monotonic() + 90
    while unknown() and time.monotonic() < deadline:
        time.sleep(1)
    assert unknown() == set()


def sdk_name(metric: str) -> bytes:
    """What Temporal's SDK calls a counter that it shows once something has failed."""
    return metric.removeprefix("temporal_").removesuffix("_total").encode()


def reader_dsn(stack: RunningStack) -> str:
    """The ledger by the role that Grafana uses, made as the overlay makes it."""
    own = json.loads((stack.home / "stack.json").read_text())["postgres"]
    command = [postgres_bin() / "psql", own, "-q", "-v", "ON_ERROR_STOP=1", "-f", READER]
    subprocess.run(command, env={"READER_PASSWORD": "it's"}, check=True, capture_output=True, timeout=30)
    return f"postgresql://chamberlog_reader:it%27s@{own.rpartition('@')[2]}"


def test_every_query_of_the_dashboards_to_the_ledger_returns_rows(stack: RunningStack) -> None:
    asyncio.run(rows_of_every_query(reader_dsn(stack)))


async def rows_of_every_query(dsn: str) -> None:
    now = datetime.now(UTC)
    span = ((now - timedelta(hours=1)).isoformat(), now.isoformat())
    asked = all_queries(POSTGRES)
    assert len(asked) > 15
    connection = await asyncpg.connect(dsn)
    try:
        detectors = [row[0] for row in await connection.fetch("SELECT DISTINCT name FROM detector")]
        values: dict[str, str | list[str]] = {"organization": "default", "chamber": "sim-01", "detector": detectors}
        empty = [query.where for query in asked if not await connection.fetch(sql(query.text, values, span))]
        assert empty == []
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        ("SELECT secret_ref FROM chamber_overview", asyncpg.InsufficientPrivilegeError),
        ("SELECT url FROM chamber", asyncpg.InsufficientPrivilegeError),
        ("SELECT * FROM api_key", asyncpg.InsufficientPrivilegeError),
        ("SELECT * FROM app_user", asyncpg.InsufficientPrivilegeError),
        ("DELETE FROM gap", asyncpg.ReadOnlySQLTransactionError),
        ("BEGIN READ WRITE; DELETE FROM gap", asyncpg.InsufficientPrivilegeError),
    ],
)
def test_the_dashboards_role_reads_what_they_show_and_nothing_else(
    stack: RunningStack, statement: str, refusal: type[Exception]
) -> None:
    async def ask(dsn: str) -> None:
        connection = await asyncpg.connect(dsn)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    with pytest.raises(refusal):
        asyncio.run(ask(reader_dsn(stack)))


SLOW = {"ChamberlogCollectionLate", "ChamberlogSettledLag", "ChamberlogApiSlow", "ChamberlogAuthzSlow"}
"""A machine that is busy with other tests is slow; no other alert fires on a stack that is well."""
WATCHED = {"ChamberlogChambersStale", "ChamberlogBacklog", "ChamberlogGapRatioHigh"}


@contextmanager
def devices_fail(stack: RunningStack) -> Iterator[None]:
    """Every device but the first three answers with 500."""
    found = json.loads((stack.home / "simulator/devices.json").read_text())
    failing = [f"{found['control']}/devices/{device['id']}/fault" for device in found["devices"][3:]]
    for url in failing:
        httpx.put(url, json={"kind": "status", "code": 500}).raise_for_status()
    yield
    for url in failing:
        httpx.delete(url).raise_for_status()


@contextmanager
def postgres_frozen(stack: RunningStack) -> Iterator[None]:
    """The server and all that it started stand still, and accept connections that nobody answers."""
    server = int(json.loads((stack.home / "stack.json").read_text())["pids"]["postgres"])
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(server)], capture_output=True, text=True, check=True)
    frozen = [server, *(int(pid) for pid in found.stdout.split())]
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def workflow_terminated(stack: RunningStack, chamber: str) -> Iterator[None]:
    """Somebody ends its workflow, and nobody looks after the fleet meanwhile."""
    commands = [
        "schedule toggle --schedule-id reconcile --pause --reason test",
        f"workflow terminate -w chamber/{chamber} --reason test",
    ]
    for command in commands:
        done = stack.shell(f"temporal {command}")
        assert done.returncode == 0, done.stderr
    yield
    done = stack.shell("temporal schedule toggle --schedule-id reconcile --unpause --reason test")
    assert done.returncode == 0, done.stderr


def fires_alone(prometheus: PrometheusServer, alert: str, within_s: float) -> None:
    """The alert fires; the other two of the three are silent until then."""
    others: set[str] = set()

    def fires() -> bool:
        firing = prometheus.alerts() & WATCHED
        others.update(firing - {alert})
        return alert in firing

    eventually(fires, within_s)
    assert others == set()


def is_quiet(prometheus: PrometheusServer, within_s: float = 60) -> None:
    """None of the three fires, nor is about to."""
    eventually(lambda: not WATCHED & (prometheus.alerts() | prometheus.alerts("pending")), within_s)


def test_three_alerts_fire_by_their_fault_and_are_silent_before_and_after(
    stack: RunningStack, prometheus: PrometheusServer
) -> None:
    is_quiet(prometheus)
    eventually(lambda: not prometheus.alerts() - SLOW, 60)
    with devices_fail(stack):
        fires_alone(prometheus, "ChamberlogGapRatioHigh", 40)
    is_quiet(prometheus)
    with postgres_frozen(stack):
        fires_alone(prometheus, "ChamberlogBacklog", 50)
    is_quiet(prometheus)
    with workflow_terminated(stack, "sim-01"):
        fires_alone(prometheus, "ChamberlogChambersStale", STALE_S + 30)
    is_quiet(prometheus, 120)  # the fleet is looked after each minute
    audit = json.loads(stack.shell("chamberlog audit --json").stdout)
    assert audit["unaccounted"] == 0
