"""What a profile asks for."""

import re
from base64 import b64decode
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.http_device.request import write_request
from collector.domain.errors import DeniedError, MisconfiguredError
from collector.mapping.credentials import Credentials, quoting_no_secret, repeats_secret
from collector.mapping.profile import Profile
from collector.mapping.request import (
    request_digest,
    request_headers,
    request_parameters,
    request_url,
    url_problem,
)


def profile(**request: Any) -> Profile:
    return Profile.model_validate(
        {"name": "x", "request": request, "measurements": [{"name": "t", "select": "t", "unit": "C"}]}
    )


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://h", "http://h/measures/current?a=1"),
        ("http://h/", "http://h/measures/current?a=1"),
        ("http://h:8080", "http://h:8080/measures/current?a=1"),
        ("https://[fd00::1]:8443/", "https://[fd00::1]:8443/measures/current?a=1"),
        ("http://h/other", "http://h/other"),
        ("http://h/other/?q=2", "http://h/other/?q=2"),
        ("http://h?q=2", "http://h?q=2"),
        ("http://h/#part", "http://h/measures/current?a=1"),
        ("http://h/x#part", "http://h/x"),
    ],
)
def test_url(url: str, asked: str) -> None:
    assert request_url(profile(path="/measures/current?a=1"), url) == asked


def test_without_a_path_the_root_is_asked() -> None:
    assert request_url(profile(), "http://h") == "http://h/"


def test_headers_without_authentication_never_carry_the_secret() -> None:
    assert request_headers(profile(headers={"Accept": "application/json"}), "hush") == {"Accept": "application/json"}
    assert request_headers(profile(), None) == {}


def test_bearer() -> None:
    found = request_headers(profile(auth="bearer", headers={"Accept": "*/*"}), "abc.def")
    assert found == {"Accept": "*/*", "Authorization": "Bearer abc.def"}


def test_basic() -> None:
    found = request_headers(profile(auth="basic"), "user:p\u00e4ss:word")
    assert b64decode(found["Authorization"].removeprefix("Basic ")).decode() == "user:p\u00e4ss:word"


def test_key_in_a_header_and_token_in_one_parameter() -> None:
    in_header, in_query = profile(auth="header", auth_header="X-API-Key"), profile(auth="query", auth_query=["token"])
    assert request_headers(in_header, "k-1") == {"X-API-Key": "k-1"}
    assert request_parameters(in_query, "a:b") == (("token", "a:b"),)
    for ask, key in ((request_headers, in_header), (request_parameters, in_query)):
        with pytest.raises(MisconfiguredError, match="the chamber has none; set its secret_ref"):
            ask(key, None)
    with pytest.raises(MisconfiguredError, match="neither blanks nor control characters"):
        request_headers(in_header, "k\r\nHost: x")


@pytest.mark.parametrize(
    "wrong",
    [
        {"auth": "header"},
        {"auth_header": "X"},
        {"auth": "header", "auth_header": "Host"},
        {"auth": "query", "auth_query": []},
    ],
)
def test_header_and_parameters_must_be_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        profile(**wrong)


@pytest.mark.parametrize(
    "request_rules",
    [
        {"auth": "bearer"},
        {"auth": "basic"},
        {"auth": "digest"},
        {"auth": "query", "auth_query": ["u", "p"]},
        {"auth": "query", "auth_query": ["token"]},
        {"auth": "header", "auth_header": "X-API-Key"},
    ],
)
def test_password_is_its_owners_choice(request_rules: dict[str, Any]) -> None:
    optional, always = profile(**request_rules, auth_optional=True), profile(**request_rules)
    for ask in (request_headers, request_parameters, request_digest):
        assert not ask(optional, None)
        assert ask(optional, "user:word") == ask(always, "user:word")


@pytest.mark.parametrize(
    ("auth", "secret"),
    [
        ("bearer", None),
        ("basic", None),
        ("bearer", ""),
        ("basic", "hush"),
        ("bearer", "hu\nsh"),
        ("bearer", "h\u00fcsh"),
        ("bearer", "hu sh"),
    ],
)
def test_secrets_that_cannot_be_sent(auth: str, secret: str | None) -> None:
    with pytest.raises(MisconfiguredError, match="secret_ref") as caught:
        request_headers(profile(auth=auth), secret)
    assert not secret or secret not in caught.value.detail


# ---- credentials that are no header


