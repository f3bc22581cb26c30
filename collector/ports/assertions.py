"""What the gateway's authz service vouches for towards the API."""

from dataclasses import dataclass
from typing import Protocol

from collector.ports.keys import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """One request that the gateway let pass.

    Attributes:
        operation: name of the row of the access table by which it was judged; empty = no row had it.
        principal: whose request it is; None = the operation takes nobody.
        address: of the caller.
    """

    operation: str
    principal: Principal | None
    address: str


class AssertionSigner(Protocol):
    """Makes assertions; the authz service has one."""

    def sign(self, assertion: Assertion) -> str:
        """A text that whoever has the public key believes for `LIFE_S`. Again: another text that says the same."""
        ...


class AssertionVerifier(Protocol):
    """Believes assertions; the API has one. It asks nobody."""

    def verify(self, text: str) -> Assertion | None:
        """What was vouched for; None when the text is none of the gateway's, was changed, or its time is over."""
        ...


LIFE_S = 60
"""A request is with the API within this, however long it waits at the gateway."""
SKEW_S = 5
"""By so much the clocks of gateway and API may differ."""
