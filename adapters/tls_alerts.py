"""What a server says of a client's certificate, and whether it speaks TLS at all.

Of a certificate it speaks since TLS 1.3 only after the client is content. A client that has sent its first request by
then mostly sees a connection that was closed, and sometimes the alert. So this asks, and says nothing.
"""

import asyncio
import contextlib
import os
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path

from temporalio.service import TLSConfig

LISTEN_S = 2.0
"""The server's verdict follows its handshake at once."""


async def alert_of(host: str, port: int, papers: TLSConfig | None) -> str:
    """The alert with which the server refuses these papers, such as `tlsv1 alert unknown ca`; empty when it does not.

    Args:
        host: of the server.
        port: of it.
        papers: client certificate and key, and the server's name; None = no certificate.
    """
    context = _accepting()
    name = (papers.domain if papers is not None else None) or host
    try:
        if papers is not None and papers.client_cert is not None and papers.client_private_key is not None:
            with _file(papers.client_cert) as certificate, _file(papers.client_private_key) as key:
                context.load_cert_chain(certificate, key)
        await _shake_hands(host, port, context, name, heard=1)
    except ssl.SSLError as error:
        return _alert(error)
    except (OSError, TimeoutError):
        return ""
    return ""


async def speaks_tls(host: str, port: int) -> bool:
    """Whether what listens there shakes hands, or refuses to in the words of TLS.

    Who speaks HTTP/2 in plain text to it is told so by an alert that looks like a broken frame, or only sees the
    connection end: which of the two is a matter of moments.
    """
    try:
        await _shake_hands(host, port, _accepting(), host, heard=0)
    except ssl.SSLError as error:
        return bool(_alert(error))
    except (OSError, TimeoutError):
        return False
    return True


def _accepting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # the server is judged by whoever connects
    context.set_alpn_protocols(["h2"])
    return context


async def _shake_hands(host: str, port: int, context: ssl.SSLContext, name: str, *, heard: int) -> None:
    """And hear so many bytes, or the alert, of what the server says of them."""
    async with asyncio.timeout(LISTEN_S):
        reader, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=name)
        try:
            await reader.read(heard)
        finally:
            writer.transport.abort()


def _alert(error: ssl.SSLError) -> str:
    reason = (error.reason or "").replace("_", " ").lower()
    return reason if " alert " in reason else ""


@contextlib.contextmanager
def _file(content: bytes) -> Iterator[Path]:
    """The standard library takes files only; this one is for its owner, and gone at once."""
    handle, name = tempfile.mkstemp()
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        yield path
    finally:
        path.unlink()
