"""A small HTTP/1.1 responder of our own: a server library would refuse to send what broken devices send."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote, urlsplit

from simulator.dialects import Answer, Framing

BODY_LIMIT = 65_536


class BadRequestError(Exception):
    """What came in is not a request; the message says why."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        method: as sent, upper case.
        path: decoded, without the query.
        query: decoded; of a doubled name the last value.
        body: empty unless the request has a Content-Length.
        keep_alive: whether the client expects the connection to stay.
        target: path and query as sent.
        authorization: the header, "" when there is none.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    keep_alive: bool = True
    target: str = ""
    authorization: str = ""


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request of a connection; None when the client closed it.

    Raises:
        BadRequestError: it is not HTTP/1, or too long.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    except asyncio.LimitOverrunError:
        raise BadRequestError("the head of the request is too long") from None
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequestError("the first line is not an HTTP/1 request line")
    headers = dict(_header(line) for line in lines[1:] if line)
    try:
        target = urlsplit(words[1])
    except ValueError:
        raise BadRequestError("the address in the request line cannot be parsed") from None
    return Request(
        words[0].upper(),
        unquote(target.path) or "/",
        dict(parse_qsl(target.query, keep_blank_values=True)),
        await _read_body(reader, headers),
        _keeps_alive(words[2], headers.get("connection", "").lower()),
        words[1],
        headers.get("authorization", ""),
    )


def render(answer: Answer, framing: Framing = Framing.LENGTH, *, keep_alive: bool) -> bytes:
    """A whole answer with its head."""
    version = "1.0" if framing is Framing.HTTP10 else "1.1"
    lines = [f"HTTP/{version} {answer.status} {phrase(answer.status)}"]
    if answer.content_type:
        lines.append(f"Content-Type: {answer.content_type}")
    lines += answer.headers
    if framing is not Framing.UNTIL_CLOSE:
        lines += [f"Content-Length: {len(answer.body)}", f"Connection: {'keep-alive' if keep_alive else 'close'}"]
    return "\r\n".join((*lines, "", "")).encode("latin-1") + answer.body


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()


def _keeps_alive(version: str, connection: str) -> bool:
    return connection == "keep-alive" if version == "HTTP/1.0" else connection != "close"


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if "transfer-encoding" in headers:
        raise BadRequestError("a body needs a Content-Length here, not a Transfer-Encoding")
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > BODY_LIMIT:
        raise BadRequestError(f"Content-Length {length[:20]!r} is not 0 to {BODY_LIMIT}")
    try:
        return await reader.readexactly(int(length))
    except asyncio.IncompleteReadError:
        raise BadRequestError("the connection ended within the body") from None


def phrase(status: int) -> str:
    """The usual words for a status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
