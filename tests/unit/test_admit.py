"""The one gate: who passes, who does not, and in which order that is told."""

from dataclasses import replace

import pytest

from adapters.api_keys import new_key
from adapters.memory import InMemoryKeys, InMemoryLedger, InMemoryOrganizations
from collector.domain.access import Operation, Scope, Traffic
from collector.domain.access_table import of_http
from collector.domain.errors import (
    AwayError,
    ForbiddenError,
    NotFoundError,
    TooManyRequestsError,
    UnauthenticatedError,
)
from collector.domain.roles import Role
from collector.ports import KeyTerms
from collector.ports.limits import RateState
from collector.usecases.admit import Admission, Admit, Ask
from collector.usecases.authenticate import Authenticate
from tests.unit.api_world import StandingClock

LIST, ENROL, AUDIT, SHUT = (
    of_http(method, f"/v1/{path}")
    for method, path in (("GET", "chambers"), ("POST", "chambers"), ("GET", "audit"), ("GET", "keys"))
)
SIGN_IN = of_http("POST", "/v1/auth/sign-in")


class CountingLimiter:
    """Allows so many requests of everybody, and remembers of whom it was asked."""

    def __init__(self, allowed: int) -> None:
        self.left, self.asked = allowed, list[tuple[str, Traffic]]()

    async def hit(self, subject: str, traffic: Traffic) -> RateState:
        self.asked.append((subject, traffic))
        self.left -= 1
        return RateState(allowed=self.left >= 0, limit=2, remaining=max(0, self.left), reset_s=7, window_s=60)


class Gate:
    """The use case over twins; `key` makes a key."""

    def __init__(self, limiter: CountingLimiter | None = None) -> None:
        self.ledger, clock = InMemoryLedger(), StandingClock()
        self.ledger.add_section("other", "default")
        authenticate = Authenticate(InMemoryKeys(self.ledger), clock)
        self.admit = Admit(authenticate, InMemoryOrganizations(self.ledger), limiter)

    def key(self, **terms: object) -> str:
        made = new_key()
        kept = self.ledger.add_key(made.id, made.secret_sha256, "default")
        kept.record = replace(kept.record, terms=KeyTerms(**terms))  # type: ignore[arg-type]  # whatever a test wants
        return made.text

    async def __call__(
        self, operation: Operation | None, credential: str, organization: str | None = None
    ) -> Admission:
        return await self.admit(
            Ask(operation=operation, credential=credential, organization=organization, address="192.0.2.7")
        )


async def test_who_is_known_and_may_passes_with_what_they_are() -> None:
    gate = Gate()
    admission = await gate(ENROL, gate.key(section="attic", scopes=frozenset({Scope.CHAMBERS})))
    assert admission.operation is ENROL
    assert admission.rate is None
    principal = admission.principal
    assert principal is not None
    assert (principal.organization, principal.role, principal.section) == ("default", Role.ADMINISTRATOR, "attic")
    assert principal.subject == principal.credential
    assert principal.subject.startswith("key/")


@pytest.mark.parametrize("credential", ["", "chl_short", "chl_ffffffffffff_" + "A" * 43])
async def test_nobody_and_strangers_are_told_what_to_send(credential: str) -> None:
    with pytest.raises(UnauthenticatedError) as refused:
        await Gate()(LIST, credential)
    assert "Authorization: Bearer" in refused.value.remedy


async def test_what_has_no_row_is_told_to_who_is_known_alone() -> None:
    gate = Gate()
    assert (await gate(None, gate.key(role=Role.VIEWER))).operation is None
    with pytest.raises(UnauthenticatedError):
        await gate(None, "")


async def test_what_takes_nobody_passes_without_a_credential_and_counts_by_address() -> None:
    limiter = CountingLimiter(1)
    gate = Gate(limiter)
    admission = await gate(SIGN_IN, "")
    assert admission.principal is None
    assert limiter.asked == [("address/192.0.2.7", Traffic.SIGN_IN)]
    with pytest.raises(TooManyRequestsError) as refused:
        await gate(SIGN_IN, "")
    assert refused.value.retry_after_s == 7


async def test_requests_count_by_subject_and_the_refused_ones_too() -> None:
    limiter = CountingLimiter(2)
    gate = Gate(limiter)
    key = gate.key(role=Role.VIEWER)
    admission = await gate(LIST, key)
    assert admission.rate is not None
    assert admission.principal is not None
    assert admission.rate.remaining == 1
    with pytest.raises(ForbiddenError):
        await gate(ENROL, key)
    with pytest.raises(TooManyRequestsError, match="class read in 60 s"):
        await gate(LIST, key)
    subject = admission.principal.subject
    assert limiter.asked == [(subject, Traffic.READ), (subject, Traffic.WRITE), (subject, Traffic.READ)]


async def test_a_guess_at_a_key_counts_for_nobody_else() -> None:
    limiter = CountingLimiter(9)
    with pytest.raises(UnauthenticatedError):
        await Gate(limiter)(LIST, "chl_ffffffffffff_" + "A" * 43)
    assert limiter.asked == []


@pytest.mark.parametrize(
    ("terms", "operation", "words"),
    [
        ({"role": Role.VIEWER}, ENROL, "chambers.enrol takes the role administrator, and yours is viewer"),
        ({"scopes": frozenset({Scope.READINGS})}, ENROL, "takes the scope chambers, which this key has not"),
        ({"section": "attic"}, AUDIT, "is about the whole organization, and this key is of section attic"),
        ({"section": "attic"}, SHUT, "keys.list is about the whole organization"),
    ],
)
async def test_who_may_not_is_told_which_of_the_limits_it_is(
    terms: dict[str, object], operation: Operation, words: str
) -> None:
    gate = Gate()
    with pytest.raises(ForbiddenError, match=words):
        await gate(operation, gate.key(**terms))


async def test_a_super_administrator_acts_in_another_organization() -> None:
    gate = Gate()
    key = gate.key(role=Role.SUPER_ADMINISTRATOR)
    for wanted, organization in ((None, "default"), ("default", "default"), ("other", "other")):
        principal = (await gate(LIST, key, wanted)).principal
        assert principal is not None
        assert (principal.organization, principal.role) == (organization, Role.SUPER_ADMINISTRATOR)


@pytest.mark.parametrize("wanted", ["gone", "", "NOT ONE", "a\x00b", "\ud800", "x" * 5_000, "other\n"])
async def test_an_organization_that_is_not_there_is_not_found(wanted: str) -> None:
    gate = Gate()
    with pytest.raises(NotFoundError) as refused:
        await gate(LIST, gate.key(role=Role.SUPER_ADMINISTRATOR), wanted)
    assert "/v1/organizations" in refused.value.remedy
    assert len(str(refused.value)) < 400


async def test_for_everybody_else_a_foreign_organization_is_one_that_is_not_there() -> None:
    gate, told = Gate(), []
    key = gate.key()
    for wanted in ("other", "gone"):
        with pytest.raises(NotFoundError) as refused:
            await gate(LIST, key, wanted)
        told.append((str(refused.value).replace(wanted, ""), refused.value.remedy))
    assert told[0] == told[1]
    assert (await gate(LIST, key, "default")).principal is not None


async def test_whoever_cannot_be_looked_up_is_neither_let_in_nor_called_a_stranger() -> None:
    gate = Gate()
    key = gate.key()
    gate.ledger.away = True
    with pytest.raises(AwayError):
        await gate(LIST, key)
