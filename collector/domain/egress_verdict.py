"""Why an egress policy lets an address through, or does not: for people."""

import ipaddress
from dataclasses import dataclass

from collector.domain.egress import NEVER_A_DEVICE, EgressPolicy, unmapped


@dataclass(frozen=True, slots=True)
class EgressVerdict:
    """What a policy says of one address and port.

    Attributes:
        address: as it would be called.
        allowed: what `EgressPolicy.allows` says.
        rule: the rule that opens it, as it is written; None = none does.
        why: one sentence.
    """

    address: str
    allowed: bool
    rule: str | None
    why: str


@dataclass(frozen=True, slots=True)
class ProxyVerdict:
    """What the proxy did for one address.

    Attributes:
        verdict: `open` (it connected), `blocked`, `away` (the proxy), `unreachable` (it may be called, and did not
            accept).
        detail: what was seen.
    """

    verdict: str
    detail: str


@dataclass(frozen=True, slots=True)
class EgressCheck:
    """What would become of a request.

    Attributes:
        host: as the URL names it.
        port: TCP port.
        verdicts: of this process, for each address that the host has; none when it has none.
        problem: why there are none; None when there are.
        proxy: what the proxy does for the first allowed address; None without a proxy or without such an address.
    """

    host: str
    port: int
    verdicts: tuple[EgressVerdict, ...]
    problem: str | None
    proxy: ProxyVerdict | None

    @property
    def allowed(self) -> bool:
        """Whether a worker would call it."""
        return any(verdict.allowed for verdict in self.verdicts)


def judge(policy: EgressPolicy, address: str, port: int) -> EgressVerdict:
    """What the policy says, and why.

    Raises:
        ValueError: `address` is no IP address; a zone may follow it.
    """
    plain = unmapped(address.split("%", maxsplit=1)[0])
    allowed = policy.allows(address, port)
    rule = next((str(rule) for rule in policy.rules if EgressPolicy((rule,)).allows(plain, port)), None)
    return EgressVerdict(address, allowed, rule, _why(policy, plain, rule))


def _why(policy: EgressPolicy, plain: str, rule: str | None) -> str:
    if rule is not None:
        return f"the rule {rule} lists it"
    ip = ipaddress.ip_address(plain)
    closed = next((str(network) for network in NEVER_A_DEVICE if ip in network), None)
    if closed is not None:
        return f"it is never a device ({closed}), and no rule names a part of that range with this port"
    return "no rule lists it with this port" if policy.rules else "there are no rules, and it may be a device"
