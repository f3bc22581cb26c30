"""People, as the API answers them. Instants are RFC 3339, UTC, milliseconds."""

from typing import Any

from pydantic import BaseModel, Field

from api.schemas import Instant, example_of, instant, shows
from collector.domain.credentials import Kind
from collector.domain.instants import iso
from collector.ports import Principal
from collector.ports.users import Invitation, User
from collector.usecases.users.desk import LIVES_MS, Issued, SignedIn
from collector.usecases.users.invitations import Invited

SCHEME = "Bearer"
SECRET = "_0123456789ab_" + "x" * 43
NOON, LATER = "2026-03-01T12:00:00.000Z", "2026-03-31T12:00:00.000Z"


class UserOut(BaseModel):
    """A person of an organization; `version` is also its ETag. Nobody is shown whether there is a password."""

    model_config = shows(
        id="5c1f0a9e77d2",
        organization="default",
        email="ada@example.org",
        first_name="Ada",
        last_name="Lovelace",
        role="operator",
        active=True,
        version=1,
        created_at=NOON,
        updated_at=NOON,
        signed_in_at=None,
    )

    id: str
    organization: str
    email: str
    first_name: str
    last_name: str
    role: str
    active: bool
    version: int
    created_at: Instant
    updated_at: Instant
    signed_in_at: Instant | None


class PairOut(BaseModel):
    """What is sent along with each request, and what gets the next pair, once."""

    model_config = shows(
        access_token="cha" + SECRET,
        token_type=SCHEME,
        expires_in=900,
        refresh_token="chr" + SECRET,
        refresh_expires_at=LATER,
        session="77d25c1f0a9e",
    )

    access_token: str = Field(repr=False)
    token_type: str
    expires_in: int
    refresh_token: str = Field(repr=False)
    refresh_expires_at: Instant
    session: str


class SignedInOut(PairOut):
    """The first pair of a session, and whose it is."""

    model_config = shows(**{**example_of(PairOut), "user": example_of(UserOut)})

    user: UserOut


class ForgottenOut(BaseModel):
    """Whether this deployment sends mail; not whether the address is known."""

    model_config = shows(mail=True)

    mail: bool


class EndedOut(BaseModel):
    """How many sessions have ended."""

    model_config = shows(sessions=2)

    sessions: int


class ResetOut(BaseModel):
    """A one-time token that sets a password; it is shown this once."""

    model_config = shows(user="5c1f0a9e77d2", token="chp" + SECRET, expires_at="2026-03-01T13:00:00.000Z")

    user: str
    token: str = Field(repr=False)
    expires_at: Instant


class InvitationOut(BaseModel):
    """A place for somebody who is not there yet."""

    model_config = shows(
        id="0a9e77d25c1f",
        email="ada@example.org",
        role="operator",
        created_by="user/5c1f0a9e77d2",
        created_at=NOON,
        expires_at="2026-03-08T12:00:00.000Z",
    )

    id: str
    email: str
    role: str
    created_by: str
    created_at: Instant
    expires_at: Instant


class InvitedOut(InvitationOut):
    """An invitation with its token, which is shown this once; `mailed`: it was sent to the address too."""

    model_config = shows(**{**example_of(InvitationOut), "token": "chi" + SECRET, "mailed": False})

    token: str = Field(repr=False)
    mailed: bool


class WhoAmIOut(BaseModel):
    """Who asks, and how far they may go; `user` is null for an API key. No scopes: all."""

    model_config = shows(
        subject="user/5c1f0a9e77d2",
        organization="default",
        role="operator",
        scopes=[],
        section=None,
        user=example_of(UserOut),
    )

    subject: str
    organization: str
    role: str
    scopes: list[str]
    section: str | None
    user: UserOut | None


def user_out(user: User) -> UserOut:
    """A user as JSON."""
    return UserOut(
        id=user.id,
        organization=user.organization,
        email=user.email,
        first_name=user.first_name,
        last_name=user.last_name,
        role=user.role.value,
        active=user.active,
        version=user.version,
        created_at=iso(user.created_ms),
        updated_at=iso(user.updated_ms),
        signed_in_at=instant(user.signed_in_ms),
    )


def pair_out(signed_in: SignedIn) -> PairOut:
    """A pair of tokens as JSON."""
    return PairOut(**_pair(signed_in))


def signed_in_out(signed_in: SignedIn) -> SignedInOut:
    """A session that has begun, as JSON."""
    assert signed_in.user is not None  # it began with a password
    return SignedInOut(**_pair(signed_in), user=user_out(signed_in.user))


def reset_out(user_id: str, issued: Issued) -> ResetOut:
    """A one-time token as JSON."""
    return ResetOut(user=user_id, token=issued.text, expires_at=iso(issued.token.expires_ms))


def invitation_out(invitation: Invitation) -> InvitationOut:
    """An invitation as JSON."""
    return InvitationOut(**_invitation(invitation))


def invited_out(invited: Invited) -> InvitedOut:
    """An invitation that was made, as JSON."""
    return InvitedOut(**_invitation(invited.invitation), token=invited.issued.text, mailed=invited.mailed)


def who_am_i_out(principal: Principal, user: User | None) -> WhoAmIOut:
    """Who asks, as JSON."""
    return WhoAmIOut(
        subject=principal.subject,
        organization=principal.organization,
        role=principal.role.value,
        scopes=sorted(scope.value for scope in principal.scopes),
        section=principal.section,
        user=None if user is None else user_out(user),
    )


def _pair(signed_in: SignedIn) -> dict[str, Any]:
    return {
        "access_token": signed_in.access.text,
        "token_type": SCHEME,
        "expires_in": LIVES_MS[Kind.ACCESS] // 1000,
        "refresh_token": signed_in.refresh.text,
        "refresh_expires_at": iso(signed_in.refresh.token.expires_ms),
        "session": signed_in.session,
    }


def _invitation(invitation: Invitation) -> dict[str, Any]:
    return {
        "id": invitation.id,
        "email": invitation.email,
        "role": invitation.role.value,
        "created_by": invitation.created_by,
        "created_at": iso(invitation.created_ms),
        "expires_at": iso(invitation.expires_ms),
    }
