"""The local stack through its gateway: people, streams, devices behind the egress proxy, a killed Envoy, a browser."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from stack.edge import edge_is_there
from tests.e2e.running_stack import RunningStack, eventually, gateway_client, stack_at

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("gateway"),
    pytest.mark.skipif(not edge_is_there(), reason="there is no Envoy for this platform"),
]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WORKFLOWS = "/temporal/namespaces/default/workflows"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    home = tmp_path_factory.mktemp("gateway") / ".chamberlog"
    with stack_at(home) as running:
        yield running


@pytest.fixture
def client(stack: RunningStack) -> Iterator[httpx.Client]:
    with gateway_client(stack) as opened:
        yield opened


def document(stack: RunningStack) -> dict[str, object]:
    found = json.loads((stack.home / "stack.json").read_text())
    assert isinstance(found, dict)
    return found


def pid_of(stack: RunningStack, part: str) -> int:
    pids = document(stack)["pids"]
    assert isinstance(pids, dict)
    return int(pids[part]) if part in pids else 0


def test_people_are_led_to_the_gateway(stack: RunningStack, client: httpx.Client) -> None:
    url = stack.environment["CHAMBERLOG_API"]
    assert url == document(stack)["gateway"] != document(stack)["api"]
    answer = client.get("/v1/chambers")
    assert answer.headers["server"] == "chamberlog"
    assert len(answer.json()["items"]) >= 12
    assert httpx.get(f"{url}/v1/chambers").status_code == 401
    for path in ("/healthz", "/readyz", "/docs", "/openapi.json"):
        assert httpx.get(f"{url}{path}").status_code == 200, path


def test_devices_are_called_through_the_egress_proxy(stack: RunningStack) -> None:
    eventually(lambda: (stack.home / "logs/egress.log").read_text().count('"') > 0, 30)
    eventually(lambda: len(stack.readings("sim-01")) > 0, 30)


def test_egress_check_judges_as_the_stack_does(stack: RunningStack) -> None:
    url = next(chamber["url"] for chamber in stack.json("list")["items"] if chamber["id"] == "sim-01")
    told = document(stack)
    found = stack.json(f"egress check {url}")
    assert found["policy"] == str(stack.home / "stack.json")
    assert (found["allowed"], found["proxy"]["verdict"]) == (True, "open")
    refused = stack.shell(f"chamberlog egress check {told['api']}")  # its port is no simulated device's
    assert refused.returncode == 1


def test_a_forged_assertion_has_no_effect(stack: RunningStack, client: httpx.Client) -> None:
    forged = {"X-Chamberlog-Assertion": "e30.e30.e30", "x-chamberlog-role": "super-administrator"}
    assert client.get("/v1/sections", headers=forged).status_code == 200
    assert httpx.get(f"{stack.environment['CHAMBERLOG_API']}/v1/sections", headers=forged).status_code == 401


def test_live_readings_come_through(client: httpx.Client) -> None:
    with client.stream("GET", "/v1/live") as answer:
        assert answer.status_code == 200
        lines = answer.iter_lines()
        assert next(line for line in lines if line.startswith("data:"))


@pytest.mark.parametrize("part", ["envoy", "authz", "egress"])
def test_a_killed_part_of_the_edge_comes_back(stack: RunningStack, client: httpx.Client, part: str) -> None:
    old = pid_of(stack, part)
    os.kill(old, signal.SIGKILL)
    eventually(lambda: pid_of(stack, part) not in {0, old}, 30)

    def answers() -> bool:
        try:
            return client.get("/v1/chambers").status_code == 200
        except httpx.TransportError:
            return False

    eventually(answers, 30)
    since = time.time()
    eventually(lambda: newest_reading_s(client) > since, 60)


def newest_reading_s(client: httpx.Client) -> float:
    items = client.get("/v1/chambers").json()["items"]
    return max(datetime.fromisoformat(item["last_reading"]).timestamp() for item in items if item["last_reading"])


def dom_of(url: str, profile: Path) -> str:
    """What a real browser shows after its scripts have run."""
    assert CHROMIUM is not None
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={profile}"]
    command = [CHROMIUM, *flags, "--virtual-time-budget=20000", "--dump-dom", url]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=90).stdout


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_the_web_ui_opens_behind_its_login_and_for_nobody_else(
    stack: RunningStack, client: httpx.Client, tmp_path: Path
) -> None:
    host, key = f"{client.base_url.host}:{client.base_url.port}", stack.environment["CHAMBERLOG_API_KEY"]
    shown = dom_of(f"http://me:{key}@{host}{WORKFLOWS}", tmp_path / "mine")
    assert "chamber/sim-01" in shown
    assert "chamber/" not in dom_of(f"http://{host}{WORKFLOWS}", tmp_path / "nobody")
    assert "chamber/" not in dom_of(f"http://me:wrong@{host}{WORKFLOWS}", tmp_path / "other")
    viewers = client.get(WORKFLOWS, headers={"Authorization": "Basic bWU6"})
    assert (viewers.status_code, viewers.headers["www-authenticate"].split()[0]) == (401, "Basic")
