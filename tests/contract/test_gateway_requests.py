"""What the gateway lets through, what it changes and what it answers itself, with a real Envoy."""

import base64
import ipaddress
import json
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.contract.gateway_room import GOOD, Room, ingress_settings, opened, raw, spoken


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with opened(tmp_path_factory.mktemp("gateway"), ingress_settings()) as opened_room:
        yield opened_room


def identity_of(answer: httpx.Response) -> list[list[str]]:
    return sorted(pair for pair in answer.json()["headers"] if pair[0].startswith("x-chamberlog"))


IDENTITY = [
    ["x-chamberlog-assertion", "signed"],
    ["x-chamberlog-organization", "default"],
    ["x-chamberlog-role", "operator"],
    ["x-chamberlog-subject", "user/ada"],
]


def test_the_api_sees_who_asks_and_never_the_credential(room: Room) -> None:
    answer = httpx.get(f"{room.url}/v1/echo?a=b", headers=GOOD)
    assert answer.status_code == 200
    seen = dict(answer.json()["headers"])
    assert identity_of(answer) == IDENTITY
    assert "authorization" not in seen
    assert "x-internal" not in seen
    assert answer.headers["ratelimit"] == '"read";r=7;t=3'
    assert answer.headers["ratelimit-policy"] == '"read";q=10;w=60'
    assert answer.headers["x-request-id"] == seen["x-request-id"]


@pytest.mark.parametrize(
    "name",
    [
        "x-chamberlog-subject",
        "X-CHAMBERLOG-SUBJECT",
        "X-Chamberlog-Role",
        "x-chamberlog-assertion",
        "x-chamberlog-client",
    ],
)
def test_identity_of_a_client_is_taken_away(room: Room, name: str) -> None:
    headers = [*GOOD.items(), (name, "root"), (name, "root again")]
    answer = httpx.get(f"{room.url}/v1/echo", headers=headers)
    assert identity_of(answer) == IDENTITY
    asked = room.asked("authz")[-1]["headers"]
    assert [pair for pair in asked if pair[0].startswith("x-chamberlog")] == [["x-chamberlog-client", "127.0.0.1"]]


@pytest.mark.parametrize(
    "path", ["/healthz", "/docs", "/openapi.json", "/static-offline-docs/x.js", "/v1/auth/sign-in"]
)
def test_no_identity_comes_through_where_nobody_is_asked_for(room: Room, path: str) -> None:
    headers = {"x-chamberlog-subject": "root", "X-Chamberlog-Assertion": "forged", **GOOD}
    answer = httpx.request("POST" if "auth" in path else "GET", f"{room.url}{path}", headers=headers)
    assert answer.status_code == 200
    if path != "/healthz":
        assert identity_of(answer) == []
        assert "authorization" not in dict(answer.json()["headers"])


def test_a_header_with_an_underscore_is_refused(room: Room) -> None:
    answer = spoken(room.port, raw("x_chamberlog_subject: root", "Connection: close"))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in answer


def test_identity_cannot_be_declared_hop_by_hop(room: Room) -> None:
    answer = spoken(room.port, raw("Connection: close, x-chamberlog-subject, x-chamberlog-assertion"))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    document = json.loads(body[body.index(b"{") : body.rindex(b"}") + 1])
    assert sorted(pair for pair in document["headers"] if pair[0].startswith("x-chamberlog")) == IDENTITY


def test_addresses_of_a_client_are_its_own_word_and_go(room: Room) -> None:
    answer = httpx.get(f"{room.url}/v1/echo", headers={**GOOD, "X-Forwarded-For": "9.9.9.9", "X-Envoy-Retry-On": "5xx"})
    seen = dict(answer.json()["headers"])
    address = seen["x-forwarded-for"]  # of a client on this machine Envoy says the machine's own
    assert ipaddress.ip_address(address) != ipaddress.ip_address("9.9.9.9")
    assert "x-envoy-retry-on" not in seen
    assert dict(room.asked("authz")[-1]["headers"])["x-forwarded-for"] == address


