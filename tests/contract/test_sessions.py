"""`SessionStore`: families of tokens, exact when many show one at once."""

import asyncio
from dataclasses import replace

import pytest

from collector.domain.roles import Role
from collector.ports.keys import Principal
from collector.ports.users import NewSession, Rotation, TokenPair
from tests.contract.ledger_rooms import now
from tests.contract.people_rooms import HASH, PeopleRooms, a_pair, a_token, ada, an_id, is_good, signed_in

WRONG = bytes(32)


async def living(people: PeopleRooms, pairs: list[TokenPair]) -> int:
    """How many of the pairs are of use: an access token that opens, or a refresh token that gets another pair.

    Trying a refresh token spends it, so this is asked last.
    """
    access = {n for n, pair in enumerate(pairs) if await is_good(people, pair.access)}
    refresh = set()
    for n, pair in enumerate(pairs):
        answer = await people.sessions.rotate(pair.refresh, a_pair(), now())
        if answer is not None and answer.renewed:
            refresh.add(n)
    return len(access | refresh)


async def test_an_access_token_says_whose_it_is(people: PeopleRooms) -> None:
    user, pair = await ada(people), a_pair()
    session = await signed_in(people, user, pair)
    subject, credential = f"user/{user.id}", f"session/{session}"
    principal = Principal("default", subject, Role.ADMINISTRATOR, credential=credential)
    assert await people.sessions.find(pair.access.id, now()) == (pair.access.secret_sha256, principal)
    assert await people.sessions.find(pair.refresh.id, now()) is None
    assert await people.sessions.find(an_id(), now()) is None
    assert await people.sessions.role_of(session, now()) is Role.ADMINISTRATOR
    assert await people.sessions.role_of(an_id(), now()) is None


async def test_tokens_expire(people: PeopleRooms) -> None:
    user, pair = await ada(people), a_pair()
    session = await signed_in(people, user, pair)
    assert await people.sessions.find(pair.access.id, pair.access.expires_ms - 1) is not None
    assert await people.sessions.find(pair.access.id, pair.access.expires_ms) is None
    assert await people.sessions.role_of(session, pair.refresh.expires_ms - 1)
    assert not await people.sessions.role_of(session, pair.refresh.expires_ms)
    assert await people.sessions.rotate(pair.refresh, a_pair(), pair.refresh.expires_ms) is None
    assert await people.sessions.rotate(pair.refresh, a_pair(), now()) == Rotation(session, renewed=True)


async def test_the_next_pair_takes_the_place_of_the_one_before(people: PeopleRooms) -> None:
    user, first, second = await ada(people), a_pair(), a_pair()
    session = await signed_in(people, user, first)
    assert await people.sessions.rotate(first.refresh, second, now()) == Rotation(session, renewed=True)
    assert not await is_good(people, first.access)
    assert await is_good(people, second.access)
    assert await people.sessions.role_of(session, now())


async def test_a_used_refresh_token_ends_the_whole_session_and_no_other(people: PeopleRooms) -> None:
    user, first, second, other = await ada(people), a_pair(), a_pair(), a_pair()
    session = await signed_in(people, user, first)
    await signed_in(people, user, other)
    await people.sessions.rotate(first.refresh, second, now())
    assert await people.sessions.rotate(first.refresh, a_pair(), now()) == Rotation(session, renewed=False)
    assert not await is_good(people, second.access)
    assert not await people.sessions.role_of(session, now())
    assert await people.sessions.rotate(second.refresh, a_pair(), now()) is None
    assert await people.sessions.rotate(first.refresh, a_pair(), now()) is None
    assert await is_good(people, other.access)


async def test_another_secret_changes_nothing(people: PeopleRooms) -> None:
    user, first, second = await ada(people), a_pair(), a_pair()
    await signed_in(people, user, first)
    assert await people.sessions.rotate(replace(first.refresh, secret_sha256=WRONG), a_pair(), now()) is None
    await people.sessions.rotate(first.refresh, second, now())
    assert await people.sessions.rotate(replace(first.refresh, secret_sha256=WRONG), a_pair(), now()) is None
    assert await is_good(people, second.access)
    as_refresh = replace(second.access)
    assert await people.sessions.rotate(as_refresh, a_pair(), now()) is None


async def test_a_session_ends_once(people: PeopleRooms) -> None:
    user, pair = await ada(people), a_pair()
    session = await signed_in(people, user, pair)
    assert [await people.sessions.end(session) for _ in range(2)] == [True, False]
    assert not await people.sessions.end(an_id())
    assert await living(people, [pair]) == 0


async def test_every_session_of_a_user_ends(people: PeopleRooms) -> None:
    user, pairs = await ada(people), [a_pair() for _ in range(3)]
    for pair in pairs:
        await signed_in(people, user, pair)
    assert [await people.sessions.end_all(user.id) for _ in range(2)] == [3, 0]
    assert await living(people, pairs) == 0


