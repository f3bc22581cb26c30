"""Envoy before a Temporal server, as Temporal Cloud stands before its own: TLS, client certificates, an API key."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme

from stack.binaries import scripts
from stack.ports import free_port
from stack.process import Command, spawn
from stack.server import HOST, await_ready
from stack.temporal import accepts

Json = dict[str, Any]
READY_S = 20.0


@dataclass(frozen=True)
class Papers:
    """An authority's certificate, and one with its key that it has signed; all of them files."""

    authority: Path
    certificate: Path
    key: Path


@dataclass(frozen=True)
class Gate:
    """What a gate asks of whoever comes.

    Attributes:
        upstream: port of the Temporal server.
        papers: the gate's own certificate; `authority` is who must have signed those of clients.
        clients: whether a client needs a certificate.
        api_key: what the header `authorization` must carry, if anything.
        operators: whether clients may speak to the operator service.
    """

    upstream: int
    papers: Papers
    clients: bool = False
    api_key: str | None = field(default=None, repr=False)
    operators: bool = True


def issue(folder: Path, name: str, authority: trustme.CA, *identities: str) -> Papers:
    """A certificate for these names or addresses, in files that begin with `name`."""
    signed = authority.issue_cert(*identities)
    papers = Papers(folder / f"{name}-ca.pem", folder / f"{name}.pem", folder / f"{name}.key")
    authority.cert_pem.write_to_path(papers.authority)
    papers.certificate.write_bytes(b"".join(blob.bytes() for blob in signed.cert_chain_pems))
    signed.private_key_pem.write_to_path(papers.key)
    return papers


@contextmanager
def opened(gate: Gate, folder: Path) -> Iterator[int]:
    """Envoy, listening on loopback; answers with its port."""
    port = free_port()
    config = folder / f"envoy-{port}.json"
    config.write_text(json.dumps(_config(gate, port)))
    arguments: list[str | Path] = [
        scripts() / "envoy",
        "-c",
        config,
        "--disable-hot-restart",
        "--concurrency",
        "1",
        "-l",
        "warn",
    ]
    child = spawn(Command(arguments, folder / f"envoy-{port}.log"))
    try:
        await_ready(child, lambda: accepts(port), READY_S, "Envoy")
        yield port
    finally:
        child.stop()


def _config(gate: Gate, port: int) -> Json:
    filters = [*_refusals(gate), _http_filter("router", "router.v3.Router")]
    manager = {
        "@type": _type("filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "gate",
        "codec_type": "HTTP2",
        "stream_idle_timeout": "0s",
        "http_filters": filters,
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "temporal", "timeout": "0s"}}],
                }
            ]
        },
    }
    chain = {
        "filters": [{"name": "http", "typed_config": manager}],
        "transport_socket": {"name": "tls", "typed_config": _tls(gate)},
    }
    return {
        "static_resources": {
            "listeners": [{"name": "gate", "address": _address(port), "filter_chains": [chain]}],
            "clusters": [_cluster(gate.upstream)],
        }
    }


def _tls(gate: Gate) -> Json:
    papers = gate.papers
    own = {"certificate_chain": _file(papers.certificate), "private_key": _file(papers.key)}
    context: Json = {"alpn_protocols": ["h2"], "tls_certificates": [own]}
    if gate.clients:
        context["validation_context"] = {"trusted_ca": _file(papers.authority)}
    return {
        "@type": _type("transport_sockets.tls.v3.DownstreamTlsContext"),
        "common_tls_context": context,
        "require_client_certificate": gate.clients,
    }


def _refusals(gate: Gate) -> list[Json]:
    """Who may not come in is answered with PERMISSION_DENIED."""
    found = []
    if gate.api_key is not None:
        carries = {"header": {"name": "authorization", "string_match": {"exact": f"Bearer {gate.api_key}"}}}
        found.append(_rule("key", "ALLOW", {"any": True}, carries))
    if not gate.operators:
        theirs = {"url_path": {"path": {"prefix": "/temporal.api.operatorservice."}}}
        found.append(_rule("operators", "DENY", theirs, {"any": True}))
    return found


def _rule(name: str, action: str, permission: Json, principal: Json) -> Json:
    policy = {"permissions": [permission], "principals": [principal]}
    return _http_filter(name, "rbac.v3.RBAC", rules={"action": action, "policies": {name: policy}})


def _http_filter(name: str, kind: str, **settings: object) -> Json:
    return {"name": name, "typed_config": {"@type": _type(f"filters.http.{kind}"), **settings}}


def _cluster(port: int) -> Json:
    options = {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    endpoint = {"endpoint": {"address": _address(port)}}
    return {
        "name": "temporal",
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options},
        "load_assignment": {"cluster_name": "temporal", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _address(port: int) -> Json:
    return {"socket_address": {"address": HOST, "port_value": port}}


def _file(path: Path) -> Json:
    return {"filename": str(path)}


def _type(name: str) -> str:
    return f"type.googleapis.com/envoy.extensions.{name}"
