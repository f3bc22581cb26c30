import errno
import itertools
import socket
import ssl
from collections.abc import Callable

import pytest

from adapters.http_device.attempt import Attempt, Stage
from adapters.http_device.breach import Breach, BreachError
from adapters.http_device.faults import fault_of, late
from collector.domain.errors import (
    DeviceTimeoutError,
    DeviceUnreachableError,
    MalformedAnswerError,
    SlotFailedError,
)


def attempt(stage: Stage = Stage.ASKED, head: bytes = b"") -> Attempt:
    return Attempt(
        "chamber.test",
        80,
        1_000,
        0.0,
        address="10.0.0.7",
        stage=stage,
        received=len(head),
        head=bytearray(head),
    )


def chained(*exceptions: Exception) -> Exception:
    """The first one, caused by the next one, and so on."""
    for outer, inner in itertools.pairwise(exceptions):
        outer.__cause__ = inner
    return exceptions[0]


def in_context(outer: Exception, inner: Exception) -> Exception:
    outer.__context__ = inner
    return outer


REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
WRAPPED = OSError("Multiple exceptions")
CASES: list[tuple[Exception, type[SlotFailedError], str]] = [
    # as event loops wrap them: the outermost name is often wrong, the cause never
    (chained(WRAPPED, REFUSED), DeviceUnreachableError, "refused"),
    (in_context(OSError("x"), REFUSED), DeviceUnreachableError, "refused"),
    (
        chained(OSError("All failed"), ExceptionGroup("two", [REFUSED, REFUSED])),
        DeviceUnreachableError,
        "refused",
    ),
    (chained(RuntimeError("x"), socket.gaierror(-2, "not known")), DeviceUnreachableError, "dns"),
    (chained(OSError("x"), ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]")), DeviceUnreachableError, "tls"),
    (ConnectionResetError(104, "reset"), DeviceUnreachableError, "reset"),
    (BrokenPipeError(32, "pipe"), DeviceUnreachableError, "reset"),
    (TimeoutError(errno.ETIMEDOUT, "x"), DeviceTimeoutError, "read_timeout"),
    (OSError(errno.EHOSTUNREACH, "x"), DeviceUnreachableError, "no_route"),
    (OSError(errno.ENETUNREACH, "x"), DeviceUnreachableError, "no_route"),
    (OSError(errno.EMFILE, "x"), DeviceUnreachableError, "network"),
    (OSError("nothing known"), DeviceUnreachableError, "network"),
    (BreachError(Breach.CUT), DeviceUnreachableError, "closed"),
]


@pytest.mark.parametrize(("exc", "kind", "code"), CASES)
def test_the_cause_tells_the_fault(exc: Exception, kind: type[SlotFailedError], code: str) -> None:
    fault = fault_of(exc, attempt())
    assert fault is not None
    assert (type(fault), fault.detail.partition(":")[0]) == (kind, code)


def test_an_error_of_the_attempt_before_is_not_taken_for_a_cause() -> None:
    before = in_context(DeviceUnreachableError("refused: the attempt before"), REFUSED)
    fault = fault_of(in_context(TimeoutError("x"), before), attempt())
    assert isinstance(fault, DeviceTimeoutError)


def test_a_ring_of_causes_ends() -> None:
    first, second = TimeoutError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert isinstance(fault_of(first, attempt()), DeviceTimeoutError)


@pytest.mark.parametrize("exc", [KeyError("x"), ValueError("x"), RuntimeError("x"), AssertionError()])
def test_what_is_nobodys_fault_is_not_disguised(exc: Exception) -> None:
    assert fault_of(exc, attempt()) is None


@pytest.mark.parametrize(
    ("breach", "head", "kind", "code"),
    [
        (Breach.CUT, b"", DeviceUnreachableError, "closed"),
        (Breach.CUT, b"HT", DeviceUnreachableError, "cut"),
        (Breach.CUT, b"HTTP/1.1 200", DeviceUnreachableError, "cut"),
        (Breach.BAD_HTTP, b"HTTP/1.1 200", MalformedAnswerError, "bad_http"),
        (Breach.LENGTH, b"HTTP/1.1 200", MalformedAnswerError, "length"),
        (Breach.NOT_HTTP, b"23.5\n", MalformedAnswerError, "not_http"),
        (Breach.NOT_HTTP, b"\x15\x03\x01", MalformedAnswerError, "not_http"),
    ],
)
def test_what_came_tells_broken_connections_from_answers_that_are_not_http(
    breach: Breach, head: bytes, kind: type[SlotFailedError], code: str
) -> None:
    fault = fault_of(BreachError(breach, "why"), attempt(head=head))
    assert (type(fault), str(fault).partition(":")[0]) == (kind, code)


def test_an_echo_of_the_request_is_not_quoted_because_its_path_may_hold_a_password() -> None:
    fault = fault_of(BreachError(Breach.NOT_HTTP), attempt(head=b"GET /cm?user=a&password=hunter2"))
    assert fault is not None
    assert "echo" in fault.detail
    assert "hunter2" not in fault.detail


@pytest.mark.parametrize(
    ("stage", "head", "kind", "code"),
    [
        (Stage.WAITING, b"", DeviceTimeoutError, "budget"),
        (Stage.RESOLVING, b"", DeviceUnreachableError, "dns"),
        (Stage.CONNECTING, b"", DeviceTimeoutError, "connect_timeout"),
        (Stage.SECURING, b"", DeviceTimeoutError, "connect_timeout"),
        (Stage.ASKED, b"", DeviceTimeoutError, "read_timeout"),
        (Stage.ASKED, b"HTTP/1.1", DeviceTimeoutError, "budget"),
    ],
)
def test_the_stage_tells_where_the_time_went(stage: Stage, head: bytes, kind: type[SlotFailedError], code: str) -> None:
    fault = late(attempt(stage, head))
    assert (type(fault), fault.detail.partition(":")[0]) == (kind, code)
    assert "1000 ms" in fault.detail


@pytest.mark.parametrize("make", [attempt, lambda: Attempt("fd00::7", 443, 1, 0.0)])
def test_targets_are_written_as_in_urls(make: Callable[[], Attempt]) -> None:
    assert make().target in {"chamber.test:80", "[fd00::7]:443"}


def test_only_the_head_of_an_answer_is_kept() -> None:
    seen = attempt()
    for _ in range(10):
        seen.take(b"0123456789")
    assert (seen.received, bytes(seen.head)) == (100, b"01234567890123456789012345678901")
