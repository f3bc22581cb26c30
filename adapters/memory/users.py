"""People in memory."""

from dataclasses import replace

from adapters.cursors import read_cursor, write_cursor
from adapters.memory.kept_people import KeptUser
from adapters.memory.ledger import InMemoryLedger
from collector.domain.errors import ConflictError, NotFoundError, StaleVersionError
from collector.domain.people import address_taken, last_administrator
from collector.domain.roles import Role
from collector.ports.paging import Page
from collector.ports.users import User


class InMemoryUsers:
    """`UserStore` over an `InMemoryLedger`."""

    def __init__(self, ledger: InMemoryLedger) -> None:
        self._ledger, self._people = ledger, ledger.people

    async def add(self, user: User, password_hash: str | None = None) -> tuple[User, bool]:
        """Keep a user; see `UserStore.add`."""
        self._ledger.check_here()
        there = self._people.by_email(user.email)
        if there is not None and there.user.organization == user.organization:
            return there.user, False
        return insert_user(self._ledger, user, password_hash), True

    async def find(self, organization: str, user_id: str) -> User:
        """The user; see `UserStore.find`."""
        return self._find(organization, user_id).user

    async def page(self, organization: str, limit: int, cursor: str | None) -> Page[User]:
        """Users by e-mail address; see `UserStore.page`."""
        self._ledger.check_here()
        place = read_cursor(cursor, str)
        after = str(place[0]) if place else ""
        users = (kept.user for kept in self._people.users.values() if kept.user.organization == organization)
        fitting = sorted((user for user in users if user.email > after), key=lambda user: user.email)
        items = fitting[:limit]
        return Page(items, write_cursor(items[-1].email) if items and len(fitting) > limit else None)

    async def change(self, user: User, version: int) -> User:
        """Replace what stands; see `UserStore.change`."""
        kept = self._find(user.organization, user.id)
        if kept.user.version != version:
            raise StaleVersionError(kept.user.version)
        steps_down = not (user.active and user.role.covers(Role.ADMINISTRATOR))
        if steps_down and self._is_last(kept):
            raise last_administrator("role" if user.active else "active")
        if self._people.by_email(user.email) not in (None, kept):
            raise address_taken()
        if user.email != kept.user.email:
            self._people.drop_resets(user.id)
        before, now_ms = kept.user, self._ledger.now_ms()
        kept.user = replace(
            user,
            version=version + 1,
            created_ms=before.created_ms,
            updated_ms=now_ms,
            signed_in_ms=before.signed_in_ms,
        )
        if not user.active:
            self._people.end_sessions(user.id)
        return kept.user

    async def password_of(self, email: str) -> tuple[User, str | None] | None:
        """Who signs in with that address; see `UserStore.password_of`."""
        self._ledger.check_here()
        kept = self._people.by_email(email)
        return None if kept is None else (kept.user, kept.password_hash)

    async def own_password(self, user_id: str) -> tuple[User, str | None] | None:
        """Whoever asks; see `UserStore.own_password`."""
        self._ledger.check_here()
        kept = self._people.users.get(user_id)
        return None if kept is None else (kept.user, kept.password_hash)

    async def set_password(self, user_id: str, password_hash: str, former: str) -> bool:
        """Replace the hash `former`; see `UserStore.set_password`."""
        self._ledger.check_here()
        kept = self._people.users.get(user_id)
        if kept is None or not kept.user.active or kept.password_hash != former:
            return False
        set_password(self._ledger, kept, password_hash)
        return True

    async def strengthen(self, user_id: str, password_hash: str, former: str) -> None:
        """Replace the hash `former` by a stronger one; see `UserStore.strengthen`."""
        self._ledger.check_here()
        kept = self._people.users.get(user_id)
        if kept is not None and kept.password_hash == former:
            kept.password_hash = password_hash

    def _find(self, organization: str, user_id: str) -> KeptUser:
        self._ledger.check_here()
        kept = self._people.users.get(user_id)
        if kept is None or kept.user.organization != organization:
            raise NotFoundError(f"there is no user {user_id!r}")
        return kept

    def _is_last(self, kept: KeptUser) -> bool:
        mine = (k for k in self._people.users.values() if k.user.organization == kept.user.organization)
        return [k for k in mine if _is_administrator(k)] == [kept]


def insert_user(ledger: InMemoryLedger, user: User, password_hash: str | None) -> User:
    """Keep a user.

    Raises:
        NotFoundError: there is no such organization.
        ConflictError: the address is taken, or the id.
    """
    if user.organization not in ledger.organizations:
        raise NotFoundError(f"no organization {user.organization!r}")
    if ledger.people.by_email(user.email) is not None:
        raise address_taken()
    if user.id in ledger.people.users:
        raise ConflictError("the id is there already", "try again", "id")
    now_ms = ledger.now_ms()
    made = replace(user, version=1, created_ms=now_ms, updated_ms=now_ms, signed_in_ms=None)
    ledger.people.users[user.id] = KeptUser(made, password_hash)
    return made


def set_password(ledger: InMemoryLedger, kept: KeptUser, password_hash: str) -> None:
    """Set it, and end what hangs on the one before."""
    kept.password_hash = password_hash
    kept.user = replace(kept.user, updated_ms=ledger.now_ms())
    ledger.people.drop_resets(kept.user.id)
    ledger.people.end_sessions(kept.user.id)


def _is_administrator(kept: KeptUser) -> bool:
    return kept.user.active and kept.password_hash is not None and kept.user.role.covers(Role.ADMINISTRATOR)
