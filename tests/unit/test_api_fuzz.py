"""Whatever is sent, the API answers below 500, and every refusal is a problem document."""

import base64
import json
from functools import cache
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.memory import InMemoryOutcomes
from collector.domain.cadence import grid_of
from collector.ports import SaveBatch
from tests.unit.api_world import ENROLMENT, World, a_reading

TEXTS = st.one_of(
    st.text(st.characters(), max_size=40),
    st.sampled_from(["", "\x00", "\ud800", "incubator-3", "default", "∞", "%00", "-1", "1e999", "'; --", "a" * 300]),
)
NUMBERS = st.one_of(
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0, -0.0, 1, 60, 86_400, 86_401, 1e308, 0.1, 1.0005]),
)
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
TREES = st.recursive(LEAVES, lambda t: st.one_of(st.lists(t, max_size=3), st.dictionaries(TEXTS, t, max_size=3)))
FIELDS = [
    "id",
    "url",
    "profile",
    "interval_s",
    "section",
    "name",
    "timeout_s",
    "round_span_s",
    "aligned",
    "labels",
    "secret_ref",
    "verify_tls",
    "reason",
    "until",
    "force",
    "version",
    "organization",
    "description",
    "address",
    "region",
    "active",
    "alias",
    "started_at",
    "ended_at",
    "at",
]
BODIES = st.dictionaries(st.one_of(st.sampled_from(FIELDS), TEXTS), TREES, max_size=6)
POSTS = [
    ("POST", "/v1/chambers"),
    ("PATCH", "/v1/chambers/incubator-3"),
    ("POST", "/v1/chambers/incubator-3/pause"),
    ("POST", "/v1/chambers/incubator-3/resume"),
    ("POST", "/v1/chambers/incubator-3/collect"),
    ("PATCH", "/v1/chambers/incubator-3/detectors/temperature"),
    ("POST", "/v1/sections"),
    ("PATCH", "/v1/sections/default"),
    ("POST", "/v1/batches"),
    ("PATCH", "/v1/batches/lot-1"),
    ("POST", "/v1/batches/lot-1/end"),
    ("POST", "/v1/organizations"),
    ("PATCH", "/v1/organizations/default"),
]
GETS = [
    "/v1/chambers",
    "/v1/chambers/incubator-3/readings",
    "/v1/chambers/incubator-3/gaps",
    "/v1/chambers/incubator-3/audit",
    "/v1/chambers/incubator-3/latest",
    "/v1/chambers/incubator-3/detectors",
    "/v1/latest",
    "/v1/sections",
    "/v1/sections/default",
    "/v1/batches",
    "/v1/batches/lot-1",
    "/v1/batches/lot-1/readings",
    "/v1/organizations",
    "/v1/organizations/default",
    "/v1/audit",
    "/v1/profiles",
]
INSTANTS = st.one_of(
    TEXTS,
    st.datetimes().map(lambda d: d.isoformat()),
    st.datetimes().map(lambda d: d.isoformat() + "Z"),
    st.datetimes().map(lambda d: d.isoformat() + "+23:59"),
)
CURSORS = st.one_of(
    TEXTS,
    st.sampled_from(["W10", "W10=", "WzFd", "WyJhIl0", "bnVsbA", "WzFlOTk5XQ", "WzEsMl0"]),
    st.lists(st.one_of(st.integers(-(10**30), 10**30), TEXTS), max_size=3).map(
        lambda place: base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")
    ),
)
QUERIES = st.fixed_dictionaries(
    {},
    optional={
        "from": INSTANTS,
        "to": INSTANTS,
        "limit": st.one_of(TEXTS, NUMBERS.map(str)),
        "cursor": CURSORS,
        "points": st.one_of(TEXTS, st.integers(-5, 6000).map(str)),
        "detector": st.one_of(TEXTS, st.just("temperature")),
        "section": TEXTS,
        "chamber": st.one_of(TEXTS, st.just("incubator-3")),
        "at": INSTANTS,
        "status": st.one_of(TEXTS, st.sampled_from(["paused", "stale"])),
        "q": TEXTS,
        "anything": TEXTS,
    },
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "If-Match": st.one_of(
            st.binary(max_size=30), st.sampled_from([b"*", b'"1"', b'W/"1"', b'"1", "2"', b"9" * 40])
        ),
        "Idempotency-Key": st.binary(max_size=80),
        "Accept": st.one_of(st.binary(max_size=40), st.sampled_from([b"text/csv", b"text/csv;q=9e999;q=nan", b",;,"])),
        "Content-Type": st.sampled_from(
            [b"application/json", b"text/plain", b"application/json; charset=utf-7", b"\xff"]
        ),
        "Content-Length": st.just(b"999999999999999999999"),
    },
)
LIGHT = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def world_once() -> World:
    """Making the application takes longer than asking it: all examples share one, and each begins empty."""
    return World()


