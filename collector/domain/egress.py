"""Which addresses a worker may call: decided on the resolved address, never on the name."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

from collector.domain.errors import InvalidFieldError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class EgressRule:
    """Addresses of one network, on one range of ports.

    Attributes:
        network: CIDR.
        first_port: lowest port allowed.
        last_port: highest port allowed.
    """

    network: Network
    first_port: int = 1
    last_port: int = 65_535


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """What one section may call.

    Without rules everything is open but what is never a device: loopback, link-local (cloud metadata), multicast,
    unspecified and reserved addresses. With rules exactly what they list is open, loopback included.
    """

    rules: tuple[EgressRule, ...] = ()

    def allows(self, address: str, port: int) -> bool:
        """Whether the resolved address and port may be called. An IPv4 address mapped into IPv6 counts as IPv4."""
        ip = _unmapped(ipaddress.ip_address(address.split("%", maxsplit=1)[0]))
        if not self.rules:
            return not (ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip.is_reserved)
        return any(
            r.first_port <= port <= r.last_port and ip.version == r.network.version and ip in r.network
            for r in self.rules
        )


@dataclass(frozen=True, slots=True)
class EgressPolicies:
    """The policy of each section, and the one of all others.

    Attributes:
        sections: key `organization/section`.
        default: for sections that are not listed.
    """

    sections: Mapping[str, EgressPolicy] = field(default_factory=dict)
    default: EgressPolicy = EgressPolicy()

    def of(self, organization: str, section: str) -> EgressPolicy:
        """The policy of a section."""
        return self.sections.get(f"{organization}/{section}", self.default)


def parse_rule(text: str) -> EgressRule:
    """Read `CIDR`, `CIDR:port` or `CIDR:first-last`; IPv6 networks stand in brackets when ports follow.

    Raises:
        InvalidFieldError: field `egress`, with the text and the right form.
    """
    network, _, ports = text.rpartition(":") if _has_ports(text) else (text, "", "")
    first, _, last = ports.partition("-")
    try:
        rule = EgressRule(
            ipaddress.ip_network(network.strip("[]"), strict=False), int(first or 1), int(last or first or 65_535)
        )
    except ValueError:
        rule = None
    if rule is None or not 1 <= rule.first_port <= rule.last_port <= 65_535:
        raise InvalidFieldError(
            "egress", f"{text!r} is not a rule", "write 192.168.7.0/24, 10.0.0.0/8:80 or [fd00::]/8:8000-8100"
        )
    return rule


def parse_policies(document: Mapping[str, object]) -> EgressPolicies:
    """Read `{"default": [rule, ...], "sections": {"organization/section": [rule, ...]}}`, both optional.

    Raises:
        InvalidFieldError: field `egress`.
    """
    unknown = set(document) - {"default", "sections"}
    sections = document.get("sections", {})
    if unknown or not isinstance(sections, Mapping):
        raise InvalidFieldError(
            "egress", f"unexpected {sorted(unknown) or 'sections'}", "use the keys default and sections"
        )
    return EgressPolicies({str(k): _policy(v) for k, v in sections.items()}, _policy(document.get("default", [])))


def _policy(rules: object) -> EgressPolicy:
    if not isinstance(rules, list):
        raise InvalidFieldError("egress", "a policy is a list of rules", 'write ["192.168.7.0/24:80"]')
    return EgressPolicy(tuple(parse_rule(str(rule)) for rule in rules))


def _has_ports(text: str) -> bool:
    return "]:" in text or ("]/" in text and text.rpartition(":")[0].count("]") == 1) or text.count(":") == 1


def _unmapped(ip: Address) -> Address:
    mapped = getattr(ip, "ipv4_mapped", None)
    return mapped if isinstance(mapped, ipaddress.IPv4Address) else ip
