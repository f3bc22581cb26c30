"""Wrong inputs: each gets one clear answer that names the field and the remedy."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from adapters.cursors import write_cursor
from api.problems import of_core
from collector import wire
from collector.domain.errors import RejectedError
from collector.domain.outcome import Gap, GapReason
from tests.unit.api_world import ENROLMENT, NOON_MS, World

CHAMBERS = "/v1/chambers"
MINE = f"{CHAMBERS}/incubator-3"
SECTIONS, BATCHES, ORGANIZATIONS = "/v1/sections", "/v1/batches", "/v1/organizations"
LOT = {"id": "lot-1", "section": "default"}
JSON = {"Content-Type": "application/json"}
STAR, OLD = {"If-Match": "*"}, {"If-Match": '"7"'}


@dataclass(frozen=True)
class Wrong:
    """A request, and how it is refused; `remedy` is a part of the remedy."""

    name: str
    status: int
    named: str
    remedy: str
    json: Any = None
    method: str = "POST"
    path: str = CHAMBERS
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None


def enrolment(called: str, named: str, remedy: str, **changes: Any) -> Wrong:
    body = {**ENROLMENT, "id": "other-chamber", **changes}
    return Wrong(called, 422, named, remedy, {k: v for k, v in body.items() if v is not ...})


def body(name: str, status: int, remedy: str, content: bytes) -> Wrong:
    return Wrong(name, status, "body", remedy, content=content, headers=JSON)


def query(name: str, field: str, remedy: str, path: str) -> Wrong:
    return Wrong(name, 422, field, remedy, method="GET", path=path)


TABLE = [
    enrolment("ftp URL", "url", "http://192.168.1.20", url="ftp://192.168.1.20"),
    enrolment("URL without host", "url", "http://192.168.1.20", url="http://"),
    enrolment("URL with user-info", "url", "secret_ref", url="http://me:pw@192.168.1.20"),
    enrolment("URL with a wrong port", "url", "http://192.168.1.20", url="http://192.168.1.20:99999"),
    enrolment("wrong profile", "profile", "use one of: airgradient, ", profile="airgradiant"),
    enrolment("wrong section", "section", "use one of: default, store-1", section="cold-store"),
    enrolment("interval too short", "interval_s", "1 to 86400", interval_s=0.5),
    enrolment("interval too long", "interval_s", "1 to 86400", interval_s=1e300),
    enrolment("interval too fine", "interval_s", "three decimals", interval_s=1.00005),
    enrolment("interval as text", "interval_s", "without quotes", interval_s="60"),
    enrolment("interval true", "interval_s", "without quotes", interval_s=True),
    enrolment("timeout over the interval", "timeout_s", "up to the interval", timeout_s=61),
    enrolment("round span too long", "round_span_s", "1 to 3600", round_span_s=3601),
    enrolment("id in capitals", "id", "a-z", id="Incubator"),
    enrolment("no id", "id", "give it", id=...),
    enrolment("no URL", "url", "give it", url=...),
    enrolment("misspelt field", "intervall_s", "spelling", intervall_s=60),
    enrolment("field of the server", "version", "the server decides", version=3),
    enrolment("a secret itself", "secret_ref", "env:NAME", secret_ref="hunter2"),
    enrolment("NUL in a name", "name", "remove it", name="a\x00b"),
    enrolment("half a surrogate pair", "name", "remove it", name="a\ud800b"),
    enrolment("NUL in a label", "labels.room", "remove it", labels={"room": "\x00"}),
    enrolment("too many labels", "labels", "fewer", labels={str(n): "x" for n in range(17)}),
    Wrong("taken by another", 409, "id", "choose another id", {**ENROLMENT, "id": "foreign"}),
    Wrong("enrolled otherwise", 409, "id", "PATCH", {**ENROLMENT, "interval_s": 30}),
    body("no JSON", 422, "JSON document", b"id: x"),
    body("bad UTF-8", 422, "UTF-8", b'\xff\xfe{"id"}'),
    body("deep JSON", 400, "not too deep", b"[" * 60_000),
    body("long number", 400, "sane length", b'{"interval_s": ' + b"9" * 5_000 + b"}"),
    body("long body", 413, "64 KiB", b" " * 70_000),
    Wrong("form", 422, "body", "application/json", content=b"id=x", headers={"Content-Type": "text/plain"}),
    Wrong(
        "NaN", 422, "interval_s", "finite", content=b'{"id":"a","url":"b","profile":"c","interval_s":NaN}', headers=JSON
    ),
    Wrong("no If-Match", 428, "If-Match", "ETag", {"interval_s": 30}, "PATCH", MINE),
    Wrong("old If-Match", 412, "If-Match", "read it again", {"name": "x"}, "PATCH", MINE, {"If-Match": '"7"'}),
    Wrong("strange If-Match", 412, "If-Match", "read it again", {"name": "x"}, "PATCH", MINE, {"If-Match": "²,x"}),
    Wrong("null name", 422, "name", "text in quotes", {"name": None}, "PATCH", MINE, {"If-Match": '"1"'}),
    Wrong("moved id", 422, "id", "spelling", {"id": "x"}, "PATCH", MINE, {"If-Match": '"1"'}),
    Wrong("until in the past", 422, "until", "later", {"until": "2026-03-01T11:59:59Z"}, path=f"{MINE}/pause"),
    Wrong("until without offset", 422, "until", "12:00:00Z", {"until": "2026-03-02T12:00:00"}, path=f"{MINE}/pause"),
    Wrong("until as number", 422, "until", "quotes", {"until": 5}, path=f"{MINE}/pause"),
    Wrong("long reason", 422, "reason", "1024", {"reason": "x" * 1025}, path=f"{MINE}/pause"),
    Wrong(
        "strange request id",
        422,
        "Idempotency-Key",
        "match",
        path=f"{MINE}/collect",
        headers={"Idempotency-Key": "a b"},
    ),
    query("naive from", "from", "12:00:00Z", f"{MINE}/gaps?from=2026-03-01T00:00:00"),
    query("no instant", "to", "12:00:00Z", f"{MINE}/audit?to=yesterday"),
    query("year 9999", "to", "2000 to 2099", f"{MINE}/audit?to=9999-01-01T00:00:00Z"),
    query("year 1", "from", "2000 to 2099", "/v1/audit?from=0001-01-02T00:00:00%2B23:59"),
    query("before year 1", "from", "write it like", "/v1/audit?from=0001-01-01T00:00:00%2B23:59"),
    query("to before from", "to", "later", f"{MINE}/readings?from=2026-03-01T00:00:00Z&to=2026-03-01T00:00:00Z"),
    query("no points", "points", "at least 1", f"{MINE}/readings?points=0&detector=x"),
    query("many points", "points", "at most 5000", f"{MINE}/readings?points=99999999999999999999&detector=x"),
    query("curve of nothing", "detector", "name one", f"{MINE}/readings?points=10"),
    query("unknown detector", "detector", "first reading", f"{MINE}/readings?detector=co2"),
    query("wrong limit", "limit", "whole number", f"{CHAMBERS}?limit=many"),
    query("wrong cursor", "cursor", "next_cursor", f"{CHAMBERS}?cursor=zzz"),
    query("wrong cursor of gaps", "cursor", "next_cursor", f"{MINE}/gaps?cursor=W10"),
    *(
        query(f"cursor at {place}", "cursor", "next_cursor", f"{MINE}/gaps?cursor={write_cursor(*place)}")
        for place in ((-(10**30), 0), (-(10**14), 0), (10**30, 0), (0, 2**63))
    ),
    query("NUL in a query", "q", "remove it", f"{CHAMBERS}?q=%00"),
    query("wrong status", "status", "'stale'", f"{CHAMBERS}?status=broken"),
    query("query of a route without any", "limit", "spelling", f"{MINE}?limit=3"),
    query("query without a name", '""', "spelling", "/v1/profiles?=3"),
    Wrong("query of a change", 422, "force", "spelling", path=f"{MINE}/resume?force=true"),
    query("misspelt query", "form", "spelling", f"{MINE}/readings?form=2026-03-01T00:00:00Z"),
    Wrong("unknown chamber", 404, "id", "lists what there is", method="GET", path=f"{CHAMBERS}/nobody"),
    Wrong("impossible chamber", 404, "id", "lists what there is", method="GET", path=f"{CHAMBERS}/%00%ff"),
    Wrong("unknown section", 404, "id", "GET /v1/sections lists", method="GET", path="/v1/sections/attic"),
    Wrong("unknown batch", 404, "id", "GET /v1/batches lists", method="GET", path="/v1/batches/lot-1/readings"),
    Wrong("impossible batch", 404, "id", "GET /v1/batches lists", method="POST", path="/v1/batches/%00/end"),
    Wrong("unknown organization", 404, "id", "GET /v1/organizations lists", None, "GET", "/v1/organizations/nobody"),
    Wrong(
        "no detector yet", 404, "id", "incubator-3/detectors lists", {"active": False}, "PATCH", f"{MINE}/detectors/x"
    ),
    Wrong(
        "organization without the right", 403, "Authorization", "--role super-admin", {"id": "mine"}, path=ORGANIZATIONS
    ),
    Wrong("section in capitals", 422, "id", "a-z", {"id": "Attic"}, path=SECTIONS),
    Wrong("section with a long name", 422, "name", "shorten", {"id": "attic", "name": "x" * 201}, path=SECTIONS),
    Wrong("section with a version", 422, "version", "the server decides", {"id": "attic", "version": 2}, path=SECTIONS),
    Wrong("other section of that id", 409, "id", "PATCH", {"id": "default", "name": "x"}, path=SECTIONS),
    Wrong("section that is used", 409, "active", "retire", {"active": False}, "PATCH", f"{SECTIONS}/default", STAR),
    Wrong("section unread", 428, "If-Match", "ETag", {"name": "x"}, "PATCH", f"{SECTIONS}/default"),
    Wrong("section read long ago", 412, "If-Match", "read it", {"name": "x"}, "PATCH", f"{SECTIONS}/default", OLD),
    Wrong("organization unread", 428, "If-Match", "ETag", {"name": "x"}, "PATCH", f"{ORGANIZATIONS}/default"),
    Wrong("id of a batch", 422, "id", "letters", {"id": "lot 1", "section": "default"}, path=BATCHES),
    Wrong("batch nowhere", 422, "section", "exists", {"id": "lot-1", "section": "attic"}, path=BATCHES),
    Wrong("batch without a section", 422, "section", "give it", {"id": "lot-1"}, path=BATCHES),
    Wrong("batch that is elsewhere", 409, "id", "never changes", {"id": "lot-0", "section": "default"}, path=BATCHES),
    Wrong("batch of a naive time", 422, "started_at", "12:00:00Z", {**LOT, "started_at": "2026-03-01"}, path=BATCHES),
    Wrong("batch that ends first", 422, "ended_at", "later", {**LOT, "ended_at": "2026-03-01T11:00:00Z"}, path=BATCHES),
    query("batches at no instant", "at", "12:00:00Z", f"{BATCHES}?at=now"),
    query("cursor of another list", "cursor", "next_cursor", f"{BATCHES}?cursor=WyJhIl0"),
    query("cursor of one organization", "cursor", "leave it out", f"{ORGANIZATIONS}?cursor=WyJhIl0"),
    query("too many sections", "limit", "at most 1000", f"{SECTIONS}?limit=1001"),
    Wrong("unknown path", 404, "path", "/docs", method="GET", path="/v1/chamber"),
    Wrong("wrong method", 405, "method", "Allow", method="PUT", path=CHAMBERS),
]


@pytest.mark.parametrize("wrong", TABLE, ids=lambda w: w.name)
async def test_a_wrong_input_is_told_with_its_field_and_remedy(wrong: Wrong) -> None:
    world = World()
    async with world.client("other") as other:
        assert (await other.post(CHAMBERS, json={**ENROLMENT, "id": "foreign"})).status_code == 201
    async with world.client() as client:
        assert (await client.post(CHAMBERS, json=ENROLMENT)).status_code == 201
        assert (await client.post(SECTIONS, json={"id": "store-1"})).status_code == 201
        assert (await client.post(BATCHES, json={"id": "lot-0", "section": "store-1"})).status_code == 201
        content = encoded(wrong.json) if wrong.content is None else wrong.content
        headers = [(k.encode(), v.encode("latin-1")) for k, v in {**JSON, **wrong.headers}.items()]
        answer = await client.request(wrong.method, wrong.path, content=content, headers=headers)

    assert answer.status_code == wrong.status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == wrong.status
    assert problem["type"].startswith("urn:chamberlog:problem:")
    assert problem["detail"]
    found = [error for error in problem["errors"] if error["field"] == wrong.named]
    assert found, problem
    assert wrong.remedy in found[0]["remedy"]
    assert "other" not in answer.text.replace("other-chamber", "").replace("another", "")


def encoded(document: Any) -> bytes:
    return b"" if document is None else json.dumps(document).encode()


@pytest.mark.parametrize(
    ("reason", "detail", "status", "named"),
    [
        (GapReason.UNREACHABLE, "connection refused", 502, "url"),
        (GapReason.BLOCKED, "127.0.0.1:80", 502, "url"),
        (GapReason.HTTP_STATUS, "404", 502, "url"),
        (GapReason.MALFORMED, "json: line 1", 502, "profile"),
        (GapReason.UNAUTHORIZED, "401", 502, "secret_ref"),
        (GapReason.TIMEOUT, "10 s", 504, "timeout_s"),
    ],
)
async def test_a_device_that_gives_no_reading_is_told_with_the_field_to_correct(
    reason: GapReason, detail: str, status: int, named: str
) -> None:
    world = World(device=lambda _: Gap(NOON_MS, NOON_MS, reason, detail))
    async with world.client() as client:
        await client.post(CHAMBERS, json=ENROLMENT)
        answer = await client.post(f"{MINE}/collect")
    assert answer.status_code == status
    [error] = answer.json()["errors"]
    assert error["field"] == named
    assert error["problem"] == f"{reason.value}: {detail}"
    assert error["remedy"]


async def test_a_device_that_does_not_answer_within_the_budget_is_a_504() -> None:
    world = World(device=lambda _: None)
    async with world.client() as client:
        await client.post(CHAMBERS, json=ENROLMENT)
        answer = await client.post(f"{MINE}/collect")
    assert answer.status_code == 504
    assert answer.json()["errors"][0]["field"] == "timeout_s"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Basic YTpi",
        "Bearer chl_short",
        "Bearer chl_00000000000a_" + "B" * 43,
        "Bearer chl_ffffffffffff_" + "A" * 43,
        "Bearer chl_00000000000A_" + "A" * 43,
    ],
)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/chambers"), ("POST", "/v1/chambers"), ("GET", "/v1"), ("GET", "/v1/nowhere")]
)
async def test_nobody_passes_without_a_valid_key(header: str | None, method: str, path: str) -> None:
    headers = {} if header is None else {"Authorization": header}
    async with World().client(None) as client:
        answer = await client.request(method, path, headers=headers, content=b"{" if method == "POST" else b"")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"] == "Authorization"


async def test_a_method_that_a_path_does_not_take_names_those_it_takes() -> None:
    async with World().client() as client:
        answer = await client.put(CHAMBERS)
    assert answer.headers["allow"] == "GET, POST"


@pytest.mark.parametrize(
    ("content", "status", "kind"),
    [(b"{}", 422, "unprocessable-content"), (b'"' + b"x" * 70_000 + b'"', 413, "content-too-large")],
)
async def test_the_type_of_a_problem_is_the_documented_one_on_every_python(
    content: bytes, status: int, kind: str
) -> None:
    async with World().client() as client:
        answer = await client.post(CHAMBERS, content=content, headers=JSON)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:chamberlog:problem:{kind}")


@pytest.mark.parametrize(
    ("said", "kind", "status", "field"),
    [
        (
            "the chamber is paused; resume it, or collect with force",
            wire.CONFLICT,
            409,
            {"field": "id", "problem": "the chamber is paused", "remedy": "resume it, or collect with force"},
        ),
        (
            "until: it is in the past; give a later instant",
            wire.INVALID,
            422,
            {"field": "until", "problem": "it is in the past", "remedy": "give a later instant"},
        ),
        ("no: it is not", wire.CONFLICT, 409, {"field": "no", "problem": "it is not", "remedy": ""}),
        ("a plain no: indeed", wire.CONFLICT, 409, {"field": "id", "problem": "a plain no: indeed", "remedy": ""}),
    ],
)
def test_what_a_chamber_refuses_names_its_field_and_the_remedy(
    said: str, kind: str, status: int, field: dict[str, str]
) -> None:
    problem = of_core(RejectedError(said, kind), "/v1/chambers/a/pause")
    assert (problem.status, [error.model_dump() for error in problem.errors]) == (status, [field])