@pytest.mark.parametrize(
    ("target", "asked"),
    [
        ("/docs/../v1/keys", "/authz/v1/keys"),
        ("/docs/%2e%2e/v1/keys", "/authz/v1/keys"),
        ("//v1//keys", "/authz/v1/keys"),
        ("/static-offline-docs/./../v1/keys", "/authz/v1/keys"),
        ("/temporal/../v1/keys", "/authz/v1/keys"),
        ("/v1/../temporal/x", "/authz/temporal/x"),
    ],
)
def test_a_path_is_plain_before_anybody_judges_it(room: Room, target: str, asked: str) -> None:
    answer = spoken(room.port, raw("Connection: close", target=target))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert room.asked("authz")[-1]["path"] == asked


@pytest.mark.parametrize(
    "target", ["/v1/a%2fb", "/v1/a%5cb", "/docs%2f..%2fv1/keys", "/static-offline-docs/..%2F..%2Fv1"]
)
def test_an_escaped_slash_is_refused(room: Room, target: str) -> None:
    before = len(room.asked("api"))
    answer = spoken(room.port, raw("Connection: close", target=target))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"type":"urn:chamberlog:problem:bad-request"' in answer
    assert len(room.asked("api")) == before


def test_a_workflow_of_the_web_ui_has_an_escaped_slash(room: Room) -> None:
    target = "/temporal/api/v1/namespaces/default/workflows/chamber%2Ffreezer-1"
    credentials = base64.b64encode(b"good:good").decode()
    answer = httpx.get(f"{room.url}{target}", headers={"Authorization": f"Basic {credentials}"})
    assert answer.json()["path"] == target
    assert identity_of(answer) == []
    assert "authorization" not in dict(answer.json()["headers"])


def test_the_web_ui_takes_longer_bodies_than_the_api(room: Room) -> None:
    answer = httpx.post(f"{room.url}/temporal/api/v1/x", headers=GOOD, content=b"x" * 300_000)
    assert (answer.status_code, answer.json()["length"]) == (200, 300_000)


def test_the_web_ui_is_asked_for_its_markdown_where_it_serves_it(room: Room) -> None:
    answer = httpx.get(f"{room.url}/temporal/render?content=%2A%2Aa%2Fb%2A%2A&theme=light", headers=GOOD)
    assert answer.json()["path"] == "/temporal/temporal/render"
    assert identity_of(answer) == []


def test_the_web_ui_asks_a_browser_for_a_password(room: Room) -> None:
    answer = httpx.get(f"{room.url}/temporal")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Basic realm="chamberlog"')
    assert httpx.get(f"{room.url}/temporal/x", headers={"Authorization": "Bearer viewer"}).status_code == 403
    assert httpx.get(f"{room.url}/temporaly", headers=GOOD).status_code == 404


@pytest.mark.parametrize(
    ("path", "headers", "status", "kept"),
    [
        ("/v1/echo", {}, 401, "www-authenticate"),
        ("/v1/foreign", GOOD, 404, "content-type"),
        ("/v1/limited", GOOD, 429, "retry-after"),
    ],
)
def test_what_the_authz_service_denies_it_words_itself(
    room: Room, path: str, headers: dict[str, str], status: int, kept: str
) -> None:
    answer = httpx.get(f"{room.url}{path}", headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "the authz service says so"
    assert answer.json()["status"] == status
    assert kept in answer.headers
    if status == 429:
        assert answer.headers.get_list("retry-after") == ["3"]
        assert answer.headers["ratelimit"] == '"read";r=7;t=3'


def test_what_cannot_be_told_is_no_leave(room: Room) -> None:
    answer = httpx.get(f"{room.url}/v1/ill", headers=GOOD)
    assert answer.status_code == 503
    assert "nobody can tell now who asks" in answer.json()["detail"]
    assert answer.headers.get_list("retry-after") == ["5"]


def test_the_gateways_own_answers_are_problems(room: Room) -> None:
    answer = httpx.get(f"{room.url}/nowhere", headers=GOOD)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:chamberlog:problem:not-found",
        "title": "Not Found",
        "status": 404,
        "detail": "there is no such path; see /docs for those there are",
        "errors": [{"field": "path", "problem": "there is no such path", "remedy": "see /docs for those there are"}],
    }


