"""How devices are spoken to: the one place to change for another HTTP transport.

A transport is an `httpx.AsyncBaseTransport` that finds its `Attempt` in `request.extensions[ATTEMPT]`, connects to
the attempt's addresses only, keeps its stage up to date, and frees everything when the response is closed.

There is no keep-alive. Many devices own one socket, and an idle connection of ours would lock the owner's browser
out; a device that closes between polls would turn a stale connection into a gap; and a connection opened under one
section's egress policy can never serve another's. The price is a TCP handshake a request.
"""

import ssl
from collections.abc import AsyncIterator

import httpcore
import httpx

from adapters.http_device.attempt import Attempt, Stage
from adapters.http_device.wire import DeviceWire, open_wire

ATTEMPT = "chamberlog_attempt"
# What this transport raises when the answer is not HTTP, or ends too early ...
NOT_HTTP: tuple[type[Exception], ...] = (httpcore.RemoteProtocolError, httpx.RemoteProtocolError)
# ... and when the request itself cannot be written. Its text quotes header values: never show it.
NOT_SENDABLE: tuple[type[Exception], ...] = (httpcore.LocalProtocolError, httpx.LocalProtocolError)


def make_transport(tls: ssl.SSLContext) -> httpx.AsyncBaseTransport:
    """The transport for all requests that share a way to verify."""
    return OneShotTransport(tls)


def verifying_context() -> ssl.SSLContext:
    """Verifies against the public authorities and those of this machine (a lab's own are added there)."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


def trusting_context() -> ssl.SSLContext:
    """Accepts any certificate, for devices that made their own."""
    return httpx.create_ssl_context(verify=False, trust_env=False)


class OneShotTransport(httpx.AsyncBaseTransport):
    """HTTP/1.1 by httpcore and h11 over a connection made for one request."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send and read up to the end of the headers.

        Raises:
            OSError: the connection could not be made, or broke.
            httpcore.RemoteProtocolError: not HTTP, or cut.
            httpcore.LocalProtocolError: a header that HTTP does not allow.
        """
        attempt: Attempt = request.extensions[ATTEMPT]
        wire = await open_wire(attempt, self._tls if request.url.scheme == "https" else None)
        attempt.stage = Stage.ASKED
        try:
            return await _exchange(request, wire)
        except BaseException:
            await wire.aclose()
            raise


async def _exchange(request: httpx.Request, wire: DeviceWire) -> httpx.Response:
    url = httpcore.URL(
        scheme=request.url.raw_scheme,
        host=request.url.raw_host,
        port=request.url.port,
        target=request.url.raw_path,
    )
    connection = httpcore.AsyncHTTP11Connection(origin=url.origin, stream=wire)
    sent = httpcore.Request(method=request.method, url=url, headers=request.headers.raw)
    answer = await connection.handle_async_request(sent)
    return httpx.Response(answer.status, headers=answer.headers, stream=_WireStream(answer, wire), request=request)


class _WireStream(httpx.AsyncByteStream):
    """The body; closing it closes the connection."""

    def __init__(self, answer: httpcore.Response, wire: DeviceWire) -> None:
        self._answer, self._wire = answer, wire

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._answer.aiter_stream():
            yield part

    async def aclose(self) -> None:
        await self._wire.aclose()
