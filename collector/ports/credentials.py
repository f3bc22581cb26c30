"""What making, checking and sending of secrets takes from the outside."""

from dataclasses import dataclass, field
from typing import Protocol

from collector.domain.credentials import Credential, Kind


class CredentialMaker(Protocol):
    """Makes what nobody can guess."""

    def new_id(self) -> str:
        """12 hexadecimal digits that nothing else has."""
        ...

    def make(self, kind: Kind) -> Credential:
        """A secret that nobody has."""
        ...


class PasswordHasher(Protocol):
    """Slow, salted hashes of passwords. Both methods take long on purpose, and let other work go on meanwhile."""

    async def hash(self, password: str) -> str:
        """A hash that says its own parameters; never the same twice.

        Raises:
            AwayError: too many wait already.
        """
        ...

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether the hash is of that password. None: it is not, and finding that out takes as long.

        Raises:
            AwayError: too many wait already.
        """
        ...

    def is_outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with weaker parameters than are used now."""
        ...


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail in plain text.

    Attributes:
        to: an address as `normal_email` answers it.
        subject: one line.
        text: its body; may hold a secret.
    """

    to: str
    subject: str
    text: str = field(repr=False)


class Mailer(Protocol):
    """Sends mail."""

    async def send(self, mail: Mail) -> None:
        """Hand it to the mail server; again sends it again.

        Raises:
            AwayError: the server cannot be reached, or refuses. It quotes neither text nor credentials.
        """
        ...
