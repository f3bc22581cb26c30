"""`UserStore`: people, their passwords, and the last administrator."""

import asyncio
from dataclasses import replace

import pytest

from collector.domain.errors import ConflictError, InvalidFieldError, NotFoundError, StaleVersionError
from collector.domain.organization import Organization
from collector.domain.roles import Role
from tests.contract.ledger_rooms import now
from tests.contract.people_rooms import HASH, PeopleRooms, a_pair, a_token, a_user, ada, an_id, is_good, signed_in


async def test_a_user_comes_back_as_it_was_made(people: PeopleRooms) -> None:
    before_ms, wanted = now(), a_user()
    made, new = await people.users.add(replace(wanted, version=7, signed_in_ms=1))
    assert (made, new) == (wanted, True)
    assert made.signed_in_ms is None
    assert before_ms <= made.created_ms == made.updated_ms <= now() + 1
    assert await people.users.find("default", made.id) == made
    assert await people.users.password_of("ada@example.org") == (made, None)
    assert await people.users.password_of("eve@example.org") is None


async def test_adding_it_again_changes_nothing(people: PeopleRooms) -> None:
    first, _ = await people.users.add(a_user(), HASH)
    again, new = await people.users.add(replace(a_user(), first_name="Another", role=Role.VIEWER), "another")
    assert (again, new) == (first, False)
    assert await people.users.password_of(first.email) == (first, HASH)


async def test_a_user_is_of_an_organization_that_is_there_and_an_address_of_one_user(people: PeopleRooms) -> None:
    with pytest.raises(NotFoundError, match="nobody"):
        await people.users.add(a_user(organization="nobody"))
    await people.organizations.add(Organization(id="other"))
    await people.users.add(a_user())
    with pytest.raises(ConflictError) as caught:
        await people.users.add(a_user(organization="other"))
    assert caught.value.field == "email"
    assert "default" not in str(caught.value)


async def test_a_foreign_user_is_none(people: PeopleRooms) -> None:
    await people.organizations.add(Organization(id="other"))
    user = await ada(people)
    for organization, user_id in (("other", user.id), ("default", an_id())):
        with pytest.raises(NotFoundError):
            await people.users.find(organization, user_id)
        with pytest.raises(NotFoundError):
            await people.users.change(replace(user, organization=organization, id=user_id), 1)


async def test_users_are_paged_by_address(people: PeopleRooms) -> None:
    await people.organizations.add(Organization(id="other"))
    emails = ["a-b@x.org", "a.b@x.org", "a@x.org", "aa@x.org", "b@x.org"]
    for email in reversed(emails):
        await people.users.add(a_user(email))
    await people.users.add(a_user("ab@x.org", organization="other"))
    seen, cursor = [], None
    for _ in range(3):
        page = await people.users.page("default", 2, cursor)
        seen += [user.email for user in page.items]
        cursor = page.next_cursor
    assert (seen, cursor) == (sorted(emails), None)
    with pytest.raises(InvalidFieldError):
        await people.users.page("default", 2, "nonsense")


async def test_a_change_needs_the_version_that_stands(people: PeopleRooms) -> None:
    user = await ada(people, Role.VIEWER)
    changed = await people.users.change(replace(user, first_name="A.", email="a@b.org", role=Role.OPERATOR), 1)
    assert changed == replace(user, first_name="A.", email="a@b.org", role=Role.OPERATOR, version=2)
    assert changed.created_ms == user.created_ms <= changed.updated_ms
    assert await people.users.find("default", user.id) == changed
    with pytest.raises(StaleVersionError) as caught:
        await people.users.change(user, 1)
    assert caught.value.current == 2


async def test_a_taken_address_is_not_taken_again(people: PeopleRooms) -> None:
    user = await ada(people)
    await people.users.add(a_user("eve@example.org"))
    with pytest.raises(ConflictError) as caught:
        await people.users.change(replace(user, email="eve@example.org"), 1)
    assert caught.value.field == "email"
    assert await people.users.find("default", user.id) == user


