"""From the bytes of a connection to a whole answer.

A plain answer is read here; h11 reads every other one, from its first byte.
"""

from collections.abc import Mapping

import h11
import httpx

from adapters.http_device.body import Body
from adapters.http_device.plain import BEGIN, EMPTY_LINE, HEAD_LIMIT, PlainHead, plain_head
from adapters.http_device.wire import DeviceWire
from collector.domain.errors import AnswerTooLargeError, DeviceStatusError, DeviceUnauthorizedError
from collector.ports import DeviceAnswer

H11_HEAD_LIMIT = 100 * 1024
"""What httpx allows: h11's own 16 KiB would refuse devices that it reads."""


async def read_answer(wire: DeviceWire, max_bytes: int) -> DeviceAnswer:
    """Read one answer; what follows it is ignored.

    Raises:
        DeviceStatusError: outside 2xx; the body is not read.
        DeviceUnauthorizedError: 401, 403.
        AnswerTooLargeError: the body has more than `max_bytes` bytes.
        MalformedAnswerError: the body is not what its headers say.
        h11.RemoteProtocolError: not HTTP, or cut.
        OSError: the connection broke.
    """
    data = bytearray()
    while (end := EMPTY_LINE.search(data)) is None and _may_be_plain(data):
        part = await wire.read()
        if not part:
            break
        data += part
    if data and not BEGIN.startswith(data[: len(BEGIN)]):
        raise h11.RemoteProtocolError("not HTTP")  # h11 would wait for the end of its first line
    head = plain_head(data, end.end()) if end is not None and end.end() <= HEAD_LIMIT else None
    return await (_read_odd(wire, data, max_bytes) if head is None else _read_plain(wire, data, head, max_bytes))


def _may_be_plain(data: bytearray) -> bool:
    """Whether it is worth waiting for the end of the head: what is odd already is judged at once, not at its end."""
    return len(data) <= HEAD_LIMIT and BEGIN.startswith(data[: len(BEGIN)])


async def _read_plain(wire: DeviceWire, data: bytearray, head: PlainHead, max_bytes: int) -> DeviceAnswer:
    check_status(head.status)
    if head.length > max_bytes:
        raise AnswerTooLargeError(f"too_large: the answer has more than {max_bytes} bytes")
    end = head.body_at + head.length
    while len(data) < end:
        part = await wire.read()
        if not part:
            raise h11.RemoteProtocolError("the connection ended inside the body")
        data += part
    return DeviceAnswer(head.status, bytes(data[head.body_at : end]), head.content_type)


async def _read_odd(wire: DeviceWire, data: bytearray, max_bytes: int) -> DeviceAnswer:
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=H11_HEAD_LIMIT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "device"), ("Connection", "close")]))
    connection.send(h11.EndOfMessage())
    if data:
        connection.receive_data(bytes(data))
    answer = await _next(connection, wire)
    while isinstance(answer, h11.InformationalResponse):
        answer = await _next(connection, wire)
    if not isinstance(answer, h11.Response):
        raise h11.RemoteProtocolError("the answer is no response")
    headers = {name.decode("ascii"): value.decode("latin-1") for name, value in answer.headers}
    check_status(answer.status_code, headers)
    body = Body(headers.get("content-encoding", ""), max_bytes)
    while isinstance(part := await _next(connection, wire), h11.Data):
        body.take(bytes(part.data))
    return DeviceAnswer(answer.status_code, body.whole(), headers.get("content-type", ""))


async def _next(connection: h11.Connection, wire: DeviceWire) -> object:
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await wire.read())
    return event


def check_status(status: int, headers: Mapping[str, str] | None = None) -> None:
    """Refuse everything outside 2xx.

    Args:
        status: of the answer.
        headers: by lower-case name.

    Raises:
        DeviceUnauthorizedError: 401, 403.
        DeviceStatusError: any other one; says where a redirect leads, never its path.
    """
    if 200 <= status <= 299:
        return
    if status in (401, 403):
        raise DeviceUnauthorizedError(f"http_{status}: the device refused the credentials, or access is switched off")
    location = (headers or {}).get("location")
    if location is not None and 300 <= status <= 399:
        raise DeviceStatusError(f"http_{status}: redirects to {_host_of(location)}; redirects are not followed")
    raise DeviceStatusError(f"http_{status}")


def _host_of(location: str) -> str:
    try:
        target = httpx.URL(location)
    except httpx.InvalidURL:
        return "an unreadable address"
    return target.netloc.decode("ascii") or "itself"  # netloc has no user-info
