"""Requests that no honest client sends, for tests that look for an answer of 500; and what is there to be asked."""

import base64
import json
from typing import Any

from hypothesis import strategies as st

from tests.unit.api_world import ENROLMENT

THINGS: list[tuple[str, dict[str, Any]]] = [
    ("/v1/chambers", ENROLMENT),
    ("/v1/batches", {"id": "lot-1", "section": "default"}),
]
"""What has to be made first, so that the paths lead somewhere."""
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
    "timezone",
    "serial_number",
    "document",
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
    "role",
    "scopes",
    "expires_at",
    "email",
    "password",
    "new_password",
    "token",
    "refresh_token",
    "first_name",
    "last_name",
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
    ("POST", "/v1/sections/default/pause"),
    ("POST", "/v1/sections/default/resume"),
    ("POST", "/v1/batches"),
    ("PATCH", "/v1/batches/lot-1"),
    ("POST", "/v1/batches/lot-1/end"),
    ("POST", "/v1/organizations"),
    ("PATCH", "/v1/organizations/default"),
    ("PUT", "/v1/profiles/attic"),
    ("DELETE", "/v1/profiles/attic"),
    ("POST", "/v1/keys"),
    ("POST", "/v1/auth/sign-in"),
    ("POST", "/v1/auth/refresh"),
    ("POST", "/v1/auth/accept-invitation"),
    ("POST", "/v1/auth/forgotten-password"),
    ("POST", "/v1/auth/reset-password"),
    ("POST", "/v1/auth/change-password"),
    ("POST", "/v1/auth/sign-out"),
    ("POST", "/v1/auth/sign-out-everywhere"),
    ("POST", "/v1/users"),
    ("PATCH", "/v1/users/0123456789ab"),
    ("POST", "/v1/users/0123456789ab/sign-out"),
    ("POST", "/v1/users/0123456789ab/password-reset"),
    ("POST", "/v1/invitations"),
    ("DELETE", "/v1/invitations/0123456789ab"),
]
GETS = [
    "/v1/chambers",
    "/v1/keys",
    "/v1/events",
    "/v1/chambers/incubator-3/readings",
    "/v1/chambers/incubator-3/gaps",
    "/v1/chambers/incubator-3/answers",
    "/v1/profiles/attic",
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
    "/v1/auth/whoami",
    "/v1/users",
    "/v1/users/0123456789ab",
    "/v1/invitations",
]
INSTANTS = st.one_of(
    TEXTS,
    st.datetimes().map(lambda d: d.isoformat()),
    st.datetimes().map(lambda d: d.isoformat() + "Z"),
    st.datetimes().map(lambda d: d.isoformat() + "+23:59"),
)
PLACES = st.one_of(st.sampled_from([0, -1, 2**63, -(2**63), 10**30, -(10**30)]), st.integers(-(10**30), 10**30), TEXTS)
"""What stands in a cursor, and what somebody writes into one who has looked inside."""
CURSORS = st.one_of(
    TEXTS,
    st.sampled_from(["W10", "W10=", "WzFd", "WyJhIl0", "bnVsbA", "WzFlOTk5XQ", "WzEsMl0"]),
    st.lists(PLACES, min_size=1, max_size=2).map(
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


def quoted(value: bytes) -> str:
    """Percent-encoded, every byte of it."""
    return "".join(f"%{byte:02x}" for byte in value)


def query_string(query: dict[str, str]) -> str:
    """The query as it stands in an address; half a surrogate pair is sent as its bytes."""
    return "&".join(f"{name}={quoted(value.encode(errors='surrogatepass'))}" for name, value in query.items())
