"""What is never a device, in every form: refused as `blocked` with and without the egress proxy, and never called.

Each form is tried under a policy that lists one network, and under the one without rules; and the proxy is asked for it
straight, as a worker would that judges nothing.
"""

import asyncio
import random
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from ipaddress import IPv4Address, ip_network
from pathlib import Path

import pytest
import uvloop
import yaml

from adapters.http_device import HttpDeviceClient
from collector.domain.egress import NEVER_A_DEVICE, EgressPolicies, EgressPolicy, EgressRule, parse_policies
from collector.domain.egress_proxy import EgressProxy
from collector.domain.errors import BlockedError, SlotFailedError
from collector.ports import DeviceAnswer, DeviceRequest
from stack.ports import free_port
from tests.contract.device_certificate import trusting_context
from tests.contract.device_server import DeviceServer, Visit, answering, ok
from tests.contract.egress_envoy import EgressEnvoy, running
from tests.contract.name_server import NameServer, NameServerResolver
from tests.contract.ssrf_forms import OWN, URLS, ZONE

LAB, OTHER, WIDE = "o/lab", "o/other", "o/wide"
EVERYTHING = EgressPolicy(tuple(map(EgressRule, (*NEVER_A_DEVICE, ip_network("0.0.0.0/0"), ip_network("::/0")))))
"""Of a worker that judges nothing."""
SETTLED_S = 0.02
"""A connection that was opened has been accepted by then."""
LISTENING = ["127.0.0.1", "127.0.0.2", "127.255.255.254", OWN, "::1"]


class Place:
    """Devices on several addresses of one port, one more that leads elsewhere, a name server, and the proxy."""

    def __init__(self, devices: "Devices", names: NameServer, envoy: EgressEnvoy) -> None:
        self._all, self.names, self.envoy = devices, names, envoy
        self.port, self.devices = devices.port, devices.listening
        self.policies = devices.policies()

    def asking(self, names: NameServer, envoy: EgressEnvoy) -> "Place":
        """The same devices by another name server and another proxy."""
        return Place(self._all, names, envoy)

    def redirect(self, head: bytes) -> str:
        """The URL of a device that answers so."""
        self._all.said = head
        return f"http://{OWN}:{self._all.leading}/"

    def called(self, *expected: str) -> list[str]:
        """Addresses that were connected to since the last call; waits for those that are expected, and a moment."""
        for address in expected:
            self.devices[address].wait_for_visits(1)
        time.sleep(SETTLED_S)
        found = [address for address, device in self.devices.items() if device.visits]
        for device in self.devices.values():
            device.visits.clear()
        return found

    def fetch(
        self, url: str, section: str = LAB, proxy: EgressProxy | None = None, policy: EgressPolicy | None = None
    ) -> DeviceAnswer:
        organization, _, name = section.partition("/")
        request = DeviceRequest(url, 5_000, policy or self.policies.of(organization, name), section=section)

        async def run() -> DeviceAnswer:
            resolver, tls = NameServerResolver(self.names.port), trusting_context()
            async with HttpDeviceClient(resolver=resolver, tls=tls, proxy=proxy) as client:
                return await client.fetch(request)

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(run())

    def fault(
        self, url: str, section: str = LAB, proxy: EgressProxy | None = None, policy: EgressPolicy | None = None
    ) -> SlotFailedError:
        with pytest.raises(SlotFailedError) as caught:
            self.fetch(url, section, proxy, policy)
        return caught.value

    def ask_straight(self, target: str, *headers: str) -> bytes:
        """The proxy's answer to a CONNECT that nobody judged before."""
        return connect(self.envoy, target, *headers)


def connect(envoy: EgressEnvoy, target: str, *headers: str) -> bytes:
    """The proxy's answer to a CONNECT."""
    with socket.create_connection(("127.0.0.1", envoy.proxy.port)) as asking:
        asking.settimeout(5)
        asking.sendall("\r\n".join([f"CONNECT {target} HTTP/1.1", f"Host: {target}", *headers, "", ""]).encode())
        return asking.recv(4_096)


