"""The log of what was served when: JSON lines, appended, each one written before its answer leaves."""

import json
import os
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

KEPT = 100_000
"""Lines that stay in memory for the control port; the file holds more of them."""
LIMIT_BYTES = 64 * 2**20
"""A file that has grown over this is set aside as `<name>.1`, over the one before: half a day of twelve devices."""


@dataclass(frozen=True, slots=True)
class Served:
    """One request and what became of it.

    Attributes:
        device: the device's id.
        serial: number of the answer, None when what was sent carries none (an error, garbage, nothing).
        served_ms: wall clock just before the answer left, milliseconds since the Unix epoch, UTC.
        fault: the fault in force, or None.
        status: HTTP status, None when no HTTP answer was sent.
        wrote: what the request changed in the device, such as `TempSet=30`; "" for one that only read.
    """

    device: str
    serial: int | None
    served_ms: int
    fault: str | None
    status: int | None
    wrote: str = ""


class ServedLog:
    """Keeps `Served` lines and counts the serial numbers of each device on, over restarts with the same file."""

    def __init__(self, path: Path | None = None, limit_bytes: int = LIMIT_BYTES) -> None:
        """Open the log; what an earlier run wrote is read first.

        Args:
            path: the file, made with its folder when it is not there; None keeps the newest lines in memory only.
            limit_bytes: see `LIMIT_BYTES`. A new file begins with the last numbered line of each device once more, so
                that its numbers go on.

        Raises:
            OSError: the file cannot be read or written.
        """
        self._newest: deque[Served] = deque(maxlen=KEPT)
        self._serials: defaultdict[str, int] = defaultdict(int)
        self._last: dict[str, Served] = {}
        self._path, self._limit_bytes, self._bytes = path, limit_bytes, 0
        self._file: int | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            torn = self._read(path)
            self._open(path)
            if torn:
                self._write(b"\n")

    def next_serial(self, device: str) -> int:
        """The device's next serial number: from 1, each only once."""
        self._serials[device] += 1
        return self._serials[device]

    def last_serial(self, device: str) -> int:
        """The serial number given last; 0 before the first."""
        return self._serials[device]

    def record(self, served: Served) -> None:
        """Append a line; when it returns the operating system has it, so that killing this process loses nothing."""
        self._newest.append(served)
        self._remember(served)
        self._write(_line(served))
        if self._bytes > self._limit_bytes and self._path is not None:
            self._set_aside(self._path)

    def lines(self, device: str | None = None, since_ms: int = 0) -> Iterator[Served]:
        """The newest lines in the order in which they were served, of one device or all, from an instant on."""
        return (s for s in list(self._newest) if s.served_ms >= since_ms and device in (None, s.device))

    def close(self) -> None:
        """Close the file; closing again changes nothing."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _remember(self, served: Served) -> None:
        if served.serial is not None:
            self._last[served.device] = served

    def _open(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._bytes = os.fstat(self._file).st_size

    def _write(self, line: bytes) -> None:
        if self._file is not None:
            self._bytes += os.write(self._file, line)

    def _set_aside(self, path: Path) -> None:
        self.close()
        path.replace(path.with_name(path.name + ".1"))
        self._open(path)
        for served in self._last.values():
            self._write(_line(served))

    def _read(self, path: Path) -> bool:
        """Take over an earlier run's lines; True when its last line was cut short by a kill."""
        line = b"\n"
        if path.exists():
            with path.open("rb") as file:
                for line in file:
                    self._take_over(line)
        return not line.endswith(b"\n")

    def _take_over(self, line: bytes) -> None:
        try:
            served = Served(**json.loads(line))
        except (ValueError, TypeError):
            return  # a torn line: its answer never left
        self._newest.append(served)
        self._remember(served)
        if served.serial is not None:
            self._serials[served.device] = max(self._serials[served.device], served.serial)


def _line(served: Served) -> bytes:
    document = asdict(served)
    if not served.wrote:
        del document["wrote"]  # nearly every line
    return json.dumps(document).encode() + b"\n"