def test_an_answer_of_the_api_is_its_own(room: Room) -> None:
    answer = httpx.get(f"{room.url}/v1/broken", headers=GOOD)
    assert (answer.status_code, answer.json()["path"]) == (502, "/v1/broken")


@pytest.mark.parametrize(("length", "status"), [(65_536, 200), (65_537, 413)])
def test_a_body_is_as_long_as_the_api_takes(room: Room, length: int, status: int) -> None:
    answer = httpx.post(f"{room.url}/v1/echo", headers=GOOD, content=b"x" * length)
    assert answer.status_code == status
    if status == 413:
        assert answer.json()["errors"][0]["remedy"] == "send at most 64 KiB"


def test_a_body_of_no_known_length_ends_there_too(room: Room) -> None:
    before = len(room.asked("api"))
    endless = (b"x" * 10_000 for _ in range(30))  # the last piece may be over: the API counts to the byte
    answer = httpx.post(f"{room.url}/v1/echo", headers=GOOD, content=endless)
    assert answer.status_code == 413
    assert len(room.asked("api")) == before


def test_nobody_without_leave_has_a_body_read(room: Room) -> None:
    answer = httpx.post(f"{room.url}/v1/echo", content=b"x" * 100_000)
    assert answer.status_code == 401


def test_too_many_headers_are_refused(room: Room) -> None:
    answer = httpx.get(f"{room.url}/v1/echo", headers={**GOOD, **{f"x-{n}": "1" for n in range(80)}})
    assert answer.status_code == 431
    assert answer.json()["errors"][0]["field"] == "headers"


def test_two_lengths_of_a_body_are_refused(room: Room) -> None:
    request = raw("Transfer-Encoding: chunked", "Content-Length: 5").replace(b"GET", b"POST") + b"0\r\n\r\n"
    assert spoken(room.port, request).startswith(b"HTTP/1.1 400 ")


def test_live_events_arrive_as_they_are_sent(room: Room) -> None:
    began = time.monotonic()
    with httpx.stream("GET", f"{room.url}/v1/live", headers=GOOD) as answer:
        arrived = [(line, time.monotonic() - began) for line in answer.iter_lines() if line]
    assert [line for line, _ in arrived] == ["data: 0", "data: 1", "data: 2"]
    assert arrived[1][1] - arrived[0][1] > 0.2
    assert arrived[2][1] - arrived[1][1] > 0.2


def test_the_access_log_says_who_asked_for_what_and_no_secret(room: Room) -> None:
    httpx.get(f"{room.url}/v1/logged?token=chl_secret", headers={**GOOD, "Cookie": "chl_cookie"})
    deadline = time.monotonic() + 10
    while not (lines := [line for line in room.access_log() if line["path"] == "/v1/logged"]):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    (line,) = lines
    wanted = {"method": "GET", "status": 200, "subject": "user/ada", "organization": "default", "role": "operator"}
    assert {name: line[name] for name in wanted} == wanted
    assert line["client"] == "127.0.0.1"
    text = (room.folder / "envoy.log").read_text()
    assert "chl_secret" not in text
    assert "chl_cookie" not in text
    assert "Bearer" not in text


def test_prometheus_finds_its_figures_on_the_admin_port(room: Room) -> None:
    answer = httpx.get(f"http://{room.settings.admin}/stats/prometheus?usedonly")
    assert answer.status_code == 200
    assert "envoy_cluster_upstream_rq" in answer.text
