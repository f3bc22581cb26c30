"""What went wrong, in the core's words: told by the cause, not by the outermost exception.

| code | error | seen as |
|---|---|---|
| `dns` | unreachable | `socket.gaierror`, or no answer of the resolver within the budget |
| `refused` | unreachable | `ConnectionRefusedError` |
| `no_route` | unreachable | network or host unreachable |
| `tls` | unreachable | `ssl.SSLError`, or the connection broke in the handshake |
| `reset` | unreachable | the connection was reset |
| `network` | unreachable | any other fault of sockets |
| `closed`, `cut` | unreachable | the device closed before any byte of the answer, or inside it |
| `connect_timeout` | timeout | nobody accepted, or the handshake did not end, within the budget or the proxy's time |
| `read_timeout` | timeout | connected, asked, no byte of answer |
| `budget` | timeout | an answer that did not end, or another request to the host took the time |
| `not_http` | malformed | the answer does not begin like HTTP |
| `bad_http` | malformed | it does, and cannot be read, or not in one way only |
| `length` | malformed | the body goes on behind its Content-Length: a value may be cut |
| `request` | misconfigured | a URL or header that cannot be sent |
| `egress` | blocked | the policy, the worker's or the egress proxy's, does not list the address |
| `egress_proxy` | missed | the egress proxy cannot be reached, is full, or is none |
"""

import errno
import socket
import ssl
from collections.abc import Iterator

from adapters.http_device.attempt import Attempt, Stage
from adapters.http_device.breach import Breach, BreachError
from collector.domain.errors import (
    ChamberlogError,
    DeviceTimeoutError,
    DeviceUnreachableError,
    EgressAwayError,
    MalformedAnswerError,
    MisconfiguredError,
    SlotFailedError,
)

NO_ROUTE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN, errno.EADDRNOTAVAIL}
OUR_BEGINNING = b"GET "


def fault_of(exc: Exception, attempt: Attempt) -> SlotFailedError | None:
    """The core's error for an exception of resolver or connection; None when it is neither's."""
    causes = list(_causes(exc))
    roots = [cause for cause in causes if isinstance(cause, OSError)]
    # "connection attempts failed" and the like wrap what happened: the first one with a number or a kind tells.
    told = [root for root in roots if root.errno is not None or type(root) is not OSError]
    if told:
        return _socket_fault(told[0], attempt)
    for cause in causes:
        if isinstance(cause, BreachError):
            return _breach(cause, attempt)
    if roots:
        return DeviceUnreachableError(f"network: {attempt.target}: {type(exc).__name__}")
    return None


def late(attempt: Attempt) -> SlotFailedError:
    """The budget is used up; where the time went."""
    spent = f"within {attempt.budget_ms} ms"
    match attempt.stage:
        case Stage.WAITING:
            return DeviceTimeoutError(f"budget: another request to {attempt.target} did not end {spent}")
        case Stage.RESOLVING:
            return DeviceUnreachableError(f"dns: no answer for {attempt.host} {spent}")
        case Stage.PROXY:
            return EgressAwayError(f"egress_proxy: it did not accept {spent}; the device was not asked")
        case Stage.CONNECTING | Stage.SECURING:
            return DeviceTimeoutError(f"connect_timeout: {attempt.address} port {attempt.port}: no connection {spent}")
    if not attempt.received:
        return DeviceTimeoutError(f"read_timeout: {attempt.target} accepted and sent nothing {spent}")
    return DeviceTimeoutError(f"budget: the answer did not end {spent}; {attempt.received} bytes so far")


def unsendable(why: str) -> MisconfiguredError:
    """A request that cannot be written; `why` quotes no value, for it may be a secret."""
    return MisconfiguredError(f"request: {why}")


def _socket_fault(cause: OSError, attempt: Attempt) -> SlotFailedError:
    where = f"{attempt.address or attempt.host} port {attempt.port}"
    if isinstance(cause, TimeoutError):
        if attempt.stage is Stage.CONNECTING:  # the system or the proxy gave up, before the budget was used up
            return DeviceTimeoutError(f"connect_timeout: {where}: no connection")
        return late(attempt)
    match cause:
        case socket.gaierror():
            detail = f"dns: {attempt.host}: {cause.strerror}"
        case ssl.SSLError():
            detail = f"tls: {attempt.target}: {_tls_reason(cause)}"
        case ConnectionRefusedError():
            detail = f"refused: {where}"
        case ConnectionError():
            code = "tls" if attempt.stage is Stage.SECURING else "reset"
            detail = f"{code}: {where} broke the connection after {attempt.received} bytes"
        case _:
            code = "no_route" if cause.errno in NO_ROUTE else "network"
            detail = f"{code}: {where}: {errno.errorcode.get(cause.errno or 0, 'unknown')}"
    return DeviceUnreachableError(detail)


def _tls_reason(cause: ssl.SSLError) -> str:
    # Those that OpenSSL did not raise itself lack the attributes.
    told = getattr(cause, "verify_message", "") or getattr(cause, "reason", "")
    return str(told or "handshake failed")


def _breach(breach: BreachError, attempt: Attempt) -> SlotFailedError:
    match breach.kind:
        case Breach.CUT:
            code, what = ("cut", "inside its answer") if attempt.received else ("closed", "without an answer")
            return DeviceUnreachableError(f"{code}: {attempt.target} closed {what}, after {attempt.received} bytes")
        case Breach.NOT_HTTP:
            return MalformedAnswerError(f"not_http: {_beginning(attempt)}")
        case Breach.BAD_HTTP:
            return MalformedAnswerError(f"bad_http: {breach.why}; {_beginning(attempt)}")
    return MalformedAnswerError(f"{breach.kind.value}: {breach.why}")


def _beginning(attempt: Attempt) -> str:
    head = bytes(attempt.head)
    if head.startswith(OUR_BEGINNING):  # its path may hold a credential
        return "the answer is the request itself: this is an echo, no device"
    return f"the answer begins {head!r}"


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """The exception and what caused it, outermost first; not beyond an error of ours, which another attempt raised."""
    pending, seen = [exc], set[int]()
    while pending:
        current = pending.pop(0)
        if id(current) in seen or isinstance(current, ChamberlogError):
            continue
        seen.add(id(current))
        yield current
        if isinstance(current, BaseExceptionGroup):
            pending += current.exceptions
        context = None if current.__suppress_context__ else current.__context__
        pending += [cause for cause in (current.__cause__, context) if cause is not None]
