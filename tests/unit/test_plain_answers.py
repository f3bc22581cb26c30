"""The short way through plain answers against h11, which judges every other one: they must read the same."""

import time

import h11
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from adapters.http_device.plain import EMPTY_LINE, PlainHead, plain_head

NAMES = ["Content-Length", "content-type", "X", "Server", "Transfer-Encoding", "Content-Encoding", "Location", "Date"]
VALUES = [
    "0",
    "4",
    "04",
    "+4",
    "4 ",
    " 4",
    "4, 4",
    "",
    "text/html",
    "chunked",
    "identity",
    "gzip",
    "a\tb",
    "caf\xe9",
    "\x01",
]
STARTS = [
    "HTTP/1.1 200 OK",
    "HTTP/1.0 200 OK",
    "HTTP/1.1 200",
    "HTTP/1.1 404 Not Found",
    "HTTP/1.1 204 No",
    "HTTP/1.1 304 X",
]
ODD_STARTS = ["HTTP/1.1 100 Continue", "http/1.1 200 OK", "HTTP/2 200", "HTTP/1.1  200 OK", "HTTP/1.1 20 OK", "ICY 200"]


def read_by_h11(said: bytes) -> tuple[int, str, int] | None:
    """Status, content type and length of the body that h11 reads; None when it reads no such answer."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(said)
    try:
        answer = connection.next_event()
        if not isinstance(answer, h11.Response):
            return None
        length = 0
        while isinstance(part := connection.next_event(), h11.Data):
            length += len(part.data)
    except h11.RemoteProtocolError:
        return None
    headers = dict(answer.headers)
    return (answer.status_code, headers.get(b"content-type", b"").decode("latin-1"), length) if part else None


def head_of(said: bytes) -> PlainHead | None:
    end = EMPTY_LINE.search(said)
    return None if end is None else plain_head(said, end.end())


PLAIN_LINES = ["Server: x", "X-Empty:", "Date:  now ", "content-type: text/html", "Content-Type:a \t", "X: caf\xe9"]
ODD_LINE = st.one_of(
    st.tuples(st.sampled_from(NAMES), st.sampled_from([":", ": ", " :", ":\t", ""]), st.sampled_from(VALUES)).map(
        "".join
    ),
    st.text(st.characters(max_codepoint=255), max_size=12),
)
PLAIN_HEADS = st.tuples(
    st.sampled_from(STARTS[:4]), st.lists(st.sampled_from(PLAIN_LINES), max_size=4, unique=True), st.just("\r\n")
)
HEADS = st.one_of(
    PLAIN_HEADS,
    st.tuples(
        st.sampled_from(STARTS * 3 + ODD_STARTS),
        st.lists(st.sampled_from(PLAIN_LINES) | ODD_LINE, max_size=5),
        st.sampled_from(["\r\n"] * 6 + ["\n", "\r"]),
    ),
)


@given(HEADS, st.integers(0, 12))
def test_what_is_plain_reads_as_h11_reads_it(head: tuple[str, list[str], str], size: int) -> None:
    start, lines, end = head
    lines = [*lines, f"Content-Length: {size}"] if size else lines
    said = (end.join([start, *lines]) + end * 2).encode("latin-1") + b"x" * 40
    plain = head_of(said)
    if plain is not None:
        assert read_by_h11(said) == (plain.status, plain.content_type, min(plain.length, len(said) - plain.body_at))


@settings(max_examples=10, suppress_health_check=[HealthCheck.large_base_example, HealthCheck.too_slow])
@given(st.lists(HEADS, min_size=60, max_size=60))
def test_the_property_is_about_something(heads: list[tuple[str, list[str], str]]) -> None:
    """A good part of what is drawn is plain; else the property above would compare nothing."""
    said = [(end.join([start, *lines, "Content-Length: 4"]) + end * 2).encode("latin-1") for start, lines, end in heads]
    assume(len(set(said)) > 30)
    assert sum(head_of(one) is not None for one in said) >= 5


def test_a_value_full_of_blanks_takes_no_time() -> None:
    said = b"HTTP/1.1 200 OK\r\nContent-Type: a" + b" " * 8_000 + b"b\r\nContent-Length: 4\r\n\r\n23.5"
    began = time.process_time()
    plain = head_of(said)
    assert plain is not None
    assert len(plain.content_type) == 8_002
    assert time.process_time() - began < 0.05, "milliseconds; it was quadratic once"


@pytest.mark.parametrize("start", STARTS[:4])
@pytest.mark.parametrize("more", ["", "Content-Type: application/json\r\n", "Server: x\r\nX-Empty:\r\nDate: now \r\n"])
def test_the_usual_answers_are_plain(start: str, more: str) -> None:
    said = f"{start}\r\n{more}Content-Length: 4\r\n\r\n23.5".encode()
    plain = head_of(said)
    assert plain is not None
    assert (plain.length, said[plain.body_at :]) == (4, b"23.5")


@pytest.mark.parametrize(
    "head",
    [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nServer: x\r\n\r\n",
        "HTTP/1.1 100 Continue\r\nContent-Length: 4\r\n\r\n",
        "HTTP/1.1 204 No\r\nContent-Length: 4\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 4\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 4\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 4\n\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 4\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999\r\n\r\n",
    ],
)
def test_everything_with_a_question_in_it_is_h11s(head: str) -> None:
    assert head_of(head.encode() + b"23.5") is None
