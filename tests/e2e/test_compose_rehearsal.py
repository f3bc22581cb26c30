"""The services of docker-compose.temporal.yml in their start order, on loopback instead of in containers.

The servers are those of the local stack's wheels, in the versions of the images. This product's services run by exactly
the commands, variables, secrets and health checks of the file; only hosts, ports and paths lead elsewhere. Temporal's
own database and schema are left out: the stand-in for Temporal keeps a file.
"""

import asyncio
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis

from stack.binaries import postgres_bin, valkey_server
from stack.bootstrap import ensure_api_key
from stack.ports import free_port, is_free
from stack.postgres import DATABASE, LOCALE, USER, start_postgres
from stack.process import Child, Command, spawn
from stack.temporal import TemporalPorts, start_temporal
from tests.architecture.compose_file import (
    OUR_IMAGE,
    ROOT,
    SECRETS,
    Document,
    Service,
    load,
    ours,
    runs_once,
    start_order,
)
from tests.e2e.running_stack import BIN, eventually

LEFT_OUT = {"temporal-postgres", "temporal-schema", "temporal-ui"}
DEVICES = 12
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150), pytest.mark.xdist_group("compose")]


def free_ports_in_a_row(count: int) -> int:
    """The first of so many."""
    while True:
        first = free_port()
        if all(is_free(port) for port in range(first, first + count)):
            return first


@dataclass(slots=True)
class Rehearsal:
    """Where the names of the file lead here, and what runs.

    Attributes:
        folder: of secrets, data and logs.
        document: the compose file.
        names: host and port, or path, to what stands for it.
        running: by service, in the order of their start.
    """

    folder: Path
    document: Document
    names: dict[str, str] = field(default_factory=dict)
    running: dict[str, Child] = field(default_factory=dict)

    def here(self, text: str) -> str:
        """A command, variable or secret of the file as it has to be on this machine."""
        wanted = "|".join(re.escape(name) for name in sorted(self.names, key=len, reverse=True))
        return re.sub(rf"(?<![\w.])(?:{wanted})(?!\d)", lambda match: self.names[match[0]], text)

    def port(self, name: str) -> int:
        """Which port stands for it."""
        return int(self.names[name].rpartition(":")[2])

    def environment(self, service: Service) -> dict[str, str]:
        """Exactly the variables of the file, and a path."""
        given = {name: self.here(value) for name, value in service.get("environment", {}).items()}
        return given | {"PATH": f"{BIN}:{os.defpath}"}

    def log(self, name: str) -> Path:
        """Of a service."""
        return self.folder / f"{name}.log"

    def finish(self, name: str, service: Service) -> str:
        """Run one that ends by itself; what it printed."""
        command = [*service.get("entrypoint", ["chamberlog"]), *service.get("command", [])]
        environment = self.environment(service)
        done = subprocess.run(
            [self.here(word) for word in command], env=environment, cwd="/", capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def begin(self, name: str, service: Service) -> None:
        """Start one that goes on, and wait until its health check passes."""
        entry, *more = service.get("entrypoint", ["chamberlog"])
        command = [str(BIN / entry), *(self.here(word) for word in (*more, *service["command"]))]
        grace_s = float(service["stop_grace_period"].removesuffix("s"))
        started = Command(command, self.log(name), self.environment(service), grace_s=grace_s)
        self.running[name] = child = spawn(started)
        _, program, *arguments = service["healthcheck"]["test"]
        check = [str(BIN / program), *(self.here(word) for word in arguments)]
        theirs = {} if service["image"].startswith(OUR_IMAGE) else self.environment(service)

        def healthy() -> bool:
            assert child.alive(), child.log_tail()
            return subprocess.run(check, env=theirs, cwd="/", capture_output=True, check=False).returncode == 0

        eventually(healthy, 45)


@pytest.fixture
def rehearsal(tmp_path: Path) -> Rehearsal:
    """With the secrets of `make-secrets.sh`, and the workers' egress to the simulator's devices."""
    plan = Rehearsal(tmp_path, load())
    devices = free_ports_in_a_row(DEVICES)
    servers = ("temporal:7233", "postgres:5432", "valkey:6379", "temporal-ui:8080")
    plan.names = {name: f"127.0.0.1:{free_port()}" for name in servers}
    own = ("api:8080", "api:9090", "authz:8081", "egress:3128", "worker:9464", "gateway:8000", "9901", "9902", "18100")
    for name in own:  # each listens on its port, and is found by its name
        port = free_port()
        plan.names |= {name.rpartition(":")[2]: str(port), name: f"127.0.0.1:{port}" if ":" in name else str(port)}
    plan.names |= {f"{18_101 + n}": str(devices + n) for n in range(DEVICES)}
    plan.names |= {"0.0.0.0": "127.0.0.1", "10.213.8.10": "127.0.0.1", "10.213.8.0/24": "127.0.0.1/32"}
    subprocess.run([ROOT / "deploy/compose/make-secrets.sh", tmp_path / "made"], check=True, capture_output=True)
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for secret in (tmp_path / "made").iterdir():
        (secrets / secret.name).write_text(plan.here(secret.read_text()))
    for config in plan.document["configs"].values():
        (tmp_path / Path(config["file"]).name).write_text(plan.here((ROOT / config["file"]).read_text()))
    (tmp_path / "edge").mkdir()
    plan.names |= {SECRETS.rstrip("/"): str(secrets), "/etc/chamberlog": str(tmp_path), "/edge": str(tmp_path / "edge")}
    return plan


@contextmanager
def servers(plan: Rehearsal) -> Iterator[ExitStack]:
    """What stands for the images of others is stopped afterwards, this product's services before."""
    with ExitStack() as closing:
        closing.callback(lambda: [child.stop() for child in reversed(plan.running.values())])
        yield closing


def start_server(plan: Rehearsal, name: str, closing: ExitStack) -> None:
    """Start what stands for an image of others."""
    service, data = plan.document["services"][name], plan.folder / "data" / name
    if name == "temporal":
        server = start_temporal(data, TemporalPorts(plan.port("temporal:7233"), plan.port("temporal-ui:8080")))
    elif name == "postgres":
        wanted = service["environment"]
        assert (wanted["POSTGRES_USER"], wanted["POSTGRES_DB"]) == (USER, DATABASE)
        assert set(wanted["POSTGRES_INITDB_ARGS"].split()) == set(LOCALE)
        password = Path(plan.here(wanted["POSTGRES_PASSWORD_FILE"])).read_text().strip()
        settings = dict(word.split("=") for word in service["command"] if "=" in word)
        server = start_postgres(data, plan.port("postgres:5432"), password, **settings)
        _, program, *words = service["healthcheck"]["test"]
        check = [str(postgres_bin() / program), *words]
        subprocess.run(check, env={"PGPORT": str(server.port)}, capture_output=True, check=True)
    else:
        assert name == "valkey"
        child = start_valkey(plan, service)
        closing.callback(child.stop)
        return
    closing.callback(server.stop)


def start_valkey(plan: Rehearsal, service: Service) -> Child:
    """By the command of the file; its default user may ping, as the health check does, and nothing else."""
    _, *arguments = [plan.here(word) for word in service["command"]]
    port = plan.port("valkey:6379")
    place = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(plan.folder)]
    child = spawn(Command([valkey_server(), *arguments, *place], plan.log("valkey")))
    anybody = redis.Redis(port=port)

    def pings() -> bool:
        assert child.alive(), child.log_tail()
        try:
            return bool(anybody.ping())
        except redis.ConnectionError:
            return False

    eventually(pings, 10)
    with pytest.raises(redis.exceptions.NoPermissionError):
        anybody.get("anything")
    anybody.close()
    return child