async def test_no_session_begins_with_a_password_that_does_not_stand(people: PeopleRooms) -> None:
    user, pair = await ada(people), a_pair()
    assert not await people.sessions.begin(NewSession(an_id(), user.id, pair), "another", now())
    assert not await people.sessions.begin(NewSession(an_id(), an_id(), pair), HASH, now())
    assert (await people.users.find("default", user.id)).signed_in_ms is None
    at_ms = now()
    await people.sessions.begin(NewSession(an_id(), user.id, pair), HASH, at_ms)
    assert (await people.users.find("default", user.id)).signed_in_ms == at_ms


async def test_the_role_is_the_one_that_stands(people: PeopleRooms) -> None:
    user, pair = await ada(people, Role.OPERATOR), a_pair()
    await signed_in(people, user, pair)
    await people.users.change(replace(user, role=Role.VIEWER), 1)
    found = await people.sessions.find(pair.access.id, now())
    assert found is not None
    assert found[1].role is Role.VIEWER


async def test_sessions_that_are_over_are_cleared_away_and_others_stay(people: PeopleRooms) -> None:
    user, over, expired, good = await ada(people), a_pair(), a_pair(-1), a_pair()
    ended = await signed_in(people, user, over)
    await people.sessions.end(ended)
    await signed_in(people, user, replace(expired, access=a_token(-1)))
    await signed_in(people, user, good)
    await signed_in(people, user, a_pair())
    assert await is_good(people, good.access)
    assert not await people.sessions.end(ended)


@pytest.mark.parametrize("attempt", range(5))
async def test_of_many_that_show_one_refresh_token_at_most_one_pair_lives(
    postgres_people: PeopleRooms, attempt: int
) -> None:
    people = postgres_people
    user, first = await ada(people), a_pair()
    session = await signed_in(people, user, first)
    pairs = [a_pair() for _ in range(2 + 6 * attempt)]
    answers = await asyncio.gather(*(people.sessions.rotate(first.refresh, pair, now()) for pair in pairs))
    assert [a for a in answers if a is not None and a.renewed] == [Rotation(session, renewed=True)]
    assert [a for a in answers if a is not None and not a.renewed] == [Rotation(session, renewed=False)]
    assert answers.count(None) == len(pairs) - 2
    assert await living(people, pairs) == 0  # the second of them ended the family
    assert not await people.sessions.role_of(session, now())


async def test_a_chain_of_refreshes_against_a_thief_never_has_two_living_pairs(postgres_people: PeopleRooms) -> None:
    people = postgres_people
    user, first = await ada(people), a_pair()
    await signed_in(people, user, first)
    made = [first]

    async def go_on(pair: TokenPair) -> None:
        for _ in range(10):
            following = a_pair()
            made.append(following)
            answer = await people.sessions.rotate(pair.refresh, following, now())
            if answer is None or not answer.renewed:
                return
            pair = following

    await asyncio.gather(go_on(first), go_on(first), go_on(first))
    assert await living(people, made) == 0


@pytest.mark.parametrize("attempt", range(8))
async def test_a_refresh_beside_the_end_of_all_sessions_leaves_none(postgres_people: PeopleRooms, attempt: int) -> None:
    people = postgres_people
    user, pairs = await ada(people), [a_pair() for _ in range(4)]
    for pair in pairs:
        await signed_in(people, user, pair)
    following = [a_pair() for _ in pairs]
    rotations = [people.sessions.rotate(o.refresh, n, now()) for o, n in zip(pairs, following, strict=True)]
    ends = (people.sessions.end_all(user.id), people.users.set_password(user.id, "new", HASH))
    await asyncio.gather(*rotations[:2], ends[attempt % 2], *rotations[2:], ends[1 - attempt % 2])
    assert await living(people, [*pairs, *following]) == 0


@pytest.mark.parametrize("attempt", range(7))
async def test_a_sign_in_beside_a_new_password_leaves_no_session_of_the_old_one(
    postgres_people: PeopleRooms, attempt: int
) -> None:
    people = postgres_people
    user, pairs = await ada(people), [a_pair() for _ in range(6)]
    begun = [people.sessions.begin(NewSession(an_id(), user.id, pair), HASH, now()) for pair in pairs]
    changed = people.users.set_password(user.id, "new", HASH)
    answers = await asyncio.gather(*begun[:attempt], changed, *begun[attempt:])
    assert answers[attempt] is True
    assert await living(people, pairs) == 0


async def test_a_sign_in_beside_deactivation_leaves_no_session(postgres_people: PeopleRooms) -> None:
    people = postgres_people
    user, pairs = await ada(people, Role.VIEWER), [a_pair() for _ in range(6)]
    begun = [people.sessions.begin(NewSession(an_id(), user.id, pair), HASH, now()) for pair in pairs]
    await asyncio.gather(*begun[:3], people.users.change(replace(user, active=False), 1), *begun[3:])
    assert await living(people, pairs) == 0
