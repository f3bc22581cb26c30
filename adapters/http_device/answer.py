"""From the bytes of a connection to a whole answer."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from adapters.http_device.attempt import Attempt
from adapters.http_device.body import Body
from adapters.http_device.breach import Breach, BreachError, bad
from adapters.http_device.digest import schemes_of
from adapters.http_device.framing import Incoming, Wire
from adapters.http_device.head import HEAD_LIMIT, NO_CONTENT, Head, may_begin, read_head
from collector.domain.errors import AnswerTooLargeError, DeviceStatusError, DeviceUnauthorizedError
from collector.ports import DeviceAnswer

EMPTY_LINE = re.compile(rb"\n\r?\n")
"""The end of a head, whether its lines end in CRLF or in LF alone."""
INTERIM_LIMIT = 10
"""Heads with a status below 200 (`100 Continue`) that may come before the answer; nobody needs more than one."""
SECONDS = re.compile(r"[0-9]{1,9}")


async def read_answer(wire: Wire, attempt: Attempt, max_bytes: int) -> DeviceAnswer:
    """Read one answer; a challenge of a 401 and the target of a redirect are left in the attempt.

    Raises:
        DeviceStatusError: outside 2xx; the body is not read.
        DeviceUnauthorizedError: 401, 403.
        AnswerTooLargeError: the body has more than `max_bytes` bytes.
        MalformedAnswerError: the body is not what its headers say.
        BreachError: not HTTP, cut, or with more than one meaning.
        OSError: the connection broke.
    """
    incoming = Incoming(wire)
    head = await _last_head(incoming)
    attempt.status = head.status
    if head.status == 401:
        attempt.challenges = head.headers.get("www-authenticate", ())
    if 300 <= head.status <= 399:
        attempt.location = head.last("location")
    check_status(head)
    body = b"" if head.status == NO_CONTENT else await _body(incoming, head, max_bytes)
    return DeviceAnswer(head.status, body, head.last("content-type"))


async def _last_head(incoming: Incoming) -> Head:
    """The head of the answer itself, behind those that announce it."""
    for _ in range(INTERIM_LIMIT + 1):
        head = await _head(incoming)
        if head.status == 101:
            raise bad("it switches to another protocol")
        if head.status >= 200:
            return head
    raise bad(f"more than {INTERIM_LIMIT} heads announce an answer")


async def _head(incoming: Incoming) -> Head:
    data, searched = incoming.data, 0
    while True:
        if data.startswith((b"\r", b"\n")):
            del data[: len(data) - len(data.lstrip(b"\r\n"))]  # empty lines before a status line mean nothing
        if not may_begin(data):
            raise BreachError(Breach.NOT_HTTP)
        if (end := EMPTY_LINE.search(data, searched)) is not None:
            break
        if len(data) > HEAD_LIMIT:
            raise bad(f"its head is longer than {HEAD_LIMIT} bytes")
        searched = max(0, len(data) - 2)  # byte by byte, a head searched whole each time would take seconds
        await incoming.more()
    head = read_head(data[: end.start()])
    del data[: end.end()]
    return head


async def _body(incoming: Incoming, head: Head, max_bytes: int) -> bytes:
    length, body = head.length, Body(head.content_encoding, max_bytes)
    if head.chunked:
        await incoming.pass_on_chunks(body)
    elif length is None:
        await incoming.pass_on_all(body)
    else:
        if length > max_bytes and not body.compressed:
            raise AnswerTooLargeError(f"too_large: the answer has more than {max_bytes} bytes")
        await incoming.pass_on(length, body)
        await incoming.end(keeps_open="keep-alive" in head.words("connection"))
    return body.whole()


def check_status(head: Head) -> None:
    """Refuse everything outside 2xx.

    Raises:
        DeviceUnauthorizedError: 401, 403.
        DeviceStatusError: any other one; says where a redirect leads, never its path, and how long to wait.
    """
    status = head.status
    if 200 <= status <= 299:
        return
    if status in (401, 403):
        asks = f"; it asks for {schemes}" if (schemes := schemes_of(head.headers.get("www-authenticate", ()))) else ""
        what = "the device refused the credentials, or access is switched off"
        raise DeviceUnauthorizedError(f"http_{status}: {what}{asks}")
    location = head.last("location")
    if location and 300 <= status <= 399:
        raise DeviceStatusError(f"http_{status}: redirects to {_host_of(location)}; redirects are not followed")
    wait_s = _wait_s(head)
    asked = f": the device asks to be left alone for {wait_s} s" if wait_s else ""
    raise DeviceStatusError(f"http_{status}{asked}", wait_ms=wait_s * 1000)


def _wait_s(head: Head) -> int:
    """What Retry-After says; an instant counts from the answer's own Date, for devices' clocks are wrong."""
    said = head.last("retry-after")
    if SECONDS.fullmatch(said):
        return int(said)
    until, now = _instant(said), _instant(head.last("date"))
    return 0 if until is None or now is None else max(0, round((until - now).total_seconds()))


def _instant(said: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(said)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _host_of(location: str) -> str:
    try:
        target = httpx.URL(location)
    except httpx.InvalidURL:
        return "an unreadable address"
    return target.netloc.decode("ascii") or "itself"  # netloc has no user-info
