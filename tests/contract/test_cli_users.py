"""`chamberlog users create-admin` on a real PostgreSQL, and signing in with what it made."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.argon2_passwords import Argon2Passwords
from adapters.postgres.pool import Postgres
from adapters.postgres.users import PostgresUsers
from collector.domain.roles import Role
from collector.ports import AuditEvent, EventFilter
from collector.ports.users import User
from tests.contract.ledger_rooms import opened_rooms
from tests.contract.scripted_api import Api, Run
from tests.unit.json_schemas import check

PASSWORD = "correct horse battery staple \u00e9"
Users = Callable[..., tuple[int, str, str]]


@pytest.fixture
def users(database: str, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Users:
    """The command over a database of this test's own; `password` stands in a file."""
    monkeypatch.chdir(tmp_path)

    def command(*argv: str, password: bytes = PASSWORD.encode() + b"\n") -> tuple[int, str, str]:
        Path("secret").write_bytes(password)
        return run("users", *argv, "--postgres", database, "--password-file", "secret")

    return command


def kept(database: str, email: str = "ada@example.org", password: str = PASSWORD) -> tuple[User, bool]:
    """The user, and whether that is the password."""

    async def look() -> tuple[User, bool]:
        postgres, hasher = Postgres(database, size=1), Argon2Passwords()
        try:
            found = await PostgresUsers(postgres).password_of(email)
            assert found is not None
            return found[0], await hasher.matches(found[1], password)
        finally:
            hasher.close()
            await postgres.close()

    return asyncio.run(look())


async def told(database: str) -> list[AuditEvent]:
    async with opened_rooms(database) as rooms:
        return [*(await rooms.events.page("default", EventFilter(), 10, None)).items]


def test_an_administrator_is_made_once(users: Users, database: str) -> None:
    code, out, err = users("create-admin", "Ada@example.org", "--first-name", "Ada", "--json")
    assert code == 0, err
    check("users create-admin", json.loads(out))
    assert PASSWORD not in out + err
    user, fits = kept(database)
    assert (user.role, user.first_name, user.organization, fits) == (Role.ADMINISTRATOR, "Ada", "default", True)
    code, out, err = users("create-admin", "ada@example.org")
    assert (code, out) == (5, "")
    (event,) = asyncio.run(told(database))
    assert (event.action, event.target, event.source.value) == ("users.add", f"user/{user.id}", "cli")
    assert (event.subject.partition("/")[0], event.claimed) == ("database", True)


def test_whoever_runs_the_deployment_is_made_with_a_password_from_a_pipe(database: str) -> None:
    argv = ["users", "create-admin", "ada@example.org", "--super", "--postgres", database]
    done = subprocess.run(
        [sys.executable, "-m", "cli", *argv], input=PASSWORD.encode() + b"\n", capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert b"super-administrator" in done.stdout
    assert kept(database)[0].role is Role.SUPER_ADMINISTRATOR
    assert kept(database)[1]


@pytest.mark.parametrize(
    ("argv", "password", "code", "field"),
    [
        (["ada"], b"correct horse battery", 4, "email"),
        (["ada@x.org"], b"short", 4, "password"),
        (["ada@x.org"], b"", 4, "password"),
        (["ada@x.org"], b"\xff" * 20, 4, "password"),
        (["ada@x.org"], b"nul\x00" * 10, 4, "password"),
        (["ada@x.org"], b"ada@x.org     ", 4, "password"),
        (["ada@x.org"], b"ab" * 5000, 4, "password"),
        (["ada@x.org", "--first-name", "x" * 201], b"correct horse battery", 4, "first_name"),
        (["ada@x.org", "--organization", "nobody"], b"correct horse battery", 3, "organization"),
    ],
)
def test_what_is_wrong_is_named_and_not_quoted(
    users: Users, argv: list[str], password: bytes, code: int, field: str
) -> None:
    answer, out, err = users("create-admin", *argv, password=password)
    assert (answer, out) == (code, "")
    assert f"error: {field}: " in err
    assert "correct horse" not in err


def test_a_file_that_is_not_there_is_named(database: str, run: Run) -> None:
    code, _, err = run("users", "create-admin", "ada@x.org", "--password-file", "nowhere", "--postgres", database)
    assert (code, "nowhere" in err) == (4, True)


def test_a_password_is_never_an_argument(users: Users) -> None:
    assert users("create-admin", "ada@x.org", "--password", PASSWORD)[0] == 4
    assert users("create-admin", "ada@x.org", PASSWORD)[0] == 4


def test_an_address_leads_to_its_user_and_its_invitation(api: Api, run: Run) -> None:
    api.answer_pages("/v1/users", [[{"id": "a" * 12, "email": "eve@x.org"}], [{"id": "b" * 12, "email": "ada@x.org"}]])
    api.answer("POST", f"/v1/users/{'b' * 12}/sign-out", 200, {"sessions": 2})
    code, out, err = run("users", "sign-out", " Ada@X.org")
    assert (code, out, "2 sessions" in err) == (0, "", True)
    assert run("users", "sign-out", "nobody@x.org")[0] == 3
    assert run("users", "sign-out", "../keys")[0] == 4
    api.answer_pages("/v1/invitations", [[{"id": "c" * 12, "email": "ada@x.org"}]])
    api.answer("DELETE", f"/v1/invitations/{'c' * 12}", 204)
    assert run("users", "uninvite", "ada@x.org")[0] == 0


def test_a_token_is_printed_alone(api: Api, run: Run) -> None:
    token = "chp_" + "0" * 12 + "_" + "x" * 43
    api.answer(
        "POST", f"/v1/users/{'b' * 12}/password-reset", 200, {"user": "b" * 12, "token": token, "expires_at": ""}
    )
    code, out, err = run("users", "reset-password", "b" * 12)
    assert (code, out, token in err) == (0, token + "\n", False)
    invited = {"token": token, "mailed": False}
    api.answer("POST", "/v1/invitations", 201, invited)
    code, out, err = run("users", "invite", "ada@x.org", "--role", "operator")
    assert (code, out, "hand it over" in err) == (0, token + "\n", True)
    assert api.seen[-1].body == {"email": "ada@x.org", "role": "operator"}
