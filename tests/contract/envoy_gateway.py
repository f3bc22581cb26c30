"""A real Envoy before a real authz service and a real API, each a process; as little of a gateway as asks for leave."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from adapters.assertions import KeyPair
from stack.ports import free_port
from stack.process import Child, Command, spawn

ROOT = Path(__file__).resolve().parents[2]
START_S = 30.0
ASKED = ("authorization", "chamberlog-organization", "content-type", "x-forwarded-for", "x-request-id")
TOLD = ("www-authenticate", "content-type", "retry-after", "ratelimit", "ratelimit-policy")
KINDS = "type.googleapis.com/envoy.extensions."
Json = dict[str, Any]


class Gateway:
    """Three processes; each can be ended and started again.

    Attributes:
        url: of Envoy.
        api_url: of the API itself.
        authz_url: of the authz service itself.
        environment: of API and service, beside what each gateway has for itself.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], pair: KeyPair) -> None:
        self._folder, self.environment, self._pair = folder, environment, pair
        self._ports = {name: free_port() for name in ("envoy", "admin", "authz", "api")}
        self.url, self.authz_url, self.api_url = (
            f"http://127.0.0.1:{self._ports[n]}" for n in ("envoy", "authz", "api")
        )
        self.parts: dict[str, Child] = {}

    def start(self) -> None:
        """Start what does not run, and wait until all of it answers."""
        for name in ("authz", "api", "envoy"):
            if name not in self.parts or not self.parts[name].alive():
                self.parts[name] = spawn(self._command(name))
        for url in (f"{self.authz_url}/healthz", f"{self.api_url}/healthz", f"{self.url}/healthz"):
            _wait(lambda url=url: httpx.get(url, trust_env=False).status_code == 200, url)  # type: ignore[misc]

    def kill(self, name: str) -> None:
        """As a machine that loses power does."""
        os.kill(self.parts[name].pid, signal.SIGKILL)
        self.parts[name].stop()

    def stop(self) -> dict[str, int]:
        """End all of it; exit codes by part."""
        return {name: self.parts[name].stop() for name in ("envoy", "authz", "api")}

    def client(self, key: str | None = None, url: str | None = None) -> httpx.AsyncClient:
        """A client of the gateway, or of another address."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        return httpx.AsyncClient(base_url=url or self.url, headers=headers, trust_env=False, timeout=10)

    def _command(self, name: str) -> Command:
        log, ports = self._folder / f"{name}.log", self._ports
        if name == "envoy":
            configuration = self._folder / "envoy.json"
            configuration.write_text(json.dumps(_configuration(ports)))
            program = Path(sys.executable).with_name("envoy")
            flags = ["--concurrency", "1", "--disable-hot-restart", "-l", "warning"]
            return Command([program, "-c", configuration, *flags], log)
        keys = {
            "CHAMBERLOG_ASSERTION_KEY": self._pair.private,
            "CHAMBERLOG_ASSERTION_KEYS": self._pair.public,
            "CHAMBERLOG_AUTHZ_PORT": str(ports["authz"]),
            "CHAMBERLOG_API_PORT": str(ports["api"]),
            "PYTHONPATH": str(ROOT),
        }
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("TEMPORAL_", "CHAMBERLOG_"))}
        module = {"authz": "gateway", "api": "api"}[name]
        return Command([sys.executable, "-m", module], log, kept | dict(self.environment) | keys)


@contextmanager
def running(folder: Path, environment: Mapping[str, str], pair: KeyPair) -> Iterator[Gateway]:
    """A gateway that ends with the block."""
    gateway = Gateway(folder, environment, pair)
    try:
        gateway.start()
        yield gateway
    finally:
        gateway.stop()


def eventually(wanted: Callable[[], bool], what: str) -> None:
    """Wait until it is so."""
    _wait(wanted, what)


async def together(client: httpx.AsyncClient, path: str, count: int) -> list[int]:
    """Statuses of so many requests at once."""
    answers = await asyncio.gather(*(client.get(path) for _ in range(count)))
    return [answer.status_code for answer in answers]


def _wait(wanted: Callable[[], bool], what: str) -> None:
    give_up_s = time.monotonic() + START_S
    while True:
        try:
            if wanted():
                return
        except httpx.TransportError:
            pass
        if time.monotonic() > give_up_s:
            raise TimeoutError(what)
        time.sleep(0.05)


def _configuration(ports: Mapping[str, int]) -> Json:
    manager = {
        "@type": KINDS + "filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "ingress",
        "codec_type": "AUTO",
        "use_remote_address": True,
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "common_http_protocol_options": {"headers_with_underscores_action": "REJECT_REQUEST"},
        "early_header_mutation_extensions": [_stripping()],
        "http_filters": [
            _filter("filters.http.ext_authz.v3.ExtAuthz", "envoy.filters.http.ext_authz", _asking()),
            _filter("filters.http.router.v3.Router", "envoy.filters.http.router", {}),
        ],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [_route()]}]},
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    listener = {"name": "ingress", "address": _at(ports["envoy"]), "filter_chains": [{"filters": filters}]}
    clusters = [_cluster(name, ports[name]) for name in ("authz", "api")]
    return {
        "admin": {"address": _at(ports["admin"])},
        "static_resources": {"listeners": [listener], "clusters": clusters},
    }


def _asking() -> Json:
    return {
        "transport_api_version": "V3",
        "failure_mode_allow": False,
        "status_on_error": {"code": "ServiceUnavailable"},
        "allowed_headers": _named(*ASKED),
        "http_service": {
            "server_uri": {"uri": "http://authz", "cluster": "authz", "timeout": "1s"},
            "path_prefix": "/authz",
            "authorization_request": {
                "headers_to_add": [{"key": "x-chamberlog-client", "value": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"}]
            },
            "authorization_response": {
                "allowed_upstream_headers": {"patterns": [{"prefix": "x-chamberlog-"}]},
                "allowed_client_headers": _named(*TOLD),
                "allowed_client_headers_on_success": _named("ratelimit", "ratelimit-policy"),
            },
        },
    }


def _stripping() -> Json:
    mutation = {"remove_on_match": {"key_matcher": {"prefix": "x-chamberlog-"}}}
    kind = "http.early_header_mutation.header_mutation.v3.HeaderMutation"
    return _filter(kind, "envoy.http.early_header_mutation.header_mutation", {"mutations": [mutation]})


def _route() -> Json:
    route = {"cluster": "api", "timeout": "10s"}
    return {"match": {"prefix": "/"}, "request_headers_to_remove": ["authorization"], "route": route}


def _cluster(name: str, port: int) -> Json:
    options = {
        "@type": KINDS + "upstreams.http.v3.HttpProtocolOptions",
        "common_http_protocol_options": {"idle_timeout": "3s"},  # below the 5 s after which uvicorn closes
        "explicit_http_config": {"http_protocol_options": {}},
    }
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": _at(port)}}]}]
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "0.5s",
        "load_assignment": {"cluster_name": name, "endpoints": endpoints},
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options},
    }


def _filter(kind: str, name: str, settings: Json) -> Json:
    return {"name": name, "typed_config": {"@type": KINDS + kind, **settings}}


def _named(*names: str) -> Json:
    return {"patterns": [{"exact": name, "ignore_case": True} for name in names]}


def _at(port: int) -> Json:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
