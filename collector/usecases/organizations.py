"""The tenants of a deployment: each sees its own; whoever runs the deployment sees all, and makes new ones."""

from collections.abc import Callable, Set

from collector.domain.errors import ForbiddenError, InvalidFieldError, NotFoundError
from collector.domain.organization import Organization, check_organization
from collector.ports import Organizations, Page, Principal
from collector.usecases.admit import ASK_HIGHER
from collector.usecases.versions import Made, altered, as_it_stands, refuse_other


class ListOrganizations:
    """Organizations that a principal sees."""

    def __init__(self, organizations: Organizations) -> None:
        self._organizations = organizations

    async def __call__(self, principal: Principal, *, limit: int, cursor: str | None) -> Page[Organization]:
        """One page by id: its own, or all of the deployment.

        Raises:
            InvalidFieldError: field `cursor`.
            AwayError: the registry cannot be reached.
        """
        if principal.deployment:
            return await self._organizations.page(limit, cursor)
        if cursor is not None:
            raise InvalidFieldError("cursor", "it is not a cursor of this list", "leave it out: the list is one page")
        return Page([await self._organizations.find(principal.organization)])


class ShowOrganization:
    """One organization."""

    def __init__(self, organizations: Organizations) -> None:
        self._organizations = organizations

    async def __call__(self, principal: Principal, organization: str) -> Organization:
        """The organization.

        Raises:
            NotFoundError: not there, or not the principal's.
            AwayError: the registry cannot be reached.
        """
        _refuse_foreign(principal, organization)
        return await self._organizations.find(organization)


class AddOrganization:
    """Makes a tenant with its first section. A second run with the same fields changes nothing."""

    def __init__(self, organizations: Organizations) -> None:
        self._organizations = organizations

    async def __call__(self, principal: Principal, wanted: Organization, given: Set[str]) -> Made[Organization]:
        """Make it; `given` names the fields that must agree if it is there already.

        Raises:
            ForbiddenError: the principal sees its own organization only.
            InvalidFieldError: a field cannot be kept.
            ConflictError: the id is there, and another.
            AwayError: the registry cannot be reached.
        """
        if not principal.deployment:
            raise ForbiddenError("this API key may not make organizations", ASK_HIGHER)
        check_organization(wanted)
        there, created = await self._organizations.add(wanted)
        if not created:
            refuse_other(f"organization {wanted.id}", there, wanted, given)
        return Made(there, created)


class ChangeOrganization:
    """Writes a changed organization as the next version; when nothing differs, nothing."""

    def __init__(self, organizations: Organizations) -> None:
        self._organizations = organizations

    async def __call__(
        self,
        principal: Principal,
        organization: str,
        versions: Set[int] | None,
        alter: Callable[[Organization], Organization],
    ) -> Organization:
        """Change it; `versions` are those that the caller read, None = whatever stands.

        Raises:
            NotFoundError: not there, or not the principal's.
            StaleVersionError: it has a version that the caller did not read.
            InvalidFieldError: a field cannot be kept.
            AwayError: the registry cannot be reached.
        """
        _refuse_foreign(principal, organization)

        async def change() -> Organization:
            before = await self._organizations.find(organization)
            wanted = altered(before, versions, alter)
            if wanted is None:
                return before
            check_organization(wanted)
            return await self._organizations.change(wanted, before.version)

        return await as_it_stands(versions, change)


def _refuse_foreign(principal: Principal, organization: str) -> None:
    if not principal.deployment and organization != principal.organization:
        raise NotFoundError(f"no organization {organization!r}")
