"""The stack's directory: who may be in it, what stands in it, and what leads to it."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from collector.domain.egress import parse_policies
from stack.bootstrap import egress_text
from stack.edge import goes_by_proxy
from stack.environment import exports, part_environment
from stack.errors import AlreadyRunningError, DataError, NotRunningError
from stack.home import Home
from stack.layout import Layout, egress_document
from stack.up import UpOptions, run_up

PORTS = {"temporal": 1, "temporal_ui": 2, "postgres": 3, "valkey": 4, "api": 5, "grpc": 8, "worker": 6, "worker-2": 7}
PASSWORD = 'it\'s a "pass" $word'
HOLD = """
import sys, time
from pathlib import Path
from stack.home import Home
lock = Home(Path(sys.argv[1])).claim()
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "a folder" / ".chamberlog")


def layout(home: Home) -> Layout:
    return Layout(home, PORTS, {"postgres": PASSWORD, "valkey": PASSWORD})


def test_a_second_up_in_the_same_directory_says_so_and_leaves(home: Home, capfd: pytest.CaptureFixture[str]) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(home.path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"

        assert run_up(UpOptions(home=home.path, for_s=1.0, as_json=True)) == 1

        printed = capfd.readouterr()
        assert printed.out == ""
        assert f"a stack runs in {home.path} already (process {other.pid})" in printed.err
        assert f"kill {other.pid}" in printed.err
        assert "--home DIRECTORY" in printed.err
        other.kill()
    home.claim().release()  # the kernel freed it


def test_the_directory_is_free_again_after_its_release(home: Home) -> None:
    lock = home.claim()
    with pytest.raises(AlreadyRunningError):
        home.claim()
    lock.release()
    lock.release()
    home.claim().release()
    assert home.path.stat().st_mode & 0o077 == 0


def test_passwords_are_made_once_and_kept_private(home: Home) -> None:
    password = home.password("postgres")
    assert len(password) >= 32
    assert home.password("postgres") == password
    assert home.password("valkey") != password
    assert (home.path / "secrets" / "postgres").stat().st_mode & 0o777 == 0o600
    assert (home.path / "secrets").stat().st_mode & 0o777 == 0o700


def test_a_lost_password_of_a_database_is_not_replaced_silently(home: Home) -> None:
    home.data("postgres").mkdir(parents=True)
    with pytest.raises(DataError, match=r"secrets/postgres is gone, but .* put the file back, or move the data"):
        home.password("postgres")


def test_stack_json_says_where_everything_is(home: Home) -> None:
    pids = {"temporal": 11, "postgres": 12, "valkey": 13, "worker": 14, "worker-2": 15, "api": 16, "simulator": None}
    home.write_stack(layout(home).document(pids, '{"default": ["127.0.0.1/32:9"]}'))
    assert json.loads(home.stack_file.read_text()) == {
        "temporal": "127.0.0.1:1",
        "temporal_ui": "http://127.0.0.1:2/temporal",
        "web_ui": "http://127.0.0.1:2/temporal",
        "api": "http://127.0.0.1:5",
        "gateway": "http://127.0.0.1:5",
        "grpc": "127.0.0.1:8",
        "postgres": "postgresql://chamberlog:it%27s%20a%20%22pass%22%20%24word@127.0.0.1:3/chamberlog",
        "redis": "redis://:it%27s%20a%20%22pass%22%20%24word@127.0.0.1:4/0",
        "api_key_file": str(home.path / "api_key"),
        "egress": '{"default": ["127.0.0.1/32:9"]}',
        "egress_proxy": None,
        "otlp": None,
        "traces": None,
        "pids": {"temporal": 11, "postgres": 12, "valkey": 13, "api": 16, "worker": [14, 15]},
    }
    assert home.stack_file.stat().st_mode & 0o777 == 0o600
    home.remove_stack()
    home.remove_stack()
    assert not home.stack_file.exists()


def test_with_an_edge_people_are_led_to_the_gateway(home: Home) -> None:
    edge = {"gateway": 20, "gateway_admin": 21, "authz": 22, "egress": 23, "egress_admin": 24}
    where = Layout(home, PORTS | edge, {"postgres": PASSWORD, "valkey": PASSWORD})
    document = where.document({"gateway": 30, "egress": 31, "authz": 32, "api": 33, "worker": 34})
    assert (document["gateway"], document["api"]) == ("http://127.0.0.1:20", "http://127.0.0.1:5")
    assert document["web_ui"] == "http://127.0.0.1:20/temporal"
    assert document["egress_proxy"] == "http://127.0.0.1:23"
    assert document["pids"] == {"envoy": 30, "egress": 31, "authz": 32, "api": 33, "worker": [34]}


def test_without_an_edge_workers_keep_the_persons_own_proxy_and_the_document_says_so(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAMBERLOG_EGRESS_PROXY", "http://10.0.0.9:3128")
    assert layout(home).document({})["egress_proxy"] == "http://10.0.0.9:3128"
    assert goes_by_proxy(layout(home)) == {"CHAMBERLOG_EGRESS_PROXY": "http://10.0.0.9:3128"}


def test_the_egress_of_a_file_is_told_by_its_text(tmp_path: Path) -> None:
    file = tmp_path / "egress.json"
    file.write_text('{"default": ["10.0.0.0/8"]}')
    assert egress_text(str(file)) == '{"default": ["10.0.0.0/8"]}'
    assert egress_text('{"default": ["10.1.0.0/16"]}') == '{"default": ["10.1.0.0/16"]}'
    assert egress_text(" ") == "{}"


def test_exports_survive_a_shell(home: Home) -> None:
    lock = home.claim()
    home.write_stack(layout(home).document({}))
    home.api_key_file.write_text("chl_0_'$(touch x)\n")
    shown = evaluated(exports(home.path), {"PATH": "/usr/bin:/bin"})
    lock.release()
    assert shown["TEMPORAL_ADDRESS"] == "127.0.0.1:1"
    assert shown["CHAMBERLOG_API"] == "http://127.0.0.1:5"
    assert shown["CHAMBERLOG_TEMPORAL_UI"] == "http://127.0.0.1:2/temporal"
    assert shown["CHAMBERLOG_API_KEY"] == "chl_0_'$(touch x)"
    assert shown["CHAMBERLOG_POSTGRES"].startswith("postgresql://chamberlog:it%27s")
    assert shown["CHAMBERLOG_REDIS"].endswith("@127.0.0.1:4/0")
    assert shown["PATH"] == f"{Path(sys.executable).parent}:/usr/bin:/bin"


def test_exports_of_a_stack_that_does_not_run_say_what_to_do(home: Home) -> None:
    with pytest.raises(NotRunningError, match=r"no stack runs in .*; start one with `chamberlog up`"):
        exports(home.path)
    lock = home.claim()
    with pytest.raises(NotRunningError, match=r"is starting or stopping"):
        exports(home.path)
    lock.release()


def test_a_stack_that_was_killed_is_not_mistaken_for_a_running_one(home: Home) -> None:
    lock = home.claim()
    home.write_stack(layout(home).document({}))
    lock.release()
    with pytest.raises(NotRunningError):
        exports(home.path)


def test_parts_do_not_get_the_persons_own_temporal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "cloud:7233")
    monkeypatch.setenv("TEMPORAL_API_KEY", "secret")
    monkeypatch.setenv("LAB3_TOKEN", "kept")
    monkeypatch.setenv("CHAMBERLOG_POSTGRES_FILE", "/run/secrets/of_another_server")
    environment = part_environment({"TEMPORAL_ADDRESS": "127.0.0.1:1", "CHAMBERLOG_POSTGRES": "postgresql://h/d"})
    assert environment["TEMPORAL_ADDRESS"] == "127.0.0.1:1"
    assert environment["TEMPORAL_CONFIG_FILE"] == os.devnull
    assert environment["LAB3_TOKEN"] == "kept"
    assert "TEMPORAL_API_KEY" not in environment
    assert "CHAMBERLOG_POSTGRES_FILE" not in environment, "with both forms of one secret no part would start"


def test_egress_lists_exactly_the_simulators_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHAMBERLOG_EGRESS", raising=False)
    document = json.loads(egress_document([18_103, 18_101, 18_102, 18_200]))
    assert document == {"default": ["127.0.0.1/32:18101-18103", "127.0.0.1/32:18200"]}
    policy = parse_policies(document).default
    allowed = [port for port in range(18_090, 18_210) if policy.allows("127.0.0.1", port)]
    assert allowed == [18_101, 18_102, 18_103, 18_200]
    assert not policy.allows("192.168.1.20", 80)


def test_egress_without_simulator_is_open_but_for_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHAMBERLOG_EGRESS", raising=False)
    policy = parse_policies(json.loads(egress_document([]))).default
    assert policy.allows("192.168.1.20", 80)
    assert policy.allows("1.1.1.1", 443)
    assert not policy.allows("127.0.0.1", 18_101)
    assert not policy.allows("169.254.169.254", 80)


def test_the_persons_own_egress_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAMBERLOG_EGRESS", "/etc/chamberlog/egress.json")
    assert egress_document([18_101]) == "/etc/chamberlog/egress.json"


def evaluated(commands: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment after a shell has evaluated the commands."""
    show = "import json, os; print(json.dumps(dict(os.environ)))"
    script = f"eval {shlex.quote(commands)}; exec {shlex.quote(sys.executable)} -c {shlex.quote(show)}"
    done = subprocess.run(["sh", "-c", script], env=dict(environment), capture_output=True, text=True, check=True)
    shown = json.loads(done.stdout)
    assert isinstance(shown, dict)
    return shown