def fresh_world() -> World:
    world = world_once()
    world.empty()
    return world


async def answered(method: str, path: str, headers: dict[str, bytes], **sent: Any) -> None:
    """Ask a world with one chamber that has one reading, and one batch; and look at the answer."""
    world = fresh_world()
    async with world.client("deployment") as client:
        assert (await client.post("/v1/chambers", json=ENROLMENT)).status_code == 201
        assert (await client.post("/v1/batches", json={"id": "lot-1", "section": "default"})).status_code == 201
        spec = world.ledger.chambers["incubator-3"].spec
        reading = a_reading(spec, spec.grid.after(world.clock.wall_ms))
        await InMemoryOutcomes(world.ledger).save(SaveBatch(spec.id, [reading]))
        pairs = [(name.encode(), value) for name, value in {"Content-Type": b"application/json", **headers}.items()]
        answer = await client.request(method, path, headers=pairs, **sent)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert set(problem) == {"type", "title", "status", "detail", "errors"}
        assert problem["status"] == answer.status_code
        assert problem["errors"], problem
        assert all(error["field"] and error["problem"] for error in problem["errors"])


@LIGHT
@given(st.sampled_from(POSTS), BODIES, HEADERS)
async def test_no_body_is_answered_by_a_server_error(
    route: tuple[str, str], body: dict[str, Any], headers: dict[str, bytes]
) -> None:
    await answered(*route, headers, content=json.dumps(body).encode())


@LIGHT
@given(st.sampled_from(POSTS), st.binary(max_size=200), HEADERS)
async def test_no_bytes_are_answered_by_a_server_error(
    route: tuple[str, str], body: bytes, headers: dict[str, bytes]
) -> None:
    await answered(*route, headers, content=body)


@LIGHT
@given(
    st.fixed_dictionaries(
        {**{name: st.just(value) for name, value in ENROLMENT.items()}, "id": st.just("another")},
        optional={
            "timeout_s": NUMBERS,
            "round_span_s": NUMBERS,
            "labels": st.dictionaries(TEXTS, TEXTS),
            "name": TEXTS,
        },
    ),
    st.sampled_from(["url", "interval_s", "section", "profile", "id"]),
    LEAVES,
)
async def test_no_almost_right_enrolment_is_answered_by_a_server_error(
    body: dict[str, Any], field: str, value: Any
) -> None:
    await answered("POST", "/v1/chambers", {}, content=json.dumps({**body, field: value}).encode())


@LIGHT
@given(st.sampled_from(GETS), QUERIES, HEADERS)
async def test_no_query_is_answered_by_a_server_error(
    path: str, query: dict[str, str], headers: dict[str, bytes]
) -> None:
    clean = {name: value.encode(errors="surrogatepass") for name, value in query.items()}
    text = "&".join(f"{name}={quoted(value)}" for name, value in clean.items())
    await answered("GET", f"{path}?{text}", headers)


@LIGHT
@given(
    st.binary(max_size=60),
    st.sampled_from(["GET", "PATCH", "DELETE", "POST", "PUT"]),
    st.sampled_from(
        ["chambers/{}", "chambers/incubator-3/detectors/{}", "sections/{}", "batches/{}", "organizations/{}"]
    ),
)
async def test_no_id_is_answered_by_a_server_error(name: bytes, method: str, path: str) -> None:
    await answered(method, f"/v1/{path.format(quoted(name))}", {"If-Match": b"*"}, content=b"{}")


@given(st.floats(min_value=1, max_value=86_400), st.booleans())
@LIGHT
async def test_every_interval_is_refused_or_kept_to_the_millisecond(interval_s: float, aligned: bool) -> None:
    world, kept_ms = fresh_world(), round(interval_s * 1000)
    async with world.client() as client:
        answer = await client.post("/v1/chambers", json={**ENROLMENT, "interval_s": interval_s, "aligned": aligned})
        if answer.status_code == 422:
            assert answer.json()["errors"][0]["field"] == "interval_s"
            assert not (interval_s * 1000).is_integer()
            body = {**ENROLMENT, "interval_s": kept_ms / 1000, "aligned": aligned}
            answer = await client.post("/v1/chambers", json=body)
    assert answer.status_code == 201
    assert answer.json()["interval_s"] == kept_ms / 1000
    [epoch] = world.ledger.chambers["incubator-3"].epochs
    grid = grid_of("incubator-3", kept_ms, aligned=aligned)
    assert epoch.first_ms == grid.after(world.clock.wall_ms)


def quoted(value: bytes) -> str:
    """Percent-encoded, every byte of it."""
    return "".join(f"%{byte:02x}" for byte in value)
