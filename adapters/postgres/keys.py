"""API keys in PostgreSQL."""

from collections.abc import Sequence

import asyncpg

from adapters.cursors import read_cursor, write_cursor
from adapters.postgres.pool import Connection, Postgres
from adapters.postgres.rows import Row
from collector.domain.access import Scope
from collector.domain.errors import ConflictError, NotFoundError
from collector.domain.organization import no_section
from collector.domain.roles import Role
from collector.domain.settling import clean
from collector.ports.keys import ADMINISTRATOR, KeyRecord, KeyTerms, Principal
from collector.ports.paging import Page

FORMER_ROLE = "CASE WHEN deployment THEN 'super-administrator' ELSE 'administrator' END"
"""Of keys that were kept before there were roles. An API of that time goes by `deployment`, so that is kept up."""
RECORD = f"""id, organization, name, coalesce(role, {FORMER_ROLE}) AS role, scopes, section, created_by,
    ms_of(expires_at) AS expires_ms, ms_of(created_at) AS created_ms, ms_of(last_used_at) AS last_used_ms,
    ms_of(revoked_at) AS revoked_ms"""
UNEXPIRED = "(expires_at IS NULL OR expires_at > clock_timestamp())"

ADD = f"""
INSERT INTO api_key (id, secret_sha256, organization, name, deployment, role, scopes, section, created_by, expires_at)
VALUES ($1, $2, $3, $4, $5 = 'super-administrator', $5, $6, $7, $8, instant_of($9)) RETURNING {RECORD}
"""  # noqa: S608 - constants of ours
FIND = """
SELECT secret_sha256, organization,
    coalesce(j ->> 'role', CASE WHEN j -> 'deployment' = 'true' THEN 'super-administrator' ELSE 'administrator' END)
        AS role,
    ARRAY(SELECT jsonb_array_elements_text(coalesce(j -> 'scopes', '[]'))) AS scopes,
    j ->> 'section' AS section
FROM api_key k, to_jsonb(k) j
WHERE id = $1 AND revoked_at IS NULL
    AND coalesce((j ->> 'expires_at')::timestamptz > clock_timestamp(), true)
"""
"""A schema that is not migrated yet has no such columns: its keys are found all the same."""
NOTE_USE = """
UPDATE api_key SET last_used_at = clock_timestamp()
WHERE id = $1 AND revoked_at IS NULL AND coalesce(last_used_at <= clock_timestamp() - interval '1 minute', true)
"""
EXPIRY = "SELECT ms_of(expires_at) FROM api_key WHERE id = $1"
SHOW = f"SELECT {RECORD} FROM api_key WHERE organization = $1 AND id = $2"  # noqa: S608 - constants of ours
PAGE = f"""
SELECT {RECORD} FROM api_key
WHERE organization = $1
    AND ($2::bigint IS NULL OR (ms_of(created_at), id COLLATE "C") > ($2::bigint, $3::text COLLATE "C"))
ORDER BY ms_of(created_at), id COLLATE "C" LIMIT $4
"""  # noqa: S608 - constants of ours
LIST = f"""
SELECT {RECORD} FROM api_key WHERE $1::text IS NULL OR organization = $1 ORDER BY created_at, id
"""  # noqa: S608 - constants of ours
REVOKE = "UPDATE api_key SET revoked_at = clock_timestamp() WHERE id = $1 AND revoked_at IS NULL RETURNING true"
GRANT = f"""
UPDATE api_key SET deployment = true, role = 'super-administrator'
WHERE id = $1 AND revoked_at IS NULL AND section IS NULL AND {UNEXPIRED} RETURNING true
"""  # noqa: S608 - constants of ours


