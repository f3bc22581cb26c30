"""The request that a profile makes for a chamber."""

from base64 import b64encode
from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

from collector.domain.errors import MisconfiguredError
from collector.mapping.profile import Profile

REMEMBERED = 20_000
"""URLs that are not put together anew for each slot."""


def request_url(profile: Profile, chamber_url: str) -> str:
    """The chamber's URL; a bare host (no path, or `/`, and no query) gets the profile's path."""
    return _joined(profile.request.path, chamber_url)


@lru_cache(REMEMBERED)
def _joined(profile_path: str, chamber_url: str) -> str:
    parts = urlsplit(chamber_url)
    if parts.path not in ("", "/") or parts.query:
        return urlunsplit(parts._replace(fragment=""))
    path, _, query = profile_path.partition("?")
    return urlunsplit(parts._replace(path=path, query=query, fragment=""))


def request_headers(profile: Profile, secret: str | None) -> dict[str, str]:
    """Headers that the profile asks for, the credential included.

    A secret is sent only when the profile says how; with `auth: none` it stays here. With `auth_optional` a chamber
    without one is asked without one.

    Raises:
        MisconfiguredError: the profile needs a secret and the chamber has no `secret_ref`, or it cannot be sent.
    """
    found = dict(profile.request.headers)
    if profile.request.auth == "none" or (not secret and profile.request.auth_optional):
        return found
    if not secret:
        raise MisconfiguredError(
            f"secret: profile {profile.name} sends a credential ({profile.request.auth}) and the chamber has none;"
            " set its secret_ref"
        )
    found["Authorization"] = _credential(profile, secret)
    return found


def _credential(profile: Profile, secret: str) -> str:
    if profile.request.auth == "basic":
        if ":" not in secret:
            raise MisconfiguredError("secret: basic authentication needs user:password behind the secret_ref")
        return "Basic " + b64encode(secret.encode()).decode()
    if not (secret.isascii() and secret.isprintable()) or " " in secret:
        raise MisconfiguredError("secret: a bearer token has neither blanks nor control characters; check secret_ref")
    return "Bearer " + secret
