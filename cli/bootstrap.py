"""The one place of the command line that knows adapters: migrations need the database, not the API."""

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from adapters.api_keys import new_key
from adapters.argon2_passwords import Argon2Passwords
from adapters.assertions import KeyPair, new_key_pair
from adapters.credential_maker import SystemCredentials
from adapters.egress_files import load_policies
from adapters.http_device.checking import EgressChecker
from adapters.postgres.events import PostgresEvents, database_user
from adapters.postgres.keys import PostgresKeys
from adapters.postgres.migrate import FOLDER, load_migrations, migrate
from adapters.postgres.pool import Postgres
from adapters.postgres.users import PostgresUsers
from adapters.secret_settings import read_secret, shown_address
from collector.domain.egress_proxy import parse_proxy
from collector.domain.egress_verdict import EgressCheck
from collector.domain.errors import InvalidFieldError, SlotFailedError
from collector.ports.events import AuditEvent, Source
from collector.ports.keys import KeyRecord, KeyTerms
from collector.ports.users import User
from collector.usecases.events import RecordEvent
from collector.usecases.users.people import CreateAdministrator

T = TypeVar("T")
POSTGRES = "CHAMBERLOG_POSTGRES"


def migrate_database(dsn: str, on_step: Callable[[str], None]) -> list[str]:
    """Apply what is missing; names of the applied migrations, none the second time."""
    return asyncio.run(migrate(dsn, on_step))


def find_postgres(flag: str | None) -> str | None:
    """The DSN of the readings' database: the flag, else the environment or the file that it names; None without any.

    Raises:
        InvalidFieldError: names the variable, never the DSN: it cannot be read, or is none.
    """
    return read_secret(POSTGRES, {POSTGRES: flag} if flag else os.environ)


def rehearse_migration(dsn: str) -> str:
    """What `migrate_database` would do, without secrets; asks no server.

    Raises:
        MigrationError: the files of this release are not in order.
    """
    return f"{len(load_migrations(FOLDER))} migrations for PostgreSQL {shown_address(dsn)}"


def new_assertion_keys() -> KeyPair:
    """A pair of keys for the gateway's authz service and the API."""
    return new_key_pair()


def check_egress(url: str, section: str, policies: str | None, proxy: str | None) -> EgressCheck:
    """What would become of a chamber's URL; see `EgressChecker.check`.

    Args:
        url: of the chamber.
        section: `organization/section`.
        policies: as in CHAMBERLOG_EGRESS.
        proxy: as in CHAMBERLOG_EGRESS_PROXY.

    Raises:
        InvalidFieldError: policies, proxy or URL are none.
    """
    checker = EgressChecker(load_policies(policies), parse_proxy(proxy) if proxy else None)
    try:
        return asyncio.run(checker.check(url, section))
    except SlotFailedError as error:
        raise InvalidFieldError("url", error.detail, "write it as it would be enrolled") from None
    finally:
        checker.close()


@dataclass(frozen=True, slots=True)
class Act:
    """What was done in the database itself.

    Attributes:
        organization: in which.
        action: name of the operation, as in the access table.
        target: `key/<id>`, `user/<id>`.
        detail: what else is worth knowing; never secrets.
    """

    organization: str
    action: str
    target: str
    detail: Mapping[str, object]


async def tell_act(dsn: str, act: Act) -> None:
    """Keep an audit event of it, by whoever has the DSN.

    Raises:
        AwayError: the database does not answer.
    """
    postgres = Postgres(dsn, size=1)
    try:
        event = AuditEvent(
            organization=act.organization,
            subject=f"database/{await database_user(postgres)}",
            action=act.action,
            source=Source.CLI,
            target=act.target,
            detail=act.detail,
            claimed=True,
        )
        await RecordEvent(PostgresEvents(postgres))(event)
    finally:
        await postgres.close()


class KeyDesk:
    """Makes, lists and revokes API keys in the readings' database.

    Args:
        dsn: of the database.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    def create(self, organization: str, name: str, terms: KeyTerms) -> tuple[KeyRecord, str]:
        """A new key and its text, which nobody can read again. A second run makes another one.

        Raises:
            NotFoundError: there is no such organization.
            InvalidFieldError: field `section`: the organization has none of that name.
            AwayError: the database does not answer.
        """
        key = new_key()
        record = self._with(lambda keys: keys.add(key.id, key.secret_sha256, organization, name, terms))
        self._tell("keys.add", record)
        return record, key.text

    def list(self, organization: str | None) -> Sequence[KeyRecord]:
        """Keys of an organization or of all, without their secrets, revoked ones too.

        Raises:
            AwayError: the database does not answer.
        """
        return self._with(lambda keys: keys.list(organization))

    def revoke(self, key_id: str, organization: str | None) -> bool:
        """Make a key unknown; False when there is no unrevoked one of that id, or none of that organization.

        Raises:
            AwayError: the database does not answer.
        """

        async def revoke(keys: PostgresKeys) -> KeyRecord | None:
            found = [key for key in await keys.list(organization) if key.id == key_id]
            return found[0] if found and await keys.revoke(key_id) else None

        revoked = self._with(revoke)
        if revoked is not None:
            self._tell("keys.revoke", revoked)
        return revoked is not None

    def _tell(self, action: str, record: KeyRecord) -> None:
        detail = {"name": record.name, "role": record.terms.role.value}
        asyncio.run(tell_act(self._dsn, Act(record.organization, action, f"key/{record.id}", detail)))

    def _with(self, work: Callable[[PostgresKeys], Coroutine[Any, Any, T]]) -> T:
        async def run() -> T:
            postgres = Postgres(self._dsn, size=1)
            try:
                return await work(PostgresKeys(postgres))
            finally:
                await postgres.close()

        return asyncio.run(run())


class UserDesk:
    """Makes administrators in the readings' database.

    Args:
        dsn: of the database.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    def create_admin(self, wanted: User, password: str) -> User:
        """An administrator who can sign in. A second run finds the address taken.

        Args:
            wanted: with the role; its id is made here.
            password: of theirs.

        Raises:
            InvalidFieldError: a field cannot be kept.
            ConflictError: the address is taken.
            NotFoundError: there is no such organization.
            AwayError: the database does not answer.
        """

        async def run() -> User:
            postgres, hasher = Postgres(self._dsn, size=1), Argon2Passwords()
            try:
                return await CreateAdministrator(PostgresUsers(postgres), hasher, SystemCredentials())(wanted, password)
            finally:
                hasher.close()
                await postgres.close()

        made = asyncio.run(run())
        detail = {"email": made.email, "role": made.role.value}
        asyncio.run(tell_act(self._dsn, Act(made.organization, "users.add", f"user/{made.id}", detail)))
        return made
