"""A marked secret goes to its device and nowhere else, however indiscreet the device is."""

import asyncio
import base64
import json
import os
import secrets
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.e2e.indiscreet_device import WAYS, IndiscreetDevice
from tests.e2e.marked_secret import dresses, files_with, texts_with
from tests.e2e.running_stack import BIN, RunningStack, environment_of, eventually, started

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

PROFILE = """
name: {name}
description: What a test asks an indiscreet device with.
source: This test.
checked: This test.
request: {request}
measurements:
  - name: temperature
    select: temperature
    unit: Cel
"""
REQUESTS = {
    "bearer": "{auth: bearer}",
    "basic": "{auth: basic}",
    "digest": "{auth: digest}",
    "query": "{auth: query, auth_query: [token]}",
    "header": "{auth: header, auth_header: X-API-Key}",
}


@pytest.fixture
def marker() -> str:
    """The secret: letters and digits, so that no encoding hides it."""
    return "Sesam" + secrets.token_hex(16)


@pytest.fixture
def stack(tmp_path: Path, marker: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningStack]:
    """A stack without a simulator, whose devices all are one indiscreet one."""
    home = tmp_path / ".chamberlog"
    folder = home / "simulator" / "secrets"  # where the stack's workers look for secrets
    folder.mkdir(parents=True, mode=0o700)
    (home).chmod(0o700)
    for kind in REQUESTS:
        user = "lab:" if kind in ("basic", "digest") else ""
        (folder / kind).write_text(f"{user}{marker}\n")
    with IndiscreetDevice() as device:
        monkeypatch.setenv("CHAMBERLOG_EGRESS", json.dumps({"default": [f"127.0.0.1/32:{device.port}"]}))
        with started(home, "--no-simulator") as process:
            eventually(lambda: (home / "stack.json").exists() or process.poll() is not None, 90)
            assert process.poll() is None, process.stderr and process.stderr.read()
            running = RunningStack(home, environment_of(home) | {"DEVICE": f"http://127.0.0.1:{device.port}"})
            yield running
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.communicate(timeout=120)


def api(stack: RunningStack) -> httpx.Client:
    """The API, by the stack's own key."""
    key = (stack.home / "api_key").read_text().strip()
    address = stack.environment["CHAMBERLOG_API"]
    return httpx.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=30, trust_env=False)


def enrol(stack: RunningStack, client: httpx.Client, public: str) -> list[str]:
    """A chamber for each kind of credential and each way of answering."""
    for kind, request in REQUESTS.items():
        text = PROFILE.format(name=f"marked-{kind}", request=request)
        put = client.put(f"/v1/profiles/marked-{kind}", content=text, headers={"Content-Type": "application/yaml"})
        assert put.status_code in (200, 201), put.text
        for way in WAYS:
            prefix = "digest-" if kind == "digest" else ""
            body = {
                "id": f"{kind}-{way}",
                "section": "default",
                "url": f"{stack.environment['DEVICE']}/{prefix}{way}/data",
                "profile": f"marked-{kind}",
                "interval_s": 2,
                "secret_ref": f"file:{stack.home / 'simulator' / 'secrets' / kind}",
                "name": public,
            }
            made = client.post("/v1/chambers", json=body)
            assert made.status_code == 201, made.text
    return [f"{kind}-{way}" for kind in REQUESTS for way in WAYS]


def outcomes(client: httpx.Client, chamber: str) -> int:
    """Readings and slots of gaps so far."""
    readings = client.get(f"/v1/chambers/{chamber}/readings").json()["items"]
    gaps = client.get(f"/v1/chambers/{chamber}/gaps").json()["items"]
    return len(readings) + sum(int(gap["slots"]) for gap in gaps)


