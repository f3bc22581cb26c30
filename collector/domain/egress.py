"""Which addresses a worker may call: decided on the resolved address, never on the name."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from collector.domain.errors import InvalidFieldError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Where clouds hand out a machine's credentials, outside the link-local ranges: AWS, Google, Alibaba, Oracle, Azure.
METADATA = ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "192.0.0.192", "168.63.129.16")
# This host, loopback, link-local (most clouds' metadata), multicast, reserved and broadcast. ::/8 holds loopback, the
# mapped and compatible forms of IPv4 and NAT64's own prefix; the next lines are what IANA never gave out.
RESERVED = (
    *("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"),
    *("::/8", "100::/8", "200::/7", "400::/6", "800::/5", "1000::/4", "4000::/2", "8000::/2", "c000::/3", "e000::/4"),
    *("f000::/5", "f800::/6", "fe00::/9", "fe80::/10", "ff00::/8"),
)
# Addresses that carry an IPv4 address to which a router may forward: Teredo and 6to4, both given up.
TUNNELS = ("2001::/32", "2002::/16")
NEVER_A_DEVICE: tuple[Network, ...] = tuple(map(ipaddress.ip_network, (*METADATA, *RESERVED, *TUNNELS)))
"""Closed unless a rule names a part of one of them. Workers judge by this list, and the egress proxy is given it."""
# Bracketed, or without any colon, or an IPv6 network with at least two: only the first two can have ports behind.
RULE_PATTERN = re.compile(
    r"(?P<network>\[[^\[\]]+\](/[0-9]+)?|[^\[\]:]+|[^\[\]:]*:[^\[\]]*:[^\[\]]*)"
    r"(:(?P<first>[0-9]{1,5})(-(?P<last>[0-9]{1,5}))?)?"
)
SECTION_PATTERN = re.compile(r"[^/\s]+/[^/\s]+")
SECTION_HEADER = "x-chamberlog-section"
"""What a worker says to the egress proxy beside the address: `organization/section`."""
REMEMBERED = 20_000
"""Addresses that are not read anew for each slot."""
REMEDY = "write 192.168.7.0/24, 10.0.0.0/8:80 or [fd00::]/8:8000-8100"


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

    def __str__(self) -> str:
        """As `parse_rule` reads it."""
        if (self.first_port, self.last_port) == (1, 65_535):
            return str(self.network)
        network = f"[{self.network}]" if self.network.version == 6 else str(self.network)
        ports = str(self.first_port) if self.first_port == self.last_port else f"{self.first_port}-{self.last_port}"
        return f"{network}:{ports}"


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """What one section may call.

    Without rules everything is open but what is never a device: loopback, link-local and other addresses of cloud
    metadata, multicast, unspecified and reserved addresses. With rules only what they list is open. What is never a
    device is listed by a rule inside its own range only (`127.0.0.1/32:8080`): `0.0.0.0/0` does not mean loopback.
    """

    rules: tuple[EgressRule, ...] = ()

    def allows(self, address: str, port: int) -> bool:
        """Whether the resolved address and port may be called. An IPv4 address mapped into IPv6 counts as IPv4.

        Raises:
            ValueError: `address` is not an IP address; a zone (`%eth0`) may follow it.
        """
        ip, closed = _judged(address)
        if not self.rules:
            return not closed
        listed = (r for r in self.rules if r.first_port <= port <= r.last_port and _contains(r.network, ip))
        return any(not closed or is_never_a_device(r.network) for r in listed)


@lru_cache(REMEMBERED)
def _judged(address: str) -> tuple[Address, bool]:
    """The address, and whether it is never a device: the same for every slot of a chamber."""
    ip = _unmapped(ipaddress.ip_address(address.split("%", maxsplit=1)[0]))
    return ip, is_never_a_device(ip)


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
        return self.of_named(f"{organization}/{section}")

    def of_named(self, section: str) -> EgressPolicy:
        """The policy of a section that is named `organization/section`."""
        return self.sections.get(section, self.default)


def parse_rule(text: str) -> EgressRule:
    """Read `CIDR`, `CIDR:port` or `CIDR:first-last`; IPv6 networks stand in brackets when ports follow.

    Raises:
        InvalidFieldError: field `egress`, with the text and the right form.
    """
    found = RULE_PATTERN.fullmatch(text)
    if not found:
        raise InvalidFieldError("egress", f"{text[:80]!r} is not a rule", REMEDY)
    first = int(found["first"] or 1)
    last = int(found["last"] or found["first"] or 65_535)
    if not 1 <= first <= last <= 65_535:
        raise InvalidFieldError("egress", f"the ports of {text[:80]!r} are not 1 to 65535 in order", REMEDY)
    try:
        network = ipaddress.ip_network(re.sub(r"[\[\]]", "", found["network"]), strict=False)
    except ValueError:
        raise InvalidFieldError("egress", f"{text[:80]!r} is not a network", REMEDY) from None
    return EgressRule(network, first, last)


def parse_policies(document: Mapping[str, object]) -> EgressPolicies:
    """Read `{"default": [rule, ...], "sections": {"organization/section": [rule, ...]}}`, both optional.

    A list has at least one rule: an empty one might mean all or nothing. To close a section, list one address.

    Raises:
        InvalidFieldError: field `egress`; names the key.
    """
    unknown = sorted(set(document) - {"default", "sections"})
    if unknown:
        raise InvalidFieldError("egress", f"unknown key {unknown[0]!r}", "use the keys default and sections")
    default = _policy("default", document["default"]) if "default" in document else EgressPolicy()
    sections = document.get("sections", {})
    if not isinstance(sections, Mapping):
        raise InvalidFieldError("egress", "sections is not an object", 'write {"default/lab3": ["192.168.7.0/24"]}')
    for key in sections:
        if not SECTION_PATTERN.fullmatch(str(key)):
            raise InvalidFieldError("egress", f"{key!r} is not a section", "write organization/section")
    return EgressPolicies({str(key): _policy(str(key), rules) for key, rules in sections.items()}, default)


def _policy(key: str, rules: object) -> EgressPolicy:
    if not isinstance(rules, list) or not rules or not all(isinstance(rule, str) for rule in rules):
        raise InvalidFieldError(
            "egress", f"{key} is not a list of rules, or an empty one", 'write ["192.168.7.0/24:80"], or leave it out'
        )
    return EgressPolicy(tuple(parse_rule(rule) for rule in rules))


def unmapped(address: str) -> str:
    """The address, as IPv4 when it is one that is mapped into IPv6.

    Raises:
        ValueError: it is no IP address.
    """
    return str(_unmapped(ipaddress.ip_address(address)))


def is_never_a_device(place: Address | Network) -> bool:
    """Whether the address, or the whole network, lies within `NEVER_A_DEVICE`."""
    network = ipaddress.ip_network(place)
    return any(_within(network, closed) for closed in NEVER_A_DEVICE)


def _within(network: Network, other: Network) -> bool:
    return network.version == other.version and network.subnet_of(other)  # type: ignore[arg-type]  # the same version


def _contains(network: Network, ip: Address) -> bool:
    return ip.version == network.version and ip in network


def _unmapped(ip: Address) -> Address:
    mapped = getattr(ip, "ipv4_mapped", None)
    return mapped if isinstance(mapped, ipaddress.IPv4Address) else ip
