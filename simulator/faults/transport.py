"""Faults of HTTP itself: the answer is right, and the bytes in which it comes are not what the standard says.

Each is a function from the answer to what goes over the connection; then the device closes it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from simulator.dialects import Answer
from simulator.faults.fault import Fault, Kind
from simulator.http1 import phrase


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a device sends, and how it ends.

    Attributes:
        data: all of it.
        reset: it ends by RST instead of FIN.
    """

    data: bytes
    reset: bool = False


Transport = Callable[[Answer, Fault], Spoken]
LOGIN, ELSEWHERE = "/login.html", "https://device.invalid/"


def _head(answer: Answer, *lines: str, status: str = "", end: str = "\r\n") -> bytes:
    typed = [f"Content-Type: {answer.content_type}"] if answer.content_type else []
    first = status or f"HTTP/1.1 {answer.status} {phrase(answer.status)}"
    return end.join((first, *typed, *answer.headers, *lines, "Connection: close", "", "")).encode("latin-1")


def _length(answer: Answer) -> str:
    return f"Content-Length: {len(answer.body)}"


def _framed(**head: str) -> Transport:
    """A length that is right, under a head that is odd in one place."""
    return lambda answer, _: Spoken(_head(answer, _length(answer), **head) + answer.body)


def _with(*lines: str, length: bool = True) -> Transport:
    """An odd line in an ordinary head."""

    def play(answer: Answer, _: Fault) -> Spoken:
        framing = (_length(answer),) if length else ()
        return Spoken(_head(answer, *lines, *framing) + answer.body)

    return play


def _instead_of_length(line: Callable[[int], tuple[str, ...]], kept: float = 1.0) -> Transport:
    """Other lines where Content-Length stands, and perhaps only a part of the body."""

    def play(answer: Answer, _: Fault) -> Spoken:
        size = len(answer.body)
        return Spoken(_head(answer, *line(size)) + answer.body[: round(size * kept)])

    return play


def _chunks(answer: Answer, size: str = "{:x}", end: bytes = b"\r\n") -> bytes:
    half = len(answer.body) // 2
    parts = (answer.body[:half], answer.body[half:])
    return b"".join(size.format(len(part)).encode() + end + part + end for part in parts if part)


def _chunked(size: str = "{:x}", end: bytes = b"\r\n", *, last: bool = True, cut: int = 0) -> Transport:
    def play(answer: Answer, _: Fault) -> Spoken:
        body = _chunks(answer, size, end) + (size.format(0).encode() + end + end if last else b"")
        return Spoken(_head(answer, "Transfer-Encoding: chunked") + body[: len(body) - cut])

    return play


def _cut(answer: Answer, _: Fault) -> Spoken:
    return Spoken(_head(answer) + answer.body[: _within_a_number(answer.body)])


def _within_a_number(body: bytes) -> int:
    """A place behind the first digit of the last number with a decimal mark: what is left still is a number."""
    for at in range(len(body) - 2, 0, -1):
        if body[at : at + 1] == b"." and body[at - 1 : at].isdigit() and body[at + 1 : at + 2].isdigit():
            return at
    return len(body) // 2


def _redirect(answer: Answer, fault: Fault) -> Spoken:
    target = LOGIN if fault.form == "login" else ELSEWHERE
    return Spoken(_head(answer, f"Location: {target}", "Content-Length: 0", status="HTTP/1.1 302 Found"))


def _reset_mid_body(answer: Answer, _: Fault) -> Spoken:
    return Spoken(_head(answer, _length(answer)) + answer.body[: len(answer.body) // 2], reset=True)


def _kind(about: str, play: Transport, *, valued: bool = True, forms: tuple[str, ...] = ()) -> Kind[Transport]:
    return Kind(about=about, play=play, valued=valued, forms=forms)


TRANSPORT: dict[str, Kind[Transport]] = {
    "close-delimited": _kind("no length: the body ends with the connection", _with(length=False)),
    "http10": _kind(
        "HTTP/1.0 without a length",
        lambda answer, _: Spoken(_head(answer, status=f"HTTP/1.0 {answer.status} OK") + answer.body),
    ),
    "bare-lf": _kind("lines of the head end in LF alone", _framed(end="\n")),
    "no-reason": _kind("no reason phrase behind the status", _framed(status="HTTP/1.1 200")),
    "empty-header": _kind("a header without a value", _with("X-Device:")),
    "chunked": _kind("two chunks", _chunked()),
    "chunk-size-blank": _kind("a blank behind the sizes of chunks", _chunked("{:x} ")),
    "chunk-bare-lf": _kind("chunks whose lines end in LF alone", _chunked(end=b"\n")),
    "chunk-cut": _kind("it closes inside a chunk", _chunked(last=False, cut=9)),
    "no-last-chunk": _kind("it closes without the last chunk", _chunked(last=False)),
    "identity": _kind("Transfer-Encoding: identity", _with("Transfer-Encoding: identity", length=False)),
    "status-600": _kind("a status that does not exist", _framed(status="HTTP/1.1 600 Odd"), valued=False),
    "http09": _kind("HTTP/0.9: the body alone", lambda answer, _: Spoken(answer.body)),
    "lower-case": _kind("the version in lower case", _framed(status="http/1.1 200 OK")),
    "icy": _kind("ICY in the place of the version", _framed(status="ICY 200 OK")),
    "crlf-first": _kind(
        "an empty line before the status line",
        lambda answer, _: Spoken(b"\r\n" + _head(answer, _length(answer)) + answer.body),
    ),
    "header-without-colon": _kind("a line of the head without a colon", _with("X-Device simulated")),
    "blank-in-header": _kind("a blank in the name of a header", _with("X Device: simulated")),
    "blank-after-header": _kind("a blank between the name of a header and its colon", _with("X-Device : simulated")),
    "two-lengths": _kind(
        "two lengths that differ",
        _instead_of_length(lambda size: (f"Content-Length: {size}", f"Content-Length: {size + 7}")),
    ),
    "short-length": _kind(
        "a length that is too small",
        lambda answer, _: Spoken(_head(answer, f"Content-Length: {_within_a_number(answer.body)}") + answer.body),
    ),
    "length-cut": _kind(
        "it closes before the length is reached",
        _instead_of_length(lambda size: (f"Content-Length: {size}",), kept=0.6),
    ),
    "cut": _kind("no length, and it closes inside the last number", _cut),
    "gzip-header": _kind("it says gzip and sends plain text", _with("Content-Encoding: gzip")),
    "empty-reply": _kind("it closes without a byte", lambda *_: Spoken(b""), valued=False),
    "reset-mid-body": _kind("it resets the connection inside the body", _reset_mid_body),
    "redirect": _kind(
        "it redirects to a page for signing in, or to HTTPS", _redirect, valued=False, forms=("login", "https")
    ),
}
"""Called with the answer and the fault."""