def answers(stack: RunningStack, client: httpx.Client, chambers: list[str]) -> dict[str, str]:
    """What API, command line and Temporal say of each chamber, by who said it."""
    told = {}
    for chamber in chambers:
        for part in ("", "/readings", "/gaps", "/latest", "/answers", "/detectors", "/audit"):
            told[f"api {chamber}{part}"] = client.get(f"/v1/chambers/{chamber}{part}").text
        told[f"collected {chamber}"] = client.post(f"/v1/chambers/{chamber}/collect").text
        told[f"history {chamber}"] = decoded(stack.history(chamber))
    for chamber in ("query-failing", "basic-reading", "digest-broken"):
        done = stack.shell(f"chamberlog collect {chamber}; chamberlog show {chamber}; chamberlog gaps {chamber}")
        told[f"cli {chamber}"] = done.stdout + done.stderr
        told[f"details {chamber}"] = stack.details(chamber)
    return told


def decoded(events: object) -> str:
    """A history as text, its payloads as they were before base64."""

    def walk(node: object) -> Iterator[str]:
        if isinstance(node, dict):
            for name, value in node.items():
                if name == "data" and isinstance(value, str):
                    yield base64.b64decode(value).decode(errors="replace")
                else:
                    yield from walk(value)
        elif isinstance(node, list):
            for value in node:
                yield from walk(value)
        else:
            yield str(node)

    return "\n".join(walk(events))


async def tables(dsn: str) -> dict[str, str]:
    """Every row of every table as text: what a compressed column hides from a search of files."""
    connection = await asyncpg.connect(dsn)
    try:
        names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {
            name: "\n".join(row[0] for row in await connection.fetch(f'SELECT row_to_json(t)::text FROM "{name}" t'))
            for (name,) in names
        }
    finally:
        await connection.close()


def metrics(stack: RunningStack) -> dict[str, str]:
    """What each process tells a scraper."""
    ports = json.loads((stack.home / "ports.json").read_text())
    found = {}
    for part in ("api", "authz", "worker"):
        with urllib.request.urlopen(f"http://127.0.0.1:{ports[part]}/metrics", timeout=10) as answer:
            found[f"metrics of {part}"] = answer.read().decode()
    return found


def command_lines(stack: RunningStack) -> dict[str, str]:
    """How each process was started: everybody on the machine can read it."""
    pids = json.loads((stack.home / "stack.json").read_text())["pids"]
    flat = [pid for value in pids.values() for pid in (value if isinstance(value, list) else [value])]
    return {f"process {pid}": Path(f"/proc/{pid}/cmdline").read_bytes().decode() for pid in flat}


def test_a_devices_secret_is_left_nowhere(stack: RunningStack, marker: str) -> None:
    public = "Openly" + secrets.token_hex(8)
    with api(stack) as client:
        chambers = enrol(stack, client, public)
        eventually(lambda: all(outcomes(client, chamber) >= 3 for chamber in chambers), 60)
        told = answers(stack, client, chambers)
    told |= metrics(stack) | command_lines(stack)
    told |= asyncio.run(tables(json.loads((stack.home / "stack.json").read_text())["postgres"]))
    told["api list"] = stack.shell("chamberlog list --json").stdout
    assert texts_with(told, [marker]) == set()
    assert {"api list", "chamber"} <= texts_with(told, [public]), "the search finds what is there"
    assert texts_with(told, ["heard"]), "the device's talk was kept, without the secret"

    own = [stack.home / "simulator" / "secrets"]
    stop(stack)
    assert files_with(stack.home, [marker], own) == set()
    found = files_with(stack.home, [public])
    assert any("temporal" in path for path in found), "the search finds what is in Temporal's files"
    assert any("postgres" in path for path in found), "and in PostgreSQL's"


def test_the_stacks_own_secrets_are_where_they_belong(stack: RunningStack) -> None:
    passwords = [path.read_text().strip() for path in (stack.home / "secrets").iterdir() if path.is_file()]
    key = (stack.home / "api_key").read_text().strip().split("_", 2)[2]
    wanted = [part for secret in [*passwords, key] for part in [longest_plain_part(secret)]]
    told = metrics(stack) | command_lines(stack)
    told["list"] = stack.shell("chamberlog list --json").stdout
    told["wrong key"] = stack.shell("CHAMBERLOG_API_KEY=$(cat $CHAMBERLOG_HOME/api_key)x chamberlog list").stderr
    assert texts_with(told, wanted) == set()
    stop(stack)
    homes = [stack.home / name for name in ("secrets", "api_key", "stack.json", "data/valkey/valkey.conf")]
    assert [str(home) for home in homes if home.is_file() and home.stat().st_mode & 0o077] == []
    assert files_with(stack.home, wanted, homes) == set()


