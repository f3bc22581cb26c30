"""TLS before a server that has none built in, as its own would be: PostgreSQL asks for it first, Valkey does not."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from stack.server import HOST
from tests.contract.temporal_gate import Papers

CHUNK = 65_536
REQUEST_BYTES, WILLING = 8, b"S"
"""PostgreSQL's SSLRequest, and the answer that the server is willing."""


def serving(papers: Papers, *, clients: bool = False) -> ssl.SSLContext:
    """What the relay serves with; with `clients` it asks for a certificate of the same authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(papers.certificate, papers.key)
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(papers.authority)
    return context


@asynccontextmanager
async def relayed(port: int, context: ssl.SSLContext, *, asked_first: bool = False) -> AsyncIterator[int]:
    """A port on loopback that ends TLS and hands everything on to another.

    Args:
        port: of the server.
        context: see `serving`.
        asked_first: whether clients ask in clear before TLS begins.
    """

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):  # ssl.SSLError is an OSError
            if asked_first:
                await reader.readexactly(REQUEST_BYTES)
                writer.write(WILLING)
                await writer.start_tls(context)
            there = await asyncio.open_connection(HOST, port)
            await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))
        writer.close()

    server = await asyncio.start_server(handle, HOST, 0, ssl=None if asked_first else context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Hand on until the source ends, then end the sink."""
    try:
        while data := await source.read(CHUNK):
            sink.write(data)
            await sink.drain()
    finally:
        sink.close()