class PostgresKeys:
    """`KeyStore` over PostgreSQL: it keeps the hash of a secret, never the secret."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def add(
        self, key_id: str, secret_sha256: bytes, organization: str, name: str, terms: KeyTerms = ADMINISTRATOR
    ) -> KeyRecord:
        """Keep a key; see `KeyStore.add`."""
        whose = (clean(organization), clean(name))
        async with self._postgres.connection() as connection:
            try:
                row = await connection.fetchrow(ADD, key_id, secret_sha256, *whose, *_columns(terms))
            except asyncpg.UniqueViolationError:
                raise ConflictError(f"key {key_id!r} is there already", "make another one", "key_id") from None
            except asyncpg.ForeignKeyViolationError:
                raise await _missing(connection, organization, terms) from None
        assert row is not None
        return _record(row)

    async def find(self, key_id: str) -> tuple[bytes, Principal] | None:
        """Hash of the secret and whose it is; see `KeyStore.find`."""
        if clean(key_id) != key_id:
            return None  # PostgreSQL cannot even compare such a text
        async with self._postgres.connection() as connection:
            row = await connection.fetchrow(FIND, key_id)
        if row is None:
            return None
        subject, rights = f"key/{key_id}", (Role(row["role"]), _scopes(row), row["section"])
        return row["secret_sha256"], Principal(row["organization"], subject, *rights, credential=subject)

    async def note_use(self, key_id: str) -> None:
        """Remember that it was used now; see `KeyStore.note_use`."""
        async with self._postgres.connection() as connection:
            await connection.execute(NOTE_USE, clean(key_id))

    async def expiry(self, key_id: str) -> int | None:
        """When it expires; see `KeyStore.expiry`."""
        async with self._postgres.connection() as connection:
            expires_ms: int | None = await connection.fetchval(EXPIRY, clean(key_id))
        return expires_ms

    async def show(self, organization: str, key_id: str) -> KeyRecord:
        """One key of an organization; see `KeyStore.show`."""
        async with self._postgres.connection() as connection:
            row = await connection.fetchrow(SHOW, clean(organization), clean(key_id))
        if row is None:
            raise NotFoundError(f"no key {key_id!r}")
        return _record(row)

    async def page(self, organization: str, limit: int, cursor: str | None) -> Page[KeyRecord]:
        """Keys of an organization in the order in which they were made; see `KeyStore.page`."""
        place = read_cursor(cursor, int, str)
        after = (int(place[0]), clean(str(place[1]))) if place else (None, "")
        async with self._postgres.connection() as connection:
            rows = await connection.fetch(PAGE, clean(organization), *after, limit + 1)
        items = [_record(row) for row in rows[:limit]]
        return Page(items, write_cursor(items[-1].created_ms, items[-1].id) if len(rows) > limit else None)

    async def list(self, organization: str | None) -> Sequence[KeyRecord]:
        """Keys in the order in which they were made; see `KeyStore.list`."""
        async with self._postgres.connection() as connection:
            rows = await connection.fetch(LIST, None if organization is None else clean(organization))
        return [_record(row) for row in rows]

    async def revoke(self, key_id: str) -> bool:
        """From now on the key is unknown; see `KeyStore.revoke`."""
        async with self._postgres.connection() as connection:
            return bool(await connection.fetchval(REVOKE, clean(key_id)))

    async def grant_deployment(self, key_id: str) -> bool:
        """Make it a super-administrator's; see `KeyStore.grant_deployment`."""
        async with self._postgres.connection() as connection:
            return bool(await connection.fetchval(GRANT, clean(key_id)))


def _columns(terms: KeyTerms) -> tuple[str, Sequence[str], str | None, str, int | None]:
    scopes = sorted(scope.value for scope in terms.scopes)
    section = None if terms.section is None else clean(terms.section)
    return terms.role.value, scopes, section, clean(terms.created_by), terms.expires_ms


async def _missing(connection: Connection, organization: str, terms: KeyTerms) -> Exception:
    """What the key refers to and is not there."""
    there = await connection.fetchval("SELECT true FROM organization WHERE id = $1", clean(organization))
    if there and terms.section is not None:
        return no_section(terms.section)
    return NotFoundError(f"no organization {organization!r}")


def _scopes(row: Row) -> frozenset[Scope]:
    return frozenset(map(Scope, row["scopes"]))


def _record(row: Row) -> KeyRecord:
    terms = KeyTerms(
        role=Role(row["role"]),
        scopes=_scopes(row),
        section=row["section"],
        created_by=row["created_by"],
        expires_ms=row["expires_ms"],
    )
    kept = {name: row[name] for name in ("id", "organization", "name", "created_ms", "last_used_ms", "revoked_ms")}
    return KeyRecord(terms=terms, **kept)
