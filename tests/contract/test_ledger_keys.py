"""`KeyStore`: hashes of secrets, and whose they are."""

import pytest

from collector.domain.errors import ConflictError, NotFoundError
from collector.ports.keys import Principal
from tests.contract.ledger_rooms import Rooms

HASH = bytes(range(32))


async def test_a_key_is_found_by_its_id(rooms: Rooms) -> None:
    await rooms.keys.add("0123456789ab", HASH, "default", "laptop")
    assert await rooms.keys.find("0123456789ab") == (HASH, Principal("default", "key/0123456789ab"))


@pytest.mark.parametrize("key_id", ["", "unknown", "nul\x00", "\ud800"])
async def test_an_unknown_key_is_none(rooms: Rooms, key_id: str) -> None:
    assert await rooms.keys.find(key_id) is None


async def test_the_same_id_replaces_nothing(rooms: Rooms) -> None:
    await rooms.keys.add("0123456789ab", HASH, "default", "laptop")
    with pytest.raises(ConflictError):
        await rooms.keys.add("0123456789ab", HASH[::-1], "default", "other")
    found = await rooms.keys.find("0123456789ab")
    assert found is not None
    assert found[0] == HASH


async def test_a_key_belongs_to_an_organization_that_is_there(rooms: Rooms) -> None:
    with pytest.raises(NotFoundError, match="nobody"):
        await rooms.keys.add("0123456789ab", HASH, "nobody", "laptop")
