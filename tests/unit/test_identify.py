"""Who asks, by gRPC metadata as by HTTP headers: one use case reads both."""

import pytest

from adapters.assertions import Ed25519Verifier
from adapters.memory import InMemoryKeys, InMemoryOrganizations
from collector.domain.access_table import of_grpc
from collector.domain.errors import ForbiddenError, NotFoundError, UnauthenticatedError
from collector.ports.assertions import Assertion
from collector.usecases.admit import Admit
from collector.usecases.authenticate import Authenticate
from collector.usecases.identify import Headers, Identify, bearer_of, claims_identity, value_of
from tests.unit.api_world import KEYS, SUBJECT
from tests.unit.gate_world import PAIR, GateWorld

LISTING = of_grpc("/chamberlog.v1.Chambers/ListChambers")
FOUNDING = of_grpc("/chamberlog.v1.Organizations/CreateOrganization")
BEARER = ("authorization", f"Bearer {KEYS['default']}")


def _identify(gate: GateWorld) -> Identify:
    ledger = gate.world.ledger
    admit = Admit(Authenticate(InMemoryKeys(ledger), gate.clock), InMemoryOrganizations(ledger))
    return Identify(admit, Ed25519Verifier(PAIR.public, gate.clock))


async def test_a_credential_in_metadata_says_who_asks() -> None:
    admission = await _identify(GateWorld())(LISTING, [("user-agent", "grpc"), BEARER], "10.0.0.9")
    assert admission.principal is not None
    assert (admission.principal.subject, admission.address) == (SUBJECT, "10.0.0.9")


async def test_an_assertion_in_metadata_does_too_with_the_callers_own_address() -> None:
    gate = GateWorld()
    identify = _identify(gate)
    direct = await identify(LISTING, [BEARER], "")
    said = gate.signer.sign(Assertion(operation="chambers.list", principal=direct.principal, address="10.0.0.9"))
    admission = await identify(LISTING, [("x-chamberlog-role", "-"), ("x-chamberlog-assertion", said)], "127.0.0.1")
    assert (admission.principal, admission.address) == (direct.principal, "10.0.0.9")


@pytest.mark.parametrize(
    "spoof",
    [
        [("x-chamberlog-subject", "key/1")],
        [("x-chamberlog-trace-bin", b"\x00\xff")],
        [("x-chamberlog-assertion", b"bytes")],
        [("x_chamberlog_role", "administrator")],
    ],
)
async def test_spoofed_metadata_is_refused(spoof: Headers) -> None:
    with pytest.raises(UnauthenticatedError, match="not signed by the gateway"):
        await _identify(GateWorld())(LISTING, [BEARER, *spoof], "")


async def test_refusals_are_the_gates() -> None:
    identify = _identify(GateWorld())
    with pytest.raises(ForbiddenError):
        await identify(FOUNDING, [BEARER], "")
    with pytest.raises(NotFoundError):
        await identify(LISTING, [BEARER, ("chamberlog-organization", "other")], "")
    with pytest.raises(UnauthenticatedError):
        await identify(LISTING, [], "")


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("x-chamberlog-subject", True),
        ("X-Chamberlog-", True),
        ("x_chamberlog_subject", True),
        ("X-CHAMBERLOG_role", True),
        ("chamberlog-organization", False),
        ("x-chamber-log", False),
        ("x-chamberlog", False),
        ("xx-chamberlog-role", False),
    ],
)
def test_which_names_are_the_gateways(name: str, *, ours: bool) -> None:
    assert claims_identity(name) is ours


def test_a_credential_is_read_as_http_writes_it() -> None:
    assert bearer_of([("Authorization", "bearer  chl_x ")]) == "chl_x"
    assert bearer_of([("authorization", "Basic abc")]) == ""
    assert bearer_of([("authorization", b"Bearer x")]) == bearer_of([]) == ""


async def test_of_several_credentials_or_organizations_none_counts() -> None:
    identify = _identify(GateWorld())
    twice = [BEARER, ("Authorization", f"Bearer {KEYS['other']}")]
    with pytest.raises(UnauthenticatedError):
        await identify(LISTING, twice, "")
    with pytest.raises(NotFoundError):
        await identify(LISTING, [BEARER, ("chamberlog-organization", "default"), ("chamberlog-organization", "x")], "")
    assert value_of([("A", "1"), ("a", "2")], "a") == "1,2"
    assert value_of([("a", "1"), ("a", b"2")], "a") is None
