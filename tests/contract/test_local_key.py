"""The API key of the local stack, over a real PostgreSQL: whoever has the stack runs the deployment."""

import hashlib
from pathlib import Path

from collector.domain.roles import Role
from collector.ports import Principal
from stack.bootstrap import KEY_NAME, ensure_api_key
from tests.contract.ledger_rooms import opened_rooms


def parts(key: str) -> tuple[str, bytes]:
    """Id, and hash of the secret."""
    _, key_id, secret = key.split("_", 2)
    return key_id, hashlib.sha256(secret.encode()).digest()


def whole(key_id: str) -> Principal:
    """Whoever runs the deployment."""
    return Principal("default", f"key/{key_id}", Role.SUPER_ADMINISTRATOR, credential=f"key/{key_id}")


async def test_the_key_is_made_once_and_is_of_the_deployment(database: str, tmp_path: Path) -> None:
    key = await ensure_api_key(database, tmp_path / "api_key")
    assert await ensure_api_key(database, tmp_path / "api_key") == key
    key_id, digest = parts(key)
    async with opened_rooms(database) as rooms:
        assert await rooms.keys.find(key_id) == (digest, whole(key_id))
        assert [record.name for record in await rooms.keys.list(None)] == [KEY_NAME]


async def test_a_key_that_was_made_before_becomes_one_of_the_deployment(database: str, tmp_path: Path) -> None:
    kept = "chl_" + "0" * 12 + "_" + "k" * 43
    (tmp_path / "api_key").write_text(kept + "\n")
    key_id, digest = parts(kept)
    async with opened_rooms(database) as rooms:
        await rooms.keys.add(key_id, digest, "default", KEY_NAME)
        assert await ensure_api_key(database, tmp_path / "api_key") == kept
        assert await rooms.keys.find(key_id) == (digest, whole(key_id))


async def test_a_key_that_was_revoked_is_replaced(database: str, tmp_path: Path) -> None:
    former = await ensure_api_key(database, tmp_path / "api_key")
    async with opened_rooms(database) as rooms:
        await rooms.keys.revoke(parts(former)[0])
        key = await ensure_api_key(database, tmp_path / "api_key")
        assert key != former
        found = await rooms.keys.find(parts(key)[0])
        assert found is not None
        assert found[1].deployment


async def test_a_key_of_another_secret_is_left_alone(database: str, tmp_path: Path) -> None:
    kept = "chl_" + "0" * 12 + "_" + "k" * 43
    (tmp_path / "api_key").write_text(kept)
    async with opened_rooms(database) as rooms:
        await rooms.keys.add(parts(kept)[0], bytes(32), "default", "of somebody else")
        assert await ensure_api_key(database, tmp_path / "api_key") != kept
        found = await rooms.keys.find(parts(kept)[0])
        assert found == (
            bytes(32),
            Principal("default", f"key/{parts(kept)[0]}", Role.ADMINISTRATOR, credential=f"key/{parts(kept)[0]}"),
        )