async def test_whoever_becomes_inactive_is_signed_out(people: PeopleRooms) -> None:
    user, pair = await ada(people, Role.VIEWER), a_pair()
    session = await signed_in(people, user, pair)
    await people.users.change(replace(user, active=False), 1)
    await people.users.change(replace(user, active=True), 2)
    assert not await is_good(people, pair.access)
    assert not await people.sessions.role_of(session, now())


LESS = [{"active": False}, {"role": Role.OPERATOR}]


@pytest.mark.parametrize("less", LESS)
async def test_the_last_administrator_stays(people: PeopleRooms, less: dict[str, object]) -> None:
    await people.organizations.add(Organization(id="other"))
    user = await ada(people)
    await people.users.add(a_user("op@x.org", Role.OPERATOR), HASH)
    await people.users.add(a_user("new@x.org"))  # has no password yet
    await people.users.add(a_user("else@x.org", organization="other"), HASH)
    gone, _ = await people.users.add(a_user("gone@x.org"), HASH)
    await people.users.change(replace(gone, active=False), 1)
    wanted = replace(user, **less)  # type: ignore[arg-type]  # of one field each
    with pytest.raises(ConflictError, match="last active administrator") as caught:
        await people.users.change(wanted, 1)
    assert caught.value.field in less
    assert await people.users.find("default", user.id) == user
    assert (await people.users.change(replace(user, role=Role.SUPER_ADMINISTRATOR), 1)).version == 2
    await people.users.add(a_user("second@x.org", Role.SUPER_ADMINISTRATOR), HASH)
    assert (await people.users.change(wanted, 2)).version == 3


async def test_administrators_who_demote_each_other_leave_one(postgres_people: PeopleRooms) -> None:
    people = postgres_people
    made = [(await people.users.add(a_user(f"{n}@x.org"), HASH))[0] for n in range(6)]
    changes = (people.users.change(replace(user, role=Role.VIEWER), 1) for user in made)
    answers = await asyncio.gather(*changes, return_exceptions=True)
    assert sum(isinstance(answer, ConflictError) for answer in answers) == 1
    left = [user for user in (await people.users.page("default", 10, None)).items if user.role is Role.ADMINISTRATOR]
    assert len(left) == 1


async def test_of_many_that_add_one_address_one_makes_it(postgres_people: PeopleRooms) -> None:
    answers = await asyncio.gather(*(postgres_people.users.add(a_user()) for _ in range(20)))
    assert sum(new for _, new in answers) == 1
    assert len({user.id for user, _ in answers}) == 1


async def test_a_new_password_ends_what_hangs_on_the_old_one(people: PeopleRooms) -> None:
    user, pair, token = await ada(people), a_pair(), a_token()
    await signed_in(people, user, pair)
    await people.resets.issue(user.id, token)
    assert not await people.users.set_password(user.id, "new", "not the former")
    assert not await people.users.set_password(an_id(), "new", HASH)
    assert await is_good(people, pair.access)
    assert await people.users.set_password(user.id, "new", HASH)
    assert await people.users.password_of(user.email) == (user, "new")
    assert not await is_good(people, pair.access)
    assert await people.resets.of_token(token.id, token.secret_sha256, now()) is None


async def test_a_stronger_hash_ends_nothing(people: PeopleRooms) -> None:
    user, pair = await ada(people), a_pair()
    await signed_in(people, user, pair)
    await people.users.strengthen(user.id, "weak", "not the former")
    assert await people.users.password_of(user.email) == (user, HASH)
    await people.users.strengthen(user.id, "stronger", HASH)
    assert await people.users.password_of(user.email) == (user, "stronger")
    assert await is_good(people, pair.access)


@pytest.mark.parametrize("text", ["nul\x00", "\ud800", "\u0000", "\U0001f300" * 50])
async def test_names_are_kept_as_far_as_they_can_be(people: PeopleRooms, text: str) -> None:
    made, _ = await people.users.add(replace(a_user(role=Role.VIEWER), first_name=text))
    assert (await people.users.find("default", made.id)).id == made.id
    assert (await people.users.page("default", 10, None)).items[0].id == made.id
