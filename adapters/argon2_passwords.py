"""Hashes of passwords by argon2id (RFC 9106), in threads of their own: the library lets other work go on meanwhile."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from collector.domain.errors import AwayError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HashCost:
    """What one hash costs whoever makes it, and whoever guesses.

    The defaults are those that RFC 9106 recommends for machines with little memory.

    Attributes:
        passes: over the memory.
        memory_kib: held while it is made.
        lanes: threads of one hash.
    """

    passes: int = 3
    memory_kib: int = 65_536
    lanes: int = 4


AT_A_TIME = 2
"""Hashes of a process: 128 MiB and as many cores, however many people sign in."""
WAITING_LIMIT = 16
"""Further ones are refused: they would be answered seconds later, when nobody waits any more."""


class Argon2Passwords:
    """Implements `collector.ports.credentials.PasswordHasher`.

    Args:
        cost: of new hashes; older ones are checked by what they say themselves.
        at_a_time: hashes at a time; others wait.
        waiting_limit: how many may wait.
    """

    def __init__(
        self, cost: HashCost | None = None, *, at_a_time: int = AT_A_TIME, waiting_limit: int = WAITING_LIMIT
    ) -> None:
        cost = cost or HashCost()
        self._hasher = PasswordHasher(cost.passes, cost.memory_kib, cost.lanes, type=Type.ID)
        self._threads = ThreadPoolExecutor(at_a_time, "passwords")
        self._limit, self._under_way = at_a_time + waiting_limit, 0
        self._nobodys = self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        """A hash that says its parameters; see `PasswordHasher.hash`."""
        return await self._in_thread(lambda: self._hasher.hash(password))

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether the hash is of that password; see `PasswordHasher.matches`.

        Without a hash that of nobody is checked, which takes as long.
        """
        fits = await self._in_thread(lambda: self._verify(password_hash or self._nobodys, password))
        return fits and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Whether it was made with other parameters; see `PasswordHasher.is_outdated`."""
        return self._hasher.check_needs_rehash(password_hash)

    def close(self) -> None:
        """Let the threads go; again: nothing."""
        self._threads.shutdown(wait=False)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._under_way >= self._limit:
            raise AwayError("too many people sign in at this moment: try again")
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._under_way -= 1
