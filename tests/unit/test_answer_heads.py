"""Our reading of HTTP against h11's: what h11 takes is read the same, and more only where it has one meaning."""

import asyncio
import time

import h11
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from adapters.http_device.answer import read_answer
from adapters.http_device.attempt import Attempt
from adapters.http_device.breach import Breach, BreachError
from adapters.http_device.head import read_head
from collector.domain.errors import SlotFailedError

NAMES = ["Content-Length", "content-type", "X", "Server", "Transfer-Encoding", "Connection", "Location", "Date"]
VALUES = [
    "0", "4", "04", "+4", "4 ", " 4", "4, 4", "4,5", "", "text/html", "chunked", "Chunked", "identity", "gzip", "a\tb",
    "keep-alive", "close", "caf\xe9", "\x01", "a\rb",
]  # fmt: skip
STARTS = ["HTTP/1.1 200 OK", "HTTP/1.0 200 OK", "HTTP/1.1 200", "HTTP/1.1 204 No", "HTTP/1.1 299 \xe9"]
ODD_STARTS = [
    "HTTP/1.1 100 Continue", "http/1.1 200 OK", "HTTP/2 200", "HTTP/1.1  200 OK", "HTTP/1.1 20 OK", "ICY 200 OK", "",
    "HTTP/1.1 404 Not Found",
]  # fmt: skip
PLAIN_LINES = ["Server: x", "X-Empty:", "Date:  now ", "content-type: text/html", "Content-Type:a \t", " folded"]
BODIES = [
    "", "23.5", "23.5\r\n", "23.5,\n", "4\r\n23.5\r\n0\r\n\r\n", "2;x=y \r\n23\r\n02\r\n.5\r\n0\r\nX: y\r\n\r\n",
    "4\n23.5\n0\n\n", "4\r\n23", "4\r\n23.5\r\n", "5\r\n23.5\r\n0\r\n\r\n", "3\r\n23.5\r\n0\r\n\r\n",
]  # fmt: skip

ODD_LINE = st.one_of(
    st.tuples(st.sampled_from(NAMES), st.sampled_from([":", ": ", " :", ":\t", ""]), st.sampled_from(VALUES)).map(
        "".join
    ),
    st.text(st.characters(max_codepoint=255), max_size=12),
)
USUAL = st.sampled_from([["Content-Length: 4"], ["Transfer-Encoding: chunked"], ["Transfer-Encoding: chunked"], []])
ANSWERS = st.tuples(
    st.sampled_from(STARTS * 4 + ODD_STARTS),
    st.lists(st.sampled_from(PLAIN_LINES) | ODD_LINE, max_size=3),
    USUAL,
    st.sampled_from(["\r\n"] * 6 + ["\n", "\r"]),
    st.sampled_from(BODIES),
)
Answer = tuple[str, list[str], list[str], str, str]
Read = tuple[int, str, bytes]


def written(answer: Answer) -> bytes:
    start, lines, more, end, body = answer
    return (end.join([start, *lines, *more]) + end * 2 + body).encode("latin-1")


def read_by_h11(said: bytes) -> Read | None:
    """Status, content type and body that h11 reads from all of that and the end; None when it reads no answer."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "x"), ("Connection", "close")]))
    connection.send(h11.EndOfMessage())
    try:
        connection.receive_data(said)
        connection.receive_data(b"")
        answer = connection.next_event()
        while isinstance(answer, h11.InformationalResponse):
            answer = connection.next_event()
        if not isinstance(answer, h11.Response):
            return None
        body = b""
        while isinstance(part := connection.next_event(), h11.Data):
            body += bytes(part.data)
    except h11.RemoteProtocolError:
        return None
    types = [value for name, value in answer.headers if name == b"content-type"]
    return answer.status_code, types[-1].decode("latin-1") if types else "", body


class Said:
    """A connection on which all of it was said, in parts of that size, and which is closed then."""

    def __init__(self, said: bytes, size: int) -> None:
        self._parts = [said[at : at + size] for at in range(0, len(said), size)]

    async def read(self) -> bytes:
        return self._parts.pop(0) if self._parts else b""

    async def read_within(self, seconds: float) -> bytes:
        assert seconds < 1
        return await self.read()


def read_by_us(said: bytes, size: int = 1_000) -> Read:
    answer = asyncio.run(read_answer(Said(said, size), Attempt("h", 80, 1, 0.0), 1_000))
    return answer.status, answer.content_type, answer.body


def outcome(said: bytes, size: int) -> object:
    """What we read, or how it is refused."""
    try:
        return read_by_us(said, size)
    except BreachError as breach:
        return breach.kind
    except SlotFailedError as fault:
        return type(fault), fault.detail


@given(ANSWERS, st.integers(1, 60))
def test_what_h11_takes_is_read_the_same_whatever_the_parts_it_comes_in(answer: Answer, size: int) -> None:
    said = written(answer)
    theirs = read_by_h11(said)
    if theirs is None or not 200 <= theirs[0] <= 299:
        return
    ours = outcome(said, size)
    assert ours in (theirs, Breach.LENGTH), "only a body that goes on behind its length is refused more"


@given(ANSWERS, st.integers(1, 60), st.integers(1, 60))
def test_the_outcome_does_not_depend_on_the_parts(answer: Answer, size: int, other: int) -> None:
    said = written(answer)
    assert outcome(said, size) == outcome(said, other)


@settings(max_examples=10, suppress_health_check=[HealthCheck.large_base_example, HealthCheck.too_slow])
@given(st.lists(ANSWERS, min_size=80, max_size=80))
def test_the_property_is_about_something(answers: list[Answer]) -> None:
    """A good part of what is drawn is taken by h11, with bodies; else the property above would compare nothing."""
    said = {written(answer) for answer in answers}
    assume(len(said) > 40)
    assert sum(read is not None and read[2] != b"" for read in map(read_by_h11, said)) >= 5


def test_a_value_full_of_blanks_takes_no_time() -> None:
    block = b"HTTP/1.1 200 OK\r\nContent-Type: a" + b" " * 80_000 + b"b\r\nContent-Length: 4\r\n" + b"X: y\r\n" * 3_000
    began = time.process_time()
    assert len(read_head(block.rstrip()).last("content-type")) == 80_002
    assert time.process_time() - began < 0.2, "milliseconds; such things are quadratic easily"


@pytest.mark.parametrize(
    "line",
    ["Content-Length 4", "Content Length: 4", "Content\tLength: 4", "content_length 4", "Transfer Encoding:chunked"],
)
def test_a_line_that_may_say_where_the_body_ends_is_not_passed_over(line: str) -> None:
    with pytest.raises(BreachError, match="where its body ends"):
        read_head(f"HTTP/1.1 200 OK\r\nServer: x\r\n{line}".encode())


@pytest.mark.parametrize("line", ["Server Apache", "STE2", "X Y: z", ": z", "caf\xe9: z", "=====", "Contents: 4"])
def test_a_line_that_is_no_header_and_says_nothing_of_the_body_is_passed_over(line: str) -> None:
    head = read_head(f"HTTP/1.1 200 OK\r\n{line}\r\nContent-Length: 4".encode("latin-1"))
    assert (head.status, head.length, head.chunked) == (200, 4, False)