class Devices:
    """Those that listen on `port`, and the one that answers on `leading` with what `said` says."""

    def __init__(self, closing: ExitStack) -> None:
        self.port, self.said = free_port(), b""
        answer = answering(ok(b"23.5"))
        self.listening = {
            address: closing.enter_context(DeviceServer(answer, at=(address, self.port))) for address in LISTENING
        }
        self.leading = closing.enter_context(DeviceServer(self._lead, at=(OWN, 0))).port

    def _lead(self, visit: Visit) -> None:
        answering(self.said)(visit)

    def policies(self) -> EgressPolicies:
        own = [f"127.77.0.0/16:{port}" for port in (self.port, self.leading)]
        return parse_policies({"sections": {LAB: own, WIDE: ["127.0.0.0/8"]}})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with ExitStack() as closing:
        devices = Devices(closing)
        names = closing.enter_context(NameServer(ZONE))
        envoy = closing.enter_context(running(tmp_path_factory.mktemp("egress"), devices.policies()))
        yield Place(devices, names, envoy)


def ways(place: Place) -> list[EgressProxy | None]:
    return [None, place.envoy.proxy]


def test_there_are_enough_forms() -> None:
    assert len({url for _, url in URLS}) >= 60


@pytest.mark.parametrize("url", [url for _, url in URLS], ids=[name for name, _ in URLS])
def test_what_is_never_a_device_is_blocked_in_both_modes_and_never_called(place: Place, url: str) -> None:
    place.called()
    for section in (LAB, OTHER):
        for way in ways(place):
            fault = place.fault(url.format(p=place.port), section, way)
            assert (type(fault), fault.detail.partition(":")[0]) == (BlockedError, "egress"), (section, way, fault)
        fault = place.fault(url.format(p=place.port), section, place.envoy.proxy, EVERYTHING)
        assert isinstance(fault, BlockedError), (section, "judged by the proxy alone", fault)
        target = url.format(p=place.port).partition("//")[2].partition("/values")[0]
        answer = place.ask_straight(target, f"x-chamberlog-section: {section}")
        assert answer.split(b" ", 2)[1] in (b"400", b"403"), answer
    assert place.called() == []


def test_the_sections_own_network_works_in_both_modes(place: Place) -> None:
    for way in ways(place):
        for host in (OWN, "own.lab", f"[::ffff:{OWN}]", "127.77.1"):
            place.called()
            assert place.fetch(f"http://{host}:{place.port}/", LAB, way).body == b"23.5"
            assert place.called(OWN) == [OWN]
            fault = place.fault(f"http://{host}:{place.port}/", OTHER, way)  # it is that section's and no other's
            assert (type(fault), place.called()) == (BlockedError, [])


@pytest.mark.parametrize("distance", [-1, 1])
def test_the_port_beside_an_open_one_is_blocked(place: Place, distance: int) -> None:
    for way in ways(place):
        assert isinstance(place.fault(f"http://{OWN}:{place.port + distance}/", LAB, way), BlockedError)
    refused = place.ask_straight(f"{OWN}:{place.port + distance}", f"x-chamberlog-section: {LAB}")
    assert b" 403 " in refused


def test_worker_and_proxy_judge_alike(tmp_path: Path) -> None:
    """Rules at random, and addresses and ports at their edges; nothing listens there."""
    chance = random.Random(35)
    sections = {f"o/s{number}": [a_rule(chance) for _ in range(chance.randint(1, 4))] for number in range(12)}
    document = parse_policies({"sections": sections})
    seen = set[bool]()
    with running(tmp_path, document) as envoy, ThreadPoolExecutor(4) as threads:
        asked = [
            (section, address, port)
            for section, policy in document.sections.items()
            for rule in policy.rules
            for address in edges(rule)
            for port in (rule.first_port - 1, rule.first_port, rule.last_port, rule.last_port + 1)
            if 0 < port < 65_536 and port not in (envoy.proxy.port, envoy.admin)
        ]
        answers = threads.map(
            lambda one: connect(envoy, f"{one[1]}:{one[2]}", f"x-chamberlog-section: {one[0]}"), asked
        )
        for (section, address, port), answer in zip(asked, answers, strict=True):
            allowed = document.of_named(section).allows(address, port)
            seen.add(allowed)
            assert (b" 403 " not in answer) == allowed, (section, sections[section], address, port, answer)
    assert seen == {True, False}


