"""Answers that are made to cost something: none of them holds up a worker, whose event loop is every chamber's."""

import asyncio
import gzip
import time
from collections.abc import Iterator

import pytest

from adapters.http_device.answer import INTERIM_LIMIT, read_answer
from adapters.http_device.attempt import Attempt
from adapters.http_device.body import EMPTY_BLOCKS, Body
from adapters.http_device.breach import Breach, BreachError
from adapters.http_device.head import HEAD_LIMIT, read_head
from collector.domain.errors import AnswerTooLargeError
from collector.ports import DeviceAnswer

MAX_BYTES = 65_536
OK = b"HTTP/1.1 200 OK\r\n"


class Said:
    """A connection on which these parts are said, and which is closed then."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts

    async def read(self) -> bytes:
        return next(self._parts, b"")

    async def read_within(self, seconds: float) -> bytes:
        assert seconds < 1
        return await self.read()


def read(*parts: bytes) -> DeviceAnswer:
    return asyncio.run(read_answer(Said(iter(parts)), Attempt("h", 80, 1, 0.0), MAX_BYTES))


def by_bytes(said: bytes) -> list[bytes]:
    return [said[at : at + 1] for at in range(len(said))]


@pytest.mark.parametrize(
    "line", [b"a:\n", b" y\n", b"\n y: z\n ", b"a: b, c\n"], ids=["same", "folded", "mixed", "list"]
)
def test_a_head_of_many_tiny_lines_takes_no_time(line: bytes) -> None:
    block = b"HTTP/1.1 200 OK\nx: y\n" + line * (HEAD_LIMIT // len(line))
    began = time.process_time()
    read_head(block)
    assert time.process_time() - began < 0.8, "a few hundredths; quadratic, it was three seconds"


def test_a_long_head_may_come_byte_by_byte() -> None:
    head = OK + b"aa: b\r\n" * 10_000 + b"Content-Length: 4\r\n\r\n23.5"
    began = time.process_time()
    assert read(*by_bytes(head)).body == b"23.5"
    assert time.process_time() - began < 4, "half a second; searched whole for each byte, it was ten"


@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n", "\n\r\n", "\r\n\n"])
def test_the_end_of_a_head_is_found_wherever_it_is_torn(end: str) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: 4{end}23.5".encode()
    for at in range(1, len(head)):
        assert read(head[:at], head[at:]).body == b"23.5"
    assert read(*by_bytes(head)).body == b"23.5"


def test_tiny_chunks_are_not_copied_with_all_that_follows() -> None:
    said = OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * MAX_BYTES + b"0\r\n\r\n"
    began = time.process_time()
    assert read(said).body == b"x" * MAX_BYTES
    assert time.process_time() - began < 2.5, "half a second"


def test_an_answer_is_announced_a_few_times_and_not_forever() -> None:
    announced = b"HTTP/1.1 102 Processing\r\n\r\n"
    assert read(announced * INTERIM_LIMIT, OK + b"\r\n23.5").body == b"23.5"
    with pytest.raises(BreachError, match="announce") as caught:
        read(announced * (INTERIM_LIMIT + 1), OK + b"\r\n23.5")
    assert caught.value.kind is Breach.BAD_HTTP


def test_compression_with_nothing_in_it_has_an_end() -> None:
    body, nothing = Body("gzip", MAX_BYTES), gzip.compress(b"")
    body.take(nothing * 100)
    with pytest.raises(AnswerTooLargeError, match="too_large"):
        body.take(nothing * ((MAX_BYTES + EMPTY_BLOCKS) // len(nothing)))


def test_a_body_that_compression_makes_larger_is_read_up_to_the_limit() -> None:
    stored, body = gzip.compress(b"x" * MAX_BYTES, 0), Body("gzip", MAX_BYTES)
    assert len(stored) > MAX_BYTES
    body.take(stored)
    assert len(body.whole()) == MAX_BYTES
