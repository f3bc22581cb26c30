"""A name server on loopback that answers what a test wants, and a resolver that asks nobody else."""

import asyncio
import ipaddress
import socket
import struct
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

A, AAAA, NO_SUCH_NAME = 1, 28, 3
HEAD = struct.Struct("!HHHHHH")
Zone = Mapping[str, Sequence[str]]


class NameServer:
    """Answers A and AAAA over UDP until the `with` block ends.

    Args:
        zone: by name one answer after the other, the last one for ever; each is addresses with blanks between.
    """

    def __init__(self, zone: Zone) -> None:
        self._answers = {name: [given.split() for given in answers] for name, answers in zone.items()}
        self._given: dict[tuple[str, int], int] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.port: int = self._socket.getsockname()[1]
        self.asked: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join(5)
        self._socket.close()

    def _serve(self) -> None:
        while query := self._socket.recvfrom(4_096):
            data, sender = query
            if not data:
                return
            self._socket.sendto(self._answer(data), sender)

    def _answer(self, query: bytes) -> bytes:
        name, end = _name(query)
        kind = struct.unpack_from("!H", query, end)[0]
        self.asked.append(name)
        found = self._next(name, kind)
        records = b"".join(_record(address, kind) for address in found or () if _kind(address) == kind)
        count = sum(_kind(address) == kind for address in found or ())
        code = NO_SUCH_NAME if found is None else 0
        head = HEAD.pack(HEAD.unpack_from(query)[0], 0x8180 | code, 1, count, 0, 0)
        return head + query[12 : end + 4] + records

    def _next(self, name: str, kind: int) -> Sequence[str] | None:
        answers = self._answers.get(name)
        if answers is None:
            return None
        turn = self._given.get((name, kind), 0)
        self._given[name, kind] = turn + 1
        return answers[min(turn, len(answers) - 1)]


class NameServerResolver:
    """Asks one name server, and nobody else; implements the client's `Resolver`."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(self, host: str, port: int) -> Sequence[str]:  # noqa: ARG002  the port's signature
        try:
            return (str(ipaddress.ip_address(host)),)
        except ValueError:
            found = await asyncio.to_thread(self._ask, host)
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "the name server knows no such name")
        return found

    def close(self) -> None:
        return

    def _ask(self, host: str) -> Sequence[str]:
        return [address for kind in (A, AAAA) for address in self._records(host, kind)]

    def _records(self, host: str, kind: int) -> Sequence[str]:
        labels = b"".join(bytes([len(label)]) + label.encode() for label in host.rstrip(".").split("."))
        question = labels + b"\0" + struct.pack("!HH", kind, 1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(5)
            asking.sendto(HEAD.pack(7, 0x0100, 1, 0, 0, 0) + question, ("127.0.0.1", self._port))
            answer = asking.recv(4_096)
        count = HEAD.unpack_from(answer)[3]
        size = 4 if kind == A else 16
        first = 12 + len(question)
        return [str(ipaddress.ip_address(answer[first + turn * (12 + size) + 12 :][:size])) for turn in range(count)]


def _name(query: bytes) -> tuple[str, int]:
    labels, at = [], 12
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode().lower())
        at += 1 + length
    return ".".join(labels), at + 1


def _kind(address: str) -> int:
    return A if ipaddress.ip_address(address).version == 4 else AAAA


def _record(address: str, kind: int) -> bytes:
    packed = ipaddress.ip_address(address).packed
    return b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 0, len(packed)) + packed
