"""Redirects: never followed, and told apart by where they lead."""

import httpx

from adapters.http_device.literals import literal_of
from adapters.http_device.request import DEFAULT_PORTS
from collector.domain.egress import EgressPolicy
from collector.domain.errors import BlockedError


def forbidden_target(location: str, policy: EgressPolicy) -> BlockedError | None:
    """What it is when an answer sends us to a literal address, in whatever form, that the policy forbids; else None.

    A name is not looked up for it, and a path alone leads to the device itself.
    """
    try:
        target = httpx.URL(location)
    except httpx.InvalidURL:
        return None
    literal, port = literal_of(target.raw_host.decode("ascii")), target.port or DEFAULT_PORTS.get(target.scheme, 80)
    if literal is None or policy.allows(literal, port):
        return None
    return BlockedError(
        f"egress: the answer redirects to {literal} port {port}, which is not allowed; nothing was sent"
    )
