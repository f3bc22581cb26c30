"""API keys of an organization: nobody gives one more than they have, and nobody ends the key they ask with."""

from dataclasses import dataclass

from collector.domain.access import Scope
from collector.domain.chamber import NAME_LIMIT
from collector.domain.errors import ConflictError, ForbiddenError, InvalidFieldError
from collector.domain.roles import Role
from collector.ports import Clock, KeyRecord, KeyStore, KeyTerms, MakeKey, Page, Principal
from collector.usecases.admit import ASK

KEY = "key/"
ANOTHER = "sign with another key: make one if there is none, then revoke this one with it"


class ListKeys:
    """The keys of an organization."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys

    async def __call__(self, organization: str, *, limit: int, cursor: str | None) -> Page[KeyRecord]:
        """One page in the order in which they were made, revoked and expired ones too.

        Raises:
            InvalidFieldError: field `cursor`.
            AwayError: the store cannot be reached.
        """
        return await self._keys.page(organization, limit, cursor)


class ShowKey:
    """One key, without its secret."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys

    async def __call__(self, organization: str, key_id: str) -> KeyRecord:
        """The key.

        Raises:
            NotFoundError: not there, or another organization's.
            AwayError: the store cannot be reached.
        """
        return await self._keys.show(organization, key_id)


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key and, this once, its text."""

    record: KeyRecord
    text: str


class AddKey:
    """Makes a key. A second run makes another one."""

    def __init__(self, keys: KeyStore, clock: Clock, make: MakeKey) -> None:
        self._keys, self._clock, self._make = keys, clock, make

    async def __call__(self, principal: Principal, name: str, terms: KeyTerms) -> MadeKey:
        """Make it in the organization in which the principal acts; who made it is the principal.

        Raises:
            InvalidFieldError: a field cannot be kept, or there is no such section.
            ForbiddenError: it would reach further than the principal, or outlive the key that makes it.
            AwayError: the store cannot be reached.
        """
        check_key(name, terms, self._clock.now_ms())
        await self._refuse_more(principal, terms)
        new = self._make()
        record = await self._keys.add(new.id, new.secret_sha256, principal.organization, name, terms)
        return MadeKey(record, new.text)

    async def _refuse_more(self, principal: Principal, terms: KeyTerms) -> None:
        if not principal.role.covers(terms.role):
            raise ForbiddenError(f"role: a key's is at most one's own, and yours is {principal.role.value}", ASK)
        if principal.scopes and not (terms.scopes and terms.scopes <= principal.scopes):
            raise ForbiddenError(f"scopes: a key's are among one's own, and yours are {_names(principal.scopes)}", ASK)
        if principal.section not in (None, terms.section):  # the gate lets none of these here; who calls else may
            raise ForbiddenError(f"section: a key's is one's own, and yours is {principal.section}", ASK)
        end_ms = await self._end_of(principal)
        if end_ms is not None and (terms.expires_ms is None or terms.expires_ms > end_ms):
            raise ForbiddenError("expires_at: a key that expires makes none that outlives it", ASK)

    async def _end_of(self, principal: Principal) -> int | None:
        """When the key that the principal asks with expires; a super-administrator's may be of another organization."""
        if not principal.credential.startswith(KEY):
            return None
        return await self._keys.expiry(principal.credential.removeprefix(KEY))


class RevokeKey:
    """Makes a key unknown, for good. A second run changes nothing."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys

    async def __call__(self, principal: Principal, key_id: str) -> KeyRecord:
        """Revoke it; streams that it has opened end within 5 s.

        Whoever revokes has a valid credential of an administrator, and it is not the one that ends: so an organization
        never loses its last administrator by this.

        Raises:
            NotFoundError: not there, or another organization's.
            ForbiddenError: its role is above the principal's.
            ConflictError: it is the key that the principal asks with.
            AwayError: the store cannot be reached.
        """
        record = await self._keys.show(principal.organization, key_id)
        if not principal.role.covers(record.terms.role):
            problem = f"the key's role is {record.terms.role.value}, which is above yours"
            raise ForbiddenError(problem, "ask a super-administrator")
        if principal.credential == KEY + key_id:
            raise ConflictError("a key does not revoke itself", ANOTHER, "id")
        if record.revoked_ms is None:
            await self._keys.revoke(key_id)
            record = await self._keys.show(principal.organization, key_id)
        return record


def check_key(name: str, terms: KeyTerms, now_ms: int) -> None:
    """Refuse a key that cannot be, or that nobody could use.

    Raises:
        InvalidFieldError: names the field.
    """
    if not name.strip() or len(name) > NAME_LIMIT:
        raise InvalidFieldError(
            "name", f"it is empty or longer than {NAME_LIMIT} characters", "say for whom or what the key is"
        )
    if terms.section is not None and terms.role is Role.SUPER_ADMINISTRATOR:
        problem = "a super-administrator runs the deployment, and is of no section"
        raise InvalidFieldError("section", problem, "leave it out, or give a role up to administrator")
    if terms.expires_ms is not None and terms.expires_ms <= now_ms:
        raise InvalidFieldError("expires_at", "it is not in the future", "give a later instant, or leave it out")


def parse_scopes(names: list[str], field: str = "scopes") -> frozenset[Scope]:
    """The scopes of these names.

    Raises:
        InvalidFieldError: there is none of a name; lists those that there are.
    """
    known = {scope.value: scope for scope in Scope}
    for name in names:
        if name not in known:
            raise InvalidFieldError(field, f"there is no scope {name[:40]!r}", f"give some of {', '.join(known)}")
    return frozenset(known[name] for name in names)


def _names(scopes: frozenset[Scope]) -> str:
    return ", ".join(sorted(scope.value for scope in scopes))
