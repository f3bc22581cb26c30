"""The one place of the command line that knows an adapter: migrations need the database, not the API."""

import asyncio
from collections.abc import Callable

from adapters.postgres.migrate import migrate


def migrate_database(dsn: str, on_step: Callable[[str], None]) -> list[str]:
    """Apply what is missing; names of the applied migrations, none the second time."""
    return asyncio.run(migrate(dsn, on_step))
