"""What is written to people."""

from collector.ports.credentials import Mail, Mailer
from collector.ports.users import Invitation

RESET = """Somebody, probably you, asked for another password of chamberlog.

Within an hour, this sets one (a token is good for one use):

  curl -H 'Content-Type: application/json' \\
    -d '{{"token": "{token}", "password": "..."}}' {url}/v1/auth/reset-password

If it was not you, nothing has to be done: without this letter nobody can use it.
"""
INVITATION = """You are invited to chamberlog, to the organization {organization}, as {role}.

Within seven days, this makes your account (the invitation is good for one use):

  curl -H 'Content-Type: application/json' \\
    -d '{{"token": "{token}", "password": "...", "first_name": "", "last_name": ""}}' {url}/v1/auth/accept-invitation

You then sign in with this address and the password that you choose, of at least 12 characters.
"""


class Letters:
    """Writes letters, and hands them to what sends mail.

    Args:
        mailer: sends them.
        url: where people reach the API, without a slash at its end.
    """

    def __init__(self, mailer: Mailer, url: str) -> None:
        self._mailer, self._url = mailer, url

    async def send_reset(self, email: str, token: str) -> None:
        """Send a one-time token for a forgotten password.

        Raises:
            AwayError: the mail server cannot be reached, or refuses.
        """
        text = RESET.format(token=token, url=self._url)
        await self._mailer.send(Mail(email, "Another password of chamberlog", text))

    async def send_invitation(self, invitation: Invitation, token: str) -> None:
        """Send an invitation.

        Raises:
            AwayError: the mail server cannot be reached, or refuses.
        """
        words = {"organization": invitation.organization, "role": invitation.role.value}
        text = INVITATION.format(token=token, url=self._url, **words)
        await self._mailer.send(Mail(invitation.email, "An invitation to chamberlog", text))
