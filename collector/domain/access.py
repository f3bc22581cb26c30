"""What each operation takes of whoever asks: a role, a scope, and how far a key of one section reaches."""

from dataclasses import dataclass
from enum import Enum

from collector.domain.roles import Role


class Scope(Enum):
    """Part of the surface to which an API key may be limited."""

    CHAMBERS = "chambers"
    READINGS = "readings"
    SECTIONS = "sections"
    BATCHES = "batches"
    PROFILES = "profiles"
    ORGANIZATIONS = "organizations"
    USERS = "users"
    KEYS = "keys"
    EVENTS = "events"
    MONITORING = "monitoring"


class Traffic(Enum):
    """Class of an operation for rate limits."""

    READ = "read"
    WRITE = "write"
    STREAM = "stream"
    SIGN_IN = "sign-in"
    """Whatever takes a guess at a secret: counted by address."""
    ACCOUNT = "account"
    """The same guesses, counted by the account that they name (subject `account/<hash>`): no operation's own class."""


class Reach(Enum):
    """What a key that is bound to a section can do with an operation."""

    CHAMBER = "chamber"
    """The chamber in the path has to stand in the key's section."""
    SECTION = "section"
    """The section in the path has to be the key's."""
    BATCH = "batch"
    """The batch in the path has to be of the key's section."""
    NARROWED = "narrowed"
    """What is answered or made is limited to the key's section."""
    OPEN = "open"
    """It is about no section: as for any key."""
    SHUT = "shut"
    """It is about the whole organization: refused."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked for, by HTTP, by gRPC or by both.

    Attributes:
        name: `chambers.pause`; what stands in audit events.
        writes: whether it changes something, and so leaves an audit event.
        role: the least one; None = nobody has to say who they are.
        scope: that a limited key needs; None = none.
        traffic: for rate limits.
        reach: for keys of one section.
        http: method and path template (`GET`, `/v1/chambers/{chamber_id}`); None when it is gRPC's alone.
        grpc: full name, `/chamberlog.v1.Chambers/GetChamber`; None when it is HTTP's alone.
    """

    name: str
    writes: bool
    role: Role | None
    scope: Scope | None
    traffic: Traffic
    reach: Reach
    http: tuple[str, str] | None
    grpc: str | None
