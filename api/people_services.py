"""The use cases of people, made from the ports that a bootstrap has filled."""

from dataclasses import dataclass

from collector.ports import Clock
from collector.ports.credentials import CredentialMaker, PasswordHasher
from collector.ports.limits import RateLimiter
from collector.ports.users import InvitationStore, ResetStore, SessionStore, UserStore
from collector.usecases.users.desk import Guesses, Issuer
from collector.usecases.users.invitations import AcceptInvitation, InviteUser, ListInvitations, RevokeInvitation
from collector.usecases.users.letters import Letters
from collector.usecases.users.passwords import (
    ChangePassword,
    IssuePasswordReset,
    RequestPasswordReset,
    ResetPassword,
)
from collector.usecases.users.people import AddUser, ChangeUser, ListUsers, ShowUser
from collector.usecases.users.signing_in import (
    RefreshSession,
    SignIn,
    SignOut,
    SignOutEverywhere,
    SignOutUser,
    WhoAmI,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeoplePorts:
    """What people need from the outside; without letters only an administrator helps whoever forgot a password."""

    users: UserStore
    invitations: InvitationStore
    resets: ResetStore
    sessions: SessionStore
    hasher: PasswordHasher
    maker: CredentialMaker
    letters: Letters | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthServices:
    """Signing in and out, and passwords."""

    sign_in: SignIn
    refresh: RefreshSession
    sign_out: SignOut
    sign_out_everywhere: SignOutEverywhere
    who_am_i: WhoAmI
    change_password: ChangePassword
    forgotten_password: RequestPasswordReset
    reset_password: ResetPassword
    accept_invitation: AcceptInvitation


@dataclass(frozen=True, slots=True, kw_only=True)
class UserServices:
    """What whoever runs an organization does with its people."""

    list: ListUsers
    show: ShowUser
    add: AddUser
    change: ChangeUser
    sign_out: SignOutUser
    reset_password: IssuePasswordReset


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationServices:
    """What whoever runs an organization does with invitations."""

    list: ListInvitations
    add: InviteUser
    revoke: RevokeInvitation


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleServices:
    """All that is about people."""

    auth: AuthServices
    users: UserServices
    invitations: InvitationServices


def people_services(ports: PeoplePorts, clock: Clock, limiter: RateLimiter | None) -> PeopleServices:
    """Make them; without a limiter guesses are not counted."""
    return PeopleServices(
        auth=_auth_services(ports, clock, limiter),
        users=_user_services(ports, clock),
        invitations=_invitation_services(ports, clock),
    )


def _auth_services(ports: PeoplePorts, clock: Clock, limiter: RateLimiter | None) -> AuthServices:
    issuer, guesses, hasher = Issuer(ports.maker, clock), Guesses(limiter), ports.hasher
    sign_in = SignIn(ports.users, ports.sessions, hasher, issuer, guesses)
    return AuthServices(
        sign_in=sign_in,
        refresh=RefreshSession(ports.sessions, issuer),
        sign_out=SignOut(ports.sessions),
        sign_out_everywhere=SignOutEverywhere(ports.sessions),
        who_am_i=WhoAmI(ports.users),
        change_password=ChangePassword(ports.users, hasher, guesses, sign_in),
        forgotten_password=RequestPasswordReset(ports.users, ports.resets, issuer, guesses, ports.letters),
        reset_password=ResetPassword(ports.resets, hasher, issuer),
        accept_invitation=AcceptInvitation(ports.invitations, hasher, issuer),
    )


def _user_services(ports: PeoplePorts, clock: Clock) -> UserServices:
    issuer = Issuer(ports.maker, clock)
    return UserServices(
        list=ListUsers(ports.users),
        show=ShowUser(ports.users),
        add=AddUser(ports.users, issuer),
        change=ChangeUser(ports.users),
        sign_out=SignOutUser(ports.users, ports.sessions),
        reset_password=IssuePasswordReset(ports.users, ports.resets, issuer),
    )


def _invitation_services(ports: PeoplePorts, clock: Clock) -> InvitationServices:
    return InvitationServices(
        list=ListInvitations(ports.invitations),
        add=InviteUser(ports.invitations, Issuer(ports.maker, clock), ports.letters),
        revoke=RevokeInvitation(ports.invitations),
    )
