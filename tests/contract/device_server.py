"""A device on a real socket that says and does exactly what a test wants, threads apart from the client's loop."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

PATIENCE_S = 10.0


class Visit:
    """One connection that the device accepted."""

    def __init__(self, connection: socket.socket, closing: threading.Event) -> None:
        self.connection, self._closing = connection, closing
        self.request = b""

    def hear(self) -> None:
        """Read the head of the request."""
        while b"\r\n\r\n" not in self.request:
            data = self.connection.recv(65_536)
            if not data:
                return
            self.request += data

    def say(self, data: bytes) -> None:
        """Send all of it; a client that left is none of the device's business."""
        try:
            self.connection.sendall(data)
        except OSError:
            self._closing.wait(0)

    def rest(self, seconds: float = PATIENCE_S) -> None:
        """Do nothing for so long, or until the test is over."""
        self._closing.wait(seconds)

    def reset(self) -> None:
        """Close by RST instead of FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def is_open(self) -> bool:
        """Whether the client still holds the connection."""
        try:
            return self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def was_left(self) -> bool:
        """Whether the client closes the connection within the patience of a test."""
        self.connection.settimeout(PATIENCE_S)
        try:
            return self.connection.recv(1) == b""
        except TimeoutError:
            return False
        except OSError:
            return True


Behaviour = Callable[[Visit], None]


def answering(answer: bytes) -> Behaviour:
    """Hear the request, say this, close."""

    def behave(visit: Visit) -> None:
        visit.hear()
        visit.say(answer)

    return behave


def ok(body: bytes, *headers: str) -> bytes:
    """A plain answer of HTTP/1.1 with a length."""
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


class DeviceServer:
    """Listens on 127.0.0.1 (or another address of loopback) until the `with` block ends."""

    def __init__(
        self, behave: Behaviour, *, tls: ssl.SSLContext | None = None, at: tuple[str, int] | None = None
    ) -> None:
        self._behave, self._tls = behave, tls
        self._closing, self._changed = threading.Event(), threading.Condition()
        self._threads: list[threading.Thread] = []
        address = at or ("127.0.0.1", 0)
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._listener = socket.create_server(address, family=family)
        self.port: int = self._listener.getsockname()[1]
        self.visits: list[Visit] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for visit in self.visits:
            _close(visit.connection)
        for thread in self._threads:
            thread.join(PATIENCE_S)

    @property
    def requests(self) -> list[bytes]:
        """Heads of the requests so far."""
        return [visit.request for visit in self.visits]

    def wait_for_visits(self, count: int) -> None:
        """Block until so many connections were accepted."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.visits) >= count, PATIENCE_S), "nobody came"

    def _start(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._start(lambda accepted=connection: self._serve(accepted))  # type: ignore[misc]  # bound per turn

    def _serve(self, connection: socket.socket) -> None:
        visit = Visit(connection, self._closing)
        with self._changed:
            self.visits.append(visit)
            self._changed.notify_all()
        try:
            if self._tls is not None:
                visit.connection = self._tls.wrap_socket(connection, server_side=True)
            self._behave(visit)
        except OSError:
            return  # the client left, or would not shake hands: what the client made of it is what the test asserts
        finally:
            _close(visit.connection)


def _close(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        connection.close()
    connection.close()