@pytest.mark.parametrize("auth", ["digest", "query"])
@pytest.mark.parametrize("secret", [None, "", "hush", "us\ner:hush", "user:hu\x7fsh", "user:hu\udcffsh"])
def test_user_and_password_that_cannot_be_sent(auth: str, secret: str | None) -> None:
    more = {"auth_query": ["user", "password"]} if auth == "query" else {}
    asked = profile(auth=auth, **more)
    with pytest.raises(MisconfiguredError, match="secret_ref") as caught:
        assert (request_digest(asked, secret), request_parameters(asked, secret)) == (None, ())
    assert "hush" not in caught.value.detail


def test_a_profile_sends_the_secret_in_one_way_only() -> None:
    digest, query = profile(auth="digest"), profile(auth="query", auth_query=["user", "password"])
    assert request_digest(digest, "admin:a:b") == Credentials("admin", "a:b")
    assert request_parameters(query, "admin:a:b") == (("user", "admin"), ("password", "a:b"))
    for other in (profile(), profile(auth="bearer"), profile(auth="basic"), query):
        assert request_digest(other, "admin:ab") is None
    for other in (profile(), profile(auth="bearer"), profile(auth="basic"), digest):
        assert request_parameters(other, "admin:ab") == ()
    assert request_headers(digest, "admin:ab") == request_headers(query, "admin:ab") == {}


@pytest.mark.parametrize(
    "names",
    [["user", "user"], ["", "password"], ["us er", "password"], ["user", "a=b"], ["user", "p&q"], ["a", "b", "c"]],
)
def test_names_of_parameters_that_are_none(names: list[str]) -> None:
    with pytest.raises(ValidationError):
        profile(auth="query", auth_query=names)


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "x-http-method", "X-Method-Override"])
def test_no_header_turns_the_get_into_a_write(name: str) -> None:
    with pytest.raises(ValidationError):
        profile(headers={name: "PUT"})


@pytest.mark.parametrize(
    "body",
    [
        b"404: /cm?user=admin&password=p%40ss%20word",
        b"404: /cm?user=admin&password=p%40ss+word",
        b'{"url": "p@ss word"}',
        b"Authorization: Basic YWRtaW46cEBzcyB3b3Jk",
    ],
)
def test_an_answer_that_repeats_the_secret_is_not_quoted(body: bytes) -> None:
    with pytest.raises(DeniedError) as caught, quoting_no_secret(body, "admin:p@ss word"):
        raise DeniedError(f"denied: it says {body!r}")
    assert caught.value.detail == "denied: the answer repeats the chamber's secret, so nothing of it is shown"
    assert (caught.value.__cause__, caught.value.__suppress_context__) == (None, True)


def test_a_secret_is_found_in_every_form_in_which_pages_give_it_back() -> None:
    secret = 'admin:a/b<\xf6" +'
    for shown in (
        b'a/b<\xc3\xb6" +',
        b"a%2Fb%3C%C3%B6%22%20%2B",
        b"a%2fb%3c%c3%b6%22%20%2b",
        b"a%2Fb%3C%C3%B6%22+%2B",
        b"a/b%3C%C3%B6%22%20%2B",
        b"a/b&lt;\xc3\xb6&quot; +",
        b'a/b<\\u00f6\\" +',
    ):
        assert repeats_secret(b"<p>/cm?password=" + shown + b"&x=1", secret), shown
    assert not repeats_secret(b"<p>admin</p>", secret)


def test_an_answer_that_does_not_repeat_it_is_quoted() -> None:
    for secret in ("admin:p@ss word", None):
        with pytest.raises(DeniedError, match="PermissionDenied"), quoting_no_secret(b"PermissionDenied", secret):
            raise DeniedError("denied: PermissionDenied")


# ---- devices that write by a GET

