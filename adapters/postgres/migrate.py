"""Migrations: numbered SQL files, forward only, one transaction each, an advisory lock around all."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from adapters.postgres.pool import CONNECT_TIMEOUT_S, away_from
from collector.domain.errors import ChamberlogError

FOLDER = Path(__file__).parent / "migrations"
FILE_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
LOCK = 0x63686C67
"""Any constant of ours: one runner migrates, the others wait and find nothing to do."""
LOCK_TIMEOUT_S = 10
"""A migration that waits longer for a table would stop every writer behind it."""
TABLE = """
CREATE TABLE IF NOT EXISTS schema_migration (
    version int PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())
"""
AHEAD = "SELECT ensure_partitions((now() AT TIME ZONE 'UTC')::date - 1, (now() AT TIME ZONE 'UTC')::date + 2)"
"""Yesterday's for outcomes that waited, the next days' so that midnight finds them there."""


class MigrationError(ChamberlogError):
    """The schema cannot be brought to this release's state; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file; `version` is its number."""

    version: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Of its text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


async def migrate(dsn: str, on_step: Callable[[str], None] | None = None, folder: Path = FOLDER) -> list[str]:
    """Bring the schema to this release's state, and make the partitions of the days around today.

    Again: nothing is applied. Two runners at once: one applies, the other waits.

    Args:
        dsn: of the readings' database; its user may create tables.
        on_step: told the name of each file before it is applied.
        folder: where the files are.

    Returns:
        The names of the files that were applied, in order.

    Raises:
        MigrationError: a file was changed after it was applied, is older than the newest applied one, fails, or the
            database is of a newer release.
        AwayError: the server cannot be reached.
    """
    try:
        connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_S, server_settings={"timezone": "UTC"})
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise away_from(error) from error
    try:
        return await _migrate(connection, on_step or _silent, load_migrations(folder))
    finally:
        await connection.close()


def load_migrations(folder: Path) -> list[Migration]:
    """The files of a folder, in order.

    Raises:
        MigrationError: two have the same number, or one is not named like `0001_words.sql`.
    """
    found: dict[int, Migration] = {}
    for path in sorted(folder.glob("*.sql")):
        matched = FILE_NAME.fullmatch(path.name)
        if matched is None:
            raise MigrationError(f"{path.name}: name migrations like 0001_words.sql")
        version = int(matched[1])
        if version in found:
            raise MigrationError(f"{path.name} and {found[version].name} have the same number; renumber the newer one")
        found[version] = Migration(version, path.name, path.read_text(encoding="utf-8"))
    return list(found.values())


async def _migrate(
    connection: "asyncpg.Connection[Any]", on_step: Callable[[str], None], files: list[Migration]
) -> list[str]:
    await connection.execute("SELECT pg_advisory_lock($1)", LOCK, timeout=None)
    await connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT_S}s'")
    await connection.execute(TABLE)
    rows = await connection.fetch("SELECT version, name, sha256 FROM schema_migration")
    pending = _pending(files, {r["version"]: (r["name"], r["sha256"]) for r in rows})
    for file in pending:
        on_step(file.name)
        await _apply(connection, file)
    await connection.execute(AHEAD)
    return [file.name for file in pending]


def _pending(files: list[Migration], applied: dict[int, tuple[str, str]]) -> list[Migration]:
    newest = max(applied, default=0)
    for file in files:
        if file.version in applied and applied[file.version][1] != file.sha256:
            raise MigrationError(
                f"{file.name} was changed after it was applied; restore it and write the change as a new file"
            )
        if file.version not in applied and file.version < newest:
            raise MigrationError(
                f"{file.name} is older than the newest applied migration ({newest:04}); give it a number above that"
            )
    unknown = sorted(name for version, (name, _) in applied.items() if version not in {f.version for f in files})
    if unknown and files and newest > files[-1].version:
        return []
    if unknown:
        raise MigrationError(f"{', '.join(unknown)} was applied but its file is gone; restore it")
    return [file for file in files if file.version not in applied]


async def _apply(connection: "asyncpg.Connection[Any]", file: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(file.sql, timeout=None)
            await connection.execute(
                "INSERT INTO schema_migration (version, name, sha256) VALUES ($1, $2, $3)",
                file.version,
                file.name,
                file.sha256,
            )
    except asyncpg.LockNotAvailableError:
        raise MigrationError(
            f"{file.name} waited {LOCK_TIMEOUT_S} s for a table that another session holds; nothing was changed, "
            "run it again when that session is done"
        ) from None
    except asyncpg.PostgresError as error:
        raise MigrationError(f"{file.name} failed, nothing of it was kept: {error.sqlstate} {error}") from error


def _silent(_step: str) -> None:
    return
