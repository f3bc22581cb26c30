"""A program on a machine whose only way out are Unix sockets: `lonely_machine.py FOLDER PORT,PORT,... PROGRAM...`.

To be started in a network namespace of its own. Each port on its loopback leads to the socket of that name in the
folder, whoever serves that. Nothing is imported but the standard library, and the program takes this process over.
"""

import asyncio
import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import struct
import sys
from functools import partial
from pathlib import Path

CHUNK = 65_536
GET_FLAGS, SET_FLAGS, UP = 0x8913, 0x8914, 0x1
"""SIOCGIFFLAGS, SIOCSIFFLAGS and IFF_UP of Linux."""
DIE_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of Linux."""


def main(folder: Path, ports: list[int], program: list[str]) -> None:
    """Bring the loopback up, relay in a child, become the program."""
    _raise_loopback()
    reading, writing = os.pipe()
    if os.fork() == 0:
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the program needs its way out until it has ended
        os.close(reading)
        asyncio.run(_relay(folder, ports, writing))
        return
    os.close(writing)
    assert os.read(reading, 1) == b"+", "the relay does not listen"
    os.close(reading)
    os.execv(program[0], program)


def _raise_loopback() -> None:
    with socket.socket() as anything:
        name = b"lo".ljust(16, b"\0")
        flags = struct.unpack("16sh", fcntl.ioctl(anything, GET_FLAGS, struct.pack("16sh", name, 0)))[1]
        fcntl.ioctl(anything, SET_FLAGS, struct.pack("16sh", name, flags | UP))


async def _relay(folder: Path, ports: list[int], ready: int) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for port in ports:
            path = folder / str(port)
            server = await asyncio.start_server(partial(_carry, path), "127.0.0.1", port)
            await stack.enter_async_context(server)
        os.write(ready, b"+")
        os.close(ready)
        await asyncio.Event().wait()


async def _carry(path: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        there = await asyncio.open_unix_connection(path)
    except OSError:
        writer.transport.abort()
        return
    await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))


async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Hand on until the source ends, then end the sink, as abruptly as it was."""
    try:
        while data := await source.read(CHUNK):
            sink.write(data)
            await sink.drain()
    except OSError:
        sink.transport.abort()
    finally:
        sink.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(port) for port in sys.argv[2].split(",")], sys.argv[3:])
