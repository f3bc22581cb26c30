"""A chamber's secret: how a profile sends it, and where it must not appear."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus

from collector.domain.errors import MisconfiguredError, SlotFailedError
from collector.mapping.profile import Profile


@dataclass(frozen=True, slots=True)
class Credentials:
    """User and password, shown nowhere."""

    user: str = field(repr=False)
    password: str = field(repr=False)


def secret_of(profile: Profile, secret: str | None) -> str:
    """The secret of a chamber whose profile sends one.

    Raises:
        MisconfiguredError: the chamber has none.
    """
    if not secret:
        raise MisconfiguredError(
            f"secret: profile {profile.name} sends a credential ({profile.request.auth}) and the chamber has none;"
            " set its secret_ref"
        )
    return secret


def user_and_password(profile: Profile, secret: str | None) -> Credentials:
    """A secret that is `user:password`; the password may have further colons.

    Raises:
        MisconfiguredError: there is none, or it has no colon, or control characters.
    """
    user, colon, password = secret_of(profile, secret).partition(":")
    if not colon:
        raise MisconfiguredError(
            f"secret: {profile.request.auth} authentication needs user:password behind the secret_ref"
        )
    if not (user + password).isprintable():
        raise MisconfiguredError("secret: user and password have no control characters; check secret_ref")
    return Credentials(user, password)


def forms_of(secret: str) -> frozenset[bytes]:
    """The secret, or its password, as it may have been sent."""
    _, colon, password = secret.partition(":")
    parts = {secret, password} if colon else {secret}
    encoded = {form.encode() for part in parts if part for form in (part, quote(part, safe=""), quote_plus(part))}
    return frozenset(encoded | {b64encode(secret.encode())})


def repeats_secret(body: bytes, secret: str) -> bool:
    """Whether an answer holds the secret, or its password, in a form in which it was sent: nobody may quote it then."""
    return any(form in body for form in forms_of(secret))


@contextmanager
def quoting_no_secret(body: bytes, secret: str | None) -> Iterator[None]:
    """A failure in this block quotes nothing of an answer that repeats the secret, as pages of errors do with a URL."""
    try:
        yield
    except SlotFailedError as error:
        if not secret or not repeats_secret(body, secret):
            raise
        stage = error.detail.partition(":")[0]
        raise type(error)(f"{stage}: the answer repeats the chamber's secret, so nothing of it is shown") from None
