"""The parts at the edge: the gateway, the authz service that it asks, and the egress proxy. All three or none."""

import sys
from collections.abc import Callable
from pathlib import Path

from edge.egress import EgressSettings, render_egress
from edge.envoy import find_envoy
from edge.ingress import IngressSettings, render_ingress
from stack.bootstrap import egress_policies, ensure_assertion_keys
from stack.environment import part_environment
from stack.envoy import DRAIN_S, Envoy, start_envoy
from stack.layout import Layout
from stack.process import Child, Command, spawn
from stack.readiness import answers_ready
from stack.server import HOST
from stack.supervisor import Part
from stack.telemetry import gateway_tracing, sends

LINGER_S = 4.0
"""When `up` is killed the edge goes on as long as the servers do: what is in hand may end."""


def edge_is_there() -> bool:
    """Whether this platform has Envoy; without it the API is served directly."""
    return find_envoy() is not None


def edge_parts(layout: Layout, egress: str) -> list[Part]:
    """The authz service, the gateway and the egress proxy; the keys of the assertions are made.

    Args:
        layout: where everything is; none is started where it has no edge.
        egress: see `egress_document`.
    """
    if not layout.has_edge:
        return []
    ensure_assertion_keys(layout.home)
    return [authz_part(layout), gateway_part(layout), egress_part(layout, egress)]


def authz_part(layout: Layout) -> Part:
    """Whom the gateway asks; ready by its own `/readyz`."""
    port = layout.ports["authz"]
    environment = {
        "CHAMBERLOG_AUTHZ_HOST": HOST,
        "CHAMBERLOG_AUTHZ_PORT": str(port),
        "CHAMBERLOG_ASSERTION_KEY_FILE": str(layout.home.assertion_key_file),
        "CHAMBERLOG_POSTGRES": layout.postgres,
        "CHAMBERLOG_REDIS": layout.redis,
        **sends(layout, "authz"),
    }
    return Part(
        "authz",
        lambda: python_child("gateway", [], layout.home.log("authz"), part_environment(environment)),
        lambda: answers_ready(port),
    )


def gateway_part(layout: Layout) -> Part:
    """The gateway."""
    settings = IngressSettings(
        listen=layout.address("gateway"),
        admin=layout.address("gateway_admin"),
        api=(layout.address("api"),),
        authz=(layout.address("authz"),),
        grpc=(layout.address("grpc"),),
        temporal_ui=(layout.address("temporal_ui"),),
        tracing=gateway_tracing(layout),
    )
    return envoy_part(layout, "gateway", lambda: render_ingress(settings))


def egress_part(layout: Layout, egress: str) -> Part:
    """The egress proxy, by which workers call devices; when it is stopped they have ended."""
    settings = EgressSettings(
        listen=layout.address("egress"), admin=layout.address("egress_admin"), policies=egress_policies(egress)
    )
    return envoy_part(layout, "egress", lambda: render_egress(settings), drain_s=0.0)


def envoy_part(layout: Layout, name: str, render: Callable[[], str], drain_s: float = DRAIN_S) -> Part:
    """An Envoy with the configuration that `render` makes at each start; ready once it listens.

    Args:
        layout: `ports` has `name` and `<name>_admin`.
        name: of the part.
        render: the configuration; its admin port is `<name>_admin`.
        drain_s: so long a stop waits for what it has in hand.
    """
    admin, home = layout.ports[f"{name}_admin"], layout.home

    def start() -> Envoy:
        envoy = start_envoy(home.envoy(name), render(), admin, log=home.log(name), linger_s=LINGER_S)
        envoy.drain_s = drain_s
        return envoy

    return Part(
        name,
        start,
        lambda: answers_ready(admin, "/ready"),
    )


def serves(layout: Layout) -> dict[str, str]:
    """What the API is told beside its servers: where it serves gRPC, and whose assertions it believes."""
    keys = {"CHAMBERLOG_ASSERTION_KEYS_FILE": str(layout.home.assertion_keys_file)} if layout.has_edge else {}
    return {"CHAMBERLOG_GRPC_PORT": str(layout.ports["grpc"])} | keys


def goes_by_proxy(layout: Layout) -> dict[str, str]:
    """What a worker is told about the egress proxy."""
    return {} if layout.egress_proxy is None else {"CHAMBERLOG_EGRESS_PROXY": layout.egress_proxy}


def python_child(
    module: str, arguments: list[str | Path], log: Path, environment: dict[str, str], grace_s: float = 10.0
) -> Child:
    """-P: a folder `api` or `workers` where the person stands must not be taken for ours."""
    return spawn(Command([sys.executable, "-P", "-m", module, *arguments], log, environment, grace_s=grace_s))