def a_rule(chance: random.Random) -> str:
    network = f"127.{chance.randint(77, 79)}.{chance.choice((0, 1, 128, 255))}.{chance.choice((0, 1, 128))}"
    first = chance.randint(40_000, 40_020)
    ports = chance.choice(("", f":{first}", f":{first}-{first + chance.randint(0, 5)}"))
    return chance.choice(
        (f"{network}/{chance.choice((16, 23, 24, 31, 32))}{ports}", f"0.0.0.0/{chance.randint(0, 1)}{ports}")
    )


def edges(rule: EgressRule) -> set[str]:
    """The first and the last address of a network, and those beside them, as far as they are this machine's."""
    first, last = int(rule.network.network_address), int(rule.network.broadcast_address)
    around = {IPv4Address(value % 2**32) for edge in (first, last) for value in (edge - 1, edge, edge + 1)}
    return {str(address) for address in around if address in ip_network("127.76.0.0/14")} | {"127.78.1.1"}


def test_of_mixed_addresses_the_allowed_ones_are_called_in_both_modes(place: Place) -> None:
    for way in ways(place):
        place.called()
        assert place.fetch(f"http://mixed.lab:{place.port}/", LAB, way).body == b"23.5"
        assert place.called(OWN) == [OWN]


def test_a_dead_allowed_address_leads_to_no_forbidden_one(place: Place) -> None:
    for way in ways(place):
        place.called()
        fault = place.fault(f"http://dead.lab:{place.port}/", LAB, way)
        assert fault.detail.startswith("refused: 127.77.0.9")
        assert place.called() == []


def test_a_name_that_is_bound_anew_is_judged_anew(tmp_path: Path, place: Place) -> None:
    for way in ways(place):
        with NameServer(ZONE) as names:
            again = place.asking(names, place.envoy)
            place.called()
            assert again.fetch(f"http://rebinding.lab:{place.port}/", LAB, way).body == b"23.5"
            assert place.called(OWN) == [OWN]
            assert names.asked.count("rebinding.lab") == 2  # A and AAAA, once each: what was judged is what is called
            assert isinstance(again.fault(f"http://rebinding.lab:{place.port}/", LAB, way), BlockedError)
            assert place.called() == []


# --- asked straight: what a worker that judges nothing would get ---


@pytest.mark.parametrize("name", [*ZONE, "no-such.lab"])
def test_the_proxy_takes_no_name_and_asks_nobody_for_one(tmp_path: Path, place: Place, name: str) -> None:
    asked = len(place.names.asked)
    for section in (LAB, OTHER, WIDE):
        assert b" 403 " in place.ask_straight(f"{name}:{place.port}", f"x-chamberlog-section: {section}")
    assert len(place.names.asked) == asked


@pytest.mark.parametrize(
    "headers",
    [
        [],
        ["x-chamberlog-section:"],
        ["x-chamberlog-section: lab"],
        ["x-chamberlog-section: o/lab/x"],
        [f"x-chamberlog-section: {OTHER}"],
        [f"x_chamberlog_section: {LAB}"],
        [f"x-chamberlog-section: {OTHER}, {LAB}"],
        ["x-chamberlog-section: O/LAB"],
    ],
)
def test_who_says_no_section_or_a_foreign_one_is_refused(place: Place, headers: list[str]) -> None:
    place.called()
    answer = place.ask_straight(f"{OWN}:{place.port}", *headers)
    assert answer.split(b" ", 2)[1] in (b"400", b"403"), answer
    assert place.called() == []
    assert b" 200 " in place.ask_straight(f"{OWN}:{place.port}", f"x-chamberlog-section: {LAB}")
    assert place.called(OWN) == [OWN]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "[::1]", "0.0.0.0", "[::]"])
