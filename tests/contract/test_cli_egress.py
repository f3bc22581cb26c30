"""`chamberlog egress check` with the real Envoy, as its JSON is pinned."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.http_device.checking import EgressChecker
from cli.__main__ import main
from cli.exits import ExitCode
from collector.domain.egress import EgressPolicies, parse_policies
from collector.domain.egress_proxy import EgressProxy
from stack.ports import free_port
from tests.contract.device_server import DeviceServer, answering, ok
from tests.contract.egress_envoy import EgressEnvoy, running
from tests.contract.test_http_device import FullListener
from tests.unit.json_schemas import check

DOCUMENT = {"default": ["127.0.0.1/32:40000-40100"], "sections": {"o/lab": ["127.0.0.0/8"]}}


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EgressEnvoy]:
    with running(tmp_path_factory.mktemp("egress"), parse_policies(DOCUMENT)) as started:
        yield started


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("CHAMBERLOG_EGRESS", json.dumps(DOCUMENT))
    monkeypatch.delenv("CHAMBERLOG_EGRESS_PROXY", raising=False)
    return monkeypatch


def test_a_url_that_is_open_in_both_places(
    capsys: pytest.CaptureFixture[str], envoy: EgressEnvoy, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("CHAMBERLOG_EGRESS_PROXY", envoy.proxy.url)
    with DeviceServer(answering(ok(b"23.5"))) as server:
        url = f"http://127.1:{server.port}/values?password=hunter2"
        assert main(["egress", "check", url, "--section", "o/lab", "--json"]) == ExitCode.FINE
        server.wait_for_visits(1)
        assert server.requests == [b""]  # it connected and sent nothing
    found = json.loads(capsys.readouterr().out)
    check("egress check", found)
    assert found["addresses"] == [
        {"address": "127.0.0.1", "allowed": True, "rule": "127.0.0.0/8", "why": "the rule 127.0.0.0/8 lists it"}
    ]
    assert (found["allowed"], found["proxied"], found["proxy"]["verdict"]) == (True, True, "open")
    assert found["policy"] == "CHAMBERLOG_EGRESS"
    assert "hunter2" not in json.dumps(found)


def test_a_url_that_is_blocked_says_the_range_and_leaves_the_proxy_alone(
    capsys: pytest.CaptureFixture[str], envoy: EgressEnvoy
) -> None:
    arguments = ["egress", "check", "http://127.0.0.1:80/", "--proxy", envoy.proxy.url]
    assert main([*arguments, "--json"]) == ExitCode.IS_GAP
    found = json.loads(capsys.readouterr().out)
    check("egress check", found)
    assert "127.0.0.0/8" in found["addresses"][0]["why"]
    assert (found["allowed"], found["proxy"]) == (False, None)
    assert main(arguments) == ExitCode.IS_GAP
    assert "not asked" in capsys.readouterr().out


def test_a_proxy_with_another_document_blocks(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with running(tmp_path, EgressPolicies()) as closed:
        arguments = ["egress", "check", "http://127.0.0.1:40001/", "--proxy", closed.proxy.url]
        assert main(arguments) == ExitCode.IS_GAP
        said = capsys.readouterr().out
    assert "allowed" in said
    assert "not allowed by the egress proxy" in said


def test_a_device_that_does_not_accept_is_no_matter_of_egress(
    capsys: pytest.CaptureFixture[str], envoy: EgressEnvoy
) -> None:
    arguments = ["egress", "check", f"http://127.0.0.1:{free_port()}/", "--section", "o/lab"]
    assert main([*arguments, "--proxy", envoy.proxy.url, "--json"]) == ExitCode.FINE
    found = json.loads(capsys.readouterr().out)
    check("egress check", found)
    assert found["proxy"]["verdict"] == "unreachable"


def stack_json(home: Path, proxy: str | None) -> str:
    """A local stack that says of itself what `up` writes."""
    home.mkdir(exist_ok=True)
    file = home / "stack.json"
    file.write_text(json.dumps({"egress": json.dumps(DOCUMENT), "egress_proxy": proxy}))
    return str(file)


def test_where_nothing_is_named_the_running_stack_says_by_what(
    capsys: pytest.CaptureFixture[str], envoy: EgressEnvoy, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.delenv("CHAMBERLOG_EGRESS")
    file = stack_json(tmp_path / "lab", envoy.proxy.url)
    with DeviceServer(answering(ok(b"23.5"))) as server:
        arguments = ["egress", "check", f"http://127.0.0.1:{server.port}/", "--section", "o/lab"]
        assert main([*arguments, "--home", str(tmp_path / "lab"), "--json"]) == ExitCode.FINE
    found = json.loads(capsys.readouterr().out)
    check("egress check", found)
    assert (found["policy"], found["addresses"][0]["rule"]) == (file, "127.0.0.0/8")
    assert found["proxy"]["verdict"] == "open"
    environment.setenv("CHAMBERLOG_HOME", str(tmp_path / "lab"))
    assert main(["egress", "check", "http://127.0.0.1:80/"]) == ExitCode.IS_GAP
    assert file in capsys.readouterr().out


@pytest.mark.parametrize("named", ["--egress", "--proxy", "CHAMBERLOG_EGRESS", "CHAMBERLOG_EGRESS_PROXY"])
def test_what_is_named_leaves_the_stack_out(
    capsys: pytest.CaptureFixture[str],
    envoy: EgressEnvoy,
    environment: pytest.MonkeyPatch,
    tmp_path: Path,
    named: str,
) -> None:
    environment.delenv("CHAMBERLOG_EGRESS")
    stack_json(tmp_path, "http://127.0.0.1:9")
    value = envoy.proxy.url if "PROXY" in named.upper() else '{"default": ["10.0.0.0/8"]}'
    arguments = [named, value] if named.startswith("--") else []
    if not arguments:
        environment.setenv(named, value)
    url = "http://127.0.0.1:40001/"  # the stack's own document lists it
    assert main(["egress", "check", url, "--home", str(tmp_path), "--json", *arguments]) == ExitCode.IS_GAP
    found = json.loads(capsys.readouterr().out)
    assert found["policy"] == (None if "PROXY" in named.upper() else named)
    assert not found["allowed"]
    assert found["proxied"] == ("PROXY" in named.upper())


def test_a_stack_without_a_proxy_is_asked_for_none(
    capsys: pytest.CaptureFixture[str], environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.delenv("CHAMBERLOG_EGRESS")
    stack_json(tmp_path, None)
    assert main(["egress", "check", "http://127.0.0.1:40001/", "--home", str(tmp_path)]) == ExitCode.FINE
    assert "there is none" in capsys.readouterr().out


async def test_a_proxy_that_does_not_accept_is_away_and_says_nothing_of_the_device() -> None:
    with FullListener("127.0.0.1", 0) as port:
        checker = EgressChecker(parse_policies(DOCUMENT), EgressProxy("127.0.0.1", port), budget_ms=200)
        found = await checker.check("http://127.0.0.1:40001/", "o/other")
        checker.close()
    assert found.proxy is not None
    assert (found.proxy.verdict, "did not accept" in found.proxy.detail) == ("away", True)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["http://no-such-chamber.invalid/"], ExitCode.AWAY, "dns"),
        (["http://127.0.0.1:40001/", "--proxy", "http://127.0.0.1:9"], ExitCode.AWAY, "egress_proxy"),
        (["http://127.0.0.1:40001/", "--proxy", "127.0.0.1:9"], ExitCode.REFUSED, "http://host:port"),
        (["http://127.0.0.1:40001/", "--egress", "{"], ExitCode.REFUSED, "is not JSON"),
        (["http://127.0.0.1:40001/", "--section", "lab"], ExitCode.REFUSED, "organization/section"),
        (["127.0.0.1"], ExitCode.REFUSED, "http or https"),
        (["http://\uff11\uff12\uff17.0.0.1/"], ExitCode.REFUSED, "form that hides it"),
    ],
)
def test_what_cannot_be_checked_says_why(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: ExitCode, said: str
) -> None:
    assert main(["egress", "check", *arguments]) == code
    assert said in capsys.readouterr().err
