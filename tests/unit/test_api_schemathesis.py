"""Requests made from the OpenAPI document, and answers held against it.

No answer is a server error, has a status that the document does not know, or another form than it says; and what the
document forbids is refused. `make test` tries 600 requests, `make test-long` 6,000 others.
"""

import copy
from collections import Counter
from functools import cache
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks
from starlette.responses import JSONResponse, Response

from adapters.memory import InMemoryInvitations, InMemoryOutcomes
from collector.domain.outcome import Gap, GapReason, Outcome
from collector.domain.profile_document import ProfileDocument, ProfileOrigin
from collector.domain.roles import Role
from collector.ports import SaveBatch
from collector.ports.users import Invitation, Token
from tests.unit.api_world import ENROLMENT, KEYS, World, a_reading
from tests.unit.people_world import IDS, PASSWORD, somebody

PARTS, CASES = 6, 100
"""One part a test, so that both cores have something to do."""
LONG_PARTS, LONG_CASES = 12, 500
LEAST_GOOD = 0.3
"""Share of requests that must be answered with 2xx: the others say nothing about good answers."""
KEY = {"Authorization": f"Bearer {KEYS['deployment']}"}
STREAMS = {"/v1/live"}
"""Left out: the answer does not end."""
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.negative_data_rejection,
]
ATTIC = "name: attic\nmeasurements: [{name: temperature, select: t, unit: Cel}]\n"
ATTIC_VERSION = ProfileDocument("attic", ATTIC, ProfileOrigin.ORGANIZATION).version
INVITATION = "0a9e77d25c1f"
KNOWN = {
    "chamber_id": ["incubator-3", "incubator-4"],
    "section_id": ["default", "attic"],
    "batch_id": ["CHO-17.2", "HEK-1"],
    "organization_id": ["default", "other"],
    "detector": ["temperature"],
    "operation_id": ["power-test"],
    "profile_name": ["attic", "airgradient"],
    "user_id": [IDS["ada"], IDS["op"]],
    "invitation_id": [INVITATION],
}
"""What is there, by the name of the parameter."""
SAID: dict[str, list[Any]] = {
    "section": ["default", "attic"],
    "chamber": ["incubator-3", "incubator-4"],
    "profile": ["airgradient", "generic-json"],
    "url": ["http://192.168.1.20"],
    "id": ["new-one", "incubator-3"],
    "interval_s": [1, 60],
    "timeout_s": [0.5],
    "from": ["2026-03-01T00:00:00Z"],
    "to": ["2026-03-02T00:00:00Z"],
    "at": ["2026-03-01T12:30:00Z"],
    "until": ["2026-03-02T00:00:00Z"],
    "started_at": ["2026-02-01T00:00:00Z"],
    "ended_at": ["2026-02-02T00:00:00Z"],
    "detector": ["temperature"],
    "alias": ["core"],
    "secret_ref": ["env:LAB3"],
    "timezone": ["Europe/Prague"],
    "serial_number": ["84fce612f5b8"],
    "document": [ATTIC],
    "version": [ATTIC_VERSION],
    "reason": ["door service"],
    "email": ["ada@example.org", "eve@example.org", "new@example.org"],
    "role": ["viewer", "operator", "administrator"],
    "password": [PASSWORD],
    "new_password": ["another horse, another staple"],
    "first_name": ["Ada"],
    "last_name": ["Lovelace"],
}
"""Words that make sense, by the name of the field: no schema says which profiles there are."""


class Served:
    """An application with something of everything, the same before each request."""

    def __init__(self) -> None:
        self.world = World()
        self.schema = schemathesis.openapi.from_asgi("/openapi.json", self.world.app)
        found = [result.ok() for result in self.schema.get_all_operations() if isinstance(result, Ok)]
        self.operations = [operation for operation in found if operation.path not in STREAMS]
        self._kept: list[tuple[dict[Any, Any], dict[Any, Any]]] = []

    async def fill(self) -> None:
        """Two chambers with readings and a gap, two sections that were paused and resumed, two batches."""
        world = self.world
        if self._kept:
            return
        async with world.client("deployment") as client:
            for path, body in (
                ("sections", {"id": "attic"}),
                ("chambers", ENROLMENT),
                ("chambers", {**ENROLMENT, "id": "incubator-4", "section": "attic"}),
                ("batches", {"id": "CHO-17.2", "section": "default"}),
                ("batches", {"id": "HEK-1", "section": "attic", "ended_at": "2026-03-09T00:00:00Z"}),
            ):
                assert (await client.post(f"/v1/{path}", json=body)).status_code == 201
            assert (await client.put("/v1/profiles/attic", json={"document": ATTIC})).status_code == 201
            order = {"Idempotency-Key": "power-test"}
            for section in KNOWN["section_id"]:
                assert (await client.post(f"/v1/sections/{section}/pause", headers=order)).status_code == 202
                assert (await client.post(f"/v1/sections/{section}/resume")).status_code == 202
        await somebody(world)
        await somebody(world, "op", Role.OPERATOR)
        invitation = Invitation(
            id=INVITATION,
            organization="default",
            email="eve@example.org",
            role=Role.VIEWER,
            created_by="key/x",
            created_ms=world.clock.wall_ms,
            expires_ms=world.clock.wall_ms + 86_400_000,
        )
        await InMemoryInvitations(world.ledger).invite(invitation, Token("0" * 12, bytes(32), invitation.expires_ms))
        world.clock.wall_ms += 600_000
        for name in KNOWN["chamber_id"]:
            spec = world.ledger.chambers[name].spec
            slots = [spec.grid.after(world.clock.wall_ms - n * 60_000) for n in (5, 4, 3)]
            gap = Gap(slots[2], slots[2], GapReason.TIMEOUT, "10 s")
            outcomes: list[Outcome] = [*(a_reading(spec, slot) for slot in slots[:2]), gap]
            await InMemoryOutcomes(world.ledger).save(SaveBatch(name, outcomes, slots[2]))
        self._kept = [(kept, copy.deepcopy(kept)) for kept in world.kept()]

    def restore(self) -> None:
        """Undo whatever the last request has done."""
        for now, then in self._kept:
            now.clear()
            now.update(copy.deepcopy(then))


