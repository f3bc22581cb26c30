"""Users of an organization, as whoever runs it sees them."""

from collections.abc import Callable, Set
from dataclasses import replace

from collector.domain.errors import ConflictError
from collector.domain.people import address_taken, check_name, check_password, normal_email, normal_password
from collector.ports import Page, Principal
from collector.ports.credentials import CredentialMaker, PasswordHasher
from collector.ports.users import User, UserStore
from collector.usecases.users.desk import Issuer, refuse_above
from collector.usecases.versions import Made, altered, as_it_stands


class ListUsers:
    """Users of an organization."""

    def __init__(self, users: UserStore) -> None:
        self._users = users

    async def __call__(self, principal: Principal, *, limit: int, cursor: str | None) -> Page[User]:
        """One page by address.

        Raises:
            InvalidFieldError: field `cursor`.
            AwayError: the store cannot be reached.
        """
        return await self._users.page(principal.organization, limit, cursor)


class ShowUser:
    """One user."""

    def __init__(self, users: UserStore) -> None:
        self._users = users

    async def __call__(self, principal: Principal, user_id: str) -> User:
        """The user.

        Raises:
            NotFoundError: not there, or another organization's.
            AwayError: the store cannot be reached.
        """
        return await self._users.find(principal.organization, user_id)


class AddUser:
    """Makes a user without a password. A second run with the same fields changes nothing."""

    def __init__(self, users: UserStore, issuer: Issuer) -> None:
        self._users, self._issuer = users, issuer

    async def __call__(self, principal: Principal, wanted: User, given: Set[str]) -> Made[User]:
        """Make it; `given` names the fields that must agree if the address is a user of the organization already.

        Nobody can sign in as it before they set a password by a one-time token: no administrator knows it.

        Raises:
            InvalidFieldError: a field cannot be kept.
            ForbiddenError: the role is above the principal's.
            ConflictError: the address is taken, and by another.
            AwayError: the store cannot be reached.
        """
        user = _checked(replace(wanted, id=self._issuer.new_id(), organization=principal.organization))
        refuse_above(principal, user.role, "to make a")
        there, created = await self._users.add(user)
        differing = [name for name in sorted(given) if getattr(there, name) != getattr(user, name)]
        if not created and differing:
            problem = f"this user is there already and differs in: {', '.join(differing)}"
            raise ConflictError(problem, "change it with PATCH, or choose another address", "email")
        return Made(there, created)


class ChangeUser:
    """Writes a changed user as the next version; when nothing differs, nothing."""

    def __init__(self, users: UserStore) -> None:
        self._users = users

    async def __call__(
        self, principal: Principal, user_id: str, versions: Set[int] | None, alter: Callable[[User], User]
    ) -> User:
        """Change it; `versions` are those that the caller read, None = whatever stands.

        Raises:
            NotFoundError: not there, or another organization's.
            StaleVersionError: it has a version that the caller did not read.
            InvalidFieldError: a field cannot be kept.
            ForbiddenError: the role that the user has, or is to have, is above the principal's.
            ConflictError: the address is taken, or it is the organization's last active administrator.
            AwayError: the store cannot be reached.
        """

        async def change() -> User:
            before = await self._users.find(principal.organization, user_id)
            refuse_above(principal, before.role, "to change a")
            wanted = altered(before, versions, lambda user: _checked(alter(user)))
            if wanted is None:
                return before
            refuse_above(principal, wanted.role, "to make a")
            return await self._users.change(wanted, before.version)

        return await as_it_stands(versions, change)


class CreateAdministrator:
    """Makes a user with a password, for whoever has the database itself. A second run finds the address taken."""

    def __init__(self, users: UserStore, hasher: PasswordHasher, maker: CredentialMaker) -> None:
        self._users, self._hasher, self._maker = users, hasher, maker

    async def __call__(self, wanted: User, password: str) -> User:
        """Make it, with whatever role.

        Raises:
            InvalidFieldError: a field cannot be kept; `password`: it may not be it.
            NotFoundError: there is no such organization.
            ConflictError: the address is taken.
            AwayError: the store cannot be reached.
        """
        user, password = _checked(replace(wanted, id=self._maker.new_id())), normal_password(password)
        check_password(password, user.email)
        made, created = await self._users.add(user, await self._hasher.hash(password))
        if not created:
            raise address_taken()
        return made


def _checked(user: User) -> User:
    check_name(user.first_name, "first_name")
    check_name(user.last_name, "last_name")
    return replace(user, email=normal_email(user.email))