def start_all(plan: Rehearsal, closing: ExitStack) -> dict[str, str]:
    """Every service in its order; what those printed that ended."""
    printed: dict[str, str] = {}
    mine = ours(plan.document)
    for name in start_order(plan.document):
        service = plan.document["services"][name]
        if name in LEFT_OUT:
            continue
        if runs_once(service):
            printed[name] = plan.finish(name, service)
        elif name in mine or service["image"].startswith("envoyproxy/"):
            plan.begin(name, service)
        else:
            start_server(plan, name, closing)
    return printed


def shell(plan: Rehearsal, command: str) -> dict[str, Any]:
    """A command line of docs/compose.md, with the API and its key."""
    environment = {
        "PATH": f"{BIN}:{os.defpath}",
        "CHAMBERLOG_API": plan.here("http://127.0.0.1:8000"),
        "CHAMBERLOG_API_KEY_FILE": str(plan.folder / "api_key"),
    }
    line = ["bash", "-c", plan.here(command)]
    done = subprocess.run(line, env=environment, cwd=plan.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert isinstance(answer, dict)
    return answer


def test_the_services_start_in_their_order_collect_and_end_in_time(rehearsal: Rehearsal) -> None:
    plan = rehearsal
    with servers(plan) as closing:
        printed = start_all(plan, closing)
        assert "migrations applied" in printed["migrate"]
        assert "the namespace default is there" in printed["temporal-namespace"]
        again = plan.finish("migrate", plan.document["services"]["migrate"])
        assert "the schema is up to date" in again
        namespaces_are_made_once(plan)
        dsn = (plan.folder / "secrets/postgres_dsn").read_text().strip()
        asyncio.run(ensure_api_key(dsn, plan.folder / "api_key"))
        enrolled = shell(
            plan,
            "chamberlog add sim-01 http://10.213.8.10:18101/measures/current --profile airgradient --every 1s --json",
        )
        assert enrolled["id"] == "sim-01"
        eventually(lambda: bool(shell(plan, "chamberlog readings sim-01 --json")["items"]), 30)
        url = (plan.folder / "secrets/redis_url").read_text().strip()
        cache = redis.Redis.from_url(url)
        eventually(lambda: cache.dbsize() > 0, 10)
        cache.close()
        for name in reversed(list(plan.running)):
            ends_in_time(plan, name)


def namespaces_are_made_once(plan: Rehearsal) -> None:
    service = dict(plan.document["services"]["temporal-namespace"])
    service["environment"] = service["environment"] | {"TEMPORAL_NAMESPACE": "lab"}
    assert "is there" not in plan.finish("temporal-namespace", service)
    assert plan.finish("temporal-namespace", service) == "the namespace lab is there\n"


def ends_in_time(plan: Rehearsal, name: str) -> None:
    """By SIGTERM, within the grace of the file, and with 0."""
    child, began = plan.running.pop(name), time.monotonic()
    assert child.stop() == 0, f"{name} after {time.monotonic() - began:.1f} s: {child.log_tail()}"