@cache
def served() -> Served:
    """One for all requests: to make an application takes longer than to ask it."""
    return Served()


Case = schemathesis.Case[Any]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A request that the document allows, or forbids; mostly of things that are there, mostly in words that fit."""
    operation: Any = draw(st.sampled_from(served().operations))
    parameters = {parameter.name: parameter for parameter in operation.iter_parameters()}
    takes = operation.body or any(p.location == "query" for p in parameters.values())
    mode = GenerationMode.NEGATIVE if takes and draw(st.integers(0, 3)) == 0 else GenerationMode.POSITIVE
    fixed: dict[str, Any] = {"headers": KEY}
    if draw(st.integers(0, 4)):
        fixed["path_parameters"] = {
            n: draw(st.sampled_from(KNOWN[n])) for n in parameters if n in KNOWN and f"{{{n}}}" in operation.path
        }
    case: Case = draw(operation.as_strategy(mode, **fixed))
    if mode is GenerationMode.POSITIVE and draw(st.integers(0, 3)):
        for said in (case.query, case.body):
            if isinstance(said, dict):
                said.update({name: draw(st.sampled_from(SAID[name])) for name in said if name in SAID})
        if "if-match" in {name.lower() for name in parameters}:
            case.headers["If-Match"] = draw(st.sampled_from(["*", '"1"', '"1", "2"', '"7"']))
    return case


def tried(number: int, count: int) -> Counter[int]:
    """Try that many requests, the same ones for the same number; how often each status was answered."""
    answers: Counter[int] = Counter()

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases())
    def one(case: Case) -> None:
        served().restore()
        answer = case.call()
        answers[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    one()
    return answers


def share_of_good(answers: Counter[int]) -> float:
    """Answers of 2xx among all of them."""
    return sum(count for status, count in answers.items() if status < 300) / answers.total()


@pytest.mark.parametrize("part", range(PARTS))
async def test_every_answer_is_as_the_document_says(part: int) -> None:
    await served().fill()
    answers = tried(part, CASES)
    assert answers.total() >= CASES
    assert share_of_good(answers) >= LEAST_GOOD, answers


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(100, 100 + LONG_PARTS))
async def test_every_answer_of_many_is_as_the_document_says(part: int) -> None:
    await served().fill()
    answers = tried(part, LONG_CASES)
    assert answers.total() >= LONG_CASES
    assert share_of_good(answers) >= LEAST_GOOD, answers


class Answered(BaseModel):
    """What the planted application says that it answers."""

    name: str


def planted() -> FastAPI:
    """An application that does what ours must not do, each wrong in a route of its own."""
    app = FastAPI()

    @app.get("/status", response_model=Answered)
    async def status() -> Response:
        return JSONResponse({"name": "x"}, status_code=418)

    @app.get("/form", response_model=Answered)
    async def form() -> Response:
        return JSONResponse({"named": "x"})

    @app.get("/type", response_model=Answered)
    async def kind() -> Response:
        return Response("name: x", media_type="text/plain")

    @app.get("/bug", response_model=Answered)
    async def bug() -> Response:
        return JSONResponse({}, status_code=500)

    return app


@pytest.mark.parametrize(
    ("path", "failure"),
    [
        ("/status", "Undocumented status code"),
        ("/form", "Response violates schema"),
        ("/type", "Undocumented Content-Type"),
        ("/bug", "Server error"),
    ],
)
def test_an_answer_that_is_not_as_the_document_says_is_found(path: str, failure: str) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", planted())
    case = schema[path]["GET"].Case()
    with pytest.raises(FailureGroup) as found:
        case.call_and_validate(checks=CHECKS)
    assert failure in {error.title for error in found.value.exceptions}
