"""Heads of answers, read as devices mean them.

What RFC 9112 forbids and devices send all the same is read where it can mean one thing only: lower case, `ICY`, blanks
around names, lines that are no header, line ends of LF alone. What says where the body ends has to be in order: lengths
that differ, a garbled Content-Length or an unknown Transfer-Encoding are refused, for a value could be cut by them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from adapters.http_device.breach import bad

BEGINNINGS = (b"HTTP/", b"ICY ")
HEAD_LIMIT = 100 * 1024
"""What httpx allows as well: some devices are generous with cookies."""
STATUS_LINE = re.compile(rb"(?:HTTP/[0-9](?:\.[0-9])?|ICY)[ \t]+([0-9]{3})(?:[ \t][^\r]*)?", re.IGNORECASE)
NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
LENGTH = re.compile(r"[0-9]{1,20}")
NO_LETTER = re.compile(rb"[^a-z]")
FRAMING = (b"contentlength", b"contentencoding", b"transferencoding")
NO_CONTENT = 204


@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers.

    Attributes:
        status: 100 to 999.
        headers: lower-case name -> values in the order in which they came.
    """

    status: int
    headers: Mapping[str, tuple[str, ...]]

    def last(self, name: str) -> str:
        """The value of a header, the last one where there are several; empty when there is none."""
        values = self.headers.get(name)
        return values[-1] if values else ""

    def words(self, name: str) -> list[str]:
        """The parts of a header that is a list, in lower case, over all of its lines."""
        values = self.headers.get(name, ())
        return [word for value in values for part in value.split(",") if (word := part.strip(" \t").lower())]

    @property
    def chunked(self) -> bool:
        """Whether the body comes in chunks; it does so whatever a Content-Length says.

        Raises:
            BreachError: it is transferred in a way that nobody asked for.
        """
        codings = [word for word in self.words("transfer-encoding") if word != "identity"]
        if codings not in ([], ["chunked"]):
            raise bad("its Transfer-Encoding was not asked for")
        return bool(codings)

    @property
    def length(self) -> int | None:
        """Bytes of the body; None when nothing says.

        Raises:
            BreachError: two lengths that differ, or one that is no number.
        """
        values = self.headers.get("content-length")
        if values is None:
            return None
        lengths = {part.strip(" \t") for value in values for part in value.split(",")}
        if len(lengths) > 1:
            raise bad("it has two lengths that differ")
        length = lengths.pop()
        if not LENGTH.fullmatch(length):
            raise bad("its Content-Length is no number")
        return int(length)

    @property
    def content_encoding(self) -> str:
        """How the body is compressed; a header that is simply there twice counts once."""
        return ", ".join(dict.fromkeys(self.headers.get("content-encoding", ())))


def may_begin(data: bytes | bytearray) -> bool:
    """Whether this may be, or become, the beginning of an answer."""
    start = bytes(data[:8]).upper()
    return any(start.startswith(begin[: len(start)]) for begin in BEGINNINGS)


def read_head(block: bytes | bytearray) -> Head:
    """Status line and headers.

    Args:
        block: up to the empty line, without it.

    Raises:
        BreachError: it cannot be read, or not in one way only.
    """
    first, *lines = [line.removesuffix(b"\r") for line in bytes(block).split(b"\n")]
    status = STATUS_LINE.fullmatch(first)
    if status is None or int(status[1]) < 100:
        raise bad("its status line has no status")
    headers: dict[str, list[str]] = {}
    for name, value in _fields(_unfolded(lines)):
        headers.setdefault(name, []).append(value)
    return Head(int(status[1]), {name: tuple(values) for name, values in headers.items()})


def _unfolded(lines: Iterable[bytes]) -> Iterator[bytes]:
    """A line that begins with a blank goes on with the one before; the first one has none before it."""
    held: list[bytes] = []
    for line in lines:
        if held and line[:1] not in (b" ", b"\t"):
            yield b" ".join(held)
            held = []
        held.append(line.lstrip(b" \t"))
    if held:
        yield b" ".join(held)


def _fields(lines: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if b"\r" in line:
            raise bad("a header has a line end of CR alone")  # what stands behind it may be meant as another header
        name, colon, value = line.partition(b":")
        name = name.strip(b" \t")
        if colon and NAME.fullmatch(name):
            yield name.decode("ascii").lower(), value.strip(b" \t").decode("latin-1")
        elif NO_LETTER.sub(b"", line.lower()).startswith(FRAMING):
            raise bad("what may say where its body ends is no well-formed header")
