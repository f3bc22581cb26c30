"""What a gateway may be rendered with, and what its own answers say."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import yaml

from api.guard import MAX_BODY_BYTES
from api.problems import MEDIA_TYPE, ProblemError, problem_response
from collector.domain.access import Traffic
from collector.domain.access_table import operations
from collector.domain.errors import InvalidFieldError
from edge.addresses import Address
from edge.ingress import IngressSettings, Limits, Timeouts, render_ingress
from edge.local_replies import replies

SETTINGS = IngressSettings(
    listen=Address("127.0.0.1", 8000),
    api=(Address("127.0.0.1", 8080),),
    authz=(Address("127.0.0.1", 8081),),
    grpc=(Address("127.0.0.1", 9090),),
    temporal_ui=(Address("127.0.0.1", 8233),),
)


@pytest.mark.parametrize("text", ["127.0.0.1:8000", "api:1", "[::1]:65535", "my_api-1.internal:80", "0.0.0.0:80"])
def test_an_address_is_read_as_it_is_written(text: str) -> None:
    assert str(Address.read("listen", text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "api",
        "api:",
        ":80",
        "api:0",
        "api:65536",
        "api:8o",
        "::1:80",
        "[api]:80",
        "a b:80",
        "a\n:80",
        "-a:80",
        "a}:80",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        Address.read("listen", text)
    assert caught.value.field == "listen"
    assert "host:port" in caught.value.remedy


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda: replace(SETTINGS, admin=Address("0.0.0.0", 9901)), "admin"),
        (lambda: replace(SETTINGS, admin=Address("localhost", 9901)), "admin"),
        (lambda: replace(SETTINGS, listen=Address("gateway", 8000)), "listen"),
        (lambda: replace(SETTINGS, admin=Address("127.0.0.1", 8000)), "admin"),
        (lambda: replace(SETTINGS, metrics=Address("gateway", 9903)), "metrics"),
        (lambda: replace(SETTINGS, metrics=Address("0.0.0.0", 9901)), "metrics"),
        (lambda: replace(SETTINGS, api=()), "api"),
        (lambda: replace(SETTINGS, authz=()), "authz"),
        (lambda: replace(SETTINGS, api=(Address("api", 1), Address("127.0.0.1", 1))), "api"),
        (lambda: replace(SETTINGS, trusted_hops=-1), "trusted_hops"),
        (lambda: replace(SETTINGS, timeouts=Timeouts(read_s=0)), "timeouts.read_s"),
        (lambda: replace(SETTINGS, limits=Limits(per_second=0)), "limits.per_second"),
        (lambda: replace(SETTINGS, limits=Limits(per_second=5_000_000_000)), "limits.per_second"),
    ],
)
def test_what_makes_no_gateway_is_refused(change: Callable[[], object], field: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        change()
    assert caught.value.field == field


def test_its_own_answers_have_the_form_of_the_apis() -> None:
    for reply in replies(SETTINGS):
        problem = problem_response(ProblemError(reply.status, reply.detail))
        document = yaml.safe_load(bytes(problem.body))
        ours = reply.document
        assert {**document, "status": ours["status"], "errors": ours["errors"]} == ours
        assert "; " in reply.detail, "each says what to do"
    assert MEDIA_TYPE in render_ingress(SETTINGS)
    assert len({reply.key for reply in replies(SETTINGS)}) == len(replies(SETTINGS))


def test_a_body_may_be_as_long_as_the_api_takes_it() -> None:
    assert Limits().body_bytes == MAX_BODY_BYTES


def routes() -> list[dict[str, Any]]:
    document = yaml.safe_load(render_ingress(SETTINGS))
    (listener,) = document["static_resources"]["listeners"]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    (host,) = manager["route_config"]["virtual_hosts"]
    found = host["routes"]
    assert isinstance(found, list)
    return found


def test_the_gate_is_off_only_where_the_table_takes_nobody() -> None:
    off = "envoy.filters.http.ext_authz"
    unguarded = [route["match"] for route in routes() if off in route.get("typed_per_filter_config", {})]
    paths = {match.get("path") or match.get("prefix") for match in unguarded if "safe_regex" not in match}
    free = {row.http[1].removesuffix("*") for row in operations() if row.http and row.role is None}
    signing = {row.http[1] for row in operations() if row.http and row.traffic is Traffic.SIGN_IN}
    assert paths == (free - signing) | {"/grpc.health.v1.Health/Check"}


def test_only_what_reads_is_asked_again_once_it_was_sent() -> None:
    def retries(route: dict[str, Any]) -> str:
        return str(route.get("route", {}).get("retry_policy", {}).get("retry_on", ""))

    again = [route["match"] for route in routes() if "reset" in retries(route).split(",")]
    for match in again:
        reading = "headers" in match or match.get("path") or "grpc" in match or match["prefix"].startswith("/static")
        assert reading, match
    (pattern,) = [match["safe_regex"]["regex"] for match in again if "grpc" in match and "path" not in match]
    named = {method.replace("\\", "") for method in pattern.split("|")}
    assert named == {
        row.grpc
        for row in operations()
        if row.grpc and row.grpc.startswith("/chamberlog") and not row.writes and row.traffic is Traffic.READ
    }
