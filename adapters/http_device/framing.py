"""Where a body ends: by its length, by its chunks, or with the connection."""

import re
from typing import Protocol

from adapters.http_device.body import Body
from adapters.http_device.breach import Breach, BreachError, bad
from adapters.http_device.head import BEGINNINGS

CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,20})[ \t]*(?:;[^\n]*)?")
CHUNK_LINE_LIMIT = 4_096
LINGER_S = 0.02
"""How long a device that was asked to close may take to do so, or to show that it said a length too small."""
NOTHING = b" \t\r\n\0"
"""What may stand behind a body without meaning anything: a last line end, and the end of a text in C."""
SURPLUS_LIMIT = 1_024


class Wire(Protocol):
    """Where bytes come from."""

    async def read(self) -> bytes:
        """At least one byte; none at the end of the connection."""
        ...

    async def read_within(self, seconds: float) -> bytes:
        """As `read`, or nothing after so long."""
        ...


class Incoming:
    """Bytes of an answer, as they come."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.data = bytearray()

    async def more(self) -> None:
        """Wait for at least one byte.

        Raises:
            BreachError: the connection ended.
            OSError: it broke.
        """
        part = await self._wire.read()
        if not part:
            raise BreachError(Breach.CUT)
        self.data += part

    async def pass_on(self, count: int, body: Body) -> None:
        """The next `count` bytes are of the body."""
        while count:
            if not self.data:
                await self.more()
            if len(self.data) > count:
                part = self.data[:count]
                del self.data[:count]  # the rest stays where it is: it may hold thousands of tiny chunks
            else:
                part, self.data = self.data, bytearray()
            count -= len(part)
            body.take(part)

    async def pass_on_all(self, body: Body) -> None:
        """Everything up to the end of the connection is of the body."""
        first, self.data = self.data, bytearray()
        body.take(first)
        while part := await self._wire.read():
            body.take(part)

    async def pass_on_chunks(self, body: Body) -> None:
        """Chunks up to the last one; what may follow that (trailers) means nothing here."""
        while size := await self._chunk_size():
            await self.pass_on(size, body)
            if await self._line(2):
                raise bad("a chunk is longer than its size")

    async def end(self, *, keeps_open: bool) -> None:
        """After a body that has a length.

        Args:
            keeps_open: the device said so; it is not waited for.

        Raises:
            BreachError: the body goes on, so the length was wrong and a value may be cut.
        """
        while (surplus := self.data.strip(NOTHING)) == b"" and not keeps_open and len(self.data) < SURPLUS_LIMIT:
            try:
                part = await self._wire.read_within(LINGER_S)
            except OSError:
                return  # devices that reset after a whole answer are many
            if not part:
                return
            self.data += part
        if surplus and not surplus.upper().startswith(BEGINNINGS):  # a second answer to nothing is none of ours
            raise BreachError(Breach.LENGTH, "the body goes on behind its Content-Length, which cannot be right")

    async def _chunk_size(self) -> int:
        size = CHUNK_SIZE.fullmatch(await self._line(CHUNK_LINE_LIMIT))
        if size is None:
            raise bad("a chunk has no size")
        return int(size[1], 16)

    async def _line(self, limit: int) -> bytes:
        """The next line without its end, CRLF or LF."""
        while (end := self.data.find(b"\n", 0, limit)) < 0:
            if len(self.data) >= limit:
                raise bad("a chunk is longer than its size, or its size has no end")
            await self.more()
        line = bytes(self.data[:end]).removesuffix(b"\r")
        del self.data[: end + 1]
        return line
