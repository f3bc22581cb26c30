"""One GET to a device."""

import asyncio
import ssl
from functools import lru_cache
from secrets import token_hex
from types import TracebackType
from typing import Self

from adapters.http_device.addresses import Resolver, SystemResolver, allowed_addresses
from adapters.http_device.answer import read_answer
from adapters.http_device.attempt import Attempt, Stage
from adapters.http_device.digest import DigestSession, DigestSessions, worth_answering
from adapters.http_device.faults import fault_of, late
from adapters.http_device.lanes import HostLanes
from adapters.http_device.literals import literal_of
from adapters.http_device.redirects import forbidden_target
from adapters.http_device.request import WrittenRequest, write_request
from adapters.http_device.spans import request_span
from adapters.http_device.tls import trusting_context, verifying_context
from adapters.http_device.tunnel import Tunnels
from adapters.http_device.wire import open_wire
from collector.domain.egress_proxy import EgressProxy
from collector.domain.errors import DeviceStatusError, DeviceUnauthorizedError, SlotFailedError
from collector.mapping.credentials import Credentials
from collector.ports import NO_TRACING, DeviceAnswer, DeviceRequest, Tracing

PROXY_THREADS = 4
"""Look-ups of the egress proxy's name at a time; none is made where it is an address."""
REMEMBERED = 20_000
"""Requests that need not be written anew for the next slot: chambers of one process, about 1 KiB each."""


class HttpDeviceClient:
    """Implements `collector.ports.DeviceClient` over HTTP/1.1.

    It sends nothing that was not asked for (no cookies, no traceparent, no credentials from the environment), goes
    through no proxy that the environment names, and leaves no connection open between requests:
    docs/adr/0009-the-device-transport.md says why.

    Args:
        resolver: turns devices' hosts into addresses; the system's when None.
        tls: verifies certificates; public authorities and those of this machine when None.
        proxy: the egress proxy that every connection goes through; straight to the devices when None.
        tracing: shows the requests; the devices do not hear of it.
    """

    def __init__(
        self,
        *,
        resolver: Resolver | None = None,
        tls: ssl.SSLContext | None = None,
        proxy: EgressProxy | None = None,
        tracing: Tracing = NO_TRACING,
    ) -> None:
        self._tracing = tracing
        self._resolver = resolver or SystemResolver()
        self._way = SystemResolver(PROXY_THREADS)  # its own: devices' name servers that are down must not close the way
        self._tunnels = None if proxy is None else Tunnels(proxy, self._way)
        self._verifying, self._trusting = tls or verifying_context(), trusting_context()
        self._lanes = HostLanes()
        self._sessions = DigestSessions()
        self._written = lru_cache(REMEMBERED)(write_request)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Let go of everything; requests in flight are the caller's to cancel."""
        self._resolver.close()
        self._way.close()

    @property
    def hosts_in_flight(self) -> int:
        """Hosts with a request in flight or waiting."""
        return len(self._lanes)

    async def fetch(self, request: DeviceRequest) -> DeviceAnswer:
        """GET once; see `DeviceClient.fetch`. Codes of the details: faults.py, and `http_<status>`.

        Raises:
            MisconfiguredError: the URL or a header cannot be sent; besides what the port lists.
        """
        sent = self._written(request.url, tuple(request.headers.items()), request.parameters)
        deadline = asyncio.get_running_loop().time() + request.budget_ms / 1000
        attempt = Attempt(sent.host, sent.port, request.budget_ms, deadline, section=request.section)
        with request_span(self._tracing, sent, attempt):
            return await self._in_time(request, sent, attempt)

    async def _in_time(self, request: DeviceRequest, sent: WrittenRequest, attempt: Attempt) -> DeviceAnswer:
        """Ask when it is the request's turn, and tell every fault as what it is."""
        try:
            async with asyncio.timeout_at(attempt.deadline) as budget, self._lanes.hold(sent.host, sent.port):
                return await self._exchange(request, sent, attempt)
        except SlotFailedError:
            raise
        except Exception as exc:
            fault = late(attempt) if budget.expired() else fault_of(exc, attempt)
            if fault is None:
                raise
            raise fault from None

    async def _exchange(self, request: DeviceRequest, sent: WrittenRequest, attempt: Attempt) -> DeviceAnswer:
        attempt.stage = Stage.RESOLVING
        literal = literal_of(sent.host)
        found = (literal,) if literal else await self._resolver.resolve(sent.host, sent.port)
        attempt.addresses = allowed_addresses(found, sent.port, request.egress)
        if request.digest is None:
            return await self._ask(request, sent, sent.head, attempt)
        return await self._ask_as(request.digest, request, sent, attempt)

    async def _ask_as(
        self, who: Credentials, request: DeviceRequest, sent: WrittenRequest, attempt: Attempt
    ) -> DeviceAnswer:
        """With the nonce of before, if there is one; else the device's challenge is answered."""
        key = (sent.host, sent.port, sent.secure, who)
        session, answered = self._sessions.find(key), 0
        while True:
            head = sent.head if session is None else sent.authorized(session.authorization(who, sent.target))
            try:
                return await self._ask(request, sent, head, attempt)
            except DeviceUnauthorizedError as refused:
                self._sessions.forget(key)
                session = DigestSession(worth_answering(attempt.challenges, answered, refused), token_hex(16))
            self._sessions.keep(key, session)
            answered += 1
            attempt.again()

    async def _ask(self, request: DeviceRequest, sent: WrittenRequest, head: bytes, attempt: Attempt) -> DeviceAnswer:
        wire = await open_wire(attempt, self._tls(request) if sent.secure else None, self._tunnels)
        try:
            attempt.stage = Stage.ASKED
            wire.write(head)
            return await read_answer(wire, attempt, request.max_bytes)
        except DeviceStatusError as refused:
            raise (forbidden_target(attempt.location, request.egress) or refused) from None
        finally:
            await wire.aclose()

    def _tls(self, request: DeviceRequest) -> ssl.SSLContext:
        return self._verifying if request.verify_tls else self._trusting
