"""The access table is held against every route and every gRPC method, and the API against the table.

What a row says is tried by asking: by each role, with each scope, and with a key of one section.
"""

import json
import re
import weakref
from collections.abc import Mapping
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Mount, Route

from collector.domain.access import Operation, Reach, Scope
from collector.domain.access_table import PACKAGE, of_grpc, of_http, operations
from collector.domain.roles import Role
from collector.ports import KeyTerms
from tests.unit.api_world import ENROLMENT, World
from tests.unit.filled_world import ATTIC, KNOWN, FilledWorld
from tests.unit.people_world import PASSWORD

ROOT = Path(__file__).parents[2]
Json = dict[str, Any]
ELSEWHERE = {"monitoring.temporal": "the gateway leads it to the Temporal Web UI; the API has no such route"}
OPEN_BY_ITSELF = {
    "monitoring.metrics": "the gateway holds it to the table; on the API's own port scrapers have no key, and it shows "
    "nothing of any organization"
}
"""Rows that the API, asked directly, does not hold to the table, and why."""
OAUTH = ("GET", "/docs/oauth2-redirect")
"""Of FastAPI's page, for a way to sign in that there is not: the gateway shuts it, as all that has no row."""
SERVERS = ("/grpc.health.", "/grpc.reflection.")
"""gRPC services that are not ours."""


def app_routes(app: FastAPI) -> set[tuple[str, str]]:
    """Method and path of all that the application answers."""
    found = {(m, r.path) for r in app.state.routes if isinstance(r, APIRoute) for m in r.methods or ()}
    for route in app.routes:
        if isinstance(route, Mount):
            found.add(("GET", route.path + "/*"))
        elif isinstance(route, Route):
            found |= {(method, route.path) for method in (route.methods or ()) if method != "HEAD"}
    return found


