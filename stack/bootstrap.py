"""What the stack does with the adapters: schema, search attributes, API key, lateness. Nothing else here knows them."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.client import Client
from temporalio.service import RPCError

from adapters.api_keys import new_key, read_key
from adapters.assertions import new_key_pair
from adapters.egress_files import load_policies, policies_text
from adapters.logs import log_to_file
from adapters.postgres.history import PostgresHistory
from adapters.postgres.keys import PostgresKeys
from adapters.postgres.migrate import migrate
from adapters.postgres.pool import Postgres
from adapters.secrets import DEFAULT_FOLDERS, FOLDERS_VARIABLE
from adapters.temporal_client import register_search_attributes
from collector.domain.egress import EgressPolicies
from collector.domain.errors import ConflictError
from collector.domain.roles import Role
from collector.domain.timerange import TimeRange
from collector.ports.keys import KeyTerms, NewKey
from stack.errors import StartFailedError
from stack.home import Home, write_private

__all__ = [
    "egress_policies",
    "egress_text",
    "ensure_api_key",
    "ensure_assertion_keys",
    "lateness_of",
    "log_to_file",
    "prepare",
    "secret_folders",
]
ORGANIZATION = "default"
KEY_NAME = "local stack"
KEY_TERMS = KeyTerms(role=Role.SUPER_ADMINISTRATOR, created_by="chamberlog up")
CONNECT_S = 30.0
CONNECT_POLL_S = 0.2


async def prepare(dsn: str, temporal: str, on_step: Callable[[str], None]) -> None:
    """Bring schema and search attributes up to date. Again: nothing changes.

    Args:
        dsn: of the readings' database.
        temporal: host:port.
        on_step: told what is being done.

    Raises:
        ChamberlogError: one of them cannot be made; says why.
        StartFailedError: Temporal does not answer.
    """
    await migrate(dsn, lambda step: on_step(f"migrating: {step}"))
    await register_search_attributes(await _connect(temporal))


def secret_folders(devices: Path) -> str:
    """The value of CHAMBERLOG_SECRET_FOLDERS for a worker: the person's own folders, and that of simulated devices.

    Args:
        devices: the folder of the secrets that simulated devices want.
    """
    return os.pathsep.join((os.environ.get(FOLDERS_VARIABLE) or DEFAULT_FOLDERS, str(devices)))


async def ensure_api_key(dsn: str, file: Path) -> str:
    """The API key of the local stack: made once, kept in a file for its owner only, known to the database.

    Whoever has the stack runs the deployment: the key sees all organizations and makes new ones.

    Again: the same key. A key whose database was thrown away is added to the new one.

    Args:
        dsn: of the readings' database.
        file: where the key is kept.

    Returns:
        The key, `chl_<id>_<secret>`.
    """
    key = _kept_key(file) or new_key()
    async with _postgres(dsn) as postgres:
        keys = PostgresKeys(postgres)
        if not await _add(keys, key):
            key = new_key()
            await _add(keys, key)
    write_private(file, key.text + "\n")
    return key.text


def egress_policies(egress: str | None) -> EgressPolicies:
    """The policies of a value of CHAMBERLOG_EGRESS.

    Raises:
        InvalidFieldError: it is none.
    """
    return load_policies(egress)


def egress_text(egress: str) -> str:
    """What a value of CHAMBERLOG_EGRESS says, for who stands in another directory: a file's path becomes its text.

    Raises:
        InvalidFieldError: the file cannot be read.
    """
    return policies_text(egress)


def ensure_assertion_keys(home: Home) -> None:
    """The key by which the authz service signs, and the one by which the API believes it. Again: the same ones."""
    if home.assertion_key_file.exists() and home.assertion_keys_file.exists():
        return
    pair = new_key_pair()
    write_private(home.assertion_keys_file, pair.public)
    write_private(home.assertion_key_file, pair.private)


async def lateness_of(dsn: str, from_ms: int, to_ms: int) -> dict[str, float] | None:
    """`p50` and `p99` of how late requests started, in milliseconds; None when nothing was stored.

    Args:
        dsn: of the readings' database.
        from_ms: inclusive.
        to_ms: exclusive.
    """
    async with _postgres(dsn) as postgres:
        lateness = await PostgresHistory(postgres).lateness(ORGANIZATION, TimeRange(from_ms, to_ms))
    return None if lateness is None else {"p50": round(lateness.p50_ms, 1), "p99": round(lateness.p99_ms, 1)}


async def _add(keys: PostgresKeys, key: NewKey) -> bool:
    """Add the key; False when its id is taken by another secret, or was revoked."""
    try:
        await keys.add(key.id, key.secret_sha256, ORGANIZATION, KEY_NAME, KEY_TERMS)
    except ConflictError:
        found = await keys.find(key.id)
        known = found is not None and found[0] == key.secret_sha256
        return known and await keys.grant_deployment(key.id)
    return True


def _kept_key(file: Path) -> NewKey | None:
    try:
        return read_key(file.read_text().strip())
    except FileNotFoundError:
        return None


@asynccontextmanager
async def _postgres(dsn: str) -> AsyncIterator[Postgres]:
    postgres = Postgres(dsn, size=1)
    try:
        yield postgres
    finally:
        await postgres.close()


async def _connect(address: str) -> Client:
    """By address only: the person's own TEMPORAL_ settings mean another server."""
    give_up = time.monotonic() + CONNECT_S
    while True:
        try:
            return await Client.connect(address)
        except (RuntimeError, RPCError) as error:
            if time.monotonic() > give_up:
                raise StartFailedError(f"Temporal at {address} does not answer: {error}") from None
        await asyncio.sleep(CONNECT_POLL_S)
