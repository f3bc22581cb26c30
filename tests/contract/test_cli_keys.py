"""`chamberlog keys` on a real PostgreSQL: made once, kept as a hash, listed, revoked."""

import asyncio
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from adapters.clock import SystemClock
from adapters.postgres.keys import PostgresKeys
from adapters.postgres.pool import Postgres
from collector.domain.access import Scope
from collector.domain.roles import Role
from collector.ports import AuditEvent, EventFilter, Principal
from collector.ports.events import Source
from collector.usecases.authenticate import KEY_PATTERN, Authenticate
from tests.contract.ledger_rooms import opened_rooms
from tests.contract.scripted_api import Run
from tests.unit.json_schemas import check

CREATE = ("create", "--organization", "default", "--name", "x")
Keys = Callable[..., tuple[int, str, str]]


@pytest.fixture
def keys(database: str, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Keys:
    """The command over a database of this test's own."""
    monkeypatch.chdir(tmp_path)
    return lambda *argv: run("keys", *argv, "--postgres", database)


def made(keys: Keys, *argv: str) -> str:
    code, out, err = keys("create", "--organization", "default", "--name", "a robot", *argv)
    assert code == 0, err
    return out


async def owner_of(database: str, key: str) -> Principal | None:
    postgres = Postgres(database, size=1)
    try:
        return await Authenticate(PostgresKeys(postgres), SystemClock())(key)
    finally:
        await postgres.close()


def test_the_api_takes_the_key_until_it_is_revoked(keys: Keys, database: str) -> None:
    plain, mighty = made(keys).strip(), made(keys, "--deployment").strip()
    owner, operator = (asyncio.run(owner_of(database, key)) for key in (plain, mighty))
    assert owner is not None
    assert operator is not None
    assert (owner.organization, owner.deployment, operator.deployment) == ("default", False, True)
    assert keys("revoke", plain)[0] == 0
    assert asyncio.run(owner_of(database, plain)) is None


def test_a_key_is_printed_once_alone_on_standard_output(keys: Keys) -> None:
    code, out, err = keys("create", "--organization", "default", "--name", "a robot")
    match = KEY_PATTERN.fullmatch(out.removesuffix("\n"))
    assert (code, match is not None) == (0, True), err
    assert match is not None
    assert match[1] in err
    assert match[2] not in err
    listed = keys("list")[1]
    assert match[1] in listed
    assert match[2] not in listed
    [found] = json.loads(keys("--json")[1])["items"]
    assert (found["id"], found["name"], found["role"]) == (match[1], "a robot", "administrator")
    assert (found["created_by"], found["last_used_at"], found["revoked_at"]) == ("chamberlog keys", None, None)


def test_each_key_is_another_one_and_says_what_it_may(keys: Keys) -> None:
    first, second = made(keys), made(keys, "--deployment", "--json")
    assert json.loads(second)["key"] != first.strip()
    check("keys create", json.loads(second))
    check("keys list", json.loads(keys("--json")[1]))
    roles = [key["role"] for key in json.loads(keys("list", "--json")[1])["items"]]
    assert roles == ["administrator", "super-administrator"]
    assert "super-administrator" in keys("list", "--organization", "default")[1]
    assert json.loads(keys("list", "--organization", "other", "--json")[1])["items"] == []


def test_a_key_of_another_organization_is_not_revoked_by_mistake(keys: Keys, database: str) -> None:
    key_id = made(keys).split("_")[1]
    assert keys("revoke", key_id, "--organization", "other")[0] == 3
    assert keys("revoke", key_id, "--organization", "default")[0] == 0


def test_a_key_goes_as_far_as_the_flags_say(keys: Keys, database: str) -> None:
    limits = ("--role", "viewer", "--scope", "readings", "--scope", "chambers", "--section", "default")
    document = json.loads(made(keys, *limits, "--expires", "90d", "--json"))
    check("keys create", document)
    assert (document["role"], document["scopes"]) == ("viewer", ["chambers", "readings"])
    owner = asyncio.run(owner_of(database, document["key"]))
    assert owner is not None
    assert (owner.role, owner.section) == (Role.VIEWER, "default")
    assert owner.scopes == {Scope.READINGS, Scope.CHAMBERS}
    [kept] = json.loads(keys("list", "--json")[1])["items"]
    assert kept["expires_at"] == document["expires_at"]
    assert kept["last_used_at"] is not None
    assert "section default, chambers, readings" in keys("list")[1]


@pytest.mark.parametrize("form", ["{id}", "chl_{id}", "key/{id}", "{key}"])
def test_a_key_is_revoked_by_any_of_its_names(keys: Keys, form: str) -> None:
    key = made(keys).strip()
    key_id = key.split("_")[1]
    named = form.format(id=key_id, key=key)
    code, out, err = keys("revoke", named, "--json")
    assert (code, json.loads(out)) == (0, {"revoked": key_id}), err
    check("keys revoke", json.loads(out))
    assert json.loads(keys("list", "--json")[1])["items"][0]["revoked_at"] is not None
    code, _, err = keys("revoke", named)
    assert (code, f"error: id: there is no valid key {key_id}" in err) == (3, True)
    assert hashlib.sha256(key.encode()).hexdigest() not in err


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (("create", "--organization", "gone", "--name", "x"), 3, "error: organization: no organization 'gone'"),
        (("create", "--organization", "default", "--name", " "), 4, "error: name: it is empty"),
        (("create", "--organization", "default"), 4, "error: usage: Missing option '--name'"),
        (("create", "--name", "x"), 4, "error: organization: the database has many"),
        (("create", "--organization", "Not one", "--name", "x"), 4, "error: --organization: 'Not one' is not the id"),
        ((*CREATE, "--role", "root"), 4, "error: role: there is no role 'root'"),
        ((*CREATE, "--scope", "all"), 4, "error: scopes: there is no scope 'all'"),
        ((*CREATE, "--section", "cellar"), 4, "error: section: there is no section 'cellar'"),
        ((*CREATE, "--expires", "2020-01-01"), 4, "error: expires: '2020-01-01' is not in the future"),
        ((*CREATE, "--deployment", "--section", "default"), 4, "error: section: a super-administrator runs the"),
        (("revoke", "chl_short"), 4, "error: id: it is not the id of a key"),
    ],
)
def test_what_cannot_be_is_named(keys: Keys, argv: tuple[str, ...], code: int, words: str) -> None:
    found, out, err = keys(*argv)
    assert (found, out, words in err) == (code, "", True), err
    assert "remedy: " in err


