"""What a profile asks for."""

from base64 import b64decode
from typing import Any

import pytest

from collector.domain.errors import MisconfiguredError
from collector.mapping.profile import Profile
from collector.mapping.request import request_headers, request_url


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


@pytest.mark.parametrize("auth", ["bearer", "basic"])
def test_password_is_its_owners_choice(auth: str) -> None:
    optional = profile(auth=auth, auth_optional=True, headers={"Accept": "*/*"})
    assert request_headers(optional, None) == {"Accept": "*/*"}
    assert request_headers(optional, "user:word") == request_headers(
        profile(auth=auth, headers={"Accept": "*/*"}), "user:word"
    )


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
