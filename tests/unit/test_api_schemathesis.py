"""Requests made from the OpenAPI document, and answers held against it.

No answer is a server error, has a status that the document does not know, or another form than it says; and what the
document forbids is refused. `make test` tries 600 requests, and 100 more with a key of each other role, and of
a section; `make test-long` 6,000 others, and 1,500 of each.
"""

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

from collector.domain.access_table import of_http
from collector.domain.roles import Role
from tests.unit.api_world import KEYS, TERMS
from tests.unit.filled_world import ATTIC, ATTIC_VERSION, KNOWN, FilledWorld
from tests.unit.people_world import PASSWORD

PARTS, CASES = 6, 100
"""One part a test, so that both cores have something to do."""
LONG_PARTS, LONG_CASES = 12, 500
LEAST_GOOD = {"deployment": 0.3, "default": 0.25, "operator": 0.2, "viewer": 0.1, "bound": 0.1}
"""Share of requests that must be answered with 2xx, by whose key: the others say nothing about good answers."""
BELOW = [whose for whose in LEAST_GOOD if whose != "deployment"]
NAMING = 15
"""Of so many requests one names an organization."""
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
    "role": ["viewer", "operator", "administrator"],
    "email": ["ada@example.org", "eve@example.org", "new@example.org"],
    "password": [PASSWORD],
    "new_password": ["another horse, another staple"],
    "first_name": ["Ada"],
    "last_name": ["Lovelace"],
    "scopes": [["chambers"], ["readings", "keys"]],
    "expires_at": ["2027-01-01T00:00:00Z"],
}
"""Words that make sense, by the name of the field: no schema says which profiles there are."""


class Served(FilledWorld):
    """An application with something of everything, the same before each request."""

    def __init__(self) -> None:
        super().__init__()
        self.schema = schemathesis.openapi.from_asgi("/openapi.json", self.world.app)
        found = [result.ok() for result in self.schema.get_all_operations() if isinstance(result, Ok)]
        self.operations = [operation for operation in found if operation.path not in STREAMS]


@cache
def served() -> Served:
    """One for all requests: to make an application takes longer than to ask it."""
    return Served()


Case = schemathesis.Case[Any]


@st.composite
def cases(draw: st.DrawFn, whose: str) -> Case:
    """A request by that key that the document allows, or forbids; mostly of what is there, in words that fit."""
    operation: Any = draw(st.sampled_from(served().operations))
    parameters = {parameter.name: parameter for parameter in operation.iter_parameters()}
    takes = operation.body or any(p.location == "query" for p in parameters.values())
    mode = GenerationMode.NEGATIVE if takes and draw(st.integers(0, 3)) == 0 else GenerationMode.POSITIVE
    fixed: dict[str, Any] = {"headers": {"Authorization": f"Bearer {KEYS[whose]}"}}
    if draw(st.integers(0, 4)):
        fixed["path_parameters"] = {
            n: draw(st.sampled_from(KNOWN[n])) for n in parameters if n in KNOWN and f"{{{n}}}" in operation.path
        }
    case: Case = draw(operation.as_strategy(mode, **fixed))
    case.headers.pop("Chamberlog-Organization", None)  # any text: mostly it names nothing, and all would be 404
    if draw(st.integers(1, NAMING)) == 1:
        case.headers["Chamberlog-Organization"] = draw(
            st.sampled_from(["default", "other", "no-such-one", "", "\u00e9"])
        )
    if mode is GenerationMode.POSITIVE and draw(st.integers(0, 3)):
        for said in (case.query, case.body):
            if isinstance(said, dict):
                said.update({name: draw(st.sampled_from(SAID[name])) for name in said if name in SAID})
        if "if-match" in {name.lower() for name in parameters}:
            case.headers["If-Match"] = draw(st.sampled_from(["*", '"1"', '"1", "2"', '"7"']))
    return case


def check_role(case: Case, status: int, whose: str) -> None:
    """Beyond its role a key gets nothing and changes nothing, whatever else is wrong with the request."""
    row = of_http(case.method, case.operation.path)
    role = TERMS[whose].role if whose in TERMS else Role.ADMINISTRATOR
    if row is None or row.role is None or not case.operation.path.startswith("/v1") or role.covers(row.role):
        return
    assert status == 403
    assert served().unchanged()


def tried(number: int, count: int, whose: str) -> Counter[int]:
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
    @given(cases(whose))
    def one(case: Case) -> None:
        served().restore()
        answer = case.call()
        answers[answer.status_code] += 1
        check_role(case, answer.status_code, whose)
        case.validate_response(answer, checks=CHECKS)

    one()
    return answers


def share_of_good(answers: Counter[int]) -> float:
    """Answers of 2xx among all of them."""
    return sum(count for status, count in answers.items() if status < 300) / answers.total()


@pytest.mark.parametrize("part", range(PARTS))
async def test_every_answer_is_as_the_document_says(part: int) -> None:
    await served().fill()
    answers = tried(part, CASES, "deployment")
    assert answers.total() >= CASES
    assert share_of_good(answers) >= LEAST_GOOD["deployment"], answers


@pytest.mark.parametrize("whose", BELOW)
async def test_every_answer_to_who_may_less_is_as_the_document_says(whose: str) -> None:
    await served().fill()
    answers = tried(200, CASES, whose)
    assert answers.total() >= CASES
    assert answers[403] > 0 or whose == "default", "to an administrator one row is shut"
    assert share_of_good(answers) >= LEAST_GOOD[whose], answers


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(100, 100 + LONG_PARTS))
async def test_every_answer_of_many_is_as_the_document_says(part: int) -> None:
    await served().fill()
    answers = tried(part, LONG_CASES, "deployment")
    assert answers.total() >= LONG_CASES
    assert share_of_good(answers) >= LEAST_GOOD["deployment"], answers


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(300, 303))
@pytest.mark.parametrize("whose", BELOW)
async def test_every_answer_of_many_to_who_may_less_is_as_the_document_says(whose: str, part: int) -> None:
    await served().fill()
    answers = tried(part, LONG_CASES, whose)
    assert answers.total() >= LONG_CASES
    assert share_of_good(answers) >= LEAST_GOOD[whose], answers


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
