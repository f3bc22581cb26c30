"""Whether somebody may do what they ask for: the one gate of the API, of the gateway's authz service and of gRPC."""

from dataclasses import dataclass, replace
from ipaddress import IPv6Address, IPv6Network, ip_address

from collector.domain.access import Operation, Reach, Traffic
from collector.domain.chamber import ID_PATTERN
from collector.domain.errors import (
    ChamberlogError,
    ForbiddenError,
    NotFoundError,
    TooManyRequestsError,
    UnauthenticatedError,
)
from collector.domain.roles import Role
from collector.ports import Organizations, Principal
from collector.ports.limits import RateLimiter, RateState
from collector.usecases.authenticate import Authenticate
from collector.usecases.events import TOLD, RecordRefusal, Told

REMEDY = "send the header Authorization: Bearer chl_<id>_<secret>"
ASK = "ask an administrator of the organization for it"
ASK_HIGHER = "ask whoever runs the deployment: chamberlog keys create --role super-administrator makes a key that may"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request, before anybody knows whose it is.

    Attributes:
        operation: the row of the access table; None = no row has it: whoever is known may hear that there is none.
        credential: an API key or an access token; empty = none was sent.
        organization: in which a super-administrator wants to act; None = in its own.
        address: of the caller; requests that nobody signs are counted by it.
        told: for the audit event of a refusal.
    """

    operation: Operation | None
    credential: str = ""
    organization: str | None = None
    address: str = ""
    told: Told = TOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A request that may pass.

    Attributes:
        operation: as asked.
        principal: who asks; None = the operation takes nobody.
        rate: what is left of the limit; None = nothing was counted.
        address: of the caller, behind the gateway too.
    """

    operation: Operation | None
    principal: Principal | None = None
    rate: RateState | None = None
    address: str = ""


class Admit:
    """Lets a request pass or says why not. It may run any number of times; each one counts for the rate limit."""

    def __init__(
        self,
        authenticate: Authenticate,
        organizations: Organizations,
        limiter: RateLimiter | None = None,
        refused: RecordRefusal | None = None,
    ) -> None:
        self._authenticate, self._organizations, self._limiter = authenticate, organizations, limiter
        self._refused = refused

    async def __call__(self, ask: Ask) -> Admission:
        """Who asks, and that they may.

        Raises:
            UnauthenticatedError: there is no credential, or it is none of ours, expired or revoked.
            TooManyRequestsError: past the limit of the subject, or of the address where nobody signs.
            ForbiddenError: role, scope or section do not reach that far.
            NotFoundError: there is no organization to act in.
            AwayError: it cannot be told.
        """
        operation = ask.operation
        if operation is not None and operation.role is None:
            rate = await self._count(f"address/{_counted_as(ask.address)}", operation)
            return Admission(operation=operation, rate=rate, address=ask.address)
        principal = await self._known(ask.credential)
        try:
            return await self._passed(principal, ask)
        except ChamberlogError as error:
            if self._refused is not None and operation is not None:
                await self._refused(principal, operation, error, ask.told, ask.address)
            raise

    async def _passed(self, principal: Principal, ask: Ask) -> Admission:
        rate = await self._count(principal.subject, ask.operation)
        if ask.operation is not None:
            check(principal, ask.operation)
        acting = await self._acting(principal, ask.organization)
        return Admission(operation=ask.operation, principal=acting, rate=rate, address=ask.address)

    async def _known(self, credential: str) -> Principal:
        principal = await self._authenticate(credential) if credential else None
        if principal is None:
            problem = "this credential is not valid" if credential else "there is no API key"
            raise UnauthenticatedError(problem, REMEDY)
        return principal

    async def _count(self, subject: str, operation: Operation | None) -> RateState | None:
        if self._limiter is None:
            return None
        traffic = traffic_of(operation)
        state = await self._limiter.hit(subject, traffic)
        if not state.allowed:
            name, wait_s = traffic.value, max(1, state.reset_s)
            problem = f"more than {state.limit} requests of class {name} in {state.window_s} s"
            policy = (name, state.limit, state.window_s)
            raise TooManyRequestsError(problem, wait_s, f"wait {wait_s} s", policy=policy)
        return state

    async def _acting(self, principal: Principal, organization: str | None) -> Principal:
        if organization is None or organization == principal.organization:
            return principal
        if not principal.deployment or not ID_PATTERN.fullmatch(organization):
            raise _no_organization(organization)
        try:
            await self._organizations.find(organization)
        except NotFoundError:
            raise _no_organization(organization) from None
        return replace(principal, organization=organization)


def _no_organization(organization: str) -> NotFoundError:
    return NotFoundError(f"no organization {organization[:80]!r}", "GET /v1/organizations lists those that you see")


def traffic_of(operation: Operation | None) -> Traffic:
    """Class in which a request is counted; what there is not costs as much to look for as a read."""
    return Traffic.READ if operation is None else operation.traffic


def _counted_as(address: str) -> str:
    """Of IPv6 the network of 64 bits: whoever has one address of it has all of them."""
    try:
        parsed = ip_address(address)
    except ValueError:  # nobody's address is counted too, as one
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(IPv6Network((int(parsed) >> 64 << 64, 64)))
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def check(principal: Principal, operation: Operation) -> None:
    """Whether role, scopes and section reach as far as the operation.

    Raises:
        ForbiddenError: they do not.
    """
    if operation.role is None:
        return
    if not principal.role.covers(operation.role):
        problem = f"{operation.name} takes the role {operation.role.value}, and yours is {principal.role.value}"
        raise ForbiddenError(problem, ASK_HIGHER if operation.role is Role.SUPER_ADMINISTRATOR else ASK)
    if operation.scope is not None and principal.scopes and operation.scope not in principal.scopes:
        raise ForbiddenError(f"{operation.name} takes the scope {operation.scope.value}, which this key has not", ASK)
    if principal.section is not None and operation.reach is Reach.SHUT:
        problem = f"{operation.name} is about the whole organization, and this key is of section {principal.section}"
        raise ForbiddenError(problem, ASK)
