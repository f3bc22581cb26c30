"""API keys as they are handed out, `chl_<id>_<secret>`: the secret is in no store, only its hash."""

import hashlib
import secrets

from collector.ports.keys import NewKey
from collector.usecases.authenticate import KEY_PATTERN

ID_BYTES, SECRET_BYTES = 6, 32


def new_key() -> NewKey:
    """A key that nobody has."""
    key = read_key(f"chl_{secrets.token_hex(ID_BYTES)}_{secrets.token_urlsafe(SECRET_BYTES)}")
    assert key is not None
    return key


def read_key(text: str) -> NewKey | None:
    """The key that the text is; None when it is none of ours."""
    match = KEY_PATTERN.fullmatch(text)
    return None if match is None else NewKey(match[1], hashlib.sha256(match[2].encode()).digest(), text)