def test_no_rule_opens_the_ports_of_the_proxy_itself(place: Place, host: str) -> None:
    wide = f"x-chamberlog-section: {WIDE}"
    place.called()
    assert b" 200 " in place.ask_straight(f"127.0.0.1:{place.port}", wide)
    assert place.called("127.0.0.1") == ["127.0.0.1"]
    for port in (place.envoy.admin, place.envoy.proxy.port):
        assert b" 403 " in place.ask_straight(f"{host}:{port}", wide)
    fault = place.fault(f"http://127.0.0.1:{place.envoy.admin}/quitquitquit", WIDE, place.envoy.proxy)
    assert isinstance(fault, BlockedError)
    assert place.envoy.child.alive()


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_the_proxy_takes_nothing_but_connect(place: Place, method: str) -> None:
    place.called()
    with socket.create_connection(("127.0.0.1", place.envoy.proxy.port)) as asking:
        asking.settimeout(5)
        host = f"{OWN}:{place.port}"
        head = f"{method} http://{host}/ HTTP/1.1\r\nHost: {host}\r\nx-chamberlog-section: {LAB}\r\n\r\n"
        asking.sendall(head.encode())
        assert b" 405 " in asking.recv(4_096)
    assert place.called() == []


# --- redirects ---

FORBIDDEN = [
    "http://127.0.0.1/",
    "https://127.1/",
    "http://0x7f.1:8080/x",
    "//169.254.169.254/latest",
    "http://[::1]/",
    f"http://{OWN}/",
]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", FORBIDDEN)
def test_a_redirect_to_what_is_forbidden_is_blocked(place: Place, location: str, status: int) -> None:
    url = place.redirect(f"HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\n\r\n".encode())
    for way in ways(place):
        place.called()
        assert isinstance(place.fault(url, LAB, way), BlockedError)
        assert place.called() == []


@pytest.mark.parametrize("location", ["/else", "http://localhost/", "http://", "", "mailto:x"])
def test_any_other_redirect_is_a_status(place: Place, location: str) -> None:
    url = place.redirect(f"HTTP/1.1 302 Elsewhere\r\nLocation: {location}\r\n\r\n".encode())
    for way in ways(place):
        place.called()
        assert place.fault(url, LAB, way).detail.partition(":")[0] == "http_302"
        assert place.called() == []


# --- what Envoy does, and why it is asked for addresses ---


@pytest.mark.parametrize("family", ["V4_ONLY", "ALL", "V4_PREFERRED", "AUTO"])
def test_envoy_judges_one_address_of_a_name_and_calls_another(tmp_path: Path, place: Place, family: str) -> None:
    """The fact behind ADR 35: should it fail one day, the proxy could be asked for names."""
    with NameServer(ZONE) as names, running(tmp_path, place.policies, change=taking_names(names, family)) as open_:
        asked = place.asking(names, open_)
        section = f"x-chamberlog-section: {LAB}"
        place.called()
        assert b" 403 " in asked.ask_straight(f"loop.lab:{place.port}", section)
        assert place.called() == []
        assert b" 200 " in asked.ask_straight(f"dead.lab:{place.port}", section)
        assert place.called("127.0.0.1") == ["127.0.0.1"]


def taking_names(names: NameServer, family: str) -> Callable[[str], str]:
    """The same proxy, but for names, and with a name server that answers."""

    def change(text: str) -> str:
        changed = text.replace("port_value: 1}", f"port_value: {names.port}}}")
        changed = changed.replace("dns_lookup_family: ALL", f"dns_lookup_family: {family}")
        document = yaml.safe_load(changed)
        manager = document["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
        routes = manager["route_config"]["virtual_hosts"][0]["routes"]
        del routes[0]["match"]["headers"]
        return yaml.safe_dump(document)

    return change
