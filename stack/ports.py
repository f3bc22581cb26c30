"""Ports on loopback: the same ones at every start of a directory, the standard ones when they are free."""

import fcntl
import json
import os
import random
import socket
import tempfile
from collections import deque
from pathlib import Path

FREE_RANGE = (10_000, 18_000)
"""Below the kernel's ephemeral range: an outgoing connection never takes a port while its server restarts. Below the
simulator's as well: its devices listen before the servers that were given their ports do."""
HELD = 16
"""So many of the last ports of `free_port` are kept from other processes, which start servers meanwhile, too."""


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


_given: deque[int] = deque(maxlen=1_000)
_held: deque[int] = deque()
_chance = random.SystemRandom()
"""Whoever seeds Python's own chance alike in two processes, as tests do, would have both take the same ports."""


def free_port() -> int:
    """A port that is free now, outside the kernel's ephemeral range; not one of the last that this process was given.

    Whoever asks for several listens on none of them yet: two of them must not be the same, nor may another process of
    this machine's user be given one of the last `HELD`.
    """
    while True:
        port = _chance.randrange(*FREE_RANGE)
        if port in _given or (reservation := _reserved(port, _reservations())) is None:
            continue
        _given.append(port)
        _held.append(reservation)
        if len(_held) > HELD:
            os.close(_held.popleft())
        return port


def _reservations() -> Path:
    return Path(tempfile.gettempdir()) / f"chamberlog-ports-{os.getuid()}"


def _reserved(port: int, directory: Path) -> int | None:
    """A descriptor that reserves the port until it is closed; None when it is reserved or taken."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd = os.open(directory / str(port), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    if not is_free(port):
        os.close(fd)
        return None
    return fd


class PortBook:
    """Takes ports for named uses and remembers them in a file.

    A port is reserved among all stacks of this machine's user until `close`: two stacks that start at once would
    otherwise both see the standard port free, seconds before their servers listen on it.

    Args:
        file: JSON, name to port; written at each `take`.
        reservations: directory of the reservations; default in the system's directory for temporary files.
    """

    def __init__(self, file: Path, reservations: Path | None = None) -> None:
        self._file = file
        self._reservations = reservations or _reservations()
        self._held: dict[str, tuple[int, int]] = {}
        try:
            self._known: dict[str, int] = {str(k): int(v) for k, v in json.loads(file.read_text()).items()}
        except (FileNotFoundError, ValueError, AttributeError, TypeError):
            self._known = {}

    def take(self, name: str, standard: int | None = None) -> int:
        """The port of a use: the one it had, else its standard one, else any; the first of them that is free.

        The second call for the same name answers the same port.

        Args:
            name: the use.
            standard: the port that people expect, if there is one.
        """
        if name in self._held:
            return self._held[name][0]
        for port in (self._known.get(name), standard):
            if port is not None and self._reserve(name, port):
                return self._remember(name, port)
        while True:
            anywhere = _chance.randrange(*FREE_RANGE)
            if self._reserve(name, anywhere):
                return self._remember(name, anywhere)

    def close(self) -> None:
        """Give all reservations back; the file stays. Again: nothing happens."""
        for _, fd in self._held.values():
            os.close(fd)
        self._held.clear()

    def _reserve(self, name: str, port: int) -> bool:
        reservation = _reserved(port, self._reservations)
        if reservation is None:
            return False
        self._held[name] = (port, reservation)
        return True

    def _remember(self, name: str, port: int) -> int:
        self._known[name] = port
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps(self._known, indent=1) + "\n")
        return port
