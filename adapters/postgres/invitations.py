"""Invitations, and one-time tokens for forgotten passwords, in PostgreSQL."""

import asyncpg

from adapters.cursors import read_cursor, write_cursor
from adapters.postgres import user_queries as q
from adapters.postgres.pool import Postgres
from adapters.postgres.rows import Row
from adapters.postgres.users import end_what_hangs_on_it, insert_user, user_from
from collector.domain.errors import ConflictError, NotFoundError
from collector.domain.people import address_taken, invitation_gone
from collector.domain.roles import Role
from collector.domain.settling import clean
from collector.ports.paging import Page
from collector.ports.users import Invitation, Token, User

CLEARED_MS = 86_400_000
"""Tokens that expire so long before a new one are cleared away."""


class PostgresInvitations:
    """`InvitationStore` over PostgreSQL."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def invite(self, invitation: Invitation, token: Token) -> None:
        """Keep an invitation; see `InvitationStore.invite`."""
        whose = (invitation.id, invitation.organization, invitation.email, invitation.role.value)
        made = (clean(invitation.created_by), invitation.created_ms, invitation.expires_ms)
        async with self._postgres.connection() as connection, connection.transaction():
            if await connection.fetchval(q.IS_TAKEN, invitation.email):
                raise address_taken()
            await connection.execute(q.CLEAR_INVITATIONS, invitation.organization, invitation.created_ms)
            try:
                await connection.execute(q.INVITE, *whose, *made, token.id, token.secret_sha256)
            except asyncpg.ForeignKeyViolationError:
                raise NotFoundError(f"no organization {invitation.organization!r}") from None
            except asyncpg.UniqueViolationError:  # of an id: 48 bits of chance
                raise ConflictError("the id is there already", "try again", "id") from None

    async def page(self, organization: str, limit: int, cursor: str | None) -> Page[Invitation]:
        """Open ones by address; see `InvitationStore.page`."""
        place = read_cursor(cursor, str)
        after = clean(str(place[0])) if place else ""
        async with self._postgres.connection() as connection:
            rows = await connection.fetch(q.PAGE_INVITATIONS, organization, after, limit + 1)
        items = [_invitation(row) for row in rows[:limit]]
        return Page(items, write_cursor(items[-1].email) if items and len(rows) > limit else None)

    async def find(self, organization: str, invitation_id: str) -> Invitation:
        """An open one; see `InvitationStore.find`."""
        async with self._postgres.connection() as connection:
            row = await connection.fetchrow(q.FIND_INVITATION, organization, invitation_id)
        if row is None:
            raise NotFoundError(f"there is no invitation {invitation_id!r}")
        return _invitation(row)

    async def open_for(self, organization: str, email: str) -> Invitation | None:
        """The open one for that address; see `InvitationStore.open_for`."""
        async with self._postgres.connection() as connection:
            row = await connection.fetchrow(q.OPEN_INVITATION, organization, email)
        return None if row is None else _invitation(row)

    async def revoke(self, organization: str, invitation_id: str) -> bool:
        """It is of no use from now on; see `InvitationStore.revoke`."""
        async with self._postgres.connection() as connection:
            return bool(await connection.fetchval(q.REVOKE_INVITATION, organization, invitation_id))

    async def of_token(self, token_id: str, secret_sha256: bytes, now_ms: int) -> Invitation | None:
        """The open invitation with that token; see `InvitationStore.of_token`."""
        async with self._postgres.connection() as connection:
            row = await connection.fetchrow(q.INVITATION_OF_TOKEN, token_id, secret_sha256, now_ms)
        return None if row is None else _invitation(row)

    async def accept(self, invitation_id: str, user: User, password_hash: str, now_ms: int) -> User:
        """Make the user and use the invitation up; see `InvitationStore.accept`."""
        async with self._postgres.connection() as connection, connection.transaction():
            if not await connection.fetchval(q.ACCEPT_INVITATION, invitation_id, now_ms):
                raise invitation_gone()
            made = await insert_user(connection, user, password_hash)
            if made is None:
                raise address_taken()
            return made


class PostgresResets:
    """`ResetStore` over PostgreSQL; a token that was used is deleted."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def issue(self, user_id: str, token: Token) -> None:
        """Keep a token in place of earlier ones; see `ResetStore.issue`."""
        async with self._postgres.connection() as connection, connection.transaction():
            await connection.execute(q.HOLD_USER, user_id)
            await connection.execute(q.DROP_RESETS, user_id)
            await connection.execute(q.ADD_RESET, token.id, user_id, token.secret_sha256, token.expires_ms)

    async def offer(self, user_id: str, token: Token, apart_ms: int) -> bool:
        """Keep a token beside earlier ones; see `ResetStore.offer`."""
        async with self._postgres.connection() as connection, connection.transaction():
            await connection.execute(q.HOLD_USER, user_id)
            await connection.execute(q.CLEAR_RESETS, user_id, token.expires_ms - CLEARED_MS)
            if await connection.fetchval(q.HAS_RECENT_RESET, user_id, token.expires_ms - apart_ms):
                return False
            await connection.execute(q.ADD_RESET, token.id, user_id, token.secret_sha256, token.expires_ms)
            return True

    async def of_token(self, token_id: str, secret_sha256: bytes, now_ms: int) -> User | None:
        """Whose token it is; see `ResetStore.of_token`."""
        async with self._postgres.connection() as connection:
            row = await connection.fetchrow(q.USER_OF_RESET, token_id, secret_sha256, now_ms)
        return None if row is None else user_from(row)

    async def use(self, token_id: str, secret_sha256: bytes, password_hash: str, now_ms: int) -> bool:
        """Set the password of whose token it is; see `ResetStore.use`.

        The user's row is held first: of two that come together the second sees that the token is gone.
        """
        async with self._postgres.connection() as connection, connection.transaction():
            await connection.execute(q.HOLD_USER_OF_RESET, token_id)
            user_id = await connection.fetchval(q.USE_RESET, token_id, secret_sha256, now_ms, password_hash)
            if user_id is None:
                return False
            await end_what_hangs_on_it(connection, user_id)
            return True


def _invitation(row: Row) -> Invitation:
    return Invitation(**{**dict(row), "role": Role(row["role"])})
