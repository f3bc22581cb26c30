"""The authz service as Envoy asks it, beside what the API would answer itself."""

import base64

import httpx
import pytest

from adapters.assertions import Ed25519Verifier
from collector.domain.rates import DEFAULT_RATES
from collector.domain.roles import Role
from collector.ports import Principal
from tests.unit.api_world import KEYS, SUBJECT
from tests.unit.gate_world import PAIR, GateWorld

DEPLOYMENT = "key/" + "0" * 11 + "d"


async def _asked(gate: GateWorld, path: str, whose: str | None = "default", **options: object) -> httpx.Response:
    method = str(options.pop("method", "GET"))
    async with gate.gateway(whose) as envoy:
        return await envoy.request(method, f"/authz{path}", **options)  # type: ignore[arg-type]  # headers alone


def _basic(password: str, name: str = "anybody") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


async def test_whoever_may_gets_identity_headers_and_a_signed_assertion() -> None:
    gate = GateWorld()
    answer = await _asked(gate, "/v1/chambers?limit=5", headers={"x-chamberlog-client": "10.9.8.7"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["x-chamberlog-subject"] == SUBJECT
    assert answer.headers["x-chamberlog-organization"] == "default"
    assert answer.headers["x-chamberlog-role"] == "administrator"
    assert answer.headers["ratelimit"] == '"read";r=2;t=60'
    said = Ed25519Verifier(PAIR.public, gate.clock).verify(answer.headers["x-chamberlog-assertion"])
    assert said is not None
    assert (said.operation, said.address) == ("chambers.list", "10.9.8.7")
    assert said.principal == Principal("default", SUBJECT, Role.ADMINISTRATOR, credential=SUBJECT)


async def test_the_api_takes_what_the_service_says() -> None:
    gate = GateWorld()
    for method, path in (("GET", "/v1/chambers"), ("GET", "/healthz"), ("GET", "/v1/organizations")):
        said = await _asked(gate, path, method=method)
        names = [name for name in said.headers if name.startswith("x-chamberlog-")]
        assert len(names) == 4
        async with gate.client(None) as client:
            answer = await client.request(method, path, headers={name: said.headers[name] for name in names})
        assert answer.status_code == 200, (path, answer.text)


@pytest.mark.parametrize(
    ("forwarded", "client", "address"),
    [
        (None, None, "127.0.0.1"),
        ("192.168.1.5", None, "192.168.1.5"),
        ("1.1.1.1, 2.2.2.2,192.168.1.5", None, "192.168.1.5"),
        ("1.1.1.1", "192.168.1.6", "192.168.1.6"),
        ("", "", "127.0.0.1"),
    ],
)
async def test_the_callers_address_is_what_envoy_says(forwarded: str | None, client: str | None, address: str) -> None:
    gate = GateWorld()
    headers = {"x-forwarded-for": forwarded, "x-chamberlog-client": client}
    answer = await _asked(gate, "/healthz", None, headers={k: v for k, v in headers.items() if v is not None})
    said = Ed25519Verifier(PAIR.public, gate.clock).verify(answer.headers["x-chamberlog-assertion"])
    assert said is not None
    assert (said.address, said.principal) == (address, None)
    assert answer.headers["x-chamberlog-subject"] == "-"


REFUSALS = [
    ("GET", "/v1/chambers", None, {}, 401),
    ("GET", "/v1/chambers", None, {"Authorization": f"Bearer {KEYS['default'][:-1]}B"}, 401),
    ("GET", "/v1/chambers", None, {"Authorization": f"Basic {KEYS['default']}"}, 401),
    ("GET", "/v1/nothing", None, {}, 401),
    ("POST", "/v1/organizations", "default", {}, 403),
    ("GET", "/v1/chambers", "default", {"Chamberlog-Organization": "other"}, 404),
    ("GET", "/v1/chambers", "deployment", {"Chamberlog-Organization": "nowhere"}, 404),
]


@pytest.mark.parametrize(("method", "path", "whose", "headers", "status"), REFUSALS)
async def test_refusals_are_those_of_the_api_run_directly(
    method: str, path: str, whose: str | None, headers: dict[str, str], status: int
) -> None:
    gate = GateWorld()
    behind = await _asked(gate, path, whose, method=method, headers=headers)
    async with gate.client(whose) as client:
        direct = await client.request(method, path, headers=headers)
    assert behind.status_code == direct.status_code == status
    assert behind.json() == direct.json()
    assert _without_length(behind) == _without_length(direct)


async def test_past_the_limit_and_while_the_store_is_away_too() -> None:
    gate = GateWorld()
    async with gate.client() as client:
        for _ in range(3):
            await _asked(gate, "/v1/chambers")
            await client.get("/v1/chambers")
        behind, direct = await _asked(gate, "/v1/chambers"), await client.get("/v1/chambers")
        assert behind.status_code == direct.status_code == 429
        assert behind.json() == direct.json()
        assert _without_length(behind) == _without_length(direct)
    gate = GateWorld()
    gate.world.ledger.away = True
    async with gate.client() as client:
        behind, direct = await _asked(gate, "/v1/chambers"), await client.get("/v1/chambers")
    assert behind.status_code == direct.status_code == 503
    assert behind.json() == direct.json()
    assert _without_length(behind) == _without_length(direct)
    assert behind.headers["retry-after"] == "5"


async def test_a_super_administrator_acts_where_it_says() -> None:
    gate = GateWorld()
    answer = await _asked(gate, "/v1/chambers", "deployment", headers={"chamberlog-organization": "other"})
    assert answer.headers["x-chamberlog-organization"] == "other"
    assert answer.headers["x-chamberlog-subject"] == DEPLOYMENT


async def test_grpc_methods_are_known_by_their_path() -> None:
    gate = GateWorld()
    said = await _asked(gate, "/chamberlog.v1.Chambers/ListChambers", method="POST")
    token = Ed25519Verifier(PAIR.public, gate.clock).verify(said.headers["x-chamberlog-assertion"])
    assert token is not None
    assert token.operation == "chambers.list"
    refused = await _asked(gate, "/chamberlog.v1.Organizations/CreateOrganization", method="POST")
    assert refused.status_code == 403


@pytest.mark.parametrize(
    "path", ["/temporal", "/temporal/", "/temporal/namespaces/default/workflows", "/temporal/_app/x.js"]
)
async def test_temporals_pages_open_to_browsers_with_a_super_administrators_key(path: str) -> None:
    gate = GateWorld()
    gate_answers = [
        (await _asked(gate, path, None, headers=headers)).status_code
        for headers in (
            _basic(KEYS["deployment"]),
            _basic(KEYS["deployment"], ""),
            _basic(KEYS["default"]),
            _basic(KEYS["deployment"][:-1] + "B"),
            {},
        )
    ]
    assert gate_answers == [200, 200, 403, 401, 401]
    shut = await _asked(gate, path, None)
    assert shut.headers["www-authenticate"].startswith("Basic realm=")


@pytest.mark.parametrize(
    "wrong", ["Basic", "Basic !", "Basic " + "A" * 3, "Basic " + base64.b64encode(b"\xff:x").decode()]
)
async def test_a_torn_password_is_none(wrong: str) -> None:
    assert (await _asked(GateWorld(), "/temporal", None, headers={"Authorization": wrong})).status_code == 401


async def test_a_password_is_no_credential_anywhere_else() -> None:
    gate = GateWorld()
    for path in ("/v1/chambers", "/metrics", "/temporalx", "/v1/temporal"):
        answer = await _asked(gate, path, None, headers=_basic(KEYS["deployment"]))
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer ")


async def test_probes_and_scrapers_are_answered_beside_it() -> None:
    gate = GateWorld()
    await _asked(gate, "/v1/chambers")
    await _asked(gate, "/v1/chambers", None)
    async with gate.gateway(None) as client:
        assert (await client.get("/healthz")).json() == {"status": "alive"}
        assert (await client.get("/readyz")).json() == {"status": "ready"}
        text = (await client.get("/metrics")).text
        assert 'chamberlog_authz_duration_seconds_count{status="200"} 1.0' in text
        assert 'chamberlog_authz_duration_seconds_count{status="401"} 1.0' in text
        assert "chamberlog_limit_fallbacks_total 0.0" in text
        lost = await client.get("/authzx")
        assert (lost.status_code, lost.headers["content-type"]) == (404, "application/problem+json")
        gate.world.ledger.away = True
        away = await client.get("/readyz")
        assert (away.status_code, away.json()["detail"]) == (503, "away: postgresql")


def _without_length(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "content-length"}


async def test_what_the_service_refuses_is_an_audit_event_by_the_way_it_was_asked_for() -> None:
    gate = GateWorld(rates=dict(DEFAULT_RATES))
    headers = {"x-chamberlog-client": "10.9.8.7"}
    path = "/v1/chambers/incubator-3/pause"
    assert (await _asked(gate, path, "viewer", method="POST", headers=headers)).status_code == 403
    grpc = {**headers, "content-type": "application/grpc"}
    asked = await _asked(gate, "/chamberlog.v1.Chambers/PauseChamber", "viewer", method="POST", headers=grpc)
    assert asked.status_code == 403
    played = await _asked(gate, path, "viewer", method="POST", headers=grpc)
    assert played.status_code == 403
    assert (await _asked(gate, "/v1/organizations", "viewer", method="POST", headers=headers)).status_code == 403
    assert (await _asked(gate, path, None, method="POST")).status_code == 401
    told = [(event.action, event.source.value, event.target, event.address) for event in gate.world.ledger.events]
    assert told == [
        ("chambers.pause", "api", "chamber/incubator-3", "10.9.8.7"),
        ("chambers.pause", "grpc", "", "10.9.8.7"),
        ("chambers.pause", "api", "chamber/incubator-3", "10.9.8.7"),
        ("organizations.add", "api", "", "10.9.8.7"),
    ]
