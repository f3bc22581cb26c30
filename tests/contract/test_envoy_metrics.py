"""The port at which an Envoy shows its metrics leads to nothing else of it."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from edge.addresses import Address
from edge.egress import EgressSettings, render_egress
from edge.ingress import IngressSettings, render_ingress
from stack.edge import edge_is_there
from stack.envoy import start_envoy
from stack.ports import free_port

pytestmark = pytest.mark.skipif(not edge_is_there(), reason="there is no Envoy for this platform")


def here() -> Address:
    return Address("127.0.0.1", free_port())


def configuration(kind: str, admin: Address, metrics: Address) -> str:
    if kind == "egress":
        return render_egress(EgressSettings(listen=here(), admin=admin, metrics=metrics))
    upstream = (here(),)
    return render_ingress(IngressSettings(listen=here(), admin=admin, metrics=metrics, api=upstream, authz=upstream))


@pytest.fixture(params=["ingress", "egress"])
def metrics(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Address]:
    """Of a running Envoy of each kind."""
    admin, port = here(), here()
    text = configuration(request.param, admin, port)
    envoy = start_envoy(tmp_path / "envoy.yaml", text, admin.port, log=tmp_path / "log")
    envoy.drain_s = 0.0
    deadline = time.monotonic() + 30
    while True:
        try:
            if httpx.get(f"http://{port}/").status_code == 404:
                break
        except httpx.TransportError:
            assert time.monotonic() < deadline, envoy.log_tail()
            time.sleep(0.1)
    yield port
    assert envoy.alive(), envoy.log_tail()
    envoy.stop()


def raw(where: Address, request: bytes) -> bytes:
    """What it answers to bytes that no client library would send."""
    with socket.create_connection((where.host, where.port), timeout=5) as connection:
        connection.sendall(request)
        return connection.recv(65_536)


def test_it_shows_its_metrics_and_cannot_be_told_anything(metrics: Address) -> None:
    answer = httpx.get(f"http://{metrics}/stats/prometheus", timeout=10)
    assert answer.status_code == 200
    assert 'envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix="metrics"}' in answer.text
    for method, path in (
        ("POST", "/quitquitquit"),
        ("GET", "/quitquitquit"),
        ("POST", "/stats/prometheus"),
        ("POST", "/drain_listeners"),
        ("GET", "/config_dump"),
        ("GET", "/certs"),
        ("GET", "/stats"),
        ("GET", "/stats/prometheus/"),
        ("GET", "/stats/prometheusx"),
    ):
        assert httpx.request(method, f"http://{metrics}{path}").status_code == 404, path
    for spelled in (
        b"/stats/prometheus/../../config_dump",
        b"//config_dump",
        b"/stats/prometheus%2f..%2fcerts",
        b"/./certs",
    ):
        assert raw(metrics, b"GET " + spelled + b" HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 404"), spelled
