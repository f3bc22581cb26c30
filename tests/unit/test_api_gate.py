"""The API's guard: the gateway's word is believed, nobody else's is, and whoever comes directly is counted."""

import httpx
import pytest

from collector.domain.access import Scope, Traffic
from collector.domain.rates import DEFAULT_RATES, RateRule
from collector.domain.roles import Role
from collector.ports import Principal
from collector.ports.assertions import LIFE_S, SKEW_S, Assertion
from tests.unit.api_world import ENROLMENT, KEYS, SUBJECT
from tests.unit.gate_world import GateWorld

ASSERTION = "x-chamberlog-assertion"
OPERATOR = Principal("default", SUBJECT, Role.OPERATOR, credential=SUBJECT)


def _says(operation: str, principal: Principal | None = OPERATOR) -> Assertion:
    return Assertion(operation=operation, principal=principal, address="10.1.2.3")


async def test_the_gateways_word_stands_for_a_credential() -> None:
    gate = GateWorld()
    async with gate.client(None) as client:
        headers = {ASSERTION: gate.signer.sign(_says("chambers.list"))}
        assert (await client.get("/v1/chambers", headers=headers)).status_code == 200
        assert (await client.get("/v1/chambers")).status_code == 401


async def test_the_organization_is_the_one_that_the_gateway_names() -> None:
    gate = GateWorld()
    async with gate.client("default") as client:
        assert (await client.post("/v1/chambers", json=ENROLMENT)).status_code == 201
    foreign = Principal("other", "user/1", Role.VIEWER, credential="session/1")
    async with gate.client(None) as client:
        headers = {ASSERTION: gate.signer.sign(_says("chambers.show", foreign))}
        assert (await client.get("/v1/chambers/incubator-3", headers=headers)).status_code == 404
        own = {ASSERTION: gate.signer.sign(_says("chambers.show"))}
        assert (await client.get("/v1/chambers/incubator-3", headers=own)).status_code == 200


SPOOFS = [
    [("X-Chamberlog-Subject", "key/00000000000a")],
    [("x-chamberlog-role", "super-administrator")],
    [("X-CHAMBERLOG-ORGANIZATION", "default")],
    [("X_Chamberlog_Subject", "key/00000000000a")],
    [("x-chamberlog_subject", "key/00000000000a")],
    [("x_chamberlog-assertion", "{good}")],
    [("X-Chamberlog-Anything", "")],
    [("X-Chamberlog-", "x")],
    [("X-Chamberlog-Assertion", "")],
    [("X-Chamberlog-Assertion", "nonsense")],
    [("X-Chamberlog-Assertion", "{late}")],
    [("X-Chamberlog-Assertion", "{good}"), ("X-Chamberlog-Assertion", "{good}")],
    [("X-Chamberlog-Assertion", "{good}"), ("x-chamberlog-assertion", "nonsense")],
    [("X-Chamberlog-Assertion", "{good}"), ("X_Chamberlog_Role", "administrator")],
    [("X-Chamberlog-Assertion", "{good},{good}")],
    [("X-Chamberlog-Assertion", "Bearer {good}")],
]


@pytest.mark.parametrize(
    "path", ["/v1/chambers", "/v1/nothing", "/healthz", "/readyz", "/metrics", "/docs", "/nothing"]
)
@pytest.mark.parametrize("spoof", SPOOFS, ids=str)
async def test_whoever_plays_the_gateway_is_refused_whatever_key_comes_with_it(
    spoof: list[tuple[str, str]], path: str
) -> None:
    gate = GateWorld()
    good = gate.signer.sign(_says("chambers.list"))
    gate.clock.wall_ms -= (LIFE_S + SKEW_S) * 1000
    late = gate.signer.sign(_says("chambers.list"))
    gate.clock.wall_ms += (LIFE_S + SKEW_S) * 1000
    headers = [(name, value.format(good=good, late=late)) for name, value in spoof]
    async with gate.client("deployment") as client:
        answer = await client.get(path, headers=[*client.headers.items(), *headers])
    assert answer.status_code == 401, (path, spoof)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "x-chamberlog-" in answer.json()["errors"][0]["remedy"]


async def test_without_the_gateways_public_key_nobody_is_the_gateway() -> None:
    gate = GateWorld(believes=False)
    async with gate.client("default") as client:
        headers = {ASSERTION: gate.signer.sign(_says("chambers.list"))}
        assert (await client.get("/v1/chambers", headers=headers)).status_code == 401
        assert (await client.get("/v1/chambers")).status_code == 200


async def test_what_was_let_pass_is_good_for_that_and_nothing_else() -> None:
    gate = GateWorld()
    async with gate.client(None) as client:
        listing = {ASSERTION: gate.signer.sign(_says("chambers.list"))}
        assert (await client.get("/v1/chambers/incubator-3", headers=listing)).status_code == 401
        assert (await client.get("/v1/nothing", headers=listing)).status_code == 401
        assert (await client.get("/healthz", headers=listing)).status_code == 401
        nothing = {ASSERTION: gate.signer.sign(_says(""))}
        assert (await client.get("/v1/nothing", headers=nothing)).status_code == 404
        alive = {ASSERTION: gate.signer.sign(_says("health.live", None))}
        assert (await client.get("/healthz", headers=alive)).status_code == 200


