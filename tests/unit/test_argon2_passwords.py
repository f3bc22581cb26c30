"""Hashes of passwords: argon2id, bounded in number, and as slow for nobody as for somebody."""

import asyncio
import time

import pytest

from adapters.argon2_passwords import Argon2Passwords, HashCost
from collector.domain.errors import AwayError

LIGHT = HashCost(passes=1, memory_kib=8, lanes=1)
HEAVY = HashCost(passes=3, memory_kib=16_384, lanes=1)


async def test_a_hash_is_argon2id_salted_and_says_its_parameters() -> None:
    passwords = Argon2Passwords()
    made = [await passwords.hash("correct horse") for _ in range(2)]
    assert all(text.startswith("$argon2id$v=19$m=65536,t=3,p=4$") for text in made)
    assert made[0] != made[1]
    assert await passwords.matches(made[0], "correct horse")
    assert not await passwords.matches(made[0], "correct horse ")
    passwords.close()


@pytest.mark.parametrize("password", ["", "\u00e9" * 1024, "\U0001f600", "a" * 1024])
async def test_every_text_has_a_hash(password: str) -> None:
    passwords = Argon2Passwords(LIGHT)
    assert await passwords.matches(await passwords.hash(password), password)
    assert not await passwords.matches(await passwords.hash(password), password + "x")


@pytest.mark.parametrize("broken", ["", "x", "$argon2id$", "$argon2id$v=19$m=8,t=1,p=1$AA$AA", "$2b$12$abc"])
async def test_a_broken_hash_is_of_no_password(broken: str) -> None:
    assert not await Argon2Passwords(LIGHT).matches(broken, "")


async def test_nobodys_password_matches_nothing_and_takes_as_long() -> None:
    passwords = Argon2Passwords(HEAVY)
    somebodys = await passwords.hash("correct horse")
    spent: dict[str | None, float] = {somebodys: 0.0, None: 0.0}
    for _ in range(5):
        for kept in spent:
            begun = time.process_time()  # of this process alone: the machine is shared
            assert not await passwords.matches(kept, "nobody has this password")
            spent[kept] += time.process_time() - begun
    assert 1 / 3 < spent[somebodys] / spent[None] < 3


async def test_older_hashes_are_known_and_taken_for_outdated() -> None:
    older = await Argon2Passwords(LIGHT).hash("correct horse")
    passwords = Argon2Passwords(HashCost(passes=2, memory_kib=16, lanes=1))
    assert await passwords.matches(older, "correct horse")
    assert passwords.is_outdated(older)
    assert not passwords.is_outdated(await passwords.hash("correct horse"))


async def test_more_than_can_wait_are_told_to_come_again() -> None:
    passwords = Argon2Passwords(HashCost(passes=1, memory_kib=4096, lanes=1), at_a_time=1, waiting_limit=2)
    answers = await asyncio.gather(*(passwords.hash("x") for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(answer, AwayError) for answer in answers) == 2
    assert (await passwords.hash("x")).startswith("$argon2id$")


async def test_other_work_goes_on_meanwhile() -> None:
    passwords, ticks = Argon2Passwords(HEAVY), 0
    task = asyncio.create_task(passwords.hash("x"))
    while not task.done():
        await asyncio.sleep(0.001)
        ticks += 1
    assert ticks >= 2
