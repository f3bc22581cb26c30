"""The request that a profile makes for a chamber."""

from collector.mapping.profile import Profile


def request_url(profile: Profile, chamber_url: str) -> str:
    """The chamber's URL; a bare host (no path, or `/`, and no query) gets the profile's path."""
    raise NotImplementedError((profile, chamber_url))


def request_headers(profile: Profile, secret: str | None) -> dict[str, str]:
    """Headers that the profile asks for, the credential included.

    Raises:
        MisconfiguredError: the profile needs a secret and the chamber has no `secret_ref`.
    """
    raise NotImplementedError((profile, secret))
