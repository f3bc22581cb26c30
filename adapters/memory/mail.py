"""Mail that stays here."""

from collector.domain.errors import AwayError
from collector.ports.credentials import Mail


class InMemoryMail:
    """`Mailer` that keeps what it is given.

    Attributes:
        sent: in the order in which it was sent.
        away: set True to let it refuse as a server that cannot be reached.
    """

    def __init__(self) -> None:
        self.sent: list[Mail] = []
        self.away = False

    async def send(self, mail: Mail) -> None:
        """Keep it; see `Mailer.send`."""
        if self.away:
            raise AwayError("mail cannot be handed in (the in-memory twin plays the server)")
        self.sent.append(mail)
