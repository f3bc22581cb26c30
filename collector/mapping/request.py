"""The request that a profile makes for a chamber."""

import re
from base64 import b64encode
from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

from collector.domain.errors import MisconfiguredError
from collector.mapping.credentials import Credentials, secret_of, user_and_password
from collector.mapping.profile import Profile
from collector.mapping.request_rules import EMPTY_REMEDY, only_empty

REMEMBERED = 20_000
"""URLs that are not put together anew for each slot."""
TARGET = re.compile(r"https?://[^/?#\\]*([^#]*)", re.IGNORECASE)


def request_url(profile: Profile, chamber_url: str) -> str:
    """The chamber's URL; a bare host (no path, or `/`, and no query) gets the profile's path.

    Raises:
        MisconfiguredError: the profile sends empty parameters only, and the URL has others.
    """
    asked = _joined(profile.request.path, chamber_url)
    if profile.request.only_empty_parameters and (problem := writing(asked)):
        raise MisconfiguredError(f"url: {problem}; {EMPTY_REMEDY}")
    return asked


def url_problem(profile: Profile, chamber_url: str) -> str | None:
    """Why the profile does not ask this URL; None when it does."""
    if not profile.request.only_empty_parameters:
        return None
    return writing(_joined(profile.request.path, chamber_url))


@lru_cache(REMEMBERED)
def writing(url: str) -> str | None:
    """Why asking this URL could write to a device that writes by a GET; None when it cannot.

    Nothing is decoded: what is not a plain name with nothing behind it is refused, however a device would read it.
    """
    target = TARGET.fullmatch(url)
    if target is None or not only_empty("/" + target[1].removeprefix("/")):
        return "this device writes by a GET, and the URL has more than plain names with empty values"
    return None


@lru_cache(REMEMBERED)
def _joined(profile_path: str, chamber_url: str) -> str:
    parts = urlsplit(chamber_url)
    if parts.path not in ("", "/") or parts.query:
        return urlunsplit(parts._replace(fragment=""))
    path, _, query = profile_path.partition("?")
    return urlunsplit(parts._replace(path=path, query=query, fragment=""))


def request_headers(profile: Profile, secret: str | None) -> dict[str, str]:
    """Headers that the profile asks for, with a credential that is one of them.

    A secret is sent only when the profile says how; with `auth: none` it stays here. With `auth_optional` a chamber
    without one is asked without one.

    Raises:
        MisconfiguredError: the profile needs a secret and the chamber has no `secret_ref`, or it cannot be sent.
    """
    found = dict(profile.request.headers)
    match _auth(profile, secret):
        case "basic":
            whose = user_and_password(profile, secret)
            found["Authorization"] = "Basic " + b64encode(f"{whose.user}:{whose.password}".encode()).decode()
        case "bearer":
            found["Authorization"] = "Bearer " + _token(secret_of(profile, secret))
        case "header":
            found[str(profile.request.auth_header)] = _token(secret_of(profile, secret))
    return found


def request_parameters(profile: Profile, secret: str | None) -> tuple[tuple[str, str], ...]:
    """Parameters that carry the credential, behind those of the URL; not encoded.

    Raises:
        MisconfiguredError: as `request_headers`.
    """
    if profile.request.auth_query is None or _auth(profile, secret) == "none":
        return ()
    if len(profile.request.auth_query) == 1:
        return ((profile.request.auth_query[0], _token(secret_of(profile, secret))),)
    whose = user_and_password(profile, secret)
    user, password = profile.request.auth_query
    return ((user, whose.user), (password, whose.password))


def request_digest(profile: Profile, secret: str | None) -> Credentials | None:
    """What a challenge of the device is answered with; None when the profile answers none.

    Raises:
        MisconfiguredError: as `request_headers`.
    """
    return user_and_password(profile, secret) if _auth(profile, secret) == "digest" else None


def _auth(profile: Profile, secret: str | None) -> str:
    """How the secret is sent to this chamber's device: a password is its owner's choice."""
    return "none" if profile.request.auth_optional and not secret else profile.request.auth


def _token(secret: str) -> str:
    if not (secret.isascii() and secret.isprintable()) or " " in secret:
        raise MisconfiguredError("secret: a token has neither blanks nor control characters; check secret_ref")
    return secret
