"""One GET to a device."""

import asyncio
import ssl
from types import TracebackType
from typing import Self

import httpx

from adapters.http_device.addresses import Resolver, SystemResolver, allowed_addresses
from adapters.http_device.attempt import Attempt, Stage
from adapters.http_device.body import read_body
from adapters.http_device.faults import fault_of, late, unsendable
from adapters.http_device.lanes import HostLanes
from adapters.http_device.transport import ATTEMPT, make_transport, trusting_context, verifying_context
from collector.domain.errors import DeviceStatusError, DeviceUnauthorizedError, SlotFailedError
from collector.ports import DeviceAnswer, DeviceRequest

DEFAULT_PORTS = {"http": 80, "https": 443}
HEADERS = {
    "User-Agent": "chamberlog",
    "Accept": "*/*",
    "Accept-Encoding": "identity",  # a few hundred bytes are not worth a small device's work
    "Connection": "close",
}


class HttpDeviceClient:
    """Implements `collector.ports.DeviceClient` over httpx.

    It sends nothing that was not asked for (no cookies, no traceparent, no credentials from the environment), goes
    through no proxy, and leaves no connection open between requests: transport.py says why.

    Args:
        resolver: turns hosts into addresses; the system's when None.
        tls: verifies certificates; public authorities and those of this machine when None.
    """

    def __init__(self, *, resolver: Resolver | None = None, tls: ssl.SSLContext | None = None) -> None:
        self._resolver = resolver or SystemResolver()
        self._verifying = make_transport(tls or verifying_context())
        self._trusting = make_transport(trusting_context())
        self._lanes = HostLanes()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Let go of everything; requests in flight are the caller's to cancel."""
        await self._verifying.aclose()
        await self._trusting.aclose()
        self._resolver.close()

    @property
    def hosts_in_flight(self) -> int:
        """Hosts with a request in flight or waiting."""
        return len(self._lanes)

    async def fetch(self, request: DeviceRequest) -> DeviceAnswer:
        """GET once; see `DeviceClient.fetch`. Codes of the details: faults.py, and `http_<status>`.

        Raises:
            MisconfiguredError: the URL or a header cannot be sent; besides what the port lists.
        """
        sent = _written(request)
        attempt: Attempt = sent.extensions[ATTEMPT]
        try:
            async with asyncio.timeout_at(attempt.deadline) as budget, self._lanes.hold(attempt.host, attempt.port):
                return await self._exchange(request, sent)
        except SlotFailedError:
            raise
        except Exception as exc:
            fault = late(attempt) if budget.expired() else fault_of(exc, attempt)
            if fault is None:
                raise
            raise fault from None

    async def _exchange(self, request: DeviceRequest, sent: httpx.Request) -> DeviceAnswer:
        attempt: Attempt = sent.extensions[ATTEMPT]
        attempt.stage = Stage.RESOLVING
        found = await self._resolver.resolve(attempt.host, attempt.port)
        attempt.addresses = allowed_addresses(found, attempt.port, request.egress)
        transport = self._verifying if request.verify_tls else self._trusting
        response = await transport.handle_async_request(sent)
        try:
            _check_status(response)
            body = await read_body(response, request.max_bytes)
        finally:
            await response.aclose()
        return DeviceAnswer(response.status_code, body, response.headers.get("content-type", ""))


def _written(request: DeviceRequest) -> httpx.Request:
    try:
        headers = httpx.Headers(HEADERS)
        headers.update(dict(request.headers))
        sent = httpx.Request("GET", request.url, headers=headers)
    except httpx.InvalidURL:
        raise unsendable("the URL cannot be parsed") from None
    except UnicodeError:
        raise unsendable("a header has characters outside ASCII") from None
    port = sent.url.port or DEFAULT_PORTS.get(sent.url.scheme)
    if not sent.url.host or port is None:
        raise unsendable("the URL is not http or https with a host")
    deadline = asyncio.get_running_loop().time() + request.budget_ms / 1000
    sent.extensions[ATTEMPT] = Attempt(sent.url.raw_host.decode("ascii"), port, request.budget_ms, deadline)
    return sent


def _check_status(response: httpx.Response) -> None:
    status = response.status_code
    if 200 <= status <= 299:
        return
    if status in (401, 403):
        raise DeviceUnauthorizedError(f"http_{status}: the device refused the credentials, or access is switched off")
    if "location" in response.headers and 300 <= status <= 399:
        raise DeviceStatusError(f"http_{status}: redirects to {_location_host(response)}; redirects are not followed")
    raise DeviceStatusError(f"http_{status}")


def _location_host(response: httpx.Response) -> str:
    try:
        target = httpx.URL(response.headers["location"])
    except httpx.InvalidURL:
        return "an unreadable address"
    return target.netloc.decode("ascii") or "itself"  # netloc has no user-info