async def told(database: str) -> list[AuditEvent]:
    async with opened_rooms(database) as rooms:
        return [*(await rooms.events.page("default", EventFilter(), 10, None)).items]


def test_what_is_done_in_the_database_itself_is_an_audit_event(keys: Keys, database: str) -> None:
    key_id = made(keys).split("_")[1]
    assert keys("revoke", key_id)[0] == 0
    assert keys("revoke", key_id)[0] == 3, "nothing was done"
    revoked, created = asyncio.run(told(database))
    user = urlsplit(database).username
    for event in (revoked, created):
        assert (event.source, event.subject, event.claimed) == (Source.CLI, f"database/{user}", True)
        assert (event.target, event.detail["name"]) == (f"key/{key_id}", "a robot")
    assert (created.action, revoked.action) == ("keys.add", "keys.revoke")


def test_a_database_that_is_away_is_said(run: Run) -> None:
    code, _, err = run("keys", "--postgres", "postgresql://nobody@127.0.0.1:9/none")
    assert (code, "PostgreSQL cannot be reached" in err) == (6, True)


def test_what_migrate_prints_is_pinned(database: str, run: Run) -> None:
    code, out, err = run("migrate", "--postgres", database, "--json")
    assert (code, json.loads(out)) == (0, {"applied": []}), err
    check("migrate", json.loads(out))
