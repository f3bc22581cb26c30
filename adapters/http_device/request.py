"""The bytes of a GET, written once for all slots of a chamber."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import h11
import httpx

from adapters.http_device.faults import unsendable
from adapters.http_device.literals import disguised_address
from collector.domain.errors import BlockedError, SlotFailedError

DEFAULT_PORTS = {"http": 80, "https": 443}
HEADERS = {
    "User-Agent": "chamberlog",
    "Accept": "*/*",
    "Accept-Encoding": "identity",  # a few hundred bytes are not worth a small device's work
    "Connection": "close",
}


@dataclass(frozen=True, slots=True)
class WrittenRequest:
    """A request as it goes over the wire.

    Attributes:
        host: as the URL names it, in ASCII: for the Host header, the TLS handshake and the resolver.
        port: TCP port.
        secure: https.
        target: path and query, as they stand in the head.
        head: every byte that is sent; it holds the credentials.
    """

    host: str
    port: int
    secure: bool
    target: str = field(repr=False)
    head: bytes = field(repr=False)

    def authorized(self, authorization: str) -> bytes:
        """What is sent when a challenge is answered; what the device sent goes back byte by byte."""
        return self.head[:-2] + f"Authorization: {authorization}\r\n\r\n".encode(errors="surrogateescape")


Pairs = tuple[tuple[str, str], ...]


def write_request(url: str, headers: Pairs, parameters: Pairs = ()) -> WrittenRequest:
    """A plain GET of the URL and these parameters, with these headers over the standing ones.

    Raises:
        MisconfiguredError: URL or header cannot be sent; quotes neither, for they may hold a secret.
        BlockedError: the URL cannot be parsed because its host is an address in a form that hides it.
    """
    sent = _parsed(_extended(url, parameters), dict(headers))
    port = sent.url.port or DEFAULT_PORTS.get(sent.url.scheme)
    if not sent.url.host or port is None:
        raise unsendable("the URL is not http or https with a host")
    try:
        head = h11.Connection(h11.CLIENT).send(
            h11.Request(method="GET", target=sent.url.raw_path, headers=sent.headers.raw)
        )
    except h11.LocalProtocolError:
        raise unsendable("a header has characters that HTTP does not allow") from None
    assert head is not None
    target = sent.url.raw_path.decode("ascii")
    return WrittenRequest(sent.url.raw_host.decode("ascii"), port, sent.url.scheme == "https", target, head)


def _extended(url: str, parameters: Pairs) -> str:
    """Devices decode `%20` everywhere, and `+` not always."""
    if not parameters:
        return url
    more = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters)
    base = url.partition("#")[0]
    return f"{base}{'&' if '?' in base else '?'}{more}"


def _parsed(url: str, headers: Mapping[str, str]) -> httpx.Request:
    try:
        merged = httpx.Headers(HEADERS)
        merged.update(headers)
        return httpx.Request("GET", url, headers=merged)
    except httpx.InvalidURL:
        raise _no_url(url) from None
    except UnicodeError:
        raise unsendable("a header has characters outside ASCII") from None


def _no_url(url: str) -> SlotFailedError:
    address = disguised_address(url)
    if address is None:
        return unsendable("the URL cannot be parsed")
    return BlockedError(f"egress: the host is {address} in a form that hides it; write the address as it is")
