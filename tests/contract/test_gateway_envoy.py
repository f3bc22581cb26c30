"""The gate as clients meet it: through a real Envoy, with real PostgreSQL and Valkey behind it."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Iterator

import grpc
import httpx
import pytest
import pytest_asyncio

from adapters.api_keys import new_key
from adapters.assertions import new_key_pair
from adapters.postgres.keys import PostgresKeys
from adapters.postgres.organizations import PostgresOrganizations
from adapters.postgres.pool import Postgres
from api.grpc.generated.chamberlog.v1.sections_pb2 import ListSectionsRequest, ListSectionsResponse
from collector.domain.organization import Organization
from collector.domain.roles import Role
from collector.ports.keys import KeyTerms, NewKey
from tests.contract.conftest import TestServer
from tests.contract.envoy_gateway import Gateway, eventually, running, together
from tests.contract.valkey_server import ValkeyServer

LIMITS = "read=40/60s,sign-in=5/60s"
Keys = dict[str, NewKey]


@pytest.fixture(scope="module")
def keys() -> Keys:
    """By whose they are; `busy` ones are for tests that use up a limit."""
    return {name: new_key() for name in ("default", "other", "super", "busy", "unlucky", "spoofer", "alone", "grpc")}


@pytest.fixture(scope="module")
def gateway(
    postgres_server: TestServer, shared_valkey: ValkeyServer, tmp_path_factory: pytest.TempPathFactory, keys: Keys
) -> Iterator[Gateway]:
    """One for the module; Temporal is away, and nothing here needs it."""
    database = asyncio.run(_filled(postgres_server, keys))
    environment = {
        "CHAMBERLOG_POSTGRES": database,
        "CHAMBERLOG_REDIS": shared_valkey.url,
        "CHAMBERLOG_RATE_LIMITS": LIMITS,
        "TEMPORAL_ADDRESS": "127.0.0.1:1",
    }
    with running(tmp_path_factory.mktemp("gateway"), environment, new_key_pair()) as made:
        yield made


async def _filled(server: TestServer, keys: Keys) -> str:
    database = await server.database()
    postgres = Postgres(database)
    await PostgresOrganizations(postgres).add(Organization(id="other", name="Other"))
    for name, key in keys.items():
        organization = "other" if name == "other" else "default"
        terms = KeyTerms(role=Role.SUPER_ADMINISTRATOR if name == "super" else Role.ADMINISTRATOR)
        await PostgresKeys(postgres).add(key.id, key.secret_sha256, organization, name, terms)
    await postgres.close()
    return database


@pytest_asyncio.fixture
async def client(gateway: Gateway, keys: Keys) -> AsyncIterator[httpx.AsyncClient]:
    """Of the organization `default`."""
    gateway.start()
    async with gateway.client(keys["default"].text) as made:
        yield made


async def test_a_key_opens_the_door_and_nothing_else_does(gateway: Gateway, client: httpx.AsyncClient) -> None:
    passed = await client.get("/v1/sections")
    assert (passed.status_code, [s["id"] for s in passed.json()["items"]]) == (200, ["default"])
    async with gateway.client() as nobody:
        refused = await nobody.get("/v1/sections")
        wrong = await nobody.get("/v1/sections", headers={"Authorization": "Bearer " + new_key().text})
    for answer in (refused, wrong):
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"] == 'Bearer realm="chamberlog"'
        assert answer.json()["type"] == "urn:chamberlog:problem:unauthorized"


async def test_beyond_the_role_is_403(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/organizations", json={"id": "mine", "name": "Mine"})
    assert answer.status_code == 403
    assert "super-administrator" in answer.json()["detail"]
    assert (await client.get("/metrics")).status_code == 403


@pytest.mark.parametrize("tail", ["%0A", "%0a%20", "%0D", "/", "/.", ";", "%2F", "%3F", "%23", "?x#", "%0A?x"])
async def test_a_path_that_is_almost_another_one_leads_nowhere(client: httpx.AsyncClient, tail: str) -> None:
    """What the table does not know, neither the gateway nor the API takes for what it does know."""
    made = await client.post("/v1/organizations" + tail, json={"id": "mine", "name": "Mine"})
    assert made.status_code in (400, 403, 404, 405), made.text
    read = await client.get("/metrics" + tail)
    assert read.status_code in (400, 403, 404, 405), read.text


async def test_across_organizations_is_404(gateway: Gateway, client: httpx.AsyncClient, keys: Keys) -> None:
    async with gateway.client(keys["super"].text) as chief:
        there = await chief.post("/v1/sections", json={"id": "theirs"}, headers={"Chamberlog-Organization": "other"})
        assert there.status_code == 201, there.text
        assert (await chief.get("/v1/sections/theirs")).status_code == 404
        acting = await chief.get("/v1/sections/theirs", headers={"Chamberlog-Organization": "other"})
        assert acting.status_code == 200
        assert (await chief.get("/v1/sections", headers={"Chamberlog-Organization": "nowhere"})).status_code == 404
    assert (await client.get("/v1/sections/theirs")).status_code == 404
    answer = await client.get("/v1/sections/theirs", headers={"Chamberlog-Organization": "other"})
    assert (answer.status_code, answer.json()["errors"][0]["problem"]) == (404, "no organization 'other'")


async def test_past_the_limit_is_429_and_says_when_to_come_again(gateway: Gateway, keys: Keys) -> None:
    async with gateway.client(keys["busy"].text) as busy:
        first = await busy.get("/v1/sections")
        assert first.headers["ratelimit-policy"] == '"read";q=40;w=60'
        assert first.headers["ratelimit"] == '"read";r=39;t=60'
        counted = await _fallbacks(gateway)
        statuses = await together(busy, "/v1/sections", 60)
        by_itself = await _fallbacks(gateway) - counted  # on a machine so busy that Valkey seemed away
        assert set(statuses) == {200, 429}
        assert 39 <= statuses.count(200) <= 39 + by_itself
        refused = await busy.get("/v1/sections")
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["ratelimit"].startswith('"read";r=0;t=')
    assert refused.json()["type"] == "urn:chamberlog:problem:too-many-requests"


async def test_whoever_signs_in_is_counted_by_address_whatever_he_says_of_it(gateway: Gateway) -> None:
    async with gateway.client() as nobody:
        answers = [
            await nobody.post(
                "/v1/auth/sign-in", json={}, headers={"X-Forwarded-For": f"{n}.1.1.1", "X-Real-IP": f"{n}"}
            )
            for n in range(7)
        ]
    assert [answer.status_code == 429 for answer in answers] == [False] * 5 + [True] * 2
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"sign-in";q=5;w=60'}


SPOOFS: list[tuple[list[tuple[str, str]], int]] = [
    ([("x-chamberlog-subject", "key/super")], 403),
    ([("X-Chamberlog-Role", "super-administrator")], 403),
    ([("X-CHAMBERLOG-ORGANIZATION", "other"), ("x-chamberlog-organization", "other")], 403),
    ([("x-chamberlog-assertion", "nonsense")], 403),
    ([("X-Chamberlog-Client", "9.9.9.9")], 403),
    ([("X_Chamberlog_Role", "super-administrator")], 400),
    ([("Connection", "close, x-chamberlog-assertion, x-chamberlog-role")], 403),
    ([("Connection", "x-chamberlog-subject"), ("x-chamberlog-subject", "key/super")], 403),
]


@pytest.mark.parametrize(("spoof", "status"), SPOOFS, ids=str)
async def test_identity_headers_of_a_client_have_no_effect(
    gateway: Gateway, client: httpx.AsyncClient, keys: Keys, spoof: list[tuple[str, str]], status: int
) -> None:
    async with gateway.client() as nobody:
        answer = await nobody.get("/v1/sections", headers=spoof)
        assert answer.status_code in (400, 401)
    headers = [("Authorization", f"Bearer {keys['spoofer'].text}"), *spoof]
    async with gateway.client() as spoofer:
        answer = await spoofer.post("/v1/organizations", json={"id": "mine", "name": "M"}, headers=headers)
        assert answer.status_code == status, answer.text
        if status != 400:
            seen = await spoofer.get("/v1/sections", headers=headers)
            assert [s["organization"] if "organization" in s else s["id"] for s in seen.json()["items"]] == ["default"]


async def test_the_same_headers_sent_to_the_api_itself_are_refused(gateway: Gateway, keys: Keys) -> None:
    async with gateway.client(keys["super"].text, gateway.api_url) as direct:
        assert (await direct.get("/v1/sections")).status_code == 200
        for spoof, _ in SPOOFS:
            if any(name.lower().startswith("x") for name, _ in spoof):
                headers = [*direct.headers.items(), *spoof]
                assert (await direct.get("/v1/sections", headers=headers)).status_code == 401, spoof
                assert (await direct.get("/healthz", headers=headers)).status_code == 401, spoof


async def test_paths_that_try_to_be_others_are_judged_as_what_they_are(gateway: Gateway) -> None:
    async with gateway.client() as nobody:
        for path in (
            "/healthz/../v1/sections",
            "/healthz/%2e%2e/v1/sections",
            "//v1/sections",
            "/docs/..//v1/sections",
        ):
            request = nobody.build_request("GET", "/")
            request.url = request.url.copy_with(raw_path=path.encode())
            assert (await nobody.send(request)).status_code == 401, path
        request = nobody.build_request("GET", "/")
        request.url = request.url.copy_with(raw_path=b"/healthz%2f..%2fv1/sections")
        assert (await nobody.send(request)).status_code == 400


async def test_temporals_pages_take_a_super_administrators_key_as_password(gateway: Gateway, keys: Keys) -> None:
    def basic(key: NewKey) -> dict[str, str]:
        return {"Authorization": "Basic " + base64.b64encode(f"me:{key.text}".encode()).decode()}

    async with gateway.client() as browser:
        shut = await browser.get("/temporal/")
        assert (shut.status_code, shut.headers["www-authenticate"][:12]) == (401, "Basic realm=")
        assert (await browser.get("/temporal/", headers=basic(keys["default"]))).status_code == 403
        opened = await browser.get("/temporal/", headers=basic(keys["super"]))
        assert (opened.status_code, opened.json()["errors"][0]["field"]) == (404, "path")  # the API has no such page


METADATA: list[tuple[str, str | bytes]] = [
    ("x-chamberlog-subject", "key/super"),
    ("x-chamberlog-role", "super-administrator"),
    ("x-chamberlog-assertion", "nonsense"),
    ("x-chamberlog-trace-bin", b"\x00\xff"),
]


async def _sections(channel: grpc.aio.Channel, *metadata: tuple[str, str | bytes]) -> list[str]:
    method = channel.unary_unary(
        "/chamberlog.v1.Sections/ListSections",
        request_serializer=ListSectionsRequest.SerializeToString,
        response_deserializer=ListSectionsResponse.FromString,
    )
    answer = await method(ListSectionsRequest(), metadata=metadata, timeout=10)
    return [section.id for section in answer.sections]


async def _status(channel: grpc.aio.Channel, *metadata: tuple[str, str | bytes]) -> grpc.StatusCode | None:
    try:
        await _sections(channel, *metadata)
    except grpc.aio.AioRpcError as error:
        return error.code()
    return None


async def test_grpc_passes_the_same_gate(gateway: Gateway, client: httpx.AsyncClient, keys: Keys) -> None:
    bearer = ("authorization", f"Bearer {keys['grpc'].text}")
    async with gateway.grpc() as channel:
        assert await _sections(channel, bearer) == ["default"]
        assert await _status(channel) is grpc.StatusCode.UNAUTHENTICATED
        foreign = ("chamberlog-organization", "other")
        assert await _status(channel, bearer, foreign) is grpc.StatusCode.NOT_FOUND
        for spoof in METADATA:
            assert await _sections(channel, bearer, spoof) == ["default"], spoof
            assert await _status(channel, spoof) is grpc.StatusCode.UNAUTHENTICATED, spoof
        codes = [await _status(channel, bearer) for _ in range(40)]
    assert set(codes) == {None, grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert codes.count(None) == 40 - 1 - 1 - len(METADATA)  # what was let in before, or was counted and then refused
    async with gateway.grpc(direct=True) as channel:
        fresh = ("authorization", f"Bearer {keys['default'].text}")
        assert await _sections(channel, fresh) == ["default"]
        for spoof in METADATA:
            assert await _status(channel, fresh, spoof) is grpc.StatusCode.UNAUTHENTICATED, spoof


async def test_a_revoked_key_is_refused_with_the_next_request(gateway: Gateway, keys: Keys) -> None:
    async with gateway.client(keys["unlucky"].text) as unlucky:
        assert (await unlucky.get("/v1/sections")).status_code == 200
        postgres = Postgres(gateway.environment["CHAMBERLOG_POSTGRES"])
        assert await PostgresKeys(postgres).revoke(keys["unlucky"].id)
        await postgres.close()
        assert (await unlucky.get("/v1/sections")).status_code == 401


async def test_without_the_authz_service_the_door_is_shut(gateway: Gateway, client: httpx.AsyncClient) -> None:
    gateway.kill("authz")
    answer = await client.get("/v1/sections")
    assert answer.status_code == 503
    begun_s = time.monotonic()
    assert set(await together(client, "/v1/sections", 20)) == {503}
    assert time.monotonic() - begun_s < 5
    gateway.start()
    assert (await client.get("/v1/sections")).status_code == 200


async def test_without_valkey_it_is_open_to_the_services_own_limit_and_that_is_counted(
    gateway: Gateway, client: httpx.AsyncClient, shared_valkey: ValkeyServer, keys: Keys
) -> None:
    before = await _fallbacks(gateway)
    shared_valkey.kill()
    try:
        async with gateway.client(keys["alone"].text) as alone:
            statuses = await together(alone, "/v1/sections", 50)
        assert (statuses.count(200), statuses.count(429)) == (40, 10)
        assert await _fallbacks(gateway) - before == 50
    finally:
        shared_valkey.start()

    def counts_again() -> bool:
        async def ask() -> float:
            async with gateway.client(keys["other"].text) as other:
                counted = await _fallbacks(gateway)
                await other.get("/v1/organizations")
                return await _fallbacks(gateway) - counted

        return asyncio.run(ask()) == 0

    await asyncio.to_thread(eventually, counts_again, "Valkey counts again")


async def test_a_signal_ends_the_service_cleanly_and_a_second_start_finds_its_port(gateway: Gateway) -> None:
    assert gateway.parts["authz"].stop() == 0
    assert "Traceback" not in gateway.parts["authz"].log_tail()
    gateway.start()


async def _fallbacks(gateway: Gateway) -> float:
    async with gateway.client(url=gateway.authz_url) as scraper:
        text = (await scraper.get("/metrics")).text
    return sum(
        float(line.split()[-1]) for line in text.splitlines() if line.startswith("chamberlog_limit_fallbacks_total")
    )