READ_ONLY = "/atmoweb?Temp1Read=&HumRead=&CurOp="
READING = [
    "http://h",
    "http://h/",
    "http://h:8080",
    "https://[fd00::1]/atmoweb?Temp2Read=",
    "http://h/atmoweb",
    "http://h/atmoweb?Temp1Read=&TempSet=",
    "http://h/atmoweb/?SN=&DevType=",
    "http://h?Temp1Read=",
    "http://h/atmoweb?Temp1Read=#TempSet=30",
    "HTTP://H/Controller/Config/Log.txt",
]
WRITING = [
    "http://h/atmoweb?TempSet=30",
    "http://h/atmoweb?Temp1Read=&TempSet=30",
    "http://h?TempSet=30",
    "http://h/?TempSet=30",
    "http://h/atmoweb?TempSet%3D30",
    "http://h/atmoweb?TempSet=%33%30",
    "http://h/atmoweb?TempSet=%20",
    "http://h/atmoweb?TempSet=+",
    "http://h/atmoweb?TempSet=+30",
    "http://h/atmoweb?TempSet= ",
    "http://h/atmoweb?TempSet=\u00a0",
    "http://h/atmoweb?TempSet",
    "http://h/atmoweb?TempSet==",
    "http://h/atmoweb?TempSet=&TempSet=30",
    "http://h/atmoweb?TempSet=&TempSet=",
    "http://h/atmoweb?TempSet=&tempset=",
    "http://h/atmoweb?TEMPSET=30",
    "http://h/atmoweb?Temp1Read=;TempSet=30",
    "http://h/atmoweb?Temp1Read=;",
    "http://h/atmoweb?Temp1Read=&",
    "http://h/atmoweb?&Temp1Read=",
    "http://h/atmoweb?=30",
    "http://h/atmoweb?Temp1Read=?TempSet=30",
    "http://h/atmoweb?Temp1Read=&amp;TempSet=30",
    "http://h/atmoweb?Temp1Read=%26TempSet=30",
    "http://h/atmoweb?Temp1Read=%0d%0aTempSet=30",
    "http://h/atmoweb?Temp1Read=%23",
    "http://h/atmoweb?Temp.Set=",
    "http://h/atmoweb?Temp[]=",
    "http://h/atmoweb;TempSet=30",
    "http://h/atmoweb;TempSet=30?Temp1Read=",
    "http://h/atmoweb%3FTempSet=30",
    "http://h/atmoweb%3fTempSet%3d30",
    "http://h/atmoweb&TempSet=30",
    "http://h/TempSet=30",
    "http://h/atmoweb?TempSet=\uff13\uff10",
    "http://h/atmoweb?T\u0435mp=",
    "http://h\\atmoweb?TempSet=30",
    "http://h\\@x/atmoweb?TempSet=30",
    "ftp://h/atmoweb",
]


def read_only() -> Profile:
    return profile(path=READ_ONLY, only_empty_parameters=True)


@pytest.mark.parametrize("url", READING)
def test_a_url_with_empty_parameters_only_is_asked(url: str) -> None:
    assert url_problem(read_only(), url) is None
    assert "TempSet=30" not in request_url(read_only(), url)


@pytest.mark.parametrize("url", WRITING)
def test_a_url_that_could_write_is_refused_before_it_is_asked(url: str) -> None:
    assert url_problem(read_only(), url)
    with pytest.raises(MisconfiguredError, match="url: this device writes by a GET") as caught:
        request_url(read_only(), url)
    assert "NAME=" in caught.value.detail
    assert url_problem(profile(path=READ_ONLY), url) is None, "the rule is the profile's"


@pytest.mark.parametrize("url", [url.replace("http://h", "") for url in WRITING if url.startswith("http://h/")])
def test_a_profile_whose_own_path_could_write_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        profile(path=url, only_empty_parameters=True)


def test_the_rule_and_a_password_in_the_query_cannot_be_had_together() -> None:
    with pytest.raises(ValidationError, match="forbids the parameters of auth"):
        profile(path=READ_ONLY, only_empty_parameters=True, auth="query", auth_query=["user", "password"])


@given(st.text(st.sampled_from("aZ09_=&;?%+#/.\\ \t\n:@[]\u00e4"), max_size=12))
def test_whatever_is_written_behind_the_host_no_value_is_ever_asked(behind: str) -> None:
    """What the transport would send for it, read as loosely as any device may read it."""
    try:
        asked = request_url(read_only(), "http://h/atmoweb?Temp1Read=" + behind)
    except (MisconfiguredError, ValueError):
        return
    target = unquote(write_request(asked, ()).target)
    for part in re.split(r"[?&;]", target)[1:]:
        assert re.fullmatch(r"[A-Za-z0-9_]+=", part)


def test_a_secret_that_is_no_text_hides_no_failure() -> None:
    with pytest.raises(DeniedError, match="PermissionDenied"), quoting_no_secret(b"PermissionDenied", "ad:hu\udcffsh"):
        raise DeniedError("denied: PermissionDenied")
