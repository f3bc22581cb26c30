"""Connections to devices through the egress proxy: a tunnel to a judged address, and what a refusal of it means.

The proxy is asked by CONNECT for https and http alike, so that every byte behind its 200 is the device's, and our own
reader sees them as they were sent. It is asked for an address and never for a name:
docs/adr/0035-egress-through-envoy.md says why.
"""

import asyncio
import contextlib
import errno
import os
import re
import ssl
from functools import lru_cache

import h11

from adapters.http_device.addresses import Resolver
from adapters.http_device.attempt import Attempt, Stage
from adapters.http_device.breach import BreachError
from adapters.http_device.faults import unsendable
from adapters.http_device.head import Head, read_head
from adapters.http_device.wire import DeviceWire
from collector.domain.egress import SECTION_HEADER, unmapped
from collector.domain.egress_proxy import EgressProxy
from collector.domain.errors import BlockedError, EgressAwayError

Answer = tuple[Head, bytes]
MARKER = "x-egress-error"
"""Only our proxy says it: response flags of Envoy, then its details."""
END = b"\r\n\r\n"
ANSWER_LIMIT = 8_192
REMEMBERED = 20_000
"""Requests for tunnels that need not be written anew for the next slot."""
# Envoy's details quote the C library of the machine that it runs on.
TOLD = (
    ("Connection_refused", errno.ECONNREFUSED),
    ("connection_timeout", errno.ETIMEDOUT),
    ("Connection_timed_out", errno.ETIMEDOUT),
    ("No_route_to_host", errno.EHOSTUNREACH),
    ("Network_is_unreachable", errno.ENETUNREACH),
    ("Host_is_down", errno.EHOSTDOWN),
    ("Cannot_assign_requested_address", errno.EADDRNOTAVAIL),
)
NOT_CONNECTED = ("UF", "UC", "UPE")
NO_QUOTE = re.compile(r"[^ -~]")


class Tunnels:
    """Opens tunnels through one proxy.

    Args:
        proxy: where it is.
        resolver: finds its addresses.
    """

    def __init__(self, proxy: EgressProxy, resolver: Resolver) -> None:
        self._proxy, self._resolver = proxy, resolver

    async def open(self, address: str, attempt: Attempt) -> DeviceWire:
        """A connection to the address and the attempt's port; what comes over it is the device's.

        Raises:
            BlockedError: the proxy's policy forbids the address.
            EgressAwayError: the proxy cannot be reached, is full, or is none of ours.
            OSError: it could not connect to the device; the same errors as without a proxy.
        """
        attempt.stage = Stage.PROXY
        asked = write_tunnel(address, attempt.port, attempt.section)
        wire = await self._reach(attempt)
        try:
            attempt.stage = Stage.CONNECTING
            wire.write(asked)
            rest = _behind(await self._answer(wire), f"{address} port {attempt.port}")
        except BaseException:
            await wire.aclose()
            raise
        attempt.again()
        wire.give_back(rest)
        return wire

    async def secure(self, wire: DeviceWire, attempt: Attempt, tls: ssl.SSLContext) -> DeviceWire:
        """TLS with the device, end to end.

        Raises:
            OSError: `ssl.SSLError` when the handshake failed; the connection is closed then.
        """
        attempt.stage = Stage.SECURING
        try:
            return await _secured(wire, attempt, tls)
        except BaseException:
            wire.drop()
            raise

    async def _reach(self, attempt: Attempt) -> DeviceWire:
        """The first address of the proxy that accepts."""
        loop, fault = asyncio.get_running_loop(), "it has no address"
        try:
            found = await self._resolver.resolve(self._proxy.host, self._proxy.port)
        except OSError as error:
            raise self._away(f"its name: {error.strerror or 'unknown'}") from None
        for place in found:
            try:
                _, wire = await loop.create_connection(lambda: DeviceWire(attempt, loop), place, self._proxy.port)
            except OSError as error:
                fault = os.strerror(error.errno) if error.errno else type(error).__name__
            else:
                return wire
        raise self._away(fault)

    async def _answer(self, wire: DeviceWire) -> Answer:
        """The proxy's answer, and what came behind it."""
        data = b""
        with contextlib.suppress(OSError):
            while END not in data and len(data) < ANSWER_LIMIT:
                part = await wire.read()
                if not part:
                    break
                data += part
        block, end, rest = data.partition(END)
        if not end:
            raise self._away("it closed without an answer")
        try:
            return read_head(block), rest
        except BreachError:
            raise self._away("what answers there is no proxy") from None

    def _away(self, why: str) -> EgressAwayError:
        return EgressAwayError(f"egress_proxy: {self._proxy}: {why}; the device was not asked")


async def _secured(wire: DeviceWire, attempt: Attempt, tls: ssl.SSLContext) -> DeviceWire:
    if attempt.received:
        raise ssl.SSLError(ssl.SSL_ERROR_SSL, "the device spoke before the handshake")
    loop = asyncio.get_running_loop()
    secured = DeviceWire(attempt, loop)
    transport = await loop.start_tls(wire.transport, secured, tls, server_hostname=attempt.host)
    if transport is None:
        raise ConnectionResetError(errno.ECONNRESET, "closed in the handshake")
    secured.connection_made(transport)
    return secured


def _behind(answer: Answer, where: str) -> bytes:
    head, rest = answer
    if head.status != 200:
        raise refusal_of(head, where)
    return rest


def refusal_of(head: Head, where: str) -> Exception:
    """What it means that the proxy opened no tunnel to this address and port."""
    said = head.last(MARKER)
    flags, _, details = said.partition(" ")
    shown = NO_QUOTE.sub("?", details[:100]) or "no reason"
    if said and head.status == 403:
        return BlockedError(f"egress: {where} is not allowed by the egress proxy; its policy has to list it")
    if any(flag in flags.split(",") for flag in NOT_CONNECTED):
        code = next((code for text, code in TOLD if text in details), errno.ECONNRESET if "UC" in flags else errno.EIO)
        return OSError(code, shown)
    if not said:
        shown = "what answers there is no egress proxy of chamberlog"
    return EgressAwayError(f"egress_proxy: it answered {head.status} ({shown}); the device was not asked")


@lru_cache(REMEMBERED)
def write_tunnel(address: str, port: int, section: str) -> bytes:
    """The request for a tunnel.

    Raises:
        BlockedError: the address has a zone, which means something on one machine only.
        MisconfiguredError: the section cannot be sent.
    """
    if "%" in address:
        raise BlockedError(
            f"egress: {address} port {port} is an address of this machine's own link, not of the proxy's"
        )
    host = unmapped(address)
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    headers = [("Host", target), *([(SECTION_HEADER, section)] if section else [])]
    try:
        written = h11.Connection(h11.CLIENT).send(h11.Request(method="CONNECT", target=target, headers=headers))
    except (h11.LocalProtocolError, UnicodeError):
        raise unsendable("the section's name has characters that HTTP does not allow") from None
    assert written is not None
    return written
