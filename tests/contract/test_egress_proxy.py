"""Devices read through the real Envoy: every fault is the gap that it is without a proxy, and Envoy's own are none's.

CASES are those of the table in docs/egress.md.
"""

import asyncio
import gc
import socket
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
import uvloop

from adapters.http_device import HttpDeviceClient
from adapters.http_device.tunnel import write_tunnel
from collector.domain.egress import EgressPolicies, EgressPolicy
from collector.domain.egress_proxy import EgressProxy
from collector.domain.errors import (
    BlockedError,
    DeviceStatusError,
    DeviceTimeoutError,
    DeviceUnauthorizedError,
    DeviceUnreachableError,
    EgressAwayError,
    MalformedAnswerError,
    MisconfiguredError,
    SlotFailedError,
)
from collector.mapping.credentials import Credentials
from collector.ports import DeviceAnswer, DeviceRequest
from edge.egress import EgressLimits
from stack.ports import free_port
from tests.contract.device_certificate import serving_context, trusting_context
from tests.contract.device_server import Behaviour, DeviceServer, Visit, answering, ok
from tests.contract.egress_envoy import EgressEnvoy, running
from tests.contract.guarded_device import GuardedDevice
from tests.contract.test_http_device import (
    ANSWERS,
    LOOPBACK,
    FixedResolver,
    FullListener,
    OneSocketDevice,
    Refused,
    SilentResolver,
    resetting,
    resetting_in_handshake,
    silent,
    told,
)

T = TypeVar("T")
Run = Callable[[Coroutine[Any, Any, T]], T]
SECTION = "default/lab3"
BUDGET_MS, SHORT_MS, PATIENT_MS = 5_000, 300, 2_500
CONNECT_S = 1.0
TRUSTED: dict[str, Any] = {"tls": trusting_context()}


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Iterator[Run[Any]]:
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield runner.run
    gc.collect(1)


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EgressEnvoy]:
    """Opens loopback, as the tests' policy does, and gives up connecting after a second."""
    limits = EgressLimits(connect_s=CONNECT_S, per_host=2)
    with running(tmp_path_factory.mktemp("egress"), EgressPolicies(default=LOOPBACK), limits) as started:
        yield started


def asking(port: int, *, scheme: str = "http", host: str = "127.0.0.1", **more: Any) -> DeviceRequest:
    defaults: dict[str, Any] = {"budget_ms": BUDGET_MS, "egress": LOOPBACK, "section": SECTION, "verify_tls": False}
    return DeviceRequest(f"{scheme}://{host}:{port}/values.json", **(defaults | more))


async def fetched(request: DeviceRequest, proxy: EgressProxy | None, **client: Any) -> DeviceAnswer:
    async with HttpDeviceClient(**(TRUSTED | client), proxy=proxy) as device:
        answer = await device.fetch(request)
        assert device.hosts_in_flight == 0
        return answer


async def failure(request: DeviceRequest, proxy: EgressProxy | None, **client: Any) -> SlotFailedError:
    async with HttpDeviceClient(**(TRUSTED | client), proxy=proxy) as device:
        with pytest.raises(SlotFailedError) as caught:
            await device.fetch(request)
        assert device.hosts_in_flight == 0
        return caught.value


