"""People in PostgreSQL."""

import asyncpg

from adapters.cursors import read_cursor, write_cursor
from adapters.postgres import user_queries as q
from adapters.postgres.pool import Connection, Postgres
from adapters.postgres.rows import Row
from collector.domain.errors import ConflictError, NotFoundError, StaleVersionError
from collector.domain.people import address_taken, last_administrator
from collector.domain.roles import Role
from collector.domain.settling import clean
from collector.ports.paging import Page
from collector.ports.users import User


class PostgresUsers:
    """`UserStore` over PostgreSQL."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def add(self, user: User, password_hash: str | None = None) -> tuple[User, bool]:
        """Keep a user; see `UserStore.add`."""
        async with self._postgres.connection() as connection:
            made = await insert_user(connection, user, password_hash)
            if made is not None:
                return made, True
            row = await connection.fetchrow(q.FIND_BY_EMAIL, user.email)
        if row is None or row["organization"] != user.organization:
            raise address_taken()
        return user_from(row), False

    async def find(self, organization: str, user_id: str) -> User:
        """The user; see `UserStore.find`."""
        async with self._postgres.connection() as connection:
            return await _find(connection, organization, user_id)

    async def page(self, organization: str, limit: int, cursor: str | None) -> Page[User]:
        """Users by e-mail address; see `UserStore.page`."""
        place = read_cursor(cursor, str)
        after = clean(str(place[0])) if place else ""
        async with self._postgres.connection() as connection:
            rows = await connection.fetch(q.PAGE_USERS, organization, after, limit + 1)
        items = [user_from(row) for row in rows[:limit]]
        return Page(items, write_cursor(items[-1].email) if items and len(rows) > limit else None)

    async def change(self, user: User, version: int) -> User:
        """Replace what stands; see `UserStore.change`."""
        async with self._postgres.connection() as connection, connection.transaction():
            await connection.execute(q.HOLD_ORGANIZATION, user.organization)
            before = await _find(connection, user.organization, user.id)
            if before.version != version:
                raise StaleVersionError(before.version)
            steps_down = not (user.active and user.role.covers(Role.ADMINISTRATOR))
            if steps_down and await connection.fetchval(q.IS_LAST, user.organization, user.id):
                raise last_administrator("role" if user.active else "active")
            changed = await _changed(connection, user)
            if changed.email != before.email:
                await connection.execute(q.DROP_RESETS, user.id)
            if not changed.active:
                await connection.execute(q.END_SESSIONS, user.id)
            return changed

    async def password_of(self, email: str) -> tuple[User, str | None] | None:
        """Who signs in with that address; see `UserStore.password_of`."""
        async with self._postgres.connection() as connection:
            row = await connection.fetchrow(q.FIND_BY_EMAIL, email)
        return None if row is None else (user_from(row), row["password_hash"])

    async def own_password(self, user_id: str) -> tuple[User, str | None] | None:
        """Whoever asks; see `UserStore.own_password`."""
        async with self._postgres.connection() as connection:
            row = await connection.fetchrow(q.FIND_BY_ID, user_id)
        return None if row is None else (user_from(row), row["password_hash"])

    async def set_password(self, user_id: str, password_hash: str, former: str) -> bool:
        """Replace the hash `former`; see `UserStore.set_password`."""
        async with self._postgres.connection() as connection, connection.transaction():
            if not await connection.fetchval(q.SET_PASSWORD, user_id, password_hash, former):
                return False
            await end_what_hangs_on_it(connection, user_id)
            return True

    async def strengthen(self, user_id: str, password_hash: str, former: str) -> None:
        """Replace the hash `former` by a stronger one; see `UserStore.strengthen`."""
        async with self._postgres.connection() as connection:
            await connection.execute(q.STRENGTHEN, user_id, password_hash, former)


async def insert_user(connection: Connection, user: User, password_hash: str | None) -> User | None:
    """Keep a user; None when the address is taken.

    Raises:
        NotFoundError: there is no such organization.
        ConflictError: the id came up twice.
    """
    names = (clean(user.first_name), clean(user.last_name))
    values = (user.id, user.organization, user.email, *names, user.role.value, user.active, password_hash)
    try:
        row = await connection.fetchrow(q.ADD_USER, *values)
    except asyncpg.ForeignKeyViolationError:
        raise NotFoundError(f"no organization {user.organization!r}") from None
    except asyncpg.UniqueViolationError:  # of the id: 48 bits of chance
        raise ConflictError("the id is there already", "try again", "id") from None
    return None if row is None else user_from(row)


async def end_what_hangs_on_it(connection: Connection, user_id: str) -> None:
    """End sessions and one-time tokens of a user whose password was set in this transaction.

    Statements of their own, which see what began before that row was held.
    """
    await connection.execute(q.DROP_RESETS, user_id)
    await connection.execute(q.END_SESSIONS, user_id)


def user_from(row: Row) -> User:
    """The user of a row with `q.USER`."""
    kept = {name: value for name, value in dict(row).items() if name != "password_hash"}
    return User(**{**kept, "role": Role(row["role"])})


async def _find(connection: Connection, organization: str, user_id: str) -> User:
    row = await connection.fetchrow(q.FIND_USER, organization, user_id)
    if row is None:
        raise NotFoundError(f"there is no user {user_id!r}")
    return user_from(row)


async def _changed(connection: Connection, user: User) -> User:
    names = (clean(user.first_name), clean(user.last_name))
    values = (user.organization, user.id, user.email, *names, user.role.value, user.active)
    try:
        row = await connection.fetchrow(q.CHANGE_USER, *values)
    except asyncpg.UniqueViolationError:
        raise address_taken() from None
    assert row is not None  # its organization is held, and nothing deletes users
    return user_from(row)
