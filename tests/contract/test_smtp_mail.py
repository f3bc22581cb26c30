"""`Mailer` by SMTP: what arrives, TLS, credentials, and servers that refuse or are away."""

import asyncio
import email
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from email.policy import default
from typing import Any

import pytest
import pytest_asyncio
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from adapters.memory import InMemoryMail
from adapters.smtp_mail import MailServer, SmtpMail, read_mail_server
from collector.domain.errors import AwayError, InvalidFieldError
from collector.ports.credentials import Mail, Mailer

TOKEN = "chp_0123456789ab_secret"
LETTER = Mail("ada@example.org", "Another password", f"Token: {TOKEN}\n.\n\u00e9nd\n")
SENDER = "chamberlog@example.org"


@dataclass
class Box:
    """What a mail server was handed, and what it answers instead of taking it."""

    envelopes: list[Envelope] = field(default_factory=list)
    secure: list[bool] = field(default_factory=list)
    refusal: str = ""

    async def handle_DATA(self, server: SMTP, _: Session, envelope: Envelope) -> str:  # noqa: N802 - its name
        self.envelopes.append(envelope)
        assert server.transport is not None
        self.secure.append(server.transport.get_extra_info("ssl_object") is not None)
        return self.refusal or "250 taken"


@dataclass
class Post:
    """A running mail server, and whom its clients trust."""

    box: Box
    server: MailServer
    context: ssl.SSLContext

    def mailer(self, **changes: Any) -> SmtpMail:
        return SmtpMail(replace(self.server, **changes), SENDER, self.context)


def authenticated(_: Any, __: Any, ___: Any, ____: Any, data: LoginPassword) -> AuthResult:
    return AuthResult(success=data.login == b"user" and data.password == b"p@ss:word")


@pytest_asyncio.fixture(params=["plain", "start_tls", "implicit_tls"])
async def post(request: pytest.FixtureRequest) -> AsyncIterator[Post]:
    """One that speaks in clear, one that changes to TLS, one that is TLS from the first byte."""
    box, authority, way = Box(), trustme.CA(), request.param
    served, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(served)
    authority.configure_trust(trusting)
    options: dict[str, Any] = {"authenticator": authenticated, "auth_require_tls": False, "hostname": "localhost"}
    if way == "start_tls":
        options |= {"tls_context": served, "require_starttls": True}
    loop = asyncio.get_running_loop()
    tls = served if way == "implicit_tls" else None
    listener = await loop.create_server(lambda: SMTP(box, loop=loop, **options), "127.0.0.1", 0, ssl=tls)
    port = listener.sockets[0].getsockname()[1]
    server = MailServer("localhost", port, way == "implicit_tls", way == "start_tls", "user", "p@ss:word")
    async with listener:
        yield Post(box, server, trusting)


async def test_a_mail_arrives_as_it_was_written(post: Post) -> None:
    await post.mailer().send(LETTER)
    [envelope] = post.box.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == (SENDER, ["ada@example.org"])
    assert isinstance(envelope.content, bytes)
    message = email.message_from_bytes(envelope.content, policy=default)
    assert (message["Subject"], message["Auto-Submitted"]) == ("Another password", "auto-generated")
    body = message.get_body()
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == LETTER.text
    assert post.box.secure == [post.server.implicit_tls or post.server.start_tls]


async def test_what_is_refused_says_neither_letter_nor_password(post: Post) -> None:
    post.box.refusal = f"554 no {TOKEN}"
    for mailer in (post.mailer(), post.mailer(password="wrong")):
        with pytest.raises(AwayError) as caught:
            await mailer.send(LETTER)
        text = repr(caught.value)
        assert not any(secret in text for secret in (TOKEN, "p@ss:word", "wrong", "ada@"))
        assert caught.value.__cause__ is None


async def test_a_server_whose_certificate_is_another_is_handed_nothing(post: Post) -> None:
    if not (post.server.implicit_tls or post.server.start_tls):
        pytest.skip("it has none")
    with pytest.raises(AwayError):
        await SmtpMail(post.server, SENDER).send(LETTER)
    assert post.box.envelopes == []


async def test_a_server_that_cannot_change_to_tls_is_handed_nothing(post: Post) -> None:
    if post.server.implicit_tls or post.server.start_tls:
        pytest.skip("it can")
    with pytest.raises(AwayError):
        await post.mailer(start_tls=True).send(LETTER)
    assert post.box.envelopes == []


async def refused(mailer: Mailer) -> None:
    with pytest.raises(AwayError):
        await mailer.send(LETTER)


async def test_a_server_that_is_away_is_told_of() -> None:
    await refused(SmtpMail(MailServer("127.0.0.1", 1, implicit_tls=False, start_tls=False), SENDER))
    twin = InMemoryMail()
    twin.away = True
    await refused(twin)
    twin.away = False
    await twin.send(LETTER)
    assert twin.sent == [LETTER]


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.x.org", MailServer("mail.x.org", 587, implicit_tls=False, start_tls=True)),
        ("smtps://mail.x.org", MailServer("mail.x.org", 465, implicit_tls=True, start_tls=False)),
        ("smtp://u:p%40ss@mail.x.org:25", MailServer("mail.x.org", 25, False, True, "u", "p@ss")),
        ("smtp://mail.x.org/?tls=none", MailServer("mail.x.org", 587, implicit_tls=False, start_tls=False)),
        ("smtp://127.0.0.1:2525", MailServer("127.0.0.1", 2525, implicit_tls=False, start_tls=False)),
        ("smtp://[::1]", MailServer("::1", 587, implicit_tls=False, start_tls=False)),
    ],
)
def test_an_address_says_how_the_server_is_spoken_to(url: str, server: MailServer) -> None:
    assert read_mail_server(url) == server
    assert "p@ss" not in repr(server)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.x.org",
        "http://mail.x.org",
        "smtp://",
        "smtp://x:99999",
        "smtp://x:y",
        "smtp://x/inbox",
        "smtp://x?tls=no",
        "smtp://x?tls=none&a=b",
        "smtp://u:secret/x@y",
        "smtp://[",
        "smtp://x?;",
        "smtp://us%C3%A9r:secret@x",
    ],
)
def test_what_is_no_mail_server_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        read_mail_server(url)
    assert caught.value.field == "CHAMBERLOG_SMTP_URL"
    assert "secret" not in str(caught.value)