def rowless(routes: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Routes that no row has as it stands: neither the method nor the names in the path may differ."""
    return {(method, path) for method, path in routes if getattr(of_http(method, path), "http", None) != (method, path)}


class Asked(str):  # noqa: SLOT000  (with slots nothing could refer to it weakly)
    """A path of which can be seen whether anything holds it."""


@pytest.mark.parametrize(("length", "held"), [(100, True), (60_000, False)])
def test_long_paths_of_strangers_are_not_remembered(length: int, held: bool) -> None:
    path = Asked("/v1/" + "x" * length)
    seen = weakref.ref(path)
    assert of_http("GET", path) is None
    del path
    assert (seen() is not None) is held


def test_every_route_has_a_row() -> None:
    routes = app_routes(World().app)
    assert len(routes) > 45
    assert rowless(routes) == {OAUTH}


def test_a_planted_route_is_found() -> None:
    planted = {("GET", "/v1/secrets"), ("PUT", "/v1/chambers"), ("GET", "/v1/chambers/{id}"), ("GET", "/v1/keys")}
    assert rowless(planted) == planted - {("GET", "/v1/keys")}


def test_every_row_has_a_route() -> None:
    routes = app_routes(World().app)
    missing = {row.name for row in operations() if row.http is not None and row.http not in routes}
    assert missing == ELSEWHERE.keys()


def test_what_the_api_does_not_hold_to_the_table_by_itself_says_why() -> None:
    outside = {row.name for row in operations() if row.role and row.http and not row.http[1].startswith("/v1")}
    assert outside == OPEN_BY_ITSELF.keys() | ELSEWHERE.keys()


def methods(proto: str) -> set[str]:
    """Full names of the methods that a proto file declares."""
    package = re.search(r"^package ([\w.]+);", proto, re.MULTILINE)
    assert package is not None
    services = re.split(r"^service (\w+)\s*\{", proto, flags=re.MULTILINE)[1:]
    pairs = zip(services[::2], services[1::2], strict=True)
    return {
        f"/{package[1]}.{name}/{method}"
        for name, body in pairs
        for method in re.findall(r"^\s*rpc (\w+)", body, re.MULTILINE)
    }


def test_every_grpc_method_has_a_row_and_every_row_its_method() -> None:
    files = sorted((ROOT / "proto").rglob("*.proto"))
    declared = set[str]().union(*(methods(file.read_text("utf-8")) for file in files))
    rows = {row.grpc for row in operations() if row.grpc is not None and not row.grpc.startswith(SERVERS)}
    assert declared == rows


def test_methods_are_read_from_a_proto() -> None:
    proto = (
        'syntax = "proto3";\npackage chamberlog.v1;\nservice Keys {\n  rpc A(X) returns (Y);\n}\nservice B {\n'
        "  // rpc Z\n  rpc C(X) returns (stream Y) {}\n}\n"
    )
    assert methods(proto) == {f"/{PACKAGE}.Keys/A", f"/{PACKAGE}.B/C"}


def test_names_are_unique_and_what_is_in_no_row_is_nothing() -> None:
    names = [row.name for row in operations()]
    assert len(set(names)) == len(names)
    for method, path in (("GET", "/v1/keys\n"), ("GET", "/v1/keys/"), ("get", "//v1/keys"), ("GET", "/V1/keys")):
        assert of_http(method, path) is None
    assert of_grpc("/chamberlog.v1.Keys/Steal") is None
    assert all(row.scope is not None for row in operations() if row.reach is not Reach.OPEN), "a limit needs a name"


# ---- asking


BODIES: Mapping[str, Any] = {
    "chambers.pause": {"reason": "door service"},
    "chambers.enrol": {**ENROLMENT, "id": "new-one", "section": "attic"},
    "chambers.change": {"name": "new name"},
    "detectors.change": {"alias": "core"},
    "sections.add": {"id": "cellar"},
    "sections.change": {"name": "new name"},
    "batches.start": {"id": "lot-9", "section": "attic", "started_at": "2026-04-01T00:00:00Z"},
    "batches.change": {"name": "new name"},
    "profiles.put": {"document": ATTIC},
    "organizations.change": {"name": "new name"},
    "organizations.add": {"id": "biologics"},
    "keys.add": {"name": "another", "role": "viewer"},
    "users.add": {"email": "new@example.org"},
    "users.change": {"first_name": "Op"},
    "invitations.add": {"email": "new@example.org"},
    "auth.change_password": {"password": PASSWORD, "new_password": f"another {PASSWORD}"},
}
"""What is sent, where something has to be."""
MINE = {name: known[-1] for name, known in KNOWN.items()} | {"organization_id": "default", "profile_name": "attic"}
"""What stands in the section `attic`, or in none."""
ELSEWHERES = {name: KNOWN[name][0] for name in ("chamber_id", "section_id", "batch_id")}
"""The same kinds of things in the section `default`."""
SESSIONS = ("auth.change_password", "auth.sign_out", "auth.sign_out_everywhere")
GOOD = {"readings.watch": 406, **dict.fromkeys(SESSIONS, 403)}
"""What an admitted request comes to, if not 2xx: a stream does not end, so none is begun; a key has no session."""
ASKED = [row for row in operations() if row.http is not None and row.http[1].startswith("/v1")]
ASKED = [row for row in ASKED if row.role is not None]
ROWS = pytest.mark.parametrize("row", ASKED, ids=lambda row: row.name)
LIMITED = pytest.mark.parametrize("row", [row for row in ASKED if row.scope is not None], ids=lambda row: row.name)


@cache
def filled() -> FilledWorld:
    """One for all tests of this file: to make it takes longer than to ask it."""
    return FilledWorld()


async def ask(row: Operation, client: httpx.AsyncClient, places: Mapping[str, str] = MINE, **other: Any) -> Any:
    """The answer to one request, of a world that is as it was filled."""
    assert row.http is not None
    method, path = row.http
    headers = {"If-Match": "*"} | ({"Accept": "application/json"} if row.name in GOOD else {})
    body = other.get("body", BODIES.get(row.name))
    async with client:
        return await client.request(method, path.format(**places) + other.get("query", ""), json=body, headers=headers)


def is_good(row: Operation, status: int) -> bool:
    return status == GOOD[row.name] if row.name in GOOD else 200 <= status < 300


async def ready() -> FilledWorld:
    await filled().fill()
    filled().restore()
    return filled()


@ROWS
@pytest.mark.parametrize("role", Role, ids=lambda role: role.value)
async def test_a_role_may_what_the_table_says_and_nothing_else(row: Operation, role: Role) -> None:
    filled_world = await ready()
    answer = await ask(row, filled_world.world.sign(KeyTerms(role=role)))
    assert row.role is not None
    if role.covers(row.role):
        assert is_good(row, answer.status_code), answer.text
        return
    filled_world.world.ledger.keys.popitem()
    assert answer.status_code == 403
    [error] = answer.json()["errors"]
    assert error["problem"] == f"{row.name} takes the role {row.role.value}, and yours is {role.value}"
    assert filled_world.unchanged()


@LIMITED
async def test_a_limited_key_needs_the_scope_of_the_row(row: Operation) -> None:
    filled_world = await ready()
    assert row.scope is not None
    rest = frozenset(Scope) - {row.scope}
    body = {**BODIES["keys.add"], "scopes": ["keys"]} if row.name == "keys.add" else BODIES.get(row.name)
    within = KeyTerms(role=Role.SUPER_ADMINISTRATOR, scopes=frozenset({row.scope}))
    beyond = KeyTerms(role=Role.SUPER_ADMINISTRATOR, scopes=rest)
    good = await ask(row, filled_world.world.sign(within), body=body)
    assert is_good(row, good.status_code), good.text
    filled_world.restore()
    refused = await ask(row, filled_world.world.sign(beyond), body=body)
    assert refused.status_code == 403
    assert f"takes the scope {row.scope.value}" in refused.json()["detail"]
    filled_world.world.ledger.keys.popitem()
    assert filled_world.unchanged()


@ROWS
async def test_nobody_and_who_has_expired_is_refused(row: Operation) -> None:
    filled_world = await ready()
    world = filled_world.world
    expired = world.sign(KeyTerms(role=Role.SUPER_ADMINISTRATOR, expires_ms=world.clock.wall_ms))
    for client in (world.client(None), expired):
        assert (await ask(row, client)).status_code == 401
    world.ledger.keys.popitem()
    assert filled_world.unchanged()


@ROWS
async def test_a_path_that_is_almost_a_routes_is_shut_for_everybody(row: Operation) -> None:
    """The framework takes a newline behind a path for nothing; the table does not, and so nobody would be asked."""
    filled_world = await ready()
    places = dict.fromkeys(MINE, "x")
    for whose, tail in product(("viewer", "deployment"), ("%0A", "%0D", "%00", "/", "%20", ";a", "%2F")):
        answer = await ask(row, filled_world.world.client(whose), places, query=tail)
        assert answer.status_code in (403, 404, 405), answer.text
        assert filled_world.unchanged()


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/openapi.json", "/docs"])
async def test_a_newline_behind_a_path_outside_the_gate_leads_nowhere_either(path: str) -> None:
    async with World().client(None) as client:
        assert (await client.get(path)).status_code == 200
        assert (await client.get(path + "%0A")).status_code == 404


# ---- a key of one section


BOUND = {reach: [row for row in ASKED if row.reach is reach] for reach in Reach}


def of(*reaches: Reach) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", [row for r in reaches for row in BOUND[r]], ids=lambda row: row.name)


@of(Reach.CHAMBER, Reach.SECTION, Reach.BATCH)
async def test_a_bound_key_reaches_what_is_in_its_section(row: Operation) -> None:
    filled_world = await ready()
    answer = await ask(row, filled_world.world.client("bound"))
    assert is_good(row, answer.status_code), answer.text


@of(Reach.CHAMBER, Reach.SECTION, Reach.BATCH)
async def test_what_is_in_another_section_answers_like_what_is_not_there(row: Operation) -> None:
    filled_world = await ready()
    assert row.http is not None
    [place] = [place for place in ELSEWHERES if f"{{{place}}}" in row.http[1]]
    foreign = await ask(row, filled_world.world.client("bound"), MINE | ELSEWHERES)
    unknown = await ask(row, filled_world.world.client("bound"), MINE | {place: "no-such-one"})
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.text.replace(ELSEWHERES[place], "no-such-one") == unknown.text
    assert filled_world.unchanged()


@of(Reach.SHUT)
async def test_a_bound_key_has_nothing_to_say_about_the_whole(row: Operation) -> None:
    filled_world = await ready()
    answer = await ask(row, filled_world.world.client("bound"))
    assert answer.status_code == 403
    assert filled_world.unchanged()


@of(Reach.OPEN)
async def test_a_bound_key_may_what_is_about_no_section(row: Operation) -> None:
    filled_world = await ready()
    answer = await ask(row, filled_world.world.client("bound"))
    assert is_good(row, answer.status_code), answer.text


@of(Reach.NARROWED)
async def test_a_bound_key_gets_and_makes_what_is_in_its_section_alone(row: Operation) -> None:
    filled_world = await ready()
    answer = await ask(row, filled_world.world.client("bound"))
    assert is_good(row, answer.status_code), answer.text
    for foreign in ("incubator-3", "CHO-17.2", '"section":"default"', '"id":"default"'):
        assert foreign not in answer.text
    if not row.writes and row.name not in GOOD:
        own = {item.get("id") or item["chamber"] for item in answer.json()["items"]}
        assert own <= {"incubator-4", "HEK-1", "attic"}
        assert own, "it sees its own"


@of(Reach.NARROWED)
async def test_a_bound_key_that_names_another_section_is_refused(row: Operation) -> None:
    if row.name == "sections.list":
        return  # it takes no section
    filled_world = await ready()
    answers = []
    for section in ("default", "no-such-one"):
        named: Json = {"body": {**BODIES[row.name], "section": section}} if row.writes else {}
        named |= {} if row.writes else {"query": f"?section={section}"}
        answers.append(await ask(row, filled_world.world.client("bound"), MINE, **named))
    assert {answer.status_code for answer in answers} == {403}
    assert answers[0].text == answers[1].text, "it does not say which there are"
    assert "section attic" in json.dumps(answers[0].json())
    assert filled_world.unchanged()
