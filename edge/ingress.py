"""The gateway's configuration: what a deployment may choose, and how it is rendered."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from collector.domain.access import Operation, Traffic
from collector.domain.access_table import PACKAGE, operations
from collector.domain.errors import InvalidFieldError
from edge.addresses import Address, check_own_ports
from edge.local_replies import GRPC_STATUSES, replies
from edge.rendering import render

ADMIN = Address("127.0.0.1", 9901)
REFLECTION = "/grpc.reflection."
"""Of either version: clients try the newer one first."""
PROBES = ("/healthz", "/readyz")
"""Of what needs nobody's leave these are short; the rest has an upstream to itself, for who reads it slowly."""
TRUSTED_HOPS = range(11)
MOST = 1_000_000_000
"""Of any number: what Envoy counts in 32 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """In seconds.

    Attributes:
        read_s: until a read has been answered whole.
        write_s: the same of a write; a collection on demand answers within 45 s.
        upload_s: until a request has arrived whole.
        idle_s: without a byte in either direction; a live stream says something every 15 s.
        authz_s: until the authz service has answered; 503 afterwards.
    """

    read_s: int = 60
    write_s: int = 60
    upload_s: int = 30
    idle_s: int = 120
    authz_s: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one gateway process takes at most, whoever asks.

    Attributes:
        per_second: requests; the limits of each subject are the authz service's work, this is the floor beneath them.
        sign_ins_per_second: requests that cost a password's hash, or guess a token.
        connections: of clients.
        upstream_requests: at a time to each of its upstreams.
        body_bytes: of a request to the API: as long as the API takes.
        headers: of a request.
        headers_kb: of a request, all together.
    """

    per_second: int = 1_000
    sign_ins_per_second: int = 10
    connections: int = 4_000
    upstream_requests: int = 1_024
    body_bytes: int = 65_536
    headers: int = 64
    headers_kb: int = 32


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM that the gateway's process can read."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracing:
    """To whom a gateway tells what it does.

    Attributes:
        collector: takes OTLP by gRPC, in clear.
        percent: of the requests, by chance; whole.
        askers: networks from which a caller may have its request traced for certain, by `x-envoy-force-trace`. What
            others ask for decides nothing: nobody may fill the store of traces.
    """

    collector: Address
    percent: int = 10
    askers: tuple[str, ...] = ("127.0.0.0/8", "::1/128")

    def __post_init__(self) -> None:
        """Refuse what is no part of all, and what is no network."""
        if self.percent not in range(101):
            raise InvalidFieldError("traced_percent", f"{self.percent} is out of range", "give 0 to 100")
        for text in self.askers:
            try:
                ipaddress.ip_network(text)
            except ValueError as error:
                raise InvalidFieldError("traced_for", str(error), "write it like 10.0.0.0/8") from None

    @property
    def asking(self) -> list[dict[str, object]]:
        """The networks as Envoy has them."""
        networks = [ipaddress.ip_network(text) for text in self.askers]
        return [{"address_prefix": str(n.network_address), "prefix_len": n.prefixlen} for n in networks]


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressSettings:
    """What a gateway is rendered with.

    Attributes:
        listen: where clients come.
        admin: where Envoy is asked and told, on loopback: whoever reaches it can end the process.
        api: the API's instances, or a name that leads to all of them.
        authz: the authz service's, likewise.
        grpc: the API's gRPC ports; none = no gRPC.
        temporal_ui: the Temporal Web UI, which must be served under /temporal; none = no Web UI.
        metrics: where Envoy's own metrics are, for anybody who reaches it, and nothing else; None = nowhere.
        tls: with which clients are served; None = in clear, on loopback or behind something that ends TLS.
        trusted_hops: proxies before this one whose X-Forwarded-For is believed.
        name: of this instance, in its own reports.
        tracing: to whom spans go; None = there are none.

    Raises:
        InvalidFieldError: a value can make no gateway; names it.
    """

    listen: Address
    api: tuple[Address, ...]
    authz: tuple[Address, ...]
    admin: Address = ADMIN
    metrics: Address | None = None
    grpc: tuple[Address, ...] = ()
    temporal_ui: tuple[Address, ...] = ()
    tls: Tls | None = None
    trusted_hops: int = 0
    name: str = "gateway"
    timeouts: Timeouts = field(default_factory=Timeouts)
    limits: Limits = field(default_factory=Limits)
    tracing: Tracing | None = None

    def __post_init__(self) -> None:
        """Refuse what Envoy would take and a person would regret."""
        check_own_ports(self.listen, self.admin, self.metrics)
        if self.trusted_hops not in TRUSTED_HOPS:
            raise InvalidFieldError("trusted_hops", f"{self.trusted_hops} is out of range", "give 0 to 10")
        self._check_upstreams()
        _check_range("timeouts", self.timeouts)
        _check_range("limits", self.limits)

    def _check_upstreams(self) -> None:
        for name in ("api", "authz", "grpc", "temporal_ui"):
            addresses: tuple[Address, ...] = getattr(self, name)
            if not addresses and name in {"api", "authz"}:
                raise InvalidFieldError(name, "there is none", "give host:port")
            if len({where.literal for where in addresses}) > 1:
                problem = "names and literal addresses are mixed"
                raise InvalidFieldError(name, problem, "give one name that leads to all, or addresses only")


def render_ingress(settings: IngressSettings) -> str:
    """The configuration of the gateway as YAML. The same settings give the same text."""
    return render(
        "ingress.yaml.j2",
        s=settings,
        open_paths=_open_paths(),
        probes=PROBES,
        stream_paths=_paths(row for row in operations() if row.traffic is Traffic.STREAM),
        sign_ins=_any_of(_paths(row for row in operations() if row.traffic is Traffic.SIGN_IN)),
        grpc=_grpc_routes(),
        replies=replies(settings),
        grpc_statuses=GRPC_STATUSES,
    )


def _open_paths() -> list[str]:
    """What needs nobody's leave and is not counted; `/` at the end: all below it."""
    return _paths(row for row in operations() if row.role is None and row.traffic is Traffic.READ)


def _paths(rows: Iterable[Operation]) -> list[str]:
    return [row.http[1].removesuffix("*") for row in rows if row.http is not None]


def _grpc_routes() -> dict[str, str]:
    named = [(row, row.grpc) for row in operations() if row.grpc is not None and row.grpc.startswith(f"/{PACKAGE}.")]
    streams = [re.escape(method) for row, method in named if row.traffic is Traffic.STREAM]
    return {
        "prefix": f"/{PACKAGE}.",
        "sign_ins": _any_of(method for row, method in named if row.traffic is Traffic.SIGN_IN),
        "reads": _any_of(method for row, method in named if row.traffic is Traffic.READ and not row.writes),
        "streams": "|".join([*streams, re.escape(REFLECTION) + ".*"]),
    }


def _any_of(paths: Iterable[str]) -> str:
    return "|".join(re.escape(path) for path in paths)


def _check_range(name: str, values: Timeouts | Limits) -> None:
    for part in values.__slots__:
        value = getattr(values, part)
        if not 1 <= value <= MOST:
            raise InvalidFieldError(
                f"{name}.{part}", f"{value} is out of range", f"give a whole number from 1 to {MOST}"
            )