@pytest.mark.parametrize(("said", "expected"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_every_answer_is_read_as_without_a_proxy(
    run: Run[Any], envoy: EgressEnvoy, said: bytes, expected: bytes | Refused
) -> None:
    with DeviceServer(answering(said)) as server:
        if isinstance(expected, bytes):
            assert run(fetched(asking(server.port), envoy.proxy)).body == expected
        else:
            assert told(run(failure(asking(server.port), envoy.proxy))) == expected
        assert len(server.visits) == 1


# --- what goes wrong, with and without the proxy ---

STATUS = "HTTP/1.1 {} Its own\r\nContent-Length: 0\r\nX-Egress-Error: UF Connection_refused\r\nProxy-Status: x\r\n\r\n"
UNREACHABLE, TIMEOUT, MALFORMED = DeviceUnreachableError, DeviceTimeoutError, MalformedAnswerError


def closing_at_once(visit: Visit) -> None:
    """It accepted, and that was all."""


def saying_garbage_at_once(visit: Visit) -> None:
    visit.say(b"220 garbage\r\n" * 20)
    visit.rest(0.1)


def cutting(visit: Visit) -> None:
    visit.hear()
    visit.say(b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n23")


@dataclass(frozen=True)
class Case:
    """A device, or what is there instead, and what becomes of the slot.

    Attributes:
        name: what happens.
        scheme: of the device's URL.
        expected: kind and code, without a proxy.
        behave: of what listens; None = nothing does.
        tls: whether it shakes hands.
        torn: through the proxy the end of the connection may come as a reset, and a reset as an end.
        more: of the request.
    """

    name: str
    scheme: str
    expected: Refused
    behave: Behaviour | None = None
    tls: bool = False
    torn: bool = False
    more: tuple[tuple[str, Any], ...] = ()


BLOCKED = (("egress", EgressPolicy()),)
SHORT = (("budget_ms", SHORT_MS),)
HAND = (("budget_ms", 2 * SHORT_MS),)
NAMED = (("host", "no-such-chamber.invalid"),)
CASES = [
    Case("refused", "http", (UNREACHABLE, "refused")),
    Case("refused", "https", (UNREACHABLE, "refused")),
    Case("no such name", "http", (UNREACHABLE, "dns"), more=NAMED),
    Case("no such name", "https", (UNREACHABLE, "dns"), more=NAMED),
    Case("blocked", "http", (BlockedError, "egress"), closing_at_once, more=BLOCKED),
    Case("blocked", "https", (BlockedError, "egress"), closing_at_once, more=BLOCKED),
    Case("reset before the answer", "http", (UNREACHABLE, "reset"), resetting(), torn=True),
    Case("reset before the answer", "https", (UNREACHABLE, "reset"), resetting(), tls=True, torn=True),
    Case("reset in the handshake", "https", (UNREACHABLE, "tls"), resetting_in_handshake),
    Case("closed at once", "http", (UNREACHABLE, "closed"), closing_at_once, torn=True),
    Case("closed at once", "https", (UNREACHABLE, "tls"), closing_at_once),
    Case("garbage", "http", (MALFORMED, "not_http"), saying_garbage_at_once),
    Case("garbage", "https", (UNREACHABLE, "tls"), saying_garbage_at_once),
    Case("answer cut", "http", (UNREACHABLE, "cut"), cutting),
    Case("answer cut", "https", (UNREACHABLE, "cut"), cutting, tls=True),
    Case("no answer", "http", (TIMEOUT, "read_timeout"), silent, more=SHORT),
    Case("no answer", "https", (TIMEOUT, "read_timeout"), silent, tls=True, more=HAND),
    Case("no handshake", "https", (TIMEOUT, "connect_timeout"), silent, more=SHORT),
    Case("its own 403", "http", (DeviceUnauthorizedError, "http_403"), answering(STATUS.format(403).encode())),
    Case("its own 403", "https", (DeviceUnauthorizedError, "http_403"), answering(STATUS.format(403).encode()), True),
    Case("its own 502", "http", (DeviceStatusError, "http_502"), answering(STATUS.format(502).encode())),
    Case("its own 502", "https", (DeviceStatusError, "http_502"), answering(STATUS.format(502).encode()), True),
    Case("its own 407", "http", (DeviceStatusError, "http_407"), answering(STATUS.format(407).encode())),
]


@pytest.mark.parametrize("case", CASES, ids=[f"{case.name}, {case.scheme}" for case in CASES])
def test_a_fault_is_the_same_gap_with_and_without_the_proxy(
    run: Run[Any], envoy: EgressEnvoy, tmp_path: Path, case: Case
) -> None:
    with ExitStack() as closing:
        port = free_port()
        if case.behave is not None:
            tls = serving_context(tmp_path) if case.tls else None
            port = closing.enter_context(DeviceServer(case.behave, tls=tls)).port
        request = asking(port, scheme=case.scheme, **dict(case.more))
        assert told(run(failure(request, None))) == case.expected
        kind, code = told(run(failure(request, envoy.proxy)))
        assert kind is case.expected[0]
        assert code in ({"reset", "closed"} if case.torn else {case.expected[1]})


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("budget_ms", [SHORT_MS, PATIENT_MS])
def test_who_swallows_packets_is_a_connect_timeout_whoever_gives_up_first(
    run: Run[Any], envoy: EgressEnvoy, budget_ms: int, scheme: str
) -> None:
    with FullListener("127.0.0.1", 0) as port:
        began = time.monotonic()
        fault = run(failure(asking(port, scheme=scheme, budget_ms=budget_ms), envoy.proxy))
        took_s = time.monotonic() - began
    assert told(fault) == (TIMEOUT, "connect_timeout")
    assert f"127.0.0.1 port {port}" in fault.detail
    if budget_ms == PATIENT_MS:
        assert took_s > 0.9 * CONNECT_S
        assert f"{budget_ms} ms" not in fault.detail  # it was the proxy's time that was over


def test_the_next_address_is_tried_when_one_refuses_or_swallows(run: Run[Any], envoy: EgressEnvoy) -> None:
    with DeviceServer(answering(ok(b"23.5"))) as server, FullListener("127.0.0.3", server.port):
        request = asking(server.port, host="chamber.test", budget_ms=1_500)
        resolver = FixedResolver(["127.0.0.2", "127.0.0.3", "127.0.0.1"])
        assert run(fetched(request, envoy.proxy, resolver=resolver)).body == b"23.5"
    assert server.requests[0].count(b"chamber.test") == 1


def at_home() -> FixedResolver:
    return FixedResolver(["127.0.0.1"])


# --- the proxy's own faults ---


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_away_is_missed_and_no_fault_of_the_device(run: Run[Any], scheme: str) -> None:
    with DeviceServer(answering(ok(b"23.5"))) as server:
        fault = run(failure(asking(server.port, scheme=scheme), EgressProxy("127.0.0.1", free_port())))
        assert told(fault) == (EgressAwayError, "egress_proxy")
        assert fault.reason.value == "missed"
        assert fault.retryable
        assert "the device was not asked" in fault.detail
        assert server.visits == []


@pytest.mark.parametrize(
    "behave",
    [
        closing_at_once,
        resetting(),
        saying_garbage_at_once,
        answering(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
        answering(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"),
        answering(b"HTTP/1.1 502 Bad Gateway\r\n\r\n"),
        answering(b"HTTP/1.1 503 x\r\nX-Egress-Error: UO overflow\r\n\r\n"),
        answering(b"HTTP/1.1 503 x\r\nX-Egress-Error: UH no_healthy_upstream\r\n\r\n"),
        answering(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000),
        answering(b"HTTP/1.1 ??? OK\r\n\r\n"),
    ],
    ids=["closes", "resets", "garbage", "403", "407", "502", "overflow", "no upstream", "endless head", "no status"],
)
def test_what_is_no_proxy_or_takes_nobody_in_is_missed(run: Run[Any], behave: Behaviour) -> None:
    with DeviceServer(behave) as none:
        fault = run(failure(asking(80), EgressProxy("127.0.0.1", none.port)))
    assert told(fault) == (EgressAwayError, "egress_proxy")


def test_a_proxy_that_does_not_accept_is_missed_when_the_budget_ends(run: Run[Any]) -> None:
    with FullListener("127.0.0.1", 0) as port:
        fault = run(failure(asking(80, budget_ms=SHORT_MS), EgressProxy("127.0.0.1", port)))
    assert told(fault) == (EgressAwayError, "egress_proxy")


@pytest.mark.parametrize("host", ["no-such-proxy.invalid", "a" * 64 + ".invalid"])
def test_a_proxy_whose_name_is_unknown_is_missed(run: Run[Any], host: str) -> None:
    assert told(run(failure(asking(80), EgressProxy(host, 80)))) == (EgressAwayError, "egress_proxy")


def test_name_servers_that_are_down_do_not_keep_the_proxys_name_from_being_found(
    run: Run[Any], envoy: EgressEnvoy
) -> None:
    by_name = EgressProxy("localhost", envoy.proxy.port)
    with DeviceServer(answering(ok(b"23.5"))) as server:
        assert run(fetched(asking(server.port), by_name, resolver=SilentResolver())).body == b"23.5"


def test_a_proxy_that_is_full_is_missed(run: Run[Any], tmp_path: Path) -> None:
    limits = EgressLimits(connections=2)
    with running(tmp_path, EgressPolicies(default=LOOPBACK), limits) as small, ExitStack() as closing:
        for _ in range(8):  # more than fit: which of them are taken depends on when Envoy has forgotten the first look
            closing.enter_context(socket.create_connection(("127.0.0.1", small.proxy.port)))
            time.sleep(0.05)
        with DeviceServer(answering(ok(b"23.5"))) as server:
            assert told(run(failure(asking(server.port), small.proxy))) == (EgressAwayError, "egress_proxy")
            assert server.visits == []


def timer_of(port: int, client: int) -> str:
    """Which timer runs on the connection of a client to a port of loopback, as the kernel says; 02 = keepalive."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    (timer,) = [row[5] for row in rows if row[1].endswith(f":{port:04X}") and row[2].endswith(f":{client:04X}")]
    return timer.partition(":")[0]


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_the_proxy_looks_whether_a_silent_worker_is_still_there(envoy: EgressEnvoy) -> None:
    with (
        DeviceServer(silent) as server,
        socket.create_connection(("127.0.0.1", envoy.proxy.port)) as worker,
    ):
        worker.sendall(write_tunnel("127.0.0.1", server.port, SECTION))
        assert worker.recv(4_096).startswith(b"HTTP/1.1 200 ")
        assert timer_of(envoy.proxy.port, worker.getsockname()[1]) == "02"


def test_a_policy_of_the_proxy_that_is_narrower_blocks(run: Run[Any], tmp_path: Path) -> None:
    with running(tmp_path) as closed, DeviceServer(answering(ok(b"23.5"))) as server:
        for scheme in ("http", "https"):
            fault = run(failure(asking(server.port, scheme=scheme), closed.proxy))
            assert told(fault) == (BlockedError, "egress")
            assert "the egress proxy" in fault.detail
        assert server.visits == []
        refused = closed.line(f"127.0.0.1:{server.port}")
    assert (refused["section"], refused["status"]) == (SECTION, 403)
    assert refused["details"].startswith("rbac_access_denied")


def test_a_section_that_cannot_be_sent_is_misconfigured_and_none_is_blocked(run: Run[Any], envoy: EgressEnvoy) -> None:
    with DeviceServer(answering(ok(b"23.5"))) as server:
        fault = run(failure(asking(server.port, section="default/lab\r\nx: y"), envoy.proxy))
        assert told(fault) == (MisconfiguredError, "request")
        assert told(run(failure(asking(server.port, section=""), envoy.proxy))) == (BlockedError, "egress")
        assert server.visits == []


# --- the device sees what it sees without a proxy ---


def test_the_device_sees_no_trace_of_the_proxy(
    run: Run[Any], envoy: EgressEnvoy, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "*")
    with DeviceServer(answering(ok(b"23.5"))) as server:
        for way in (None, envoy.proxy):
            run(fetched(asking(server.port, headers={"X-Token": "t"}), way))
        straight, proxied = server.requests
    assert proxied == straight
    assert envoy.line(f"127.0.0.1:{server.port}")["section"] == SECTION
    assert "X-Token" not in envoy.log.read_text()
    assert "values.json" not in envoy.log.read_text()


def test_tls_goes_end_to_end_and_names_are_verified(run: Run[Any], envoy: EgressEnvoy, tmp_path: Path) -> None:
    serving = serving_context(tmp_path)
    names: list[str] = []
    serving.sni_callback = lambda _socket, name, _context: names.append(name)
    with DeviceServer(answering(ok(b"23.5")), tls=serving) as server:
        strict = asking(server.port, scheme="https", host="chamber.test", verify_tls=True)
        assert run(fetched(strict, envoy.proxy, resolver=at_home())).body == b"23.5"
        other = asking(server.port, scheme="https", host="other.test", verify_tls=True)
        assert told(run(failure(other, envoy.proxy, resolver=at_home()))) == (UNREACHABLE, "tls")
        assert run(fetched(asking(server.port, scheme="https"), envoy.proxy)).body == b"23.5"
    assert names[:2] == ["chamber.test", "other.test"]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_large_answers_pass(run: Run[Any], envoy: EgressEnvoy, tmp_path: Path, scheme: str) -> None:
    body = bytes(range(256)) * 4_000
    tls = serving_context(tmp_path) if scheme == "https" else None
    with DeviceServer(answering(ok(body)), tls=tls) as server:
        request = asking(server.port, scheme=scheme, max_bytes=len(body))
        assert run(fetched(request, envoy.proxy)).body == body


def test_a_device_that_speaks_first_is_heard(run: Run[Any], envoy: EgressEnvoy) -> None:
    def hasty(visit: Visit) -> None:
        visit.say(ok(b"23.5"))
        visit.hear()

    with DeviceServer(hasty) as server:
        for _ in range(5):
            assert run(fetched(asking(server.port), envoy.proxy)).body == b"23.5"


def test_a_whole_answer_before_a_reset_is_an_answer(run: Run[Any], envoy: EgressEnvoy) -> None:
    with DeviceServer(resetting(ok(b"23.5"))) as server:
        assert run(fetched(asking(server.port), envoy.proxy)).body == b"23.5"


def test_a_digest_challenge_is_answered(run: Run[Any], envoy: EgressEnvoy) -> None:
    device = GuardedDevice(password="hunter2")
    with DeviceServer(device) as server:
        request = asking(server.port, digest=Credentials("admin", "hunter2"))
        assert run(fetched(request, envoy.proxy)).status == 200


def test_ipv6_goes_through(run: Run[Any], envoy: EgressEnvoy) -> None:
    with DeviceServer(answering(ok(b"23.5")), at=("::1", 0)) as server:
        assert run(fetched(asking(server.port, host="[::1]"), envoy.proxy)).body == b"23.5"


# --- one at a time, and nothing left open ---


def test_requests_to_one_host_wait_until_the_connection_before_is_closed(run: Run[Any], envoy: EgressEnvoy) -> None:
    async def together(port: int) -> None:
        async with HttpDeviceClient(**TRUSTED, proxy=envoy.proxy) as client:
            await asyncio.gather(*(client.fetch(asking(port)) for _ in range(8)))

    device = OneSocketDevice()
    with device.server:
        run(together(device.server.port))
    assert len(device.server.visits) == 8
    assert device.intruders == 0


def test_workers_together_open_no_more_connections_to_a_device_than_allowed(
    run: Run[Any], envoy: EgressEnvoy, tmp_path: Path
) -> None:
    open_at_once: list[int] = []
    held, lock = [0], threading.Lock()

    def counting(visit: Visit) -> None:
        with lock:
            held[0] += 1
            open_at_once.append(held[0])
        visit.hear()
        visit.rest(0.1)
        with lock:
            held[0] -= 1
        visit.say(ok(b"23.5"))

    async def workers(port: int) -> None:
        async with ExitStackOfClients(6, envoy.proxy) as clients:
            answers = await asyncio.gather(*(client.fetch(asking(port)) for client in clients))
            assert [answer.body for answer in answers] == [b"23.5"] * 6

    with DeviceServer(counting) as server:
        run(workers(server.port))
    assert max(open_at_once) == 2


class ExitStackOfClients:
    """So many workers."""

    def __init__(self, count: int, proxy: EgressProxy) -> None:
        self._clients = [HttpDeviceClient(**TRUSTED, proxy=proxy) for _ in range(count)]

    async def __aenter__(self) -> list[HttpDeviceClient]:
        return self._clients

    async def __aexit__(self, *exc: object) -> None:
        for client in self._clients:
            await client.aclose()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_cancelling_closes_the_devices_connection_and_leaves_no_lock(
    run: Run[Any], envoy: EgressEnvoy, tmp_path: Path, scheme: str
) -> None:
    def watching(visit: Visit) -> None:
        visit.hear()
        visit.say(b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n23")
        heard.set()
        left.append(visit.was_left())

    async def scene() -> None:
        async with HttpDeviceClient(**TRUSTED, proxy=envoy.proxy) as client:
            fetching = asyncio.create_task(client.fetch(asking(server.port, scheme=scheme)))
            assert await asyncio.to_thread(heard.wait, 10)
            fetching.cancel()
            with pytest.raises(asyncio.CancelledError):
                await fetching
            assert client.hosts_in_flight == 0

    heard, left = threading.Event(), list[bool]()
    tls = serving_context(tmp_path) if scheme == "https" else None
    with DeviceServer(watching, tls=tls) as server:
        run(scene())
        _until(lambda: left != [])
    assert left == [True]


def test_cancelling_inside_connect_or_handshake_closes_the_devices_connection(
    run: Run[Any], envoy: EgressEnvoy
) -> None:
    def watching(visit: Visit) -> None:
        while visit.connection.recv(65_536):
            pass
        left.append(True)

    async def scene(port: int, ready: Callable[[], object]) -> None:
        async with HttpDeviceClient(**TRUSTED, proxy=envoy.proxy) as client:
            fetching = asyncio.create_task(client.fetch(asking(port, scheme="https")))
            await asyncio.to_thread(ready)
            await asyncio.sleep(0.05)
            fetching.cancel()
            with pytest.raises(asyncio.CancelledError):
                await fetching
            assert client.hosts_in_flight == 0
            await asyncio.sleep(0.05)

    left: list[bool] = []
    with DeviceServer(watching) as server:
        run(scene(server.port, lambda: server.wait_for_visits(1)))
        _until(lambda: left != [])
    with FullListener("127.0.0.1", 0) as port:
        run(scene(port, lambda: None))


def test_many_failures_leave_no_open_files(run: Run[Any], envoy: EgressEnvoy) -> None:
    def open_files(pid: str) -> int:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))

    async def scene(ports: list[int]) -> list[tuple[int, int]]:
        counts = []
        async with HttpDeviceClient(**TRUSTED, proxy=envoy.proxy) as client:
            for _ in range(3):
                for port in [*ports] * 10:
                    for scheme in ("http", "https"):
                        with pytest.raises(SlotFailedError):
                            await client.fetch(asking(port, scheme=scheme, budget_ms=100))
                await asyncio.sleep(0.1)
                counts.append((open_files("self"), open_files(str(envoy.child.pid))))
        return counts

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("open files cannot be counted without /proc")
    with DeviceServer(resetting()) as first, DeviceServer(saying_garbage_at_once) as second:
        counts = run(scene([first.port, second.port, free_port()]))
    assert counts[-1][0] <= counts[0][0] + 5
    assert counts[-1][1] <= counts[0][1] + 5


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
