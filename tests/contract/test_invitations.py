"""`InvitationStore` and `ResetStore`: what is used once."""

import asyncio
from dataclasses import replace

import pytest

from collector.domain.errors import ConflictError, InvalidFieldError, NotFoundError
from collector.domain.organization import Organization
from collector.domain.roles import Role
from collector.ports.users import Invitation, Token, User
from tests.contract.ledger_rooms import now
from tests.contract.people_rooms import (
    HASH,
    MINUTE,
    PeopleRooms,
    a_pair,
    a_token,
    a_user,
    ada,
    an_id,
    an_invitation,
    is_good,
    signed_in,
)


async def invited(people: PeopleRooms, invitation: Invitation) -> Token:
    token = replace(a_token(), expires_ms=invitation.expires_ms)
    await people.invitations.invite(invitation, token)
    return token


async def found(people: PeopleRooms, token: Token) -> Invitation | None:
    return await people.invitations.of_token(token.id, token.secret_sha256, now())


async def test_an_invitation_is_found_by_its_token(people: PeopleRooms) -> None:
    invitation = an_invitation()
    token = await invited(people, invitation)
    assert await found(people, token) == invitation
    assert await people.invitations.find("default", invitation.id) == invitation
    assert await found(people, replace(token, secret_sha256=bytes(32))) is None
    assert await found(people, a_token()) is None
    late = await people.invitations.of_token(token.id, token.secret_sha256, invitation.expires_ms)
    assert late is None


async def test_another_one_takes_its_place(people: PeopleRooms) -> None:
    first, second = an_invitation(), an_invitation()
    tokens = [await invited(people, first), await invited(people, second)]
    assert [await found(people, token) for token in tokens] == [None, second]
    assert (await people.invitations.page("default", 10, None)).items == [second]
    assert await people.invitations.open_for("default", second.email) == second
    assert await people.invitations.open_for("other", second.email) is None
    await people.invitations.revoke("default", second.id)
    assert await people.invitations.open_for("default", second.email) is None


async def test_nobody_is_invited_who_signs_in_already_or_nowhere(people: PeopleRooms) -> None:
    await ada(people)
    with pytest.raises(ConflictError) as caught:
        await invited(people, an_invitation("ada@example.org"))
    assert caught.value.field == "email"
    with pytest.raises(NotFoundError):
        await invited(people, replace(an_invitation(), organization="nobody"))


async def test_open_ones_are_paged_by_address_each_organization_its_own(people: PeopleRooms) -> None:
    await people.organizations.add(Organization(id="other"))
    for email in ("c@x.org", "a@x.org", "b@x.org"):
        await invited(people, an_invitation(email))
    theirs = replace(an_invitation("a@x.org"), organization="other")
    await invited(people, theirs)
    page = await people.invitations.page("default", 2, None)
    assert [i.email for i in page.items] == ["a@x.org", "b@x.org"]
    rest = await people.invitations.page("default", 2, page.next_cursor)
    assert ([i.email for i in rest.items], rest.next_cursor) == (["c@x.org"], None)
    with pytest.raises(InvalidFieldError):
        await people.invitations.page("default", 2, "nonsense")
    for call in (people.invitations.find("default", theirs.id), people.invitations.find("default", an_id())):
        with pytest.raises(NotFoundError):
            await call
    assert not await people.invitations.revoke("default", theirs.id)


async def test_a_revoked_one_is_of_no_use(people: PeopleRooms) -> None:
    invitation = an_invitation()
    token = await invited(people, invitation)
    assert [await people.invitations.revoke("default", invitation.id) for _ in range(2)] == [True, False]
    assert await found(people, token) is None
    with pytest.raises(ConflictError):
        await people.invitations.accept(invitation.id, a_user(invitation.email), HASH, now())


async def test_expired_ones_are_cleared_away_by_the_next(people: PeopleRooms) -> None:
    await invited(people, an_invitation("old@x.org", -MINUTE))
    await invited(people, an_invitation("new@x.org"))
    assert [i.email for i in (await people.invitations.page("default", 10, None)).items] == ["new@x.org"]


async def test_it_is_accepted_once(people: PeopleRooms) -> None:
    invitation = an_invitation()
    token = await invited(people, invitation)
    user = a_user(invitation.email, Role.OPERATOR)
    assert await people.invitations.accept(invitation.id, user, HASH, now()) == user
    assert await people.users.password_of(invitation.email) == (user, HASH)
    assert await found(people, token) is None
    with pytest.raises(ConflictError):
        await people.invitations.accept(invitation.id, a_user("another@x.org"), HASH, now())
    with pytest.raises(NotFoundError):
        await people.invitations.find("default", invitation.id)


async def test_an_address_that_was_taken_meanwhile_leaves_it_open(people: PeopleRooms) -> None:
    invitation = an_invitation()
    token = await invited(people, invitation)
    await people.users.add(a_user(invitation.email))
    with pytest.raises(ConflictError) as caught:
        await people.invitations.accept(invitation.id, a_user(invitation.email), HASH, now())
    assert caught.value.field == "email"
    assert await found(people, token) == invitation


