"""`.ci/prometheus`: fetched once, nothing installed, and where it cannot be had it says why and leaves nothing."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / ".ci/prometheus"
NO_SUCH_PACKAGE = "echo 'E: Unable to locate package prometheus'; exit 100"
FETCHES = "touch prometheus_2.42.0_amd64.deb"
UNPACKS = """mkdir -p "$3/usr/bin"
printf '#!/bin/sh\\n%s\\n' "$PROMTOOL" >"$3/usr/bin/promtool"
chmod 755 "$3"/usr/bin/promtool"""


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder for stand-ins, before the system's own programs."""
    folder = tmp_path / "tools"
    folder.mkdir()
    return folder


def stand_in(tools: Path, name: str, script: str) -> None:
    (tools / name).write_text(f"#!/bin/sh\n{script}\n")
    (tools / name).chmod(0o755)


def fetched(tools: Path, promtool: str = "exit 0") -> "subprocess.CompletedProcess[str]":
    environment = {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "XDG_CACHE_HOME": str(tools.parent / "cache"),
        "PROMTOOL": promtool,
    }
    return subprocess.run([SCRIPT], env=environment, capture_output=True, text=True, check=False, timeout=30)


def test_it_is_fetched_once(tools: Path) -> None:
    stand_in(tools, "apt-get", FETCHES)
    stand_in(tools, "dpkg", UNPACKS)
    done = fetched(tools)
    assert (done.returncode, done.stderr) == (0, "")
    assert (Path(done.stdout.strip()) / "promtool").exists()
    stand_in(tools, "apt-get", NO_SUCH_PACKAGE)
    again = fetched(tools)
    assert (again.returncode, again.stdout) == (0, done.stdout)


@pytest.mark.parametrize(
    ("apt", "promtool", "said"),
    [
        (NO_SUCH_PACKAGE, "exit 0", "apt-get download failed: E: Unable to locate package prometheus"),
        (FETCHES, "echo 'no such processor'; exit 126", "promtool does not run here: no such processor"),
    ],
)
def test_where_it_cannot_be_had_it_says_why_and_leaves_nothing(tools: Path, apt: str, promtool: str, said: str) -> None:
    stand_in(tools, "apt-get", apt)
    stand_in(tools, "dpkg", UNPACKS)
    done = fetched(tools, promtool)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"no Prometheus: {said}\n"
    assert list((tools.parent / "cache/chamberlog").iterdir()) == []
