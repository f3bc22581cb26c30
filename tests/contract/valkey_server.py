"""A Valkey that tests may kill, freeze and start again, and a clock that they may move."""

import os
import signal
import time
from pathlib import Path

from stack.server import Server
from stack.valkey import start_valkey

PASSWORD = "a/b c%"  # has to survive the URL


class WallClock:
    """The wall clock plus what a test adds to it."""

    def __init__(self) -> None:
        self.ahead_ms = 0
        self.monotonic_ahead_ms = 0

    def now_ms(self) -> int:
        return round(time.time() * 1000) + self.ahead_ms

    def monotonic_ms(self) -> int:
        return round(time.monotonic() * 1000) + self.monotonic_ahead_ms


class ValkeyServer:
    """A real server that tests may kill, freeze and start again on its data."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._server: Server = start_valkey(data, 0, PASSWORD)
        self.url = self._server.address
        self._port = self._server.port

    def kill(self) -> None:
        os.kill(self._server.pid, signal.SIGKILL)
        self._server.stop()

    def start(self) -> None:
        if not self._server.alive():
            self._server = start_valkey(self._data, self._port, PASSWORD)

    def freeze(self) -> None:
        os.kill(self._server.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        if self._server.alive():
            os.kill(self._server.pid, signal.SIGCONT)

    def stop(self) -> None:
        self._server.stop()
