"""`KeyStore`: hashes of secrets, and whose they are."""

import pytest

from collector.domain.errors import ConflictError, NotFoundError
from collector.domain.roles import Role
from collector.ports.keys import Principal
from tests.contract.ledger_rooms import Rooms, now

HASH = bytes(range(32))


async def test_a_key_is_found_by_its_id(rooms: Rooms) -> None:
    await rooms.keys.add("0123456789ab", HASH, "default", "laptop")
    assert await rooms.keys.find("0123456789ab") == (
        HASH,
        Principal("default", "key/0123456789ab", Role.ADMINISTRATOR, credential="key/0123456789ab"),
    )


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


async def test_a_revoked_key_is_unknown_and_its_id_is_not_used_again(rooms: Rooms) -> None:
    await rooms.keys.add("0123456789ab", HASH, "default", "laptop")
    assert [await rooms.keys.revoke("0123456789ab") for _ in range(2)] == [True, False]
    assert await rooms.keys.find("0123456789ab") is None
    assert not await rooms.keys.grant_deployment("0123456789ab")
    with pytest.raises(ConflictError):
        await rooms.keys.add("0123456789ab", HASH, "default", "another")


async def test_a_key_of_the_deployment_says_so(rooms: Rooms) -> None:
    await rooms.keys.add("0123456789ab", HASH, "default", "laptop")
    await rooms.keys.add("ba9876543210", HASH, "default", "operator", deployment=True)
    for expected in (False, True):
        assert [await deployment(rooms, key_id) for key_id in ("0123456789ab", "ba9876543210")] == [expected, True]
        assert [await rooms.keys.grant_deployment("0123456789ab") for _ in range(2)] == [True, True]


async def deployment(rooms: Rooms, key_id: str) -> bool:
    found = await rooms.keys.find(key_id)
    assert found is not None
    assert (found[1].organization, found[1].subject) == ("default", f"key/{key_id}")
    return found[1].deployment


async def test_keys_are_listed_in_the_order_in_which_they_were_made(rooms: Rooms) -> None:
    await rooms.add_section("elsewhere", "default")
    before_ms = now()
    await rooms.keys.add("b", HASH, "default", "first")
    await rooms.keys.add("c", HASH, "elsewhere", "theirs", deployment=True)
    await rooms.keys.add("a", HASH, "default", "se\u00e7ond")
    await rooms.keys.revoke("b")

    listed = await rooms.keys.list("default")
    assert [(k.id, k.organization, k.name, k.deployment) for k in listed] == [
        ("b", "default", "first", False),
        ("a", "default", "se\u00e7ond", False),
    ]
    assert all(before_ms <= key.created_ms <= now() + 1 for key in listed)
    assert listed[0].revoked_ms is not None
    assert before_ms <= listed[0].revoked_ms <= now() + 1
    assert listed[1].revoked_ms is None
    assert [k.id for k in await rooms.keys.list("elsewhere")] == ["c"]
    assert [k.id for k in await rooms.keys.list(None)] == ["b", "c", "a"]
    assert await rooms.keys.list("nobody\x00") == []


@pytest.mark.parametrize("key_id", ["", "unknown", "nul\x00", "\ud800"])
async def test_an_unknown_key_can_be_neither_revoked_nor_raised(rooms: Rooms, key_id: str) -> None:
    assert not await rooms.keys.revoke(key_id)
    assert not await rooms.keys.grant_deployment(key_id)
