"""The bench's devices: an answer that the profile maps whole, a serial each, an address each."""

import asyncio
import ipaddress
import itertools
import json

import pytest

from adapters.profile_files import FileProfiles, builtin_profiles_folder
from bench.devices import ANSWER, BODY, CEILING, NETWORK, Device, device_host
from collector.domain.outcome import Quality
from collector.mapping.answer import map_answer


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.sent, self.closed = b"", False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += bytes(data)

    def close(self) -> None:
        self.closed = True


def test_every_device_has_a_loopback_address_of_its_own() -> None:
    hosts = [device_host(number) for number in range(CEILING)]
    assert len(set(hosts)) == CEILING
    assert all(ipaddress.ip_address(host) in ipaddress.ip_network(NETWORK) for host in (hosts[0], hosts[-1]))


@pytest.mark.parametrize("serial", [1, 999_999_999_999_999])
def test_the_answer_is_as_long_as_it_says(serial: int) -> None:
    head, _, body = (ANSWER % serial).partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert json.loads(body)["serial"] == serial


def test_the_profile_maps_five_good_numbers() -> None:
    profile = FileProfiles([builtin_profiles_folder()]).find("generic-json")
    assert profile is not None
    measurements = map_answer(profile, BODY % 42).measurements
    assert [(m.name, m.value) for m in measurements] == [
        ("temperature", 21.53),
        ("humidity", 44.8),
        ("co2", 612),
        ("pressure", 1013.2),
        ("serial", 42),
    ]
    assert {m.quality for m in measurements} == {Quality.GOOD}


def test_a_request_in_pieces_is_answered_once_and_the_connection_closed() -> None:
    serials, wire = itertools.count(7), Wire()
    device = Device(serials)
    device.connection_made(wire)
    device.data_received(b"GET / HTTP/1.1\r\nHost: x\r")
    assert wire.sent == b""
    device.data_received(b"\n\r\n")
    assert wire.sent == ANSWER % 7
    assert wire.closed
    assert next(serials) == 8
