"""The egress proxy's configuration: what a deployment may choose, and how it is rendered.

docs/adr/0035-egress-through-envoy.md says why each part is as it is.
"""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from collector.domain.egress import (
    NEVER_A_DEVICE,
    SECTION_HEADER,
    EgressPolicies,
    EgressPolicy,
    EgressRule,
    Network,
    is_never_a_device,
)
from edge.addresses import Address, check_own_ports
from edge.rendering import render

Json = dict[str, Any]
MATCHER = "type.googleapis.com/envoy.extensions.rbac.matchers.upstream_ip_port.v3.UpstreamIpPortMatcher"
ONE_SECTION = r"[^/\s,]+/[^/\s,]+"
OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
LITERAL = rf"({OCTET}(\.{OCTET}){{3}}|\[[0-9a-fA-F:]+\]):[0-9]{{1,5}}"
"""What may be asked for: an address in its one usual form. What the proxy would have to look up is refused."""
THIS_MACHINE = ("127.0.0.0/8", "0.0.0.0/8", "::1/128", "::/128")


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressLimits:
    """What one proxy process takes at most.

    Attributes:
        connect_s: until a device has accepted; a shorter budget of the worker ends it earlier.
        per_host: connections to one address and port at a time; who comes later waits.
        connections: of workers, at a time.
        targets: addresses and ports that are remembered, those of the last five minutes.
        tunnel_s: until a tunnel is closed whatever goes through it, and without a byte in either direction.
    """

    connect_s: float = 5.0
    per_host: int = 4
    connections: int = 4_000
    targets: int = 100_000
    tunnel_s: int = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressSettings:
    """What a deployment chooses.

    Attributes:
        listen: where workers ask; on loopback, or in a network that only workers are in: the proxy believes whoever
            asks which section asks.
        admin: Envoy's own port, on loopback: it can stop the process.
        policies: what the workers have, too.
        metrics: where Envoy's own metrics are, for anybody who reaches it, and nothing else; None = nowhere.
        access_log: path of the file; None = standard output.
        name: of this process, in its own statistics.
        limits: of one process.

    Raises:
        InvalidFieldError: `listen` is no literal address, `admin` is not on loopback, or they share a port.
    """

    listen: Address
    admin: Address
    policies: EgressPolicies = field(default_factory=EgressPolicies)
    metrics: Address | None = None
    access_log: str | None = None
    name: str = "egress"
    limits: EgressLimits = EgressLimits()

    def __post_init__(self) -> None:
        check_own_ports(self.listen, self.admin, self.metrics)


def render_egress(settings: EgressSettings) -> str:
    """Envoy's configuration as YAML text; the same settings give the same text."""
    return render(
        "egress.yaml.j2",
        s=settings,
        header=SECTION_HEADER,
        literal=LITERAL,
        own_ports=_own_ports(settings),
        policies=_policies(settings.policies),
    )


def _own_ports(settings: EgressSettings) -> Json:
    """What no rule opens: the proxy itself, which would go round in circles, and the port that can stop it."""
    own = (settings.listen, settings.admin, settings.metrics)
    ports = sorted({address.port for address in own if address is not None})
    places = [*THIS_MACHINE, *([settings.listen.host] if settings.listen.literal else [])]
    permissions = [_matcher(ipaddress.ip_network(place), port, port) for port in ports for place in places]
    return {"own ports": {"permissions": permissions, "principals": [{"any": True}]}}


def _policies(policies: EgressPolicies) -> Json:
    listed = {
        f"section {name}": {"permissions": _permissions(policy), "principals": [_named(name)]}
        for name, policy in sorted(policies.sections.items())
    }
    return {**listed, "default": {"permissions": _permissions(policies.default), "principals": [_others(policies)]}}


def _named(section: str) -> Json:
    return {"header": {"name": SECTION_HEADER, "string_match": {"exact": section}}}


def _others(policies: EgressPolicies) -> Json:
    """Whoever says a section, and none that has a policy of its own."""
    any_section = {"header": {"name": SECTION_HEADER, "string_match": {"safe_regex": {"regex": ONE_SECTION}}}}
    own = [_named(name) for name in sorted(policies.sections)]
    return {"and_ids": {"ids": [any_section, *({"not_id": section} for section in own)]}}


def _permissions(policy: EgressPolicy) -> list[Json]:
    if not policy.rules:
        return [_but({"any": True}, NEVER_A_DEVICE)]
    return [_rule(rule) for rule in policy.rules]


def _rule(rule: EgressRule) -> Json:
    opens = _matcher(rule.network, rule.first_port, rule.last_port)
    if is_never_a_device(rule.network):
        return opens
    return _but(opens, (closed for closed in NEVER_A_DEVICE if _overlap(closed, rule.network)))


def _but(opens: Json, closed: Iterable[Network]) -> Json:
    shut = list(_matchers(closed))
    if not shut:
        return opens
    return {"and_rules": {"rules": [opens, {"not_rule": {"or_rules": {"rules": shut}}}]}}


def _matchers(networks: Iterable[Network]) -> Iterator[Json]:
    return (_matcher(network) for network in networks)


def _matcher(network: Network, first_port: int = 0, last_port: int = 65_535) -> Json:
    """The address and port that Envoy is about to connect to; here the end of its range of ports is in it."""
    return {
        "matcher": {
            "name": "envoy.rbac.matchers.upstream_ip_port",
            "typed_config": {
                "@type": MATCHER,
                "upstream_ip": {"address_prefix": str(network.network_address), "prefix_len": network.prefixlen},
                "upstream_port_range": {"start": first_port, "end": last_port},
            },
        }
    }


def _overlap(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)