def longest_plain_part(secret: str) -> str:
    """Letters and digits of a secret that no encoding changes, long enough to be no accident."""
    part = max("".join(c if c.isalnum() else " " for c in secret).split(), key=len)
    assert len(part) >= 8, "try again: every part of it is short"
    return part


def stop(stack: RunningStack) -> None:
    """Ctrl-C, and wait until everything is written."""
    holder = int((stack.home / "lock").read_text().split()[0])
    os.kill(holder, signal.SIGINT)
    eventually(lambda: not (stack.home / "stack.json").exists(), 120)
    eventually(
        lambda: (
            subprocess.run(
                [BIN / "chamberlog", "env", "--home", stack.home], check=False, capture_output=True, timeout=30
            ).returncode
            != 0
        ),
        60,
    )


@pytest.mark.parametrize("before", ["", "a", "ab", "lab:"])
def test_the_search_finds_each_dress(tmp_path: Path, before: str) -> None:
    secret = "Sesam0123456789abcdef"
    (tmp_path / "a").write_bytes(base64.b64encode(f"{before}{secret}xy".encode()))
    assert files_with(tmp_path, [secret]), dresses(secret)
    assert files_with(tmp_path, [secret], [tmp_path / "a"]) == set()
    assert texts_with({"hex": secret.encode().hex(), "none": "nothing"}, [secret]) == {"hex"}


def test_peoples_secrets_are_kept_as_hashes(stack: RunningStack) -> None:
    password, wrong = "Person" + secrets.token_hex(16), "Wrong" + secrets.token_hex(16)
    made = stack.shell(f"echo '{password}' | chamberlog users create-admin ada@example.org")
    assert made.returncode == 0, made.stderr
    gateway = json.loads((stack.home / "stack.json").read_text())["gateway"]
    with httpx.Client(base_url=gateway, timeout=30, trust_env=False) as client:
        signed_in = client.post("/v1/auth/sign-in", json={"email": "ada@example.org", "password": password})
        refused = client.post("/v1/auth/sign-in", json={"email": "ada@example.org", "password": wrong})
        assert (signed_in.status_code, refused.status_code) == (200, 401)
        first = signed_in.json()
        second = client.post("/v1/auth/refresh", json={"refresh_token": first["refresh_token"]}).json()
        reused = client.post("/v1/auth/refresh", json={"refresh_token": first["refresh_token"]})
        assert reused.status_code == 401
        lost = {"Authorization": f"Bearer {second['access_token']}"}
        assert client.get("/v1/auth/whoami", headers=lost).status_code == 401, "the whole session has ended"
    made_again = stack.shell("chamberlog users reset-password ada@example.org")
    invited = stack.shell("chamberlog users invite eve@example.org")
    tokens = [pair[kind] for pair in (first, second) for kind in ("access_token", "refresh_token")]
    tokens += [made_again.stdout.strip().split()[-1], invited.stdout.strip().split()[-1]]
    assert all(token.startswith("ch") and len(token) > 50 for token in tokens), [token[:4] for token in tokens]

    wanted = [password, wrong, *(longest_plain_part(token.split("_", 2)[2]) for token in tokens)]
    told = metrics(stack) | command_lines(stack)
    told |= asyncio.run(tables(json.loads((stack.home / "stack.json").read_text())["postgres"]))
    told["events"] = stack.shell("chamberlog events --json").stdout
    assert "auth.sign_in" in told["events"]
    assert "ada@example.org" in told["app_user"], "the search finds what is there"
    assert texts_with(told, wanted) == set()
    stop(stack)
    assert files_with(stack.home, wanted) == set()
