"""The ports of people, invitations and sessions over one ledger, of either kind, and short ways to say things."""

import hashlib
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from adapters.memory import (
    InMemoryInvitations,
    InMemoryLedger,
    InMemoryOrganizations,
    InMemoryResets,
    InMemorySessions,
    InMemoryUsers,
)
from adapters.postgres.invitations import PostgresInvitations, PostgresResets
from adapters.postgres.organizations import PostgresOrganizations
from adapters.postgres.pool import Postgres
from adapters.postgres.sessions import PostgresSessions
from adapters.postgres.users import PostgresUsers
from collector.domain.roles import Role
from collector.ports import Organizations
from collector.ports.users import (
    Invitation,
    InvitationStore,
    NewSession,
    ResetStore,
    SessionStore,
    Token,
    TokenPair,
    User,
    UserStore,
)
from tests.contract.ledger_rooms import now

MINUTE = 60_000
HASH = "$argon2id$of-ada"
NUMBERS = itertools.count(1)


@dataclass(slots=True)
class PeopleRooms:
    """The ports over one ledger."""

    kind: str
    users: UserStore
    invitations: InvitationStore
    resets: ResetStore
    sessions: SessionStore
    organizations: Organizations


def memory_people(ledger: InMemoryLedger) -> PeopleRooms:
    """In memory."""
    stores = (InMemoryUsers(ledger), InMemoryInvitations(ledger), InMemoryResets(ledger), InMemorySessions(ledger))
    return PeopleRooms("memory", *stores, InMemoryOrganizations(ledger))


@asynccontextmanager
async def opened_people(address: str, size: int = 8) -> AsyncIterator[PeopleRooms]:
    """Over a PostgreSQL database."""
    server = Postgres(address, size=size)
    stores = (PostgresUsers(server), PostgresInvitations(server), PostgresResets(server), PostgresSessions(server))
    try:
        yield PeopleRooms("postgres", *stores, PostgresOrganizations(server))
    finally:
        await server.close()


def an_id() -> str:
    """12 hexadecimal digits that nothing else has."""
    return f"{next(NUMBERS):012x}"


def a_token(lives_ms: int = 15 * MINUTE) -> Token:
    """Of a secret of its own."""
    number = an_id()
    return Token(number, hashlib.sha256(number.encode()).digest(), now() + lives_ms)


def a_pair(refresh_ms: int = 60 * MINUTE) -> TokenPair:
    """Two tokens."""
    return TokenPair(a_token(), a_token(refresh_ms))


def a_user(email: str = "ada@example.org", role: Role = Role.ADMINISTRATOR, organization: str = "default") -> User:
    """With an id of its own."""
    return User(id=an_id(), organization=organization, email=email, first_name="Ada", last_name="B\u00e9l", role=role)


def an_invitation(email: str = "eve@example.org", lives_ms: int = 60 * MINUTE) -> Invitation:
    """To `default`, as an operator."""
    return Invitation(
        id=an_id(),
        organization="default",
        email=email,
        role=Role.OPERATOR,
        created_by="key/0123456789ab",
        created_ms=now(),
        expires_ms=now() + lives_ms,
    )


async def signed_in(people: PeopleRooms, user: User, pair: TokenPair, password_hash: str = HASH) -> str:
    """Begin a session of the user; its id."""
    session = NewSession(an_id(), user.id, pair)
    assert await people.sessions.begin(session, password_hash, now())
    return session.id


async def ada(people: PeopleRooms, role: Role = Role.ADMINISTRATOR) -> User:
    """A user with the password of `HASH`."""
    user, new = await people.users.add(a_user(role=role), HASH)
    assert new
    return user


async def is_good(people: PeopleRooms, token: Token) -> bool:
    """Whether an access token is of use."""
    return await people.sessions.find(token.id, now()) is not None
