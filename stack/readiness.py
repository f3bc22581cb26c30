"""Whether a part serves."""

import asyncio

from stack.server import HOST

TIMEOUT_S = 2.0


async def accepts(port: int) -> bool:
    """Whether something accepts connections on 127.0.0.1:`port`."""
    return await _ask(port, None) is not None


async def answers_ready(port: int, path: str = "/readyz") -> bool:
    """Whether a path on 127.0.0.1:`port` answers 200. Asked ten times a second, so it costs one socket only."""
    status_line = await _ask(port, b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % path.encode())
    return status_line is not None and status_line.split()[1:2] == [b"200"]


async def _ask(port: int, request: bytes | None) -> bytes | None:
    """Connect; send the request, if any; answer the first line, None when there is no connection or no answer."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            reader, writer = await asyncio.open_connection(HOST, port)
            try:
                if request is None:
                    return b""
                writer.write(request)
                return await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return None
