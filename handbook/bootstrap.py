"""What the handbook takes from the product: the migrations, and the API without its servers."""

import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from adapters.postgres.migrate import migrate
from api.bootstrap import build_app
from api.settings import ApiSettings
from stack.postgres import start_postgres

NOWHERE = "postgresql://nobody@127.0.0.1:9/nothing"


@asynccontextmanager
async def migrated_database() -> AsyncIterator[str]:
    """A PostgreSQL of its own with this release's schema, gone afterwards; yields its DSN."""
    with tempfile.TemporaryDirectory(prefix="chl-") as folder:
        server = start_postgres(Path(folder) / "data", 0, secrets.token_urlsafe(12), fsync="off")
        try:
            await migrate(server.address)
            yield server.address
        finally:
            server.stop()


async def openapi_document() -> dict[str, Any]:
    """The OpenAPI document, as `/openapi.json` serves it. Asks no server."""
    app = await build_app(ApiSettings(postgres=SecretStr(NOWHERE)), ask=False)
    async with app.router.lifespan_context(app):
        return app.openapi()
