"""API keys in PostgreSQL."""

import asyncpg

from adapters.postgres.pool import Postgres
from collector.domain.errors import ConflictError, NotFoundError
from collector.domain.settling import clean
from collector.ports.keys import Principal

ADD = "INSERT INTO api_key (id, secret_sha256, organization, name) VALUES ($1, $2, $3, $4)"
FIND = "SELECT secret_sha256, organization FROM api_key WHERE id = $1 AND revoked_at IS NULL"
REVOKE = "UPDATE api_key SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL"


class PostgresKeys:
    """`KeyStore` over PostgreSQL: it keeps the hash of a secret, never the secret."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def add(self, key_id: str, secret_sha256: bytes, organization: str, name: str) -> None:
        """Keep a key; see `KeyStore.add`. An unknown organization raises `NotFoundError`."""
        async with self._postgres.connection() as connection:
            try:
                await connection.execute(ADD, key_id, secret_sha256, organization, name)
            except asyncpg.UniqueViolationError:
                raise ConflictError(f"key {key_id!r} is there already", "make another one", "key_id") from None
            except asyncpg.ForeignKeyViolationError:
                raise NotFoundError(f"no organization {organization!r}") from None

    async def find(self, key_id: str) -> tuple[bytes, Principal] | None:
        """Hash of the secret and whose it is; see `KeyStore.find`."""
        if clean(key_id) != key_id:
            return None  # PostgreSQL cannot even compare such a text
        async with self._postgres.connection() as connection:
            row = await connection.fetchrow(FIND, key_id)
        return None if row is None else (row["secret_sha256"], Principal(row["organization"], f"key/{key_id}"))

    async def revoke(self, key_id: str) -> None:
        """From now on the key is unknown; again: nothing."""
        async with self._postgres.connection() as connection:
            await connection.execute(REVOKE, key_id)
