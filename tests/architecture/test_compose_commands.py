"""What docker-compose.temporal.yml runs, run here: the checks of our services, the scripts beside it, the secrets."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.secret_settings import read_secret
from cli.exits import ExitCode
from tests.architecture.compose_file import ROOT, SECRETS, Document, load, ours

BIN = Path(sys.executable).parent
SCRIPTS = ROOT / "deploy/compose"
OURS = list(ours(load()))


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


def test_without_openssl_no_empty_key_is_left_and_the_next_run_makes_it(tmp_path: Path) -> None:
    folder, tools = tmp_path / "secrets", tmp_path / "bin"
    tools.mkdir()
    (tools / "openssl").write_text("#!/bin/sh\nexit 1\n")
    (tools / "openssl").chmod(0o755)
    script, broken = SCRIPTS / "make-secrets.sh", {"PATH": f"{tools}:{os.environ['PATH']}"}
    failed = subprocess.run([script, folder], env=broken, check=False, capture_output=True, timeout=20)
    assert failed.returncode != 0
    assert not (folder / "assertion_key").exists()
    subprocess.run([script, folder], check=True, capture_output=True, timeout=20)
    key, keys = ((folder / name).read_text() for name in ("assertion_key", "assertion_keys"))
    assert key.startswith("-----BEGIN PRIVATE KEY-----")
    (folder / "assertion_keys").unlink()
    subprocess.run([script, folder], check=True, capture_output=True, timeout=20)
    assert [(folder / name).read_text() for name in ("assertion_key", "assertion_keys")] == [key, keys]


@pytest.mark.parametrize(("name", "threads"), [("egress", "1"), ("gateway", "2")])
def test_the_egress_proxy_runs_with_one_thread_so_that_its_limit_of_a_device_holds(
    tmp_path: Path, name: str, threads: str
) -> None:
    service = load()["services"][name]
    (tmp_path / "envoy").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / "envoy").chmod(0o755)
    command = ["bash", SCRIPTS / "envoy.sh", *service["command"]]
    environment = {"PATH": f"{tmp_path}:{os.defpath}", **service["environment"]}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=20)
    assert f"--concurrency {threads} " in done.stdout


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
