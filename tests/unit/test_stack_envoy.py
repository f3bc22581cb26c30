"""What a stop of an Envoy waits for, and what the parts of an edge are told."""

from pathlib import Path
from typing import Any

import pytest

from stack.edge import goes_by_proxy, serves
from stack.envoy import in_hand
from stack.home import Home
from stack.layout import Layout

PORTS = {"api": 1, "grpc": 2, "worker": 3}
EDGE = {"gateway": 4, "gateway_admin": 5, "authz": 6, "egress": 7, "egress_admin": 8}


def stats(**values: int) -> dict[str, list[dict[str, Any]]]:
    named = [{"name": name.replace("__", "."), "value": value} for name, value in values.items()]
    return {"stats": [*named, {"histograms": {}}]}


@pytest.mark.parametrize(
    ("counted", "left"),
    [
        ({"http__ingress__downstream_rq_active": 3}, 3),
        ({"http__ingress__downstream_rq_active": 3, "cluster__api_streams__upstream_rq_active": 2}, 1),
        ({"http__ingress__downstream_rq_active": 1, "cluster__grpc_streams__upstream_rq_active": 1}, 0),
        ({"http__admin__downstream_rq_active": 1, "http__ingress__downstream_cx_active": 9}, 0),
        ({"http__ingress__downstream_rq_active": 2, "cluster__api__upstream_rq_active": 2}, 2),
        ({}, 0),
    ],
)
def test_a_stop_waits_for_requests_but_not_for_streams(counted: dict[str, int], left: int) -> None:
    assert in_hand(stats(**counted)) == left


def layout(folder: Path, ports: dict[str, int]) -> Layout:
    return Layout(Home(folder), ports, {"postgres": "a", "valkey": "b"})


def test_without_an_edge_nobody_is_told_of_one(tmp_path: Path) -> None:
    where = layout(tmp_path, PORTS)
    assert serves(where) == {"CHAMBERLOG_GRPC_PORT": "2"}
    assert goes_by_proxy(where) == {}
    assert where.gateway == where.api


def test_with_an_edge_the_api_believes_it_and_workers_go_by_it(tmp_path: Path) -> None:
    where = layout(tmp_path, PORTS | EDGE)
    assert serves(where)["CHAMBERLOG_ASSERTION_KEYS_FILE"] == str(tmp_path / "secrets/assertion_keys")
    assert goes_by_proxy(where) == {"CHAMBERLOG_EGRESS_PROXY": "http://127.0.0.1:7"}
    assert where.gateway == "http://127.0.0.1:4"
