"""API keys in PostgreSQL."""

from collections.abc import Sequence

import asyncpg

from adapters.postgres.pool import Postgres
from collector.domain.errors import ConflictError, NotFoundError
from collector.domain.roles import Role
from collector.domain.settling import clean
from collector.ports.keys import KeyRecord, Principal

ADD = "INSERT INTO api_key (id, secret_sha256, organization, name, deployment) VALUES ($1, $2, $3, $4, $5)"
FIND = """
SELECT secret_sha256, organization, (to_jsonb(k) -> 'deployment') IS NOT DISTINCT FROM 'true' AS deployment
FROM api_key k WHERE id = $1 AND revoked_at IS NULL
"""
"""A schema that is not migrated yet has no such column: its keys are found all the same."""
LIST = """
SELECT id, organization, name, deployment, ms_of(created_at) AS created_ms, ms_of(revoked_at) AS revoked_ms
FROM api_key WHERE $1::text IS NULL OR organization = $1 ORDER BY created_at, id
"""
REVOKE = "UPDATE api_key SET revoked_at = clock_timestamp() WHERE id = $1 AND revoked_at IS NULL RETURNING true"
GRANT = "UPDATE api_key SET deployment = true WHERE id = $1 AND revoked_at IS NULL RETURNING true"


class PostgresKeys:
    """`KeyStore` over PostgreSQL: it keeps the hash of a secret, never the secret."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def add(
        self, key_id: str, secret_sha256: bytes, organization: str, name: str, *, deployment: bool = False
    ) -> None:
        """Keep a key; see `KeyStore.add`."""
        texts = (clean(organization), clean(name))
        async with self._postgres.connection() as connection:
            try:
                await connection.execute(ADD, key_id, secret_sha256, *texts, deployment)
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
        if row is None:
            return None
        role = Role.SUPER_ADMINISTRATOR if row["deployment"] else Role.ADMINISTRATOR
        subject = f"key/{key_id}"
        return row["secret_sha256"], Principal(row["organization"], subject, role, credential=subject)

    async def list(self, organization: str | None) -> Sequence[KeyRecord]:
        """Keys in the order in which they were made; see `KeyStore.list`."""
        async with self._postgres.connection() as connection:
            rows = await connection.fetch(LIST, None if organization is None else clean(organization))
        return [KeyRecord(**row) for row in rows]

    async def revoke(self, key_id: str) -> bool:
        """From now on the key is unknown; see `KeyStore.revoke`."""
        async with self._postgres.connection() as connection:
            return bool(await connection.fetchval(REVOKE, clean(key_id)))

    async def grant_deployment(self, key_id: str) -> bool:
        """Let it see all organizations; see `KeyStore.grant_deployment`."""
        async with self._postgres.connection() as connection:
            return bool(await connection.fetchval(GRANT, clean(key_id)))
