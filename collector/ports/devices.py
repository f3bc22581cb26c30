"""Reading devices: the client and secrets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from collector.domain.egress import EgressPolicy
from collector.mapping.credentials import Credentials


@dataclass(frozen=True, slots=True)
class DeviceRequest:
    """One GET.

    Attributes:
        url: absolute, http or https.
        headers: what the profile asks for, credentials included.
        parameters: appended to those of the URL; they carry credentials.
        digest: answers a Digest challenge (RFC 7616), which costs another request within the same budget.
        budget_ms: total time, from name resolution to the last byte.
        max_bytes: limit of the decompressed body.
        verify_tls: False accepts self-signed certificates.
        egress: which resolved addresses may be called.
        section: `organization/section` that asks, for an egress proxy; none is let through by it.
    """

    url: str
    budget_ms: int
    egress: EgressPolicy
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    max_bytes: int = 65_536
    verify_tls: bool = True
    parameters: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    digest: Credentials | None = None
    section: str = ""


@dataclass(frozen=True, slots=True)
class DeviceAnswer:
    """A whole answer with a status in 2xx.

    Attributes:
        status: 200 to 299.
        body: decompressed bytes.
        content_type: as sent; often wrong.
    """

    status: int
    body: bytes
    content_type: str = ""


class DeviceClient(Protocol):
    """Reads devices, one request at a time per host, never a write, never a redirect followed."""

    async def fetch(self, request: DeviceRequest) -> DeviceAnswer:
        """GET once; with `digest`, again when the device asks who it is.

        Waiting for another request to the same host to end counts against the budget.

        Raises:
            BlockedError: the policy, or the egress proxy's, forbids every resolved address, and nothing was sent; or
                the answer redirects to an address that the policy forbids.
            EgressAwayError: there is an egress proxy, and it cannot be reached.
            DeviceUnreachableError: DNS, refused, reset before or during the answer, TLS.
            DeviceTimeoutError: no whole answer within the budget.
            DeviceStatusError: outside 2xx; a redirect counts.
            DeviceUnauthorizedError: 401, 403.
            AnswerTooLargeError: over `max_bytes`; reading stopped there.
            MalformedAnswerError: not HTTP, or a body that cannot be decompressed.
        """
        ...


class SecretResolver(Protocol):
    """Turns references into secrets."""

    def resolve(self, reference: str) -> str:
        """The secret behind `env:NAME` or `file:/path` (a trailing newline is cut).

        Raises:
            MisconfiguredError: there is none; the detail names the reference, never the content.
        """
        ...
