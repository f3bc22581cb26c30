"""What the gateway vouches for: believed when it is, and nothing else is."""

import base64
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from hypothesis import given
from hypothesis import strategies as st

from adapters.assertions import (
    Ed25519Signer,
    Ed25519Verifier,
    KeyPair,
    new_key_pair,
)
from collector.domain.access import Scope
from collector.domain.errors import InvalidFieldError
from collector.domain.roles import Role
from collector.ports import Principal
from collector.ports.assertions import LIFE_S, SKEW_S, Assertion
from tests.unit.api_world import NOON_MS, StandingClock

PAIR, OTHER = new_key_pair(), new_key_pair()
WHO = Principal(
    "default",
    "key/00000000000a",
    Role.OPERATOR,
    scopes=frozenset({Scope.CHAMBERS, Scope.READINGS}),
    section="cold-store",
    credential="key/00000000000a",
)
SAID = Assertion(operation="chambers.pause", principal=WHO, address="2001:db8::7")
NOBODY = Assertion(operation="auth.sign_in", principal=None, address="192.168.1.9")


class Desk:
    """A signer and a verifier, each with a clock of its own."""

    def __init__(self, signs: KeyPair = PAIR, believes: str = PAIR.public) -> None:
        self.theirs, self.ours = StandingClock(), StandingClock()
        self.signer, self.verifier = Ed25519Signer(signs.private, self.theirs), Ed25519Verifier(believes, self.ours)


def _claims(**changes: Any) -> dict[str, Any]:
    """Those of a good assertion, changed; None takes one away."""
    claims = jwt.decode(Desk().signer.sign(SAID), options={"verify_signature": False}) | changes
    return {name: value for name, value in claims.items() if value is not None or name == "section"}


def _signed(claims: dict[str, Any], pair: KeyPair = PAIR, **header: Any) -> str:
    kid = jwt.get_unverified_header(Desk().signer.sign(SAID))["kid"]
    return jwt.encode(claims, pair.private, "EdDSA", {"kid": kid, **header})


@pytest.mark.parametrize("said", [SAID, NOBODY, Assertion(operation="", principal=WHO, address="")])
def test_what_is_signed_is_believed_as_it_was_said(said: Assertion) -> None:
    desk = Desk()
    assert desk.verifier.verify(desk.signer.sign(said)) == said


def test_its_form_is_the_documented_one() -> None:
    token = Desk().signer.sign(SAID)
    header = jwt.get_unverified_header(token)
    assert (header["alg"], len(header["kid"])) == ("EdDSA", 16)
    assert jwt.decode(token, options={"verify_signature": False}) == {
        "iss": "chamberlog-authz",
        "aud": "chamberlog-api",
        "iat": NOON_MS // 1000,
        "exp": NOON_MS // 1000 + 60,
        "sub": "key/00000000000a",
        "op": "chambers.pause",
        "addr": "2001:db8::7",
        "org": "default",
        "role": "operator",
        "scopes": ["chambers", "readings"],
        "section": "cold-store",
        "cred": "key/00000000000a",
    }


@pytest.mark.parametrize(
    ("ahead_s", "believed"),
    [
        (-SKEW_S - 1, False),
        (-SKEW_S, True),
        (0, True),
        (LIFE_S + SKEW_S - 1, True),
        (LIFE_S + SKEW_S, False),
        (3_600, False),
    ],
)
def test_its_time_is_a_minute_and_the_clocks_may_differ_by_seconds(ahead_s: int, *, believed: bool) -> None:
    desk = Desk()
    token = desk.signer.sign(SAID)
    desk.ours.wall_ms += ahead_s * 1000
    assert (desk.verifier.verify(token) is not None) is believed


def test_while_keys_are_exchanged_both_are_believed_and_then_the_old_one_is_not() -> None:
    both = PAIR.public + OTHER.public
    assert Desk(PAIR, both).verifier.verify(Desk(PAIR).signer.sign(SAID))
    assert Desk(PAIR, both).verifier.verify(Desk(OTHER).signer.sign(SAID))
    assert Desk(PAIR, OTHER.public).verifier.verify(Desk(PAIR).signer.sign(SAID)) is None


