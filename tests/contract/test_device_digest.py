"""Devices that ask who we are: Digest challenges over real sockets, within one budget."""

import asyncio

import pytest

from adapters.http_device import HttpDeviceClient
from collector.domain.errors import (
    DeviceTimeoutError,
    DeviceUnauthorizedError,
    DeviceUnreachableError,
    SlotFailedError,
)
from collector.mapping.credentials import Credentials
from collector.ports import DeviceRequest
from tests.contract.device_server import DeviceServer, Visit, answering, ok
from tests.contract.guarded_device import GuardedDevice
from tests.contract.test_http_device import ANSWERS, BUDGET_MS, DEFAULTS, LOOPBACK, SHORT_MS, Refused, told

ADMIN = Credentials("admin", "p:\xe4ss hunter2")


def asking(port: int, who: Credentials = ADMIN, budget_ms: int = BUDGET_MS) -> DeviceRequest:
    return DeviceRequest(f"http://127.0.0.1:{port}/rpc/Shelly.GetStatus?x=1&y=", budget_ms, LOOPBACK, digest=who)


async def refused(client: HttpDeviceClient, request: DeviceRequest) -> SlotFailedError:
    with pytest.raises(SlotFailedError) as caught:
        await client.fetch(request)
    assert client.hosts_in_flight == 0
    assert "hunter2" not in str(caught.value) + repr(request)
    return caught.value


@pytest.mark.parametrize("algorithm", ["SHA-256", "MD5", "SHA-256-sess", "MD5-sess"])
async def test_a_challenge_is_answered_and_its_nonce_serves_the_next_slots(algorithm: str) -> None:
    device = GuardedDevice(ADMIN.password, algorithm)
    with DeviceServer(device) as server:
        async with HttpDeviceClient(**DEFAULTS) as client:
            for _ in range(3):
                assert (await client.fetch(asking(server.port))).body == b"23.5"
    assert device.log == ["401", "ok", "ok", "ok"]


@pytest.mark.parametrize("says_stale", [True, False])
async def test_a_nonce_that_grew_old_costs_one_request_more(*, says_stale: bool) -> None:
    device = GuardedDevice(ADMIN.password, uses=2, says_stale=says_stale)
    with DeviceServer(device) as server:
        async with HttpDeviceClient(**DEFAULTS) as client:
            for _ in range(4):
                assert (await client.fetch(asking(server.port))).body == b"23.5"
    assert device.log == ["401", "ok", "ok", "401", "ok", "ok"]


async def test_a_wrong_password_is_unauthorized_after_one_answer_and_nobody_elses_session_helps() -> None:
    device, wrong = GuardedDevice(ADMIN.password), Credentials("admin", "hunter2")
    with DeviceServer(device) as server:
        async with HttpDeviceClient(**DEFAULTS) as client:
            assert (await client.fetch(asking(server.port))).body == b"23.5"
            for _ in range(2):
                fault = await refused(client, asking(server.port, wrong))
                assert told(fault) == (DeviceUnauthorizedError, "http_401")
    assert device.log == ["401", "ok", *["401"] * 4]


async def test_a_nonce_that_is_always_stale_ends() -> None:
    device = GuardedDevice(ADMIN.password, uses=0)
    with DeviceServer(device) as server:
        async with HttpDeviceClient(**DEFAULTS) as client:
            assert told(await refused(client, asking(server.port))) == (DeviceUnauthorizedError, "http_401")
    assert device.log == ["401"] * 3


@pytest.mark.parametrize(
    ("header", "seen"),
    [
        ('WWW-Authenticate: Basic realm="x"', "it asks for basic"),
        ('WWW-Authenticate: Digest realm="x", nonce="1", qop="auth-int"', "it asks for digest"),
        ("X: y", "the device refused the credentials"),
    ],
)
async def test_the_password_is_never_sent_to_a_device_that_asks_otherwise(header: str, seen: str) -> None:
    said = f"HTTP/1.1 401 No\r\n{header}\r\nContent-Length: 0\r\n\r\n".encode()
    with DeviceServer(answering(said)) as server:
        async with HttpDeviceClient(**DEFAULTS) as client:
            fault = await refused(client, asking(server.port))
        [request] = server.requests
    assert told(fault) == (DeviceUnauthorizedError, "http_401")
    assert seen in fault.detail
    assert b"uthorization" not in request


async def test_a_device_that_asks_nothing_is_read_by_one_request() -> None:
    with DeviceServer(answering(ok(b"23.5"))) as server:
        async with HttpDeviceClient(**DEFAULTS) as client:
            assert (await client.fetch(asking(server.port))).body == b"23.5"
        assert len(server.visits) == 1


async def test_challenge_and_answer_share_one_budget_and_one_lane() -> None:
    def silent_once_known(visit: Visit) -> None:
        if len(server.visits) % 2:
            device(visit)
        else:
            visit.hear()
            visit.rest()

    device = GuardedDevice(ADMIN.password)
    with DeviceServer(silent_once_known) as server:
        async with HttpDeviceClient(**DEFAULTS) as client:
            began = asyncio.get_running_loop().time()
            fault = await refused(client, asking(server.port, budget_ms=SHORT_MS))
            assert asyncio.get_running_loop().time() - began < 5 * SHORT_MS / 1000
    assert told(fault) == (DeviceTimeoutError, "read_timeout"), "what the 401 said is no part of the answer"


async def test_the_connection_is_closed_before_the_challenge_is_answered() -> None:
    def one_socket(visit: Visit) -> None:
        intruders.extend(other for other in server.visits if other is not visit and other.is_open())
        device(visit)
        visit.was_left()

    intruders: list[Visit] = []
    device = GuardedDevice(ADMIN.password)
    with DeviceServer(one_socket) as server:
        async with HttpDeviceClient(**DEFAULTS) as client:
            assert (await client.fetch(asking(server.port))).body == b"23.5"
    assert intruders == []


@pytest.mark.parametrize(("said", "expected"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
async def test_behind_a_challenge_every_answer_has_the_same_outcome(said: bytes, expected: bytes | Refused) -> None:
    with DeviceServer(GuardedDevice(ADMIN.password, answer=said)) as server:
        async with HttpDeviceClient(**DEFAULTS) as client:
            if isinstance(expected, bytes):
                assert (await client.fetch(asking(server.port))).body == expected
            else:
                assert told(await refused(client, asking(server.port))) == expected


async def test_refused_after_the_challenge_is_refused() -> None:
    with DeviceServer(GuardedDevice(ADMIN.password)) as server:
        port = server.port
    async with HttpDeviceClient(**DEFAULTS) as client:
        assert told(await refused(client, asking(port))) == (DeviceUnreachableError, "refused")