async def test_a_gateway_with_another_table_cannot_give_more_than_ours_does() -> None:
    gate = GateWorld()
    limited = Principal("default", SUBJECT, Role.ADMINISTRATOR, scopes=frozenset({Scope.READINGS}), credential=SUBJECT)
    async with gate.client(None) as client:
        for principal, status in ((OPERATOR, 403), (limited, 403), (None, 401)):
            headers = {ASSERTION: gate.signer.sign(_says("chambers.enrol", principal))}
            answer = await client.post("/v1/chambers", json=ENROLMENT, headers=headers)
            assert answer.status_code == status, answer.text


async def test_whoever_comes_directly_is_counted_and_told() -> None:
    gate = GateWorld()
    async with gate.client() as client:
        answers = [await client.get("/v1/chambers") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["ratelimit"] for answer in answers] == [
        '"read";r=2;t=60',
        '"read";r=1;t=60',
        '"read";r=0;t=60',
        '"read";r=0;t=60',
    ]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"read";q=3;w=60'}
    assert answers[3].headers["retry-after"] == "60"
    problem = answers[3].json()
    assert problem["type"] == "urn:chamberlog:problem:too-many-requests"
    assert problem["errors"][0]["remedy"] == "wait 60 s"
    assert "retry-after" not in answers[0].headers


async def test_classes_and_subjects_are_counted_apart_and_time_helps() -> None:
    gate = GateWorld()
    async with gate.client() as client, gate.client("other") as other:
        for _ in range(4):
            await client.get("/v1/chambers")
        assert (await client.get("/v1/sections")).status_code == 429
        assert (await client.post("/v1/chambers", json=ENROLMENT)).headers["ratelimit"] == '"write";r=1;t=60'
        assert (await other.get("/v1/chambers")).status_code == 200
        gate.clock.steady_ms += 120_000
        assert (await client.get("/v1/chambers")).status_code == 200


async def test_looking_for_what_there_is_not_counts_as_a_read() -> None:
    gate = GateWorld()
    async with gate.client() as client:
        statuses = [(await client.get(f"/v1/nothing/{n}")).status_code for n in range(4)]
        assert statuses == [404, 404, 404, 429]
        assert (await client.get("/v1/chambers")).status_code == 429


async def test_problems_of_routes_tell_what_is_left_too() -> None:
    gate = GateWorld()
    async with gate.client() as client:
        answer = await client.get("/v1/chambers/nobody")
    assert (answer.status_code, answer.headers["ratelimit"]) == (404, '"read";r=2;t=60')


async def test_what_the_gateway_counted_is_not_counted_again() -> None:
    gate = GateWorld()
    async with gate.client(None) as client:
        headers = {ASSERTION: gate.signer.sign(_says("chambers.list"))}
        answers = [await client.get("/v1/chambers", headers=headers) for _ in range(6)]
    assert {answer.status_code for answer in answers} == {200}
    assert "ratelimit" not in answers[0].headers


async def test_whoever_nobody_knows_is_counted_by_address_and_cannot_choose_it() -> None:
    rates = {**DEFAULT_RATES, Traffic.SIGN_IN: RateRule(2, 60)}
    gate = GateWorld(rates=rates)

    async def asks(address: str) -> httpx.Response:
        async with gate.client(None, address) as client:
            headers = {"X-Forwarded-For": f"{len(seen)}.1.1.1", "Forwarded": "for=1.1.1.1"}
            answer = await client.post("/v1/auth/sign-in", json={}, headers=headers)
            seen.append(answer.status_code)
            return answer

    seen: list[int] = []
    await asks("192.168.1.9")
    await asks("192.168.1.9")
    refused = await asks("192.168.1.9")
    assert refused.status_code == 429
    assert refused.headers["ratelimit-policy"] == '"sign-in";q=2;w=60'
    assert (await asks("192.168.1.10")).status_code != 429
    for last in range(3):  # one network of IPv6 is one caller
        answer = await asks(f"2001:db8:1:2::{last + 1:x}")
    assert answer.status_code == 429
    assert (await asks("2001:db8:1:3::1")).status_code != 429
    assert (await asks("::ffff:192.168.1.9")).status_code == 429


async def test_wrong_credentials_do_not_use_up_anybodys_count() -> None:
    gate = GateWorld()
    async with gate.client(None) as client:
        for _ in range(5):
            answer = await client.get("/v1/chambers", headers={"Authorization": f"Bearer {KEYS['default'][:-1]}B"})
            assert answer.status_code == 401
    async with gate.client() as client:
        assert (await client.get("/v1/chambers")).headers["ratelimit"] == '"read";r=2;t=60'
