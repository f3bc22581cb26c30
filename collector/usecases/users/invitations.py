"""Inviting people, and what becomes of it."""

import logging
from dataclasses import dataclass

from collector.domain.credentials import Kind, given_credential
from collector.domain.errors import AwayError, NotFoundError, UnauthenticatedError
from collector.domain.people import check_name, check_password, normal_email, normal_password
from collector.domain.roles import Role
from collector.ports import Page, Principal
from collector.ports.credentials import PasswordHasher
from collector.ports.users import Invitation, InvitationStore, User
from collector.usecases.users.desk import Issued, Issuer, refuse_above
from collector.usecases.users.letters import Letters
from collector.usecases.users.passwords import USELESS

ASK = "ask an administrator of the organization for another invitation"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation that was made.

    Attributes:
        invitation: itself.
        issued: its token, which nobody can read again.
        mailed: whether it was sent; otherwise whoever invites hands it over.
    """

    invitation: Invitation
    issued: Issued
    mailed: bool


class InviteUser:
    """Makes an invitation. A second run for the same address takes the place of the first."""

    def __init__(self, invitations: InvitationStore, issuer: Issuer, letters: Letters | None) -> None:
        self._invitations, self._issuer, self._letters = invitations, issuer, letters

    async def __call__(self, principal: Principal, email: str, role: Role) -> Invited:
        """Make it, and send it where mail is sent.

        Raises:
            InvalidFieldError: field `email`: it is no address.
            ForbiddenError: the role is above the principal's, or that of the invitation whose place it would take.
            ConflictError: somebody signs in with that address already.
            AwayError: the store cannot be reached.
        """
        email = normal_email(email)
        refuse_above(principal, role, "to invite a")
        there = await self._invitations.open_for(principal.organization, email)
        if there is not None and there.expires_ms > self._issuer.now_ms():
            refuse_above(principal, there.role, "to replace the invitation of a")
        issued = self._issuer.issue(Kind.INVITATION)
        invitation = Invitation(
            id=self._issuer.new_id(),
            organization=principal.organization,
            email=email,
            role=role,
            created_by=principal.subject,
            created_ms=self._issuer.now_ms(),
            expires_ms=issued.token.expires_ms,
        )
        await self._invitations.invite(invitation, issued.token)
        return Invited(invitation, issued, await self._mailed(invitation, issued))

    async def _mailed(self, invitation: Invitation, issued: Issued) -> bool:
        if self._letters is None:
            return False
        try:
            await self._letters.send_invitation(invitation, issued.text)
        except AwayError as error:  # whoever invites is told, and has the token
            log.warning("invitation %s was not sent: %s", invitation.id, error)
            return False
        return True


class ListInvitations:
    """Open invitations of an organization."""

    def __init__(self, invitations: InvitationStore) -> None:
        self._invitations = invitations

    async def __call__(self, principal: Principal, *, limit: int, cursor: str | None) -> Page[Invitation]:
        """One page by address.

        Raises:
            InvalidFieldError: field `cursor`.
            AwayError: the store cannot be reached.
        """
        return await self._invitations.page(principal.organization, limit, cursor)


class RevokeInvitation:
    """Makes an invitation useless. A second run finds none."""

    def __init__(self, invitations: InvitationStore) -> None:
        self._invitations = invitations

    async def __call__(self, principal: Principal, invitation_id: str) -> None:
        """Revoke it.

        Raises:
            NotFoundError: there is no open one of that id in the organization.
            ForbiddenError: its role is above the principal's.
            AwayError: the store cannot be reached.
        """
        invitation = await self._invitations.find(principal.organization, invitation_id)
        refuse_above(principal, invitation.role, "to revoke the invitation of a")
        if not await self._invitations.revoke(principal.organization, invitation_id):
            raise NotFoundError(f"there is no invitation {invitation_id!r}")  # somebody was quicker


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Whoever accepts.

    Attributes:
        token: of the invitation.
        password: that they choose.
        first_name: for people.
        last_name: for people.
    """

    token: str
    password: str
    first_name: str = ""
    last_name: str = ""


class AcceptInvitation:
    """Makes a user of whoever has an invitation's token. A second run finds the invitation used up."""

    def __init__(self, invitations: InvitationStore, hasher: PasswordHasher, issuer: Issuer) -> None:
        self._invitations, self._hasher, self._issuer = invitations, hasher, issuer

    async def __call__(self, acceptance: Acceptance) -> User:
        """Make the user.

        Raises:
            InvalidFieldError: a field cannot be kept; `password`: it may not be it.
            UnauthenticatedError: the token is unknown, expired, revoked or used up.
            ConflictError: somebody was quicker, or the address is taken.
            AwayError: the store cannot be reached.
        """
        shown = given_credential(Kind.INVITATION, acceptance.token, "token")
        now_ms = self._issuer.now_ms()
        invitation = await self._invitations.of_token(shown.id, shown.secret_sha256, now_ms)
        if invitation is None:
            raise UnauthenticatedError(USELESS, ASK, "token")
        password = normal_password(acceptance.password)
        check_password(password, invitation.email)
        check_name(acceptance.first_name, "first_name")
        check_name(acceptance.last_name, "last_name")
        user = User(
            id=self._issuer.new_id(),
            organization=invitation.organization,
            email=invitation.email,
            first_name=acceptance.first_name,
            last_name=acceptance.last_name,
            role=invitation.role,
        )
        password_hash = await self._hasher.hash(password)
        return await self._invitations.accept(invitation.id, user, password_hash, now_ms)
