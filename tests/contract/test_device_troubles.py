"""What devices and networks do to a request besides odd answers: each has its reason, within the budget."""

import asyncio
import gzip
import ssl
import time
import tracemalloc
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from adapters.http_device import HttpDeviceClient
from collector.domain.errors import (
    AnswerTooLargeError,
    DeviceStatusError,
    DeviceTimeoutError,
    DeviceUnreachableError,
    MalformedAnswerError,
    SlotFailedError,
)
from collector.ports import DeviceRequest
from tests.contract.device_server import Behaviour, DeviceServer, Visit, answering, ok
from tests.contract.test_http_device import (
    DEFAULTS,
    LOOPBACK,
    SHORT_MS,
    H,
    Refused,
    asking,
    chunked,
    failure,
    fetched,
    secure,
    told,
)

MIB = 1024 * 1024
BIG = 50 * MIB
BLOCK = b"x" * 65_536


# ---- the status


@pytest.mark.parametrize(
    ("headers", "wait_ms"),
    [
        ("", 0),
        ("Retry-After: 9\r\n", 9_000),
        ("Retry-After: 0\r\n", 0),
        ("Retry-After: 86400\r\n", 86_400_000),
        ("Retry-After: soon\r\n", 0),
        ("Retry-After: -5\r\n", 0),
        ("Retry-After: 1e9\r\n", 0),
        ("Date: Thu, 01 Jan 1970 00:00:10 GMT\r\nRetry-After: Thu, 01 Jan 1970 00:01:00 GMT\r\n", 50_000),
        ("Date: Thu, 01 Jan 1970 00:01:10 GMT\r\nRetry-After: Thu, 01 Jan 1970 00:01:00 GMT\r\n", 0),
        ("Retry-After: Thu, 01 Jan 2099 00:01:00 GMT\r\n", 0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_how_long_a_device_wants_to_be_left_alone(headers: str, wait_ms: int, status: int) -> None:
    with DeviceServer(answering(f"HTTP/1.1 {status} Later\r\n{headers}Content-Length: 0\r\n\r\n".encode())) as server:
        fault = await failure(asking(server.port))
    assert told(fault) == (DeviceStatusError, f"http_{status}")
    assert fault.wait_ms == wait_ms
    assert (f"{wait_ms // 1000} s" in fault.detail) is (wait_ms > 0)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: http://login.hotel.example/?to=x\r\n\r\n<html>", "http_302"),
        (b"HTTP/1.1 301 Moved\r\nLocation: https://127.0.0.1/values.json\r\nContent-Length: 0\r\n\r\n", "http_301"),
        (b"HTTP/1.1 307 X\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", "http_307"),
        (b"HTTP/1.1 511 Network Authentication Required\r\n\r\n<html>", "http_511"),
        (b"HTTP/1.1 422 Odd\r\nContent-Length: 40\r\n\r\nTraceback (most recent call last):", "http_422"),
        (b"http/1.0 999 X\r\n\r\n", "http_999"),
    ],
)
async def test_portals_and_pages_are_no_readings(said: bytes, expected: str) -> None:
    with DeviceServer(answering(said)) as server:
        assert told(await failure(asking(server.port))) == (DeviceStatusError, expected)
        assert len(server.visits) == 1


async def test_a_401_says_what_the_device_asks_for() -> None:
    said = (
        b'HTTP/1.1 401 X\r\nWWW-Authenticate: Digest realm="x", nonce="1", Basic realm="x"\r\nContent-Length: 0\r\n\r\n'
    )
    with DeviceServer(answering(said)) as server:
        fault = await failure(asking(server.port))
    assert fault.detail.endswith("; it asks for digest, basic")


# ---- the connection


async def test_a_device_that_takes_one_connection_and_refuses_the_next_is_read_slot_by_slot() -> None:
    def only_one(visit: Visit) -> None:
        if any(other.is_open() for other in server.visits if other is not visit):
            visit.reset()
            return
        visit.hear()
        visit.say(ok(b"23.5", "Connection: keep-alive"))
        visit.was_left()

    with DeviceServer(only_one) as server:
        async with HttpDeviceClient(**DEFAULTS) as client:
            answers = await asyncio.gather(*(client.fetch(asking(server.port)) for _ in range(4)))
    assert [answer.body for answer in answers] == [b"23.5"] * 4


def dripping(said: bytes, then: bytes, gap_s: float) -> Behaviour:
    def behave(visit: Visit) -> None:
        visit.hear()
        visit.say(said)
        while visit.is_open():
            visit.say(then)
            visit.rest(gap_s)

    return behave


@pytest.mark.parametrize(
    "behave",
    [
        dripping(H.encode(), b"X: y\r\n", 0.02),
        dripping(b"", b"\r\n", 0.02),
        dripping(chunked(), b"1\r\n2\r\n", 0.02),
        dripping(chunked(b"9999\r\n"), b"2", 0.02),
        dripping(f"{H}\r\n".encode(), b"2", 0.02),
        dripping(f"{H}Content-Encoding: gzip\r\n\r\n".encode(), b"", 0.02),
    ],
    ids=["head", "empty lines", "chunks", "a chunk", "until the end", "nothing after the head"],
)
async def test_whatever_drips_ends_with_the_budget(behave: Behaviour) -> None:
    with DeviceServer(behave) as server:
        began = time.monotonic()
        fault = await failure(asking(server.port, budget_ms=SHORT_MS))
        assert time.monotonic() - began < 5 * SHORT_MS / 1000
    assert told(fault) == (DeviceTimeoutError, "budget")


async def test_a_length_that_is_too_small_is_seen_when_the_rest_comes_later() -> None:
    def late(visit: Visit) -> None:
        visit.hear()
        visit.say(f"{H}Content-Length: 2\r\n\r\n23".encode())
        visit.rest(0.003)
        visit.say(b".5")

    with DeviceServer(late) as server:
        assert told(await failure(asking(server.port))) == (MalformedAnswerError, "length")


async def test_a_device_that_keeps_the_connection_is_waited_for_a_moment_only_and_never_beyond_the_budget() -> None:
    def keeping(visit: Visit) -> None:
        visit.hear()
        visit.rest(0.05)
        visit.say(ok(b"23.5"))
        visit.was_left()

    with DeviceServer(keeping) as server:
        async with HttpDeviceClient(**DEFAULTS) as client:
            began = time.monotonic()
            assert (await client.fetch(asking(server.port))).body == b"23.5"
            assert time.monotonic() - began < 0.5
            assert (await client.fetch(asking(server.port, budget_ms=65))).body == b"23.5"


# ---- TLS


def expired(folder: Path) -> ssl.SSLContext:
    """A certificate that was right until the year 2020, from an authority that nobody knows."""
    until = datetime(2020, 1, 1, tzinfo=UTC)
    papers = trustme.CA().issue_cert("chamber.test", not_before=until - timedelta(days=30), not_after=until)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    papers.configure_cert(context)
    folder.joinpath("made").touch()
    return context


async def test_an_expired_certificate_is_refused_unless_the_chamber_says_not_to_verify(tmp_path: Path) -> None:
    with DeviceServer(answering(ok(b"23.5")), tls=expired(tmp_path)) as server:
        strict = secure(server.port, host="127.0.0.1")
        assert told(await failure(strict)) == (DeviceUnreachableError, "tls")
        trusting = secure(server.port, host="127.0.0.1", verify_tls=False)
        assert (await fetched(trusting)).body == b"23.5"


async def test_a_device_that_speaks_tls_1_0_only_is_unreachable_with_its_reason(tmp_path: Path) -> None:
    context = expired(tmp_path)
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # that it is old is the point
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with DeviceServer(answering(ok(b"23.5")), tls=context) as server:
        fault = await failure(secure(server.port, host="127.0.0.1", verify_tls=False))
    assert told(fault) == (DeviceUnreachableError, "tls")
    assert "PROTOCOL" in fault.detail.upper()


# ---- credentials in the query


async def test_parameters_are_sent_behind_those_of_the_url_and_told_nowhere() -> None:
    secret = (("user", "admin"), ("password", "p&ss=w\xf6rd +#"))
    with DeviceServer(answering(b"HTTP/1.1 302 X\r\nLocation: /cm?password=hunter2\r\n\r\n")) as server:
        for path in ("/cm?cmnd=Status%2010", "/cm"):
            request = DeviceRequest(f"http://127.0.0.1:{server.port}{path}", 5_000, LOOPBACK, parameters=secret)
            fault = await failure(request)
            assert "hunter2" not in str(fault)
            assert "ss%3D" not in str(fault) + repr(request)
        lines = [head.split(b"\r\n")[0] for head in server.requests]
    sent = b"user=admin&password=p%26ss%3Dw%C3%B6rd%20%2B%23 HTTP/1.1"
    assert lines == [b"GET /cm?cmnd=Status%2010&" + sent, b"GET /cm?" + sent]


# ---- memory


def flooding(head: bytes, block: bytes, *, blocks: int) -> Behaviour:
    def behave(visit: Visit) -> None:
        visit.hear()
        visit.say(head)
        for _ in range(blocks):
            if not visit.is_open():
                return
            visit.say(block)

    return behave


def bomb() -> Behaviour:
    packed = gzip.compress(b"\0" * BIG, 9)
    head = f"{H}Content-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    return flooding(head + packed, b"", blocks=0)


FLOODS: dict[str, Callable[[], Behaviour]] = {
    "content-length": lambda: flooding(f"{H}Content-Length: {BIG}\r\n\r\n".encode(), BLOCK, blocks=800),
    "chunked": lambda: flooding(chunked(), b"10000\r\n" + BLOCK + b"\r\n", blocks=800),
    "one chunk": lambda: flooding(chunked(b"3200000\r\n"), BLOCK, blocks=800),
    "until the end": lambda: flooding(f"{H}\r\n".encode(), BLOCK, blocks=800),
    "gzip bomb": bomb,
    "head": lambda: flooding(H.encode() + b"X: ", BLOCK, blocks=800),
    "headers": lambda: flooding(H.encode(), b"X: y\r\n" * 10_000, blocks=800),
    "chunk's size": lambda: flooding(chunked(), b"0" * 65_536, blocks=800),
}


@pytest.mark.parametrize("flood", FLOODS)
@pytest.mark.parametrize("limit", [65_536, MIB])
async def test_fifty_megabytes_cost_less_than_one_beyond_the_limit(flood: str, limit: int) -> None:
    with DeviceServer(FLOODS[flood]()) as server:
        async with HttpDeviceClient(**DEFAULTS) as client:
            tracemalloc.start()
            try:
                with pytest.raises(SlotFailedError) as caught:
                    await client.fetch(asking(server.port, max_bytes=limit))
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
    odd: Refused = (MalformedAnswerError, "bad_http")
    assert told(caught.value) == (
        odd if flood in ("head", "headers", "chunk's size") else (AnswerTooLargeError, "too_large")
    )
    assert peak < limit + MIB, f"{peak:,} bytes"