@pytest.mark.parametrize(
    "claims",
    [
        _claims(iss="somebody"),
        _claims(aud="chamberlog-web"),
        _claims(aud=None),
        _claims(iss=None),
        _claims(exp=None),
        _claims(iat=None),
        _claims(exp=NOON_MS // 1000 + 86_400),
        _claims(exp="never"),
        _claims(exp=float("inf")),
        _claims(iat=[]),
        _claims(op=None),
        _claims(addr=None),
        _claims(sub=None),
        _claims(role="king"),
        _claims(role=None),
        _claims(scopes=["everything"]),
        _claims(scopes=None),
        _claims(org=None),
        _claims(cred=None),
    ],
)
def test_what_our_key_signed_in_another_form_is_not_believed(claims: dict[str, Any]) -> None:
    assert Desk().verifier.verify(_signed(_claims()))  # the way it is made here is right
    assert Desk().verifier.verify(_signed(claims)) is None


def _none() -> str:
    kid = jwt.get_unverified_header(Desk().signer.sign(SAID))["kid"]
    parts = ({"alg": "none", "typ": "JWT", "kid": kid}, _claims())
    return ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts) + "."


def _by_public_key_as_secret() -> str:
    """The old trick: HMAC with what everybody knows."""
    kid = jwt.get_unverified_header(Desk().signer.sign(SAID))["kid"]
    raw = PAIR.public.replace("-----", "").encode()
    return jwt.encode(_claims(), raw, "HS256", {"kid": kid})


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "\u00e9.\u00e9.\u00e9",
        "x" * 5_000,
        _none(),
        _by_public_key_as_secret(),
        _signed(_claims(), OTHER),  # another's key under our name
        _signed(_claims(), kid="0" * 16),
        _signed(_claims(), kid=""),
        Desk(OTHER).signer.sign(SAID),
        Desk().signer.sign(SAID) + "A",
        Desk().signer.sign(SAID).upper(),
        " " + Desk().signer.sign(SAID),
    ],
)
def test_what_our_key_did_not_sign_is_not_believed(token: str) -> None:
    assert Desk().verifier.verify(token) is None


@given(st.integers(0, 400), st.characters(codec="utf-8"))
def test_a_changed_character_ends_the_belief(at: int, instead: str) -> None:
    token = Desk().signer.sign(SAID)
    changed = token[:at] + instead + token[at + 1 :]
    believed = Desk().verifier.verify(changed)
    assert believed is None or changed == token


def test_what_cannot_sign_or_be_believed_stops_the_start_without_being_quoted() -> None:
    clock = StandingClock()
    foreign = ed448.Ed448PrivateKey.generate()
    curve = ec.generate_private_key(ec.SECP256R1())
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    pkcs8, info = serialization.PrivateFormat.PKCS8, serialization.PublicFormat.SubjectPublicKeyInfo
    for text in (
        "",
        "secret-word",
        PAIR.public,
        *(k.private_bytes(encoding, pkcs8, plain).decode() for k in (foreign, curve)),
    ):
        with pytest.raises(InvalidFieldError) as refused:
            Ed25519Signer(text, clock)
        assert refused.value.field == "CHAMBERLOG_ASSERTION_KEY"
        assert "secret-word" not in str(refused.value)
        assert "new-key" in refused.value.remedy
    public = [k.public_key().public_bytes(encoding, info).decode() for k in (foreign, curve)]
    broken = PAIR.public.replace("MCow", "MCo!")
    for text in ("", "secret-word", PAIR.private, PAIR.public + PAIR.private, broken, *public):
        with pytest.raises(InvalidFieldError) as refused:
            Ed25519Verifier(text, clock)
        assert refused.value.field == "CHAMBERLOG_ASSERTION_KEYS"
        assert "secret-word" not in str(refused.value)


def test_a_pair_does_not_show_its_secret() -> None:
    assert PAIR.private.splitlines()[1] not in repr(PAIR)
