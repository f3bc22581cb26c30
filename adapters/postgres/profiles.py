"""The versions of profiles, and which an organization offers, in PostgreSQL."""

from collections.abc import Sequence

from adapters.postgres import profile_queries as q
from adapters.postgres.pool import Connection, Postgres
from adapters.postgres.rows import Row
from collector.domain.profile_document import (
    VERSIONS_SHOWN,
    ProfileDocument,
    ProfileOrigin,
    no_profile,
    refuse_offer,
)
from collector.domain.settling import clean


class PostgresProfiles:
    """`ProfileLibrary` over PostgreSQL."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def keep(self, organization: str, document: ProfileDocument) -> None:
        """Keep a version; see `ProfileLibrary.keep`. Again: nothing."""
        async with self._postgres.connection() as connection:
            await _keep(connection, organization, document)

    async def find(self, organization: str, name: str, version: str) -> ProfileDocument:
        """One version; see `ProfileLibrary.find`."""
        async with self._postgres.connection() as connection:
            row = await connection.fetchrow(q.FIND, organization, clean(name), clean(version))
        if row is None:
            raise no_profile(name, version)
        return _document(row)

    async def versions(self, organization: str, name: str) -> Sequence[ProfileDocument]:
        """Those kept by that name, the newest first; see `ProfileLibrary.versions`."""
        async with self._postgres.connection() as connection:
            return [
                _document(row) for row in await connection.fetch(q.VERSIONS, organization, clean(name), VERSIONS_SHOWN)
            ]

    async def offered(self, organization: str) -> Sequence[ProfileDocument]:
        """The organization's own that are offered; see `ProfileLibrary.offered`."""
        async with self._postgres.connection() as connection:
            return [_document(row) for row in await connection.fetch(q.OFFERED, organization)]

    async def own(self, organization: str, name: str) -> ProfileDocument | None:
        """The organization's own by that name; see `ProfileLibrary.own`."""
        async with self._postgres.connection() as connection:
            row = await connection.fetchrow(q.OWN, organization, clean(name))
        return None if row is None else _document(row)

    async def offer(self, organization: str, document: ProfileDocument, expected: str | None) -> None:
        """Offer the document by its name; see `ProfileLibrary.offer`. Again: nothing."""
        async with self._postgres.connection() as connection, connection.transaction():
            await connection.execute(q.HOLD, organization)
            offers = {row["name"]: row["version"] for row in await connection.fetch(q.OFFERS, organization)}
            if offers.get(document.name) == document.version:
                return
            refuse_offer(offers, document, expected)
            await _keep(connection, organization, document)
            whose = (organization, document.name, document.version, document.created_by)
            await connection.execute(q.OFFER, *whose)

    async def withdraw(self, organization: str, name: str) -> ProfileDocument:
        """Offer it no longer; see `ProfileLibrary.withdraw`."""
        async with self._postgres.connection() as connection, connection.transaction():
            await connection.execute(q.HOLD, organization)
            row = await connection.fetchrow(q.OWN, organization, clean(name))
            if row is None:
                raise no_profile(name)
            await connection.execute(q.WITHDRAW, organization, clean(name))
            return _document(row)


async def _keep(connection: Connection, organization: str, document: ProfileDocument) -> None:
    known = (organization, document.name, document.version)
    await connection.execute(q.KEEP, *known, document.text, document.origin.value, document.created_by)


def _document(row: Row) -> ProfileDocument:
    origin = ProfileOrigin(row["origin"])
    return ProfileDocument(row["name"], row["document"], origin, row["created_ms"], row["created_by"])
