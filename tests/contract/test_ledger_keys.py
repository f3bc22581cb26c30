"""`KeyStore`: hashes of secrets, and whose they are."""

import asyncio

import pytest

from collector.domain.access import Scope
from collector.domain.errors import ConflictError, InvalidFieldError, NotFoundError
from collector.domain.roles import Role
from collector.ports.keys import KeyTerms, Principal
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
    await rooms.keys.add("ba9876543210", HASH, "default", "operator", KeyTerms(role=Role.SUPER_ADMINISTRATOR))
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
    await rooms.keys.add("c", HASH, "elsewhere", "theirs", KeyTerms(role=Role.SUPER_ADMINISTRATOR))
    await rooms.keys.add("a", HASH, "default", "se\u00e7ond")
    await rooms.keys.revoke("b")

    listed = await rooms.keys.list("default")
    assert [(k.id, k.organization, k.name, k.terms.role) for k in listed] == [
        ("b", "default", "first", Role.ADMINISTRATOR),
        ("a", "default", "se\u00e7ond", Role.ADMINISTRATOR),
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


LIMITED = KeyTerms(
    role=Role.VIEWER,
    scopes=frozenset({Scope.READINGS, Scope.CHAMBERS}),
    section="attic",
    created_by="key/ba9876543210",
    expires_ms=4_000_000_000_000,
)


async def test_a_key_goes_as_far_as_it_was_made_to(rooms: Rooms) -> None:
    await rooms.add_section("default", "attic")
    made = await rooms.keys.add("0123456789ab", HASH, "default", "d\u00e9pt", LIMITED)
    assert (made.id, made.organization, made.name, made.terms) == ("0123456789ab", "default", "d\u00e9pt", LIMITED)
    assert (made.last_used_ms, made.revoked_ms) == (None, None)
    subject = "key/0123456789ab"
    rights = (Role.VIEWER, LIMITED.scopes, "attic")
    found = await rooms.keys.find("0123456789ab")
    assert found == (HASH, Principal("default", subject, *rights, credential=subject))
    assert await rooms.keys.show("default", "0123456789ab") == made
    assert await rooms.keys.list("default") == [made]
    assert await rooms.keys.expiry("0123456789ab") == LIMITED.expires_ms
    assert await rooms.keys.expiry("ffffffffffff") is None
    assert not await rooms.keys.grant_deployment("0123456789ab"), "it is of a section"


@pytest.mark.parametrize("role", Role)
async def test_every_role_and_scope_can_be_kept(rooms: Rooms, role: Role) -> None:
    await rooms.keys.add("0123456789ab", HASH, "default", "x", KeyTerms(role=role, scopes=frozenset(Scope)))
    found = await rooms.keys.find("0123456789ab")
    assert found is not None
    assert (found[1].role, found[1].scopes) == (role, frozenset(Scope))


async def test_a_key_that_has_expired_is_unknown_and_shown_all_the_same(rooms: Rooms) -> None:
    await rooms.keys.add("0123456789ab", HASH, "default", "x", KeyTerms(expires_ms=now() - 1))
    await rooms.keys.add("ba9876543210", HASH, "default", "x", KeyTerms(expires_ms=now() + 60_000))
    assert await rooms.keys.find("0123456789ab") is None
    assert await rooms.keys.find("ba9876543210") is not None
    assert not await rooms.keys.grant_deployment("0123456789ab")
    assert (await rooms.keys.show("default", "0123456789ab")).revoked_ms is None
    assert await rooms.keys.revoke("0123456789ab")


@pytest.mark.parametrize("section", ["cellar", "nul\x00", ""])
async def test_a_key_is_of_a_section_that_is_there(rooms: Rooms, section: str) -> None:
    await rooms.add_section("elsewhere", "cellar")
    with pytest.raises(InvalidFieldError) as refused:
        await rooms.keys.add("0123456789ab", HASH, "default", "x", KeyTerms(section=section))
    assert refused.value.field == "section"
    with pytest.raises(NotFoundError, match="nobody"):
        await rooms.keys.add("0123456789ab", HASH, "nobody", "x", KeyTerms(section="cellar"))
    assert await rooms.keys.list(None) == []


async def test_use_is_noted_once_a_minute_and_of_valid_keys_only(rooms: Rooms) -> None:
    await rooms.keys.add("0123456789ab", HASH, "default", "x")
    await rooms.keys.add("ba9876543210", HASH, "default", "revoked")
    await rooms.keys.revoke("ba9876543210")
    before_ms = now()
    for key_id in ("0123456789ab", "ba9876543210", "unknown", "nul\x00"):
        await rooms.keys.note_use(key_id)
    used_ms = (await rooms.keys.show("default", "0123456789ab")).last_used_ms
    assert used_ms is not None
    assert before_ms - 1 <= used_ms <= now() + 1
    await asyncio.sleep(0.01)
    await rooms.keys.note_use("0123456789ab")
    assert (await rooms.keys.show("default", "0123456789ab")).last_used_ms == used_ms
    assert (await rooms.keys.show("default", "ba9876543210")).last_used_ms is None


@pytest.mark.parametrize("key_id", ["ffffffffffff", "0123456789ab", "nul\x00", "\ud800"])
async def test_a_foreign_key_is_one_that_is_not_there(rooms: Rooms, key_id: str) -> None:
    await rooms.add_section("elsewhere", "default")
    await rooms.keys.add("0123456789ab", HASH, "elsewhere", "theirs")
    with pytest.raises(NotFoundError) as refused:
        await rooms.keys.show("default", key_id)
    assert str(refused.value) == f"no key {key_id!r}"


async def test_keys_are_paged_in_the_order_in_which_they_were_made(rooms: Rooms) -> None:
    await rooms.add_section("elsewhere", "default")
    await rooms.keys.add("theirs", HASH, "elsewhere", "theirs")
    for key_id in ("e", "c", "a", "d", "b"):
        await rooms.keys.add(key_id, HASH, "default", key_id)
        await asyncio.sleep(0.003)
    seen, cursor = list[str](), None
    while True:
        page = await rooms.keys.page("default", 2, cursor)
        seen += [record.id for record in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ["e", "c", "a", "d", "b"]
    assert (await rooms.keys.page("nobody\x00", 2, None)).items == []
    for wrong in ("zzz", "WyJhIl0"):
        with pytest.raises(InvalidFieldError, match="cursor"):
            await rooms.keys.page("default", 2, wrong)
