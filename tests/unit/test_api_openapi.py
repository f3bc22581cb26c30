"""The OpenAPI document says all that a client needs: what each operation is, takes and answers, with examples."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema_rs
import pytest
from fastapi.routing import APIRoute

from api.problems import WHEN
from collector.domain.access import Reach
from collector.domain.access_table import of_http
from collector.domain.roles import Role
from tests.unit.api_world import World

Json = dict[str, Any]
PROBLEM = "application/problem+json"


@cache
def document() -> Json:
    return World().app.openapi()


def operations() -> list[tuple[str, Json]]:
    """Each with its name."""
    paths = document()["paths"].items()
    return [(f"{method.upper()} {path}", operation) for path, methods in paths for method, operation in methods.items()]


OPERATIONS = pytest.mark.parametrize(("name", "operation"), operations(), ids=[name for name, _ in operations()])


def resolved(schema: Json) -> Json:
    """Follow a reference."""
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Json = document()["components"]["schemas"][name] if name else schema
    return found


def shown(content: Json) -> Iterator[tuple[Json, Any]]:
    """Each form that the content may have, with its example, None without one."""
    schema = resolved(content.get("schema", {}))
    if "example" in content:
        yield schema, content["example"]
        return
    forms = [resolved(form) for form in schema.get("anyOf", [schema]) if form != {"type": "null"}]
    yield from ((form, form.get("example")) for form in forms)


def whole(schema: Json) -> Json:
    """A schema with what it refers to."""
    return {**schema, "components": document()["components"]}


def test_every_route_is_in_the_document() -> None:
    routes = [route for route in World().app.state.routes if isinstance(route, APIRoute)]
    served = {f"{method} {route.path}" for route in routes for method in route.methods or ()}
    assert {name for name, _ in operations()} == served


@OPERATIONS
def test_every_operation_says_what_it_is(name: str, operation: Json) -> None:
    assert operation["summary"]
    assert operation["description"]
    [tag] = operation["tags"]
    assert tag in {described["name"] for described in document()["tags"]}


def test_every_tag_is_described_and_used() -> None:
    used = {tag for _, operation in operations() for tag in operation["tags"]}
    assert {tag["name"] for tag in document()["tags"]} == used
    assert all(tag["description"] for tag in document()["tags"])


@OPERATIONS
def test_every_body_and_every_good_answer_has_an_example_that_fits(name: str, operation: Json) -> None:
    bodies = [operation.get("requestBody", {}).get("content", {})]
    good = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    assert good
    for content in (*bodies, *(answer.get("content", {}) for answer in good)):
        for media_type, form in content.items():
            found = list(shown(form))
            assert found, media_type
            for schema, example in found:
                assert example is not None, f"{media_type} of {name} has no example"
                if media_type == "application/json":
                    jsonschema_rs.validate(whole(schema), example)


@OPERATIONS
def test_every_refusal_is_a_problem(name: str, operation: Json) -> None:
    refusals = {int(status): answer for status, answer in operation["responses"].items() if status >= "4"}
    assert refusals.keys() <= WHEN.keys()
    for answer in refusals.values():
        assert answer["content"] == {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}


@OPERATIONS
def test_what_an_operation_takes_says_how_it_refuses(name: str, operation: Json) -> None:
    refusals = {int(status) for status in operation["responses"] if status >= "4"}
    method, _, path = name.partition(" ")
    row = of_http(method, path)
    is_open = not path.startswith("/v1") or (row is not None and row.role is None)
    expected = {401, 422, 429, 503} if path.startswith("/v1") else set()
    if "requestBody" in operation:
        expected |= {400, 413}
    if "{" in path:
        expected |= {404}
    if method == "PATCH" and "detector" not in path:
        expected |= {412, 428}
    assert expected <= refusals
    assert operation.get("security") == (None if is_open else [{"HTTPBearer": []}])


@OPERATIONS
def test_what_the_gate_can_say_is_in_the_document(name: str, operation: Json) -> None:
    row = of_http(*name.split(" "))
    assert row is not None
    refusals = {int(status) for status in operation["responses"] if status >= "4"}
    named = {parameter["name"] for parameter in operation.get("parameters", [])}
    if row.role is None or not row.http[1].startswith("/v1"):  # type: ignore[index]  # it was found by that
        assert 403 not in refusals
        assert (401 in refusals) == name.startswith("POST /v1/auth/"), (
            "there it is the secret in the body that is wrong"
        )
        assert "Chamberlog-Organization" not in named
        return
    limits = row.role is not Role.VIEWER or row.scope is not None or row.reach is Reach.SHUT
    by_itself = {403} if name.startswith("POST /v1/auth/") else set()  # a key has no session and no password
    assert refusals & {401, 403, 404} == {401, 404} | ({403} if limits else set()) | by_itself
    assert "Chamberlog-Organization" in named


@OPERATIONS
def test_every_parameter_is_described(name: str, operation: Json) -> None:
    for parameter in operation.get("parameters", []):
        assert parameter.get("description"), f"{parameter['name']} of {name}"


def test_the_answer_that_fastapi_assumes_is_nowhere() -> None:
    assert "HTTPValidationError" not in str(document())


async def test_the_page_to_try_it_is_served() -> None:
    async with World().client(None) as client:
        assert (await client.get("/openapi.json")).json() == document()
        assert (await client.get("/docs")).status_code == 200
