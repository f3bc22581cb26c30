"""Who asks, by what came with a request: what the gateway vouches for, or else a credential of the caller's own.

HTTP headers and gRPC metadata are read alike: `Identify` is what the API's guard and the gRPC interceptor call.
"""

from collections.abc import Sequence

from collector.domain.access import Operation
from collector.domain.errors import UnauthenticatedError
from collector.ports.assertions import Assertion, AssertionVerifier
from collector.usecases.admit import Admission, Admit, Ask, check
from collector.usecases.events import TOLD, Told

IDENTITY = "x-chamberlog-"
"""Every header that begins so is the gateway's; it takes a client's away."""
ASSERTION = IDENTITY + "assertion"
ORGANIZATION = "chamberlog-organization"
"""By it a super-administrator says in which organization it acts."""
REMEDY = "leave out every header that begins with x-chamberlog-: they are the gateway's"

Headers = Sequence[tuple[str, str | bytes]]
"""Names as they came, in any case, in their order; values of gRPC's binary metadata are bytes."""


def claims_identity(name: str) -> bool:
    """Whether a header is one that only the gateway may send; `_` counts as `-`, as some servers read it."""
    return name.lower().replace("_", "-").startswith(IDENTITY)


def value_of(headers: Headers, name: str) -> str | None:
    """Value of the headers of that name (in lower case); None = there is none, or it is no text.

    Several are one, with commas between, as HTTP has it and Envoy writes it: so that none of several credentials or
    organizations counts, here as there.
    """
    found = [value for other, value in headers if other.lower() == name]
    texts = [value for value in found if isinstance(value, str)]
    return ",".join(texts) if texts and len(texts) == len(found) else None


def bearer_of(headers: Headers) -> str:
    """The credential of `Authorization: Bearer`; empty = there is none."""
    scheme, _, credential = (value_of(headers, "authorization") or "").partition(" ")
    return credential.strip() if scheme.lower() == "bearer" else ""


class Identify:
    """Turns what came with a request into an admission. It may run any number of times."""

    def __init__(self, admit: Admit, verifier: AssertionVerifier | None = None) -> None:
        """Without a verifier there is no gateway, and nobody may send what only a gateway sends.

        Args:
            admit: decides about callers who come by themselves.
            verifier: of the gateway's assertions.
        """
        self._admit, self._verifier = admit, verifier

    async def __call__(
        self, operation: Operation | None, headers: Headers, address: str, told: Told = TOLD
    ) -> Admission:
        """Who asks, and that they may.

        Args:
            operation: the row of the access table that was asked for; None = no row has it.
            headers: all that came.
            address: of the peer: the caller, or the gateway.
            told: for the audit event of a refusal; the gateway tells its own.

        Raises:
            UnauthenticatedError: there is no valid credential, or somebody plays the gateway.
            TooManyRequestsError: see `Admit`; what the gateway let pass was counted there.
            ForbiddenError: see `Admit`.
            NotFoundError: see `Admit`.
            AwayError: see `Admit`.
        """
        vouched = self.vouched(operation, headers)
        if vouched is not None:
            return vouched
        ask = Ask(
            operation=operation,
            credential=bearer_of(headers),
            organization=value_of(headers, ORGANIZATION),
            address=address,
            told=told,
        )
        return await self._admit(ask)

    def vouched(self, operation: Operation | None, headers: Headers) -> Admission | None:
        """What the gateway vouches for; None = nothing pretends to come from there.

        Raises:
            UnauthenticatedError: something pretends to come from the gateway and does not, or was let pass as
                something else than it is.
            ForbiddenError: this process's table asks for more than the gateway's did.
        """
        claims = [(name.lower(), value) for name, value in headers if claims_identity(name)]
        if not claims:
            return None
        assertion = self._believed(claims)
        if assertion is None:
            raise UnauthenticatedError("the headers x-chamberlog-* are not signed by the gateway", REMEDY)
        if assertion.operation != ("" if operation is None else operation.name):
            raise UnauthenticatedError("the gateway let another request pass than this one", REMEDY)
        return _admission(operation, assertion)

    def _believed(self, claims: Sequence[tuple[str, str | bytes]]) -> Assertion | None:
        assertions = [value for name, value in claims if name == ASSERTION]
        spelt = all("_" not in name for name, _ in claims)
        if self._verifier is None or not spelt or len(assertions) != 1 or not isinstance(assertions[0], str):
            return None
        return self._verifier.verify(assertions[0])


def _admission(operation: Operation | None, assertion: Assertion) -> Admission:
    principal = assertion.principal
    if operation is None or operation.role is not None:
        if principal is None:
            raise UnauthenticatedError("the gateway does not say who asks", REMEDY)
        if operation is not None:
            check(principal, operation)
    return Admission(operation=operation, principal=principal, address=assertion.address)
