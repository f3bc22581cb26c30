"""Digest authentication against RFC 7616's own example and against httpx's."""

import hashlib
import re

import httpx
import pytest

from adapters.http_device.digest import REMEMBERED, Challenge, DigestSession, DigestSessions, challenges, strongest
from adapters.http_device.request import write_request
from collector.mapping.credentials import Credentials

MUFASA = Credentials("Mufasa", "Circle of Life")
NONCE, CNONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
OPAQUE = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
EXAMPLE = (
    f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={{}}, nonce="{NONCE}", opaque="{OPAQUE}"'
)
SHELLY = 'Digest qop="auth", realm="shellyplusht-08b61fcb7f3c", nonce="6440ae2d", algorithm=SHA-256'


def answer(challenge: str, who: Credentials = MUFASA, target: str = "/dir/index.html", times: int = 1) -> str:
    found = strongest([challenge])
    assert found is not None
    session = DigestSession(found, CNONCE)
    return [session.authorization(who, target) for _ in range(times)][-1]


def response_of(authorization: str) -> str:
    found = re.search(r'response="([0-9a-f]+)"', authorization)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
    ],
)
def test_the_example_of_the_rfc(algorithm: str, response: str) -> None:
    assert answer(EXAMPLE.format(algorithm)) == (
        f'Digest username="Mufasa", realm="http-auth@example.org", nonce="{NONCE}", uri="/dir/index.html", '
        f'algorithm={algorithm}, qop=auth, nc=00000001, cnonce="{CNONCE}", opaque="{OPAQUE}", response="{response}"'
    )


@pytest.mark.parametrize(
    "challenge",
    [
        SHELLY,
        EXAMPLE.format("SHA-256-sess"),
        EXAMPLE.format("md5-SESS"),
        'Digest realm="x", nonce="n", qop=auth',
        'Digest realm="before RFC 2617", nonce="n"',
        'digest realm="a, b", nonce="n",qop="auth",stale=FALSE , opaque=""',
    ],
)
def test_httpx_answers_the_same(challenge: str) -> None:
    flow = httpx.DigestAuth(MUFASA.user, MUFASA.password).auth_flow(httpx.Request("GET", "http://h/a%20b?x=1&y="))
    asked = next(flow)
    theirs = flow.send(httpx.Response(401, headers={"WWW-Authenticate": challenge}, request=asked))
    theirs_header = theirs.headers["Authorization"]
    found, used = strongest([challenge]), re.search(r'cnonce="([^"]+)"', theirs_header)
    assert found is not None
    session = DigestSession(found, used[1] if used else "")
    assert response_of(session.authorization(MUFASA, "/a%20b?x=1&y=")) == response_of(theirs_header)


def test_each_further_request_is_counted_and_has_a_response_of_its_own() -> None:
    first, second = answer(SHELLY), answer(SHELLY, times=2)
    assert "nc=00000001" in first
    assert "nc=00000002" in second
    assert response_of(first) != response_of(second)


def test_the_strongest_of_what_can_be_answered_is_answered_wherever_it_stands() -> None:
    weak, strong = 'Digest realm="m", nonce="1", algorithm=MD5', 'Digest realm="s", nonce="2", algorithm=SHA-256'
    for headers in ([weak, strong], [strong, weak], [f"{weak}, {strong}"], ['Basic realm="b", ' + strong, weak]):
        assert strongest(headers) == Challenge("s", "2", "SHA-256", qop=False)
    unknown = 'Digest realm="u", nonce="3", algorithm=SHA-512-256'
    assert strongest([unknown, weak]) == Challenge("m", "1", "MD5", qop=False)


@pytest.mark.parametrize(
    "header",
    [
        'Basic realm="x"',
        "Negotiate YWJj==",
        'Digest realm="no nonce"',
        'Digest realm="x", nonce="n", qop="auth-int"',
        'Digest realm="x", nonce="n", algorithm=SHA-512-256',
        "Digest",
        "",
        '"',
        "=,=,=",
    ],
)
def test_what_cannot_be_answered_is_none(header: str) -> None:
    assert strongest([header]) is None


def test_what_stands_in_quotes_is_no_challenge() -> None:
    header = r'Basic realm="say \"Digest nonce=\"1\", twice", Digest nonce="n\"m", realm="r"'
    assert [scheme for scheme, _ in challenges([header])] == ["basic", "digest"]
    assert strongest([header]) == Challenge("r", r"n\"m", qop=False)


def test_users_with_odd_names() -> None:
    quoted = answer(SHELLY, Credentials('a"b\\c', "p"))
    assert r'username="a\"b\\c"' in quoted
    assert "username*=UTF-8''m%C3%BCller%20%2F" in answer(SHELLY, Credentials("m\xfcller /", "p\xe4ss"))
    hashed = answer(SHELLY + ", userhash=true")
    assert "Mufasa" not in hashed
    assert "userhash=true" in hashed


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1"])
def test_a_realm_outside_ascii_goes_back_as_it_came_and_counts_byte_by_byte(charset: str) -> None:
    realm = "K\u00fcche".encode(charset)
    header = b'Digest realm="' + realm + b'", nonce="n"'
    given = answer(header.decode("latin-1"), target="/")
    ours = hashlib.md5(b"Mufasa:" + realm + b":Circle of Life", usedforsecurity=False).hexdigest()
    whole = hashlib.md5(f"{ours}:n:{hashlib.md5(b'GET:/', usedforsecurity=False).hexdigest()}".encode())
    assert response_of(given) == whole.hexdigest()
    sent = write_request("http://h/", ()).authorized(given)
    assert b'realm="' + realm + b'"' in sent
    assert sent.endswith(b"\r\n\r\n")


def test_the_password_stands_nowhere() -> None:
    assert "Circle" not in answer(SHELLY) + repr(MUFASA) + str(MUFASA)
    assert "Mufasa" not in repr(MUFASA)


def test_sessions_are_kept_within_a_limit_the_last_used_longest() -> None:
    sessions, one = DigestSessions(), DigestSession(Challenge("r", "n"), CNONCE)
    for number in range(REMEMBERED):
        sessions.keep(number, one)
    assert sessions.find(0) is one
    sessions.keep("another", one)
    assert (len(sessions), sessions.find(1), sessions.find(0)) == (REMEMBERED, None, one)
    sessions.forget(0)
    sessions.forget(0)
    assert sessions.find(0) is None
