"""Mail by SMTP, in a thread: what sends mail is the standard library's."""

import asyncio
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import parse_qs, unquote, urlsplit

from collector.domain.errors import AwayError, InvalidFieldError
from collector.ports.credentials import Mail

TIMEOUT_S = 10.0
"""For connecting, and for each answer of the server."""
SCHEMES = {"smtp": 587, "smtps": 465}
"""With their standard ports: `smtp` begins in clear and changes to TLS, `smtps` is TLS from the first byte."""
EXAMPLE = "smtps://user:password@mail.example.org"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in.

    Attributes:
        host: of the server.
        port: of the server.
        implicit_tls: TLS from the first byte.
        start_tls: change to TLS before anything is said; a server that cannot is refused.
        user: to sign in with; empty = without.
        password: of the user.
    """

    host: str
    port: int
    implicit_tls: bool
    start_tls: bool
    user: str = ""
    password: str = field(default="", repr=False)


def read_mail_server(url: str, variable: str = "CHAMBERLOG_SMTP_URL") -> MailServer:
    """The server of an address `smtps://user:password@host:465` or `smtp://host:587`.

    Mail holds one-time tokens: it goes out in clear only to loopback, or where `?tls=none` says so.

    Raises:
        InvalidFieldError: names the variable, never its content.
    """
    try:
        parts = urlsplit(url)
        port, options = parts.port, parse_qs(parts.query, strict_parsing=bool(parts.query))
    except ValueError:
        raise InvalidFieldError(variable, "it is not an address", f"write {EXAMPLE}") from None
    if parts.scheme not in SCHEMES or not parts.hostname or parts.path.strip("/") or parts.fragment:
        raise InvalidFieldError(variable, "it is not the address of a mail server", f"write {EXAMPLE}")
    if options not in ({}, {"tls": ["none"]}):
        raise InvalidFieldError(variable, "it has an option that there is not", "leave it out, or write ?tls=none")
    implicit = parts.scheme == "smtps"
    start_tls = not implicit and not options and parts.hostname not in LOOPBACK
    names = (unquote(parts.username or ""), unquote(parts.password or ""))
    if not "".join(names).isascii():
        raise InvalidFieldError(variable, "its user or password is not ASCII", "give the mail server another password")
    return MailServer(parts.hostname, port or SCHEMES[parts.scheme], implicit, start_tls, *names)


class SmtpMail:
    """Implements `collector.ports.credentials.Mailer`.

    Args:
        server: where mail is handed in.
        sender: address in `From`.
        context: of TLS; by default the system's authorities.
    """

    def __init__(self, server: MailServer, sender: str, context: ssl.SSLContext | None = None) -> None:
        self._server, self._sender = server, sender
        self._context = context or ssl.create_default_context()

    async def send(self, mail: Mail) -> None:
        """Hand it to the mail server; see `Mailer.send`."""
        await asyncio.to_thread(self._send, _message(mail, self._sender))

    def _send(self, message: EmailMessage) -> None:
        try:
            with self._connected() as connection:
                if self._server.user:
                    connection.login(self._server.user, self._server.password)
                connection.send_message(message)
        except smtplib.SMTPResponseException as error:
            raise AwayError(f"the mail server refused: {error.smtp_code}") from None
        except (OSError, smtplib.SMTPException) as error:  # some of them quote addresses, none may quote a password
            raise AwayError(f"mail cannot be handed in: {type(error).__name__}") from None

    def _connected(self) -> smtplib.SMTP:
        server = self._server
        if server.implicit_tls:
            return smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=self._context)
        connection = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
        if server.start_tls:
            try:
                connection.starttls(context=self._context)
            except BaseException:
                connection.close()
                raise
        return connection


def _message(mail: Mail, sender: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, mail.to, mail.subject
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain=sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: holiday answers stay away
    message.set_content(mail.text)
    return message
