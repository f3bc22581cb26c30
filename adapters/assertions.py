"""The gateway's assertions as JSON Web Tokens (RFC 7519), signed by Ed25519 (RFC 8037).

| claim | what |
|---|---|
| `iss`, `aud` | `chamberlog-authz`, `chamberlog-api` |
| `iat`, `exp` | seconds since the epoch; 60 s apart |
| `sub` | `key/<id>` or `user/<id>`; empty = the operation takes nobody |
| `op` | name of the operation that was judged |
| `addr` | of the caller |
| `org`, `role`, `scopes`, `section`, `cred` | as `Principal` has them; not there without a `sub` |

The header has `alg` EdDSA and `kid`, the first 16 hexadecimal digits of SHA-256 of the public key: whoever has several
public keys knows which one to try, and no other algorithm than Ed25519's is ever tried.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from collector.domain.access import Scope
from collector.domain.errors import InvalidFieldError
from collector.domain.roles import Role
from collector.ports.assertions import LIFE_S, SKEW_S, Assertion
from collector.ports.clock import Clock
from collector.ports.keys import Principal

ISSUER, AUDIENCE, ALGORITHM = "chamberlog-authz", "chamberlog-api", "EdDSA"
REQUIRED = ["iss", "aud", "iat", "exp", "sub", "op", "addr"]
LENGTH_LIMIT = 4_096
"""Ten times what ours are long: nobody makes us decode more."""
KID_DIGITS = 16
PRIVATE, PUBLIC = "CHAMBERLOG_ASSERTION_KEY", "CHAMBERLOG_ASSERTION_KEYS"
PRIVATE_REMEDY = "give the PEM of a private Ed25519 key: `chamberlog authz new-key` makes one"
PUBLIC_REMEDY = "give the PEM of public Ed25519 keys, one after the other, as `chamberlog authz new-key` prints them"
BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
OTHER_KIND = "it is a key of another kind than Ed25519"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A new pair of keys as PEM texts; the private one is a secret."""

    private: str = field(repr=False)
    public: str


def new_key_pair() -> KeyPair:
    """A pair that nobody has."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return KeyPair(private.decode(), public.decode())


class Ed25519Signer:
    """`AssertionSigner` by a private key."""

    def __init__(self, private_pem: str, clock: Clock) -> None:
        """Sign by that key.

        Args:
            private_pem: of `new_key_pair`.
            clock: whose wall time stands in the assertions.

        Raises:
            InvalidFieldError: field `CHAMBERLOG_ASSERTION_KEY`; never quotes the key.
        """
        self._clock = clock
        try:
            key = serialization.load_pem_private_key(private_pem.encode(), None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise InvalidFieldError(PRIVATE, "it is no private key", PRIVATE_REMEDY) from None
        if not isinstance(key, Ed25519PrivateKey):
            raise InvalidFieldError(PRIVATE, OTHER_KIND, PRIVATE_REMEDY)
        self._key = key
        self._header = {"kid": kid_of(self._key.public_key())}

    def sign(self, assertion: Assertion) -> str:
        """The token; see `AssertionSigner.sign`."""
        now_s = self._clock.now_ms() // 1000
        claims = {"iss": ISSUER, "aud": AUDIENCE, "iat": now_s, "exp": now_s + LIFE_S, **_claims_of(assertion)}
        return jwt.encode(claims, self._key, ALGORITHM, self._header)


class Ed25519Verifier:
    """`AssertionVerifier` by public keys: while keys are exchanged there are two."""

    def __init__(self, public_pem: str, clock: Clock) -> None:
        """Believe whoever has the private key of one of them.

        Args:
            public_pem: one PEM after the other.
            clock: by whose wall time assertions end.

        Raises:
            InvalidFieldError: field `CHAMBERLOG_ASSERTION_KEYS`.
        """
        self._clock, self._keys = clock, _read_public(public_pem)

    def verify(self, text: str) -> Assertion | None:
        """What was vouched for, or None; see `AssertionVerifier.verify`."""
        if len(text) > LENGTH_LIMIT:
            return None
        try:
            key = self._keys[jwt.get_unverified_header(text)["kid"]]
            claims = jwt.decode(
                text,
                key,
                [ALGORITHM],
                # the times are held against our own clock, below
                {"require": REQUIRED, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
                audience=AUDIENCE,
                issuer=ISSUER,
            )
            return _assertion_of(claims) if self._is_in_time(claims["iat"], claims["exp"]) else None
        except (jwt.PyJWTError, ValueError, KeyError, TypeError):
            return None

    def _is_in_time(self, issued_s: int, ends_s: int) -> bool:
        now_s = self._clock.now_ms() / 1000
        return issued_s - SKEW_S <= now_s < ends_s + SKEW_S and ends_s - issued_s <= LIFE_S


def kid_of(key: Ed25519PublicKey) -> str:
    """The name of a public key."""
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:KID_DIGITS]


def _read_public(text: str) -> Mapping[str, Ed25519PublicKey]:
    found: dict[str, Ed25519PublicKey] = {}
    for block in BLOCK.finditer(text):
        if "PRIVATE" in block[1]:
            raise InvalidFieldError(PUBLIC, "there is a private key in it", PUBLIC_REMEDY)
        try:
            key = serialization.load_pem_public_key(block[0].encode())
        except (ValueError, UnsupportedAlgorithm):
            raise InvalidFieldError(PUBLIC, "there is something in it that is no public key", PUBLIC_REMEDY) from None
        if not isinstance(key, Ed25519PublicKey):
            raise InvalidFieldError(PUBLIC, OTHER_KIND, PUBLIC_REMEDY)
        found[kid_of(key)] = key
    if not found:
        raise InvalidFieldError(PUBLIC, "there is no public key in it", PUBLIC_REMEDY)
    return found


def _claims_of(assertion: Assertion) -> dict[str, Any]:
    claims: dict[str, Any] = {"sub": "", "op": assertion.operation, "addr": assertion.address}
    who = assertion.principal
    if who is not None:
        claims |= {"sub": who.subject, "org": who.organization, "role": who.role.value, "section": who.section}
        claims |= {"scopes": sorted(scope.value for scope in who.scopes), "cred": who.credential}
    return claims


def _assertion_of(claims: Mapping[str, Any]) -> Assertion:
    principal = None
    if claims["sub"]:
        principal = Principal(
            organization=claims["org"],
            subject=claims["sub"],
            role=Role(claims["role"]),
            scopes=frozenset(Scope(scope) for scope in claims["scopes"]),
            section=claims["section"],
            credential=claims["cred"],
        )
    return Assertion(operation=claims["op"], principal=principal, address=claims["addr"])
