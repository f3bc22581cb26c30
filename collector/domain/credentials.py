"""Secrets that are handed out once: `<kind>_<id>_<secret>`, of which only the hash of the secret is kept."""

import hashlib
import re
from dataclasses import dataclass, field
from enum import Enum

from collector.domain.errors import InvalidFieldError

ID_OF_CREDENTIAL = re.compile("[0-9a-f]{12}", re.ASCII)
"""Ids of users, sessions and invitations have the same form."""


class Kind(Enum):
    """What a secret is for; its value begins the text."""

    ACCESS = "cha"
    """Sent with each request by who has signed in."""
    REFRESH = "chr"
    """Gets the next pair, once."""
    INVITATION = "chi"
    """Makes a user, once."""
    RESET = "chp"
    """Sets a password, once."""


PATTERNS = {kind: re.compile(rf"{kind.value}_([0-9a-f]{{12}})_([A-Za-z0-9_-]{{43}})", re.ASCII) for kind in Kind}


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret that somebody holds.

    Attributes:
        id: 12 hexadecimal digits; not a secret.
        secret_sha256: 32 bytes, what a store keeps.
        text: the whole of it; in no log.
    """

    id: str
    secret_sha256: bytes
    text: str = field(repr=False)


def read_credential(kind: Kind, text: str) -> Credential | None:
    """The secret that the text is; None when it is none of that kind."""
    match = PATTERNS[kind].fullmatch(text)
    return None if match is None else Credential(match[1], hashlib.sha256(match[2].encode()).digest(), text)


def given_credential(kind: Kind, text: str, field_name: str) -> Credential:
    """The secret that a caller gave.

    Raises:
        InvalidFieldError: it is none of that kind; it is not quoted.
    """
    found = read_credential(kind, text.strip(" \n"))
    if found is None:
        problem = f"it is not of the form {kind.value}_<id>_<secret>"
        raise InvalidFieldError(field_name, problem, "give it as it was handed out, whole")
    return found
