"""Where the command line finds the API: flags, then the environment, then the local stack."""

import json
from pathlib import Path

import pytest

from cli.desk import page_address
from cli.exits import CommandError, ExitCode
from cli.target import Target, TargetFlags, find_target, find_web_ui

LOCAL = "http://127.0.0.1:18080"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in (
        "CHAMBERLOG_API",
        "CHAMBERLOG_API_KEY",
        "CHAMBERLOG_API_KEY_FILE",
        "CHAMBERLOG_HOME",
        "CHAMBERLOG_TEMPORAL_UI",
        "TEMPORAL_NAMESPACE",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make_stack(home: Path, **changes: object) -> Path:
    home.mkdir()
    (home / "api_key").write_text("chl_local\n", encoding="utf-8")
    document = {"api": LOCAL, "gateway": LOCAL, "api_key_file": str(home / "api_key"), **changes}
    (home / "stack.json").write_text(json.dumps(document), encoding="utf-8")
    return home


def test_the_local_stack_is_found_by_itself(tmp_path: Path) -> None:
    make_stack(tmp_path / ".chamberlog")
    assert find_target(TargetFlags()) == Target(LOCAL, "chl_local", ".chamberlog/stack.json")


def test_the_environment_says_where_the_local_stack_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAMBERLOG_HOME", str(make_stack(tmp_path / "elsewhere")))
    assert find_target(TargetFlags()).url == LOCAL


def test_flags_win_over_the_environment_and_it_over_the_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = make_stack(tmp_path / "home")
    monkeypatch.setenv("CHAMBERLOG_API", "https://lab.example/")
    monkeypatch.setenv("CHAMBERLOG_API_KEY", "chl_environment")
    assert find_target(TargetFlags(home=home)) == Target("https://lab.example", "chl_environment", "CHAMBERLOG_API")
    flags = TargetFlags(api="http://10.0.0.1:8080", key="chl_flag", home=home)
    assert find_target(flags) == Target("http://10.0.0.1:8080", "chl_flag", "--api")


def test_a_key_file_counts_like_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text(" chl_file\n", encoding="utf-8")
    monkeypatch.setenv("CHAMBERLOG_API_KEY_FILE", str(tmp_path / "key"))
    assert find_target(TargetFlags(api=LOCAL)).key == "chl_file"
    assert find_target(TargetFlags(api=LOCAL, key_file=tmp_path / "key")).key == "chl_file"


def test_the_local_key_is_not_sent_to_another_address(tmp_path: Path) -> None:
    home = make_stack(tmp_path / "home")
    with pytest.raises(CommandError) as refused:
        find_target(TargetFlags(api="https://lab.example", home=home))
    assert refused.value.code == ExitCode.UNAUTHORIZED
    assert find_target(TargetFlags(api=LOCAL, home=home)).key == "chl_local"


@pytest.mark.parametrize(
    ("flags", "code", "field"),
    [
        (TargetFlags(), ExitCode.AWAY, "api"),
        (TargetFlags(api=LOCAL), ExitCode.UNAUTHORIZED, "api_key"),
        (TargetFlags(api="lab.example:8080", key="k"), ExitCode.REFUSED, "api"),
        (TargetFlags(api=LOCAL, key_file=Path("gone")), ExitCode.REFUSED, "--api-key"),
        (TargetFlags(api=LOCAL, key="two words"), ExitCode.REFUSED, "--api-key"),
        (TargetFlags(api=LOCAL, key="schlüssel"), ExitCode.REFUSED, "--api-key"),
    ],
)
def test_what_is_missing_is_named_with_its_remedy(flags: TargetFlags, code: ExitCode, field: str) -> None:
    with pytest.raises(CommandError) as refused:
        find_target(flags)
    assert refused.value.code == code
    assert refused.value.complaints[0].field == field
    assert refused.value.complaints[0].remedy


def test_a_broken_stack_file_is_named(tmp_path: Path) -> None:
    home = make_stack(tmp_path / "home")
    (home / "stack.json").write_text("{", encoding="utf-8")
    with pytest.raises(CommandError, match=r"stack\.json") as refused:
        find_target(TargetFlags(home=home))
    assert refused.value.code == ExitCode.REFUSED


def test_the_web_ui_is_the_settings_or_that_of_the_stack_which_is_spoken_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = TargetFlags(home=make_stack(tmp_path / "home", web_ui="http://127.0.0.1:8000/temporal"))
    here, elsewhere = Target(LOCAL, "k", "a test"), Target("https://lab.example", "k", "a test")
    assert find_web_ui(flags, here) == "http://127.0.0.1:8000/temporal"
    assert find_web_ui(flags, elsewhere) is None
    assert find_web_ui(TargetFlags(home=make_stack(tmp_path / "older")), here) is None
    monkeypatch.setenv("CHAMBERLOG_TEMPORAL_UI", "https://lab.example/temporal/")
    assert find_web_ui(flags, here) == find_web_ui(flags, elsewhere) == "https://lab.example/temporal"
    monkeypatch.setenv("CHAMBERLOG_TEMPORAL_UI", "lab.example/temporal")
    with pytest.raises(CommandError, match="CHAMBERLOG_TEMPORAL_UI"):
        find_web_ui(flags, here)


def test_a_chambers_page_is_in_the_namespace_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    ui = "https://lab.example/temporal"
    assert page_address(ui, "incubator-3") == f"{ui}/namespaces/default/workflows/chamber%2Fincubator-3"
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "lab.a1b2c")
    assert page_address(ui, "incubator-3") == f"{ui}/namespaces/lab.a1b2c/workflows/chamber%2Fincubator-3"
