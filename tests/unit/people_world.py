"""People in the in-memory world: somebody with a password, signed in, and clients that carry what they were handed."""

from collections import Counter
from typing import Any

import httpx

from adapters.memory.kept_people import KeptUser
from collector.domain.access import Traffic
from collector.domain.roles import Role
from collector.ports.limits import RateState
from collector.ports.users import User
from tests.unit.api_world import PASSWORDS, World

PASSWORD = "correct horse battery staple"
IDS = {"ada": "a" * 12, "op": "0" * 11 + "9", "boss": "b" * 12, "eve": "e" * 12}
Json = dict[str, Any]


class CountingLimiter:
    """A limit of each subject and class that never gives room again.

    Args:
        limit: requests.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.counts: Counter[tuple[str, Traffic]] = Counter()

    async def hit(self, subject: str, traffic: Traffic) -> RateState:
        """Count one more."""
        self.counts[subject, traffic] += 1
        left = self._limit - self.counts[subject, traffic]
        return RateState(left >= 0, self._limit, max(0, left), 300, 17)


async def somebody(world: World, name: str = "ada", role: Role = Role.ADMINISTRATOR, **more: Any) -> User:
    """A user with `PASSWORD`."""
    user = User(id=IDS[name], **{"organization": "default", "email": f"{name}@example.org", "role": role, **more})
    world.ledger.people.users[user.id] = KeptUser(user, await PASSWORDS.hash(PASSWORD))
    return user


async def sign_in(world: World, email: str = "ada@example.org", password: str = PASSWORD) -> httpx.Response:
    """Ask for a session."""
    async with world.client(None) as client:
        return await client.post("/v1/auth/sign-in", json={"email": email, "password": password})


async def signed_in(world: World, email: str = "ada@example.org", password: str = PASSWORD) -> Json:
    """What a session is begun with."""
    answer = await sign_in(world, email, password)
    assert answer.status_code == 200, answer.text
    document: Json = answer.json()
    return document


def carrying(world: World, tokens: Json) -> httpx.AsyncClient:
    """A client with the access token."""
    client = world.client(None)
    client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
    return client


async def asked(world: World, path: str, **body: Any) -> httpx.Response:
    """POST by nobody."""
    async with world.client(None) as client:
        return await client.post(path, json=body)


async def status_of(world: World, tokens: Json) -> int:
    """What an access token is answered."""
    async with carrying(world, tokens) as client:
        return (await client.get("/v1/auth/whoami")).status_code
