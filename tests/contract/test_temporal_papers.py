"""TLS, client certificates and API keys on the way to Temporal: Envoy asks for them before a real server."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import trustme
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, TLSConfig

from adapters.temporal_client import SEARCH_ATTRIBUTES, connect, connect_if_there, register_search_attributes
from adapters.temporal_rounds import tells_workers_apart
from adapters.temporal_runtime import make_runtime
from adapters.tls_alerts import alert_of, speaks_tls
from collector.domain.errors import EngineAwayError, InvalidFieldError
from stack.ports import free_port
from stack.server import HOST, Server
from tests.contract.fact_rooms import eventually
from tests.contract.temporal_gate import Gate, Papers, issue, opened

KEY = "hunter2-hunter2"
ROOT = Path(__file__).parents[2]
Variables = dict[str, str]
pytestmark = pytest.mark.timeout(120)


@dataclass(frozen=True)
class Gates:
    """Papers of an authority and of a stranger, and the gates before one server."""

    folder: Path
    server: Server
    mine: Papers
    strangers: Papers
    ports: dict[str, int]

    def address(self, gate: str) -> Variables:
        return {"TEMPORAL_ADDRESS": f"{HOST}:{self.ports[gate]}"}

    def authority(self, papers: Papers | None = None) -> Variables:
        return {"TEMPORAL_TLS_SERVER_CA_CERT_PATH": str((papers or self.mine).authority)}

    def papers(self, papers: Papers | None = None) -> Variables:
        mine = papers or self.mine
        return {
            "TEMPORAL_TLS_CLIENT_CERT_PATH": str(mine.certificate),
            "TEMPORAL_TLS_CLIENT_KEY_PATH": str(mine.key),
        }


@pytest.fixture(scope="module")
def gates(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gates]:
    folder = tmp_path_factory.mktemp("gates")
    authority, stranger = trustme.CA(), trustme.CA()
    own = issue(folder, "gate", authority, HOST)
    plain = Gate(server.port, own)
    wanted = {
        "tls": plain,
        "client": replace(plain, clients=True),
        "key": replace(plain, api_key=KEY),
        "closed": replace(plain, operators=False),
        "named": replace(plain, papers=issue(folder, "named", authority, "temporal.example")),
        "expired": replace(plain, papers=expired(folder, authority)),
    }
    with ExitStack() as open_gates:
        ports = {name: open_gates.enter_context(opened(gate, folder)) for name, gate in wanted.items()}
        ports["plain"] = server.port
        mine, strangers = (issue(folder, n, a, "worker@lab") for n, a in (("mine", authority), ("theirs", stranger)))
        yield Gates(folder, server, mine, strangers, ports)


def expired(folder: Path, authority: trustme.CA) -> Papers:
    """A certificate that was right until the year 2020."""
    papers = issue(folder, "expired", authority, HOST)
    until = datetime(2020, 1, 1, tzinfo=UTC)
    old = authority.issue_cert(HOST, not_before=until - timedelta(days=30), not_after=until)
    papers.certificate.write_bytes(b"".join(blob.bytes() for blob in old.cert_chain_pems))
    old.private_key_pem.write_to_path(papers.key)
    return papers


def use(monkeypatch: pytest.MonkeyPatch, *settings: Variables) -> None:
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", os.devnull)
    for variables in settings:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)


async def works(client: Client) -> None:
    """It is spoken to, and not only connected."""
    assert (await client.count_workflows('WorkflowType="Nobodys"')).count == 0


async def test_tls_with_an_authority_of_ones_own(gates: Gates, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, gates.address("tls"), gates.authority())
    await works(await connect(retry_for_s=0))
    await works(await connect_if_there())


async def test_the_certificate_may_stand_in_the_variable_itself(gates: Gates, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, gates.address("tls"), {"TEMPORAL_TLS_SERVER_CA_CERT_DATA": gates.mine.authority.read_text()})
    await works(await connect(retry_for_s=0))


async def test_everything_may_stand_in_a_profile_of_a_file(gates: Gates, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, file = gates.mine, gates.folder / "temporal.toml"
    file.write_text(
        f"[profile.lab]\naddress = '{HOST}:{gates.ports['client']}'\n[profile.lab.tls]\n"
        f"server_ca_cert_path = '{mine.authority}'\n"
        f"client_cert_path = '{mine.certificate}'\nclient_key_path = '{mine.key}'\n"
    )
    use(monkeypatch, {"TEMPORAL_CONFIG_FILE": str(file), "TEMPORAL_PROFILE": "lab"})
    await works(await connect(retry_for_s=0))


async def test_a_client_certificate_serves_a_workers_second_connection_as_well(
    gates: Gates, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, gates.address("client"), gates.authority(), gates.papers())
    first = await connect(retry_for_s=0)
    await register_search_attributes(first)
    assert await tells_workers_apart(first)
    await works(await connect(retry_for_s=0, identity="another", runtime=make_runtime(beat=timedelta(seconds=2))))
    await works(await connect_if_there())


async def test_an_api_key_opens_the_gate_for_each_of_them(gates: Gates, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, gates.address("key"), gates.authority(), {"TEMPORAL_API_KEY": KEY})
    await works(await connect(retry_for_s=0))
    await works(await connect(retry_for_s=0, identity="another", runtime=make_runtime(beat=timedelta(seconds=2))))
    await works(await connect_if_there())


async def test_a_server_may_have_another_name_than_its_address(gates: Gates, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, gates.address("named"), gates.authority(), {"TEMPORAL_TLS_SERVER_NAME": "temporal.example"})
    await works(await connect(retry_for_s=0))


WRONG: dict[str, tuple[str, Callable[[Gates], Variables], str]] = {
    "nobody trusts the server": ("tls", lambda _: {"TEMPORAL_TLS": "true"}, "TEMPORAL_TLS_SERVER_CA_CERT_PATH"),
    "another authority": ("tls", lambda g: g.authority(g.strangers), "TEMPORAL_TLS_SERVER_CA_CERT_PATH"),
    "another name": ("named", lambda g: g.authority(), "TEMPORAL_TLS_SERVER_NAME"),
    "TLS is off": ("tls", lambda _: {}, "TEMPORAL_TLS"),
    "TLS is on": ("plain", lambda _: {"TEMPORAL_TLS": "true"}, "TEMPORAL_TLS"),
    "no client certificate": ("client", lambda g: g.authority(), "TEMPORAL_TLS_CLIENT_CERT_PATH"),
    "a stranger's": ("client", lambda g: g.authority() | g.papers(g.strangers), "TEMPORAL_TLS_CLIENT_CERT_PATH"),
    "another's key": (
        "client",
        lambda g: g.authority() | g.papers(replace(g.mine, key=g.strangers.key)),
        "TEMPORAL_TLS_CLIENT_KEY_PATH",
    ),
    "no API key": ("key", lambda g: g.authority(), "TEMPORAL_API_KEY"),
    "a wrong API key": ("key", lambda g: g.authority() | {"TEMPORAL_API_KEY": "guessed"}, "TEMPORAL_API_KEY"),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_what_will_never_work_names_the_variable_at_once(
    gates: Gates, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    gate, settings, field = WRONG[wrong]
    use(monkeypatch, gates.address(gate), settings(gates))
    ways: list[Callable[[], Awaitable[Client]]] = [lambda: connect(retry_for_s=None), connect_if_there]
    for connecting in ways:
        with pytest.raises(InvalidFieldError) as caught:
            async with asyncio.timeout(10):
                await connecting()
        assert caught.value.field == field
        assert f"{HOST}:{gates.ports[gate]}" in caught.value.problem
        assert "guessed" not in str(caught.value)


@pytest.mark.parametrize("gate", ["nowhere", "expired"])
async def test_what_may_pass_is_tried_again_and_does_not_hold_the_api(
    gates: Gates, monkeypatch: pytest.MonkeyPatch, gate: str
) -> None:
    nowhere = {"TEMPORAL_ADDRESS": f"{HOST}:{free_port()}"}
    use(monkeypatch, nowhere if gate == "nowhere" else gates.address(gate), gates.authority())
    with pytest.raises(EngineAwayError) as caught:
        await connect(retry_for_s=0.6)
    assert ("not valid now" in str(caught.value)) is (gate == "expired")
    client = await connect_if_there()
    with pytest.raises(RuntimeError, match="client connect"):
        await works(client)


@pytest.mark.parametrize("module", ["workers", "api"])
def test_a_process_ends_with_one_line_that_names_the_variable(gates: Gates, module: str) -> None:
    began = time.monotonic()
    done = run(module, gates.address("client") | gates.authority() | gates.papers(gates.strangers))
    assert (done.returncode, done.stdout) == (2, "")
    [line] = [line for line in done.stderr.splitlines() if not line.startswith("{")]  # the log's own are JSON
    assert line.startswith("TEMPORAL_TLS_CLIENT_CERT_PATH: ")
    assert "does not accept this client's certificate" in line
    assert "Traceback" not in done.stderr
    assert time.monotonic() - began < 40, "it did not wait for what will never be"


async def test_a_server_that_only_closes_the_connection_is_asked_what_it_has_against_the_papers(gates: Gates) -> None:
    mine, theirs = (
        TLSConfig(client_cert=p.certificate.read_bytes(), client_private_key=p.key.read_bytes())
        for p in (gates.mine, gates.strangers)
    )
    port = gates.ports["client"]
    assert "unknown ca" in await alert_of(HOST, port, theirs)
    assert "certificate required" in await alert_of(HOST, port, None)
    assert await alert_of(HOST, port, mine) == ""
    assert await alert_of(HOST, gates.ports["tls"], theirs) == ""
    assert await alert_of(HOST, gates.server.port, mine) == ""
    assert await alert_of(HOST, free_port(), mine) == ""


async def test_a_port_is_asked_whether_it_speaks_tls(gates: Gates) -> None:
    told = {gate: await speaks_tls(HOST, port) for gate, port in gates.ports.items()}
    assert told == {gate: gate != "plain" for gate in gates.ports}
    assert not await speaks_tls(HOST, free_port())


def run(module: str, variables: Variables) -> "subprocess.CompletedProcess[str]":
    """The process as it is started, with no other server anywhere."""
    environment = {
        "PATH": os.environ["PATH"],
        "TEMPORAL_CONFIG_FILE": os.devnull,
        "CHAMBERLOG_POSTGRES": f"postgresql://nobody@{HOST}:1/nothing",
        "CHAMBERLOG_API_PORT": "0",
    }
    return subprocess.run(
        [sys.executable, "-P", "-m", module],
        cwd=ROOT,
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )


async def test_where_nobody_may_make_search_attributes_those_that_lack_are_named(
    gates: Gates, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = await fresh_namespace(gates.server)
    use(monkeypatch, gates.address("closed"), gates.authority(), {"TEMPORAL_NAMESPACE": operator.namespace})
    closed = await connect(retry_for_s=0)
    with pytest.raises(InvalidFieldError) as caught:
        await register_search_attributes(closed)
    assert caught.value.field == "search_attributes"
    assert all(name in caught.value.problem for name in SEARCH_ATTRIBUTES)
    assert "ChamberIntervalSeconds=Int" in caught.value.problem
    assert "tcld namespace search-attributes add" in caught.value.remedy
    await register_search_attributes(operator)
    await eventually(lambda: accepts(closed))


async def fresh_namespace(server: Server) -> Client:
    """Whoever may do everything in a namespace that lacks everything; the server knows it after a while only."""
    everywhere = await Client.connect(server.address)
    request = RegisterNamespaceRequest(namespace=f"n-{uuid4().hex[:8]}")
    request.workflow_execution_retention_period.FromSeconds(86_400)
    await everywhere.workflow_service.register_namespace(request)
    client = Client(everywhere.service_client, namespace=request.namespace)
    await eventually(lambda: is_there(client))
    return client


async def is_there(client: Client) -> bool:
    try:
        await works(client)
    except RPCError:
        return False
    return True


async def accepts(client: Client) -> bool:
    try:
        await register_search_attributes(client)
    except InvalidFieldError:
        return False
    return True


async def test_a_namespace_that_is_not_there_is_named(gates: Gates, monkeypatch: pytest.MonkeyPatch) -> None:
    for gate in ("tls", "closed"):
        use(monkeypatch, gates.address(gate), gates.authority(), {"TEMPORAL_NAMESPACE": "nowhere"})
        with pytest.raises(InvalidFieldError, match="there is no namespace 'nowhere'") as caught:
            await register_search_attributes(await connect(retry_for_s=0))
        assert caught.value.field == "TEMPORAL_NAMESPACE"
