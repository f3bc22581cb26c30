"""Invitations, and one-time tokens for forgotten passwords, in memory."""

from adapters.cursors import read_cursor, write_cursor
from adapters.memory.kept_people import KeptInvitation
from adapters.memory.ledger import InMemoryLedger
from adapters.memory.users import insert_user, set_password
from collector.domain.errors import NotFoundError
from collector.domain.people import address_taken, invitation_gone
from collector.ports.paging import Page
from collector.ports.users import Invitation, Token, User


class InMemoryInvitations:
    """`InvitationStore` over an `InMemoryLedger`."""

    def __init__(self, ledger: InMemoryLedger) -> None:
        self._ledger, self._people = ledger, ledger.people

    async def invite(self, invitation: Invitation, token: Token) -> None:
        """Keep an invitation; see `InvitationStore.invite`."""
        self._ledger.check_here()
        if self._people.by_email(invitation.email) is not None:
            raise address_taken()
        if invitation.organization not in self._ledger.organizations:
            raise NotFoundError(f"no organization {invitation.organization!r}")
        for former in list(self._people.invitations.values()):
            mine = former.invitation.organization == invitation.organization
            if mine and (former.invitation.email == invitation.email or _is_over(former, invitation.created_ms)):
                del self._people.invitations[former.invitation.id]
        self._people.invitations[invitation.id] = KeptInvitation(invitation, token)

    async def page(self, organization: str, limit: int, cursor: str | None) -> Page[Invitation]:
        """Open ones by address; see `InvitationStore.page`."""
        self._ledger.check_here()
        place = read_cursor(cursor, str)
        after = str(place[0]) if place else ""
        mine = (k.invitation for k in self._people.invitations.values() if k.invitation.organization == organization)
        fitting = sorted((i for i in mine if i.email > after), key=lambda i: i.email)
        items = fitting[:limit]
        return Page(items, write_cursor(items[-1].email) if items and len(fitting) > limit else None)

    async def find(self, organization: str, invitation_id: str) -> Invitation:
        """An open one; see `InvitationStore.find`."""
        self._ledger.check_here()
        kept = self._people.invitations.get(invitation_id)
        if kept is None or kept.invitation.organization != organization:
            raise NotFoundError(f"there is no invitation {invitation_id!r}")
        return kept.invitation

    async def open_for(self, organization: str, email: str) -> Invitation | None:
        """The open one for that address; see `InvitationStore.open_for`."""
        self._ledger.check_here()
        there = (kept.invitation for kept in self._people.invitations.values())
        return next((one for one in there if (one.organization, one.email) == (organization, email)), None)

    async def revoke(self, organization: str, invitation_id: str) -> bool:
        """It is of no use from now on; see `InvitationStore.revoke`."""
        self._ledger.check_here()
        kept = self._people.invitations.get(invitation_id)
        if kept is None or kept.invitation.organization != organization:
            return False
        del self._people.invitations[invitation_id]
        return True

    async def of_token(self, token_id: str, secret_sha256: bytes, now_ms: int) -> Invitation | None:
        """The open invitation with that token; see `InvitationStore.of_token`."""
        self._ledger.check_here()
        kept = next((k for k in self._people.invitations.values() if k.token.id == token_id), None)
        fits = kept is not None and kept.token.secret_sha256 == secret_sha256 and not _is_over(kept, now_ms)
        return kept.invitation if kept is not None and fits else None

    async def accept(self, invitation_id: str, user: User, password_hash: str, now_ms: int) -> User:
        """Make the user and use the invitation up; see `InvitationStore.accept`."""
        self._ledger.check_here()
        kept = self._people.invitations.get(invitation_id)
        if kept is None or _is_over(kept, now_ms):
            raise invitation_gone()
        made = insert_user(self._ledger, user, password_hash)
        del self._people.invitations[invitation_id]
        return made


class InMemoryResets:
    """`ResetStore` over an `InMemoryLedger`."""

    def __init__(self, ledger: InMemoryLedger) -> None:
        self._ledger, self._people = ledger, ledger.people

    async def issue(self, user_id: str, token: Token) -> None:
        """Keep a token in place of earlier ones; see `ResetStore.issue`."""
        self._ledger.check_here()
        self._people.drop_resets(user_id)
        self._people.resets[token.id] = (user_id, token)

    async def offer(self, user_id: str, token: Token, apart_ms: int) -> bool:
        """Keep a token beside earlier ones; see `ResetStore.offer`."""
        self._ledger.check_here()
        mine = [kept for owner, kept in self._people.resets.values() if owner == user_id]
        if any(kept.expires_ms > token.expires_ms - apart_ms for kept in mine):
            return False
        self._people.resets[token.id] = (user_id, token)
        return True

    async def of_token(self, token_id: str, secret_sha256: bytes, now_ms: int) -> User | None:
        """Whose token it is; see `ResetStore.of_token`."""
        self._ledger.check_here()
        owner, token = self._people.resets.get(token_id, ("", None))
        kept = self._people.users.get(owner)
        if kept is None or token is None or not kept.user.active:
            return None
        return kept.user if token.secret_sha256 == secret_sha256 and token.expires_ms > now_ms else None

    async def use(self, token_id: str, secret_sha256: bytes, password_hash: str, now_ms: int) -> bool:
        """Set the password of whose token it is; see `ResetStore.use`."""
        user = await self.of_token(token_id, secret_sha256, now_ms)
        if user is None:
            return False
        set_password(self._ledger, self._people.users[user.id], password_hash)
        return True


def _is_over(kept: KeptInvitation, now_ms: int) -> bool:
    return kept.token.expires_ms <= now_ms