async def test_an_expired_one_is_not_accepted(people: PeopleRooms) -> None:
    invitation = an_invitation()
    await invited(people, invitation)
    with pytest.raises(ConflictError):
        await people.invitations.accept(invitation.id, a_user(invitation.email), HASH, invitation.expires_ms)


async def test_of_many_that_accept_together_one_becomes_a_user(postgres_people: PeopleRooms) -> None:
    people, invitation = postgres_people, an_invitation()
    await invited(people, invitation)
    accepts = (people.invitations.accept(invitation.id, a_user(invitation.email), HASH, now()) for _ in range(8))
    answers = await asyncio.gather(*accepts, return_exceptions=True)
    assert sum(isinstance(answer, User) for answer in answers) == 1
    assert sum(isinstance(answer, ConflictError) for answer in answers) == 7


async def test_of_many_invitations_of_one_address_together_one_is_open(postgres_people: PeopleRooms) -> None:
    people = postgres_people
    await asyncio.gather(*(invited(people, an_invitation()) for _ in range(8)))
    assert len((await people.invitations.page("default", 10, None)).items) == 1


async def whose(people: PeopleRooms, token: Token) -> User | None:
    return await people.resets.of_token(token.id, token.secret_sha256, now())


async def test_a_token_sets_a_password_once(people: PeopleRooms) -> None:
    user, pair, token = await ada(people), a_pair(), a_token()
    await signed_in(people, user, pair)
    await people.resets.issue(user.id, token)
    assert await whose(people, token) == user
    assert await people.resets.of_token(token.id, token.secret_sha256, token.expires_ms) is None
    assert await whose(people, replace(token, secret_sha256=bytes(32))) is None
    assert not await people.resets.use(token.id, bytes(32), "new", now())
    assert not await people.resets.use(token.id, token.secret_sha256, "new", token.expires_ms)
    uses = [await people.resets.use(token.id, token.secret_sha256, text, now()) for text in ("new", "again")]
    assert uses == [True, False]
    assert await people.users.password_of(user.email) == (user, "new")
    assert not await is_good(people, pair.access)


async def test_one_that_is_issued_takes_the_place_of_others_and_one_that_is_offered_does_not(
    people: PeopleRooms,
) -> None:
    user, tokens = await ada(people), [a_token(lives * MINUTE) for lives in (10, 12, 13, 18)]
    await people.resets.issue(user.id, tokens[0])
    assert not await people.resets.offer(user.id, tokens[1], 5 * MINUTE)
    assert await people.resets.offer(user.id, tokens[3], 5 * MINUTE)
    assert [await whose(people, token) for token in tokens] == [user, None, None, user]
    await people.resets.issue(user.id, tokens[2])
    assert [await whose(people, token) for token in tokens] == [None, None, user, None]


async def test_a_used_token_makes_the_others_useless(people: PeopleRooms) -> None:
    user, first, second = await ada(people), a_token(), a_token(60 * MINUTE)
    await people.resets.issue(user.id, first)
    assert await people.resets.offer(user.id, second, MINUTE)
    assert await people.resets.use(second.id, second.secret_sha256, "new", now())
    assert await whose(people, first) is None


async def test_nothing_is_set_for_whoever_is_inactive_or_has_another_address(people: PeopleRooms) -> None:
    user, token = await ada(people, Role.VIEWER), a_token()
    await people.resets.issue(user.id, token)
    inactive = await people.users.change(replace(user, active=False), 1)
    assert await whose(people, token) is None
    assert not await people.resets.use(token.id, token.secret_sha256, "new", now())
    active = await people.users.change(replace(inactive, active=True), 2)
    assert await whose(people, token) == active
    await people.users.change(replace(active, email="moved@example.org"), 3)
    assert await whose(people, token) is None


async def test_of_many_that_use_one_token_together_one_does(postgres_people: PeopleRooms) -> None:
    people, token = postgres_people, a_token()
    user = await ada(people)
    await people.resets.issue(user.id, token)
    uses = (people.resets.use(token.id, token.secret_sha256, f"new {n}", now()) for n in range(8))
    answers = await asyncio.gather(*uses)
    assert sum(answers) == 1
    kept = await people.users.password_of(user.email)
    assert kept is not None
    assert kept[1] == f"new {answers.index(True)}"


async def test_of_many_that_ask_together_one_is_offered_a_token(postgres_people: PeopleRooms) -> None:
    people = postgres_people
    made = [(await people.users.add(a_user(f"{n}@x.org")))[0] for n in range(6)]
    await asyncio.gather(*(people.users.find("default", user.id) for user in made))  # opens connections
    for user in made:
        answers = await asyncio.gather(*(people.resets.offer(user.id, a_token(), 5 * MINUTE) for _ in range(6)))
        assert sum(answers) == 1
