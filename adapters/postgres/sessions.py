"""Sessions in PostgreSQL."""

import asyncpg

from adapters.postgres import user_queries as q
from adapters.postgres.pool import Connection, Postgres
from collector.domain.errors import AwayError
from collector.domain.roles import Role
from collector.ports.keys import Principal
from collector.ports.users import NewSession, Rotation, Token, TokenPair

TWICE = "an id came up twice: try again"
"""Once in millions of years: ids have 48 bits, and a session's expired tokens are cleared away."""


class PostgresSessions:
    """`SessionStore` over PostgreSQL: a family of tokens is held by the row of its session."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def begin(self, session: NewSession, password_hash: str, now_ms: int) -> bool:
        """Keep the first pair of a session; see `SessionStore.begin`."""
        async with self._postgres.connection() as connection, connection.transaction():
            if not await connection.fetchval(q.SIGN_IN, session.user_id, password_hash, now_ms):
                return False
            await connection.execute(q.CLEAR_SESSIONS, session.user_id, now_ms)
            try:
                await connection.execute(q.BEGIN_SESSION, session.id, session.user_id, now_ms)
                await _add(connection, session.id, session.pair)
            except asyncpg.UniqueViolationError:
                raise AwayError(TWICE) from None
            return True

    async def find(self, access_id: str, now_ms: int) -> tuple[bytes, Principal] | None:
        """Hash of the secret and whose it is; see `SessionStore.find`."""
        async with self._postgres.connection() as connection:
            row = await connection.fetchrow(q.FIND_ACCESS, access_id, now_ms)
        if row is None:
            return None
        subject, credential = f"user/{row['user_id']}", f"session/{row['session']}"
        principal = Principal(row["organization"], subject, Role(row["role"]), credential=credential)
        return row["secret_sha256"], principal

    async def rotate(self, used: Token, pair: TokenPair, now_ms: int) -> Rotation | None:
        """Use a refresh token up and keep the next pair; see `SessionStore.rotate`."""
        async with self._postgres.connection() as connection, connection.transaction():
            held = await connection.fetchrow(q.HOLD_SESSION, used.id)
            spent = await connection.fetchval(q.SHOWN_REFRESH, used.id, used.secret_sha256, now_ms)
            if held is None or spent is None:
                return None
            if spent:
                await connection.execute(q.END_SESSION, held["session"])
                return Rotation(**held, renewed=False)
            await connection.execute(q.SPEND, used.id)
            await connection.execute(q.CLEAR_TOKENS, held["session"], now_ms)
            try:
                await _add(connection, held["session"], pair)
            except asyncpg.UniqueViolationError:
                raise AwayError(TWICE) from None
            return Rotation(**held, renewed=True)

    async def role_of(self, session_id: str, now_ms: int) -> Role | None:
        """What whoever is in it may do now; see `SessionStore.role_of`."""
        async with self._postgres.connection() as connection:
            role: str | None = await connection.fetchval(q.ROLE_OF_SESSION, session_id, now_ms)
        return None if role is None else Role(role)

    async def end(self, session_id: str) -> bool:
        """End it; see `SessionStore.end`."""
        async with self._postgres.connection() as connection:
            return bool(await connection.fetchval(q.END_SESSION, session_id))

    async def end_all(self, user_id: str) -> int:
        """End every session of a user; see `SessionStore.end_all`."""
        async with self._postgres.connection() as connection:
            return int((await connection.execute(q.END_SESSIONS, user_id)).rpartition(" ")[2])


async def _add(connection: Connection, session: str, pair: TokenPair) -> None:
    tokens = (
        value for token in (pair.access, pair.refresh) for value in (token.id, token.secret_sha256, token.expires_ms)
    )
    await connection.execute(q.ADD_TOKENS, session, *tokens)
