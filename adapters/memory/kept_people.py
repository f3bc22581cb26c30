"""The state of people, invitations and sessions that the in-memory twins share."""

from dataclasses import dataclass, field

from collector.ports.users import Invitation, Token, User


@dataclass(slots=True)
class KeptUser:
    """A row of app_user."""

    user: User
    password_hash: str | None = None


@dataclass(slots=True)
class KeptInvitation:
    """An open row of invitation."""

    invitation: Invitation
    token: Token


@dataclass(slots=True)
class KeptSession:
    """A row of user_session with those of session_token: the access tokens, and refresh tokens, used up or not."""

    user_id: str
    access: dict[str, Token] = field(default_factory=dict)
    refresh: dict[str, Token] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    ended: bool = False

    def goes_on(self, now_ms: int) -> bool:
        """Whether it has a token that is of use still."""
        unused = [token for token in self.refresh.values() if token.id not in self.used]
        return not self.ended and any(token.expires_ms > now_ms for token in (*self.access.values(), *unused))


@dataclass(slots=True)
class KeptPeople:
    """What the tables hold.

    Attributes:
        users: by id.
        invitations: open ones, by id.
        resets: whose one-time token for a forgotten password it is, by the token's id.
        sessions: by id.
    """

    users: dict[str, KeptUser] = field(default_factory=dict)
    invitations: dict[str, KeptInvitation] = field(default_factory=dict)
    resets: dict[str, tuple[str, Token]] = field(default_factory=dict)
    sessions: dict[str, KeptSession] = field(default_factory=dict)

    def by_email(self, email: str) -> KeptUser | None:
        """Who signs in with that address."""
        return next((kept for kept in self.users.values() if kept.user.email == email), None)

    def drop_resets(self, user_id: str) -> None:
        """Make one-time tokens of the user useless."""
        for key in [key for key, (owner, _) in self.resets.items() if owner == user_id]:
            del self.resets[key]

    def end_sessions(self, user_id: str) -> int:
        """End those of the user; how many had not ended."""
        mine = [session for session in self.sessions.values() if session.user_id == user_id and not session.ended]
        for session in mine:
            session.ended = True
        return len(mine)
