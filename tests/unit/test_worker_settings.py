"""The worker's settings: from the environment, with errors that name the variable and never its value."""

import os
from pathlib import Path

import pytest
from temporalio.common import VersioningBehavior

from collector.domain.errors import InvalidFieldError
from workers.bootstrap import load_settings
from workers.chamber_worker import version_of
from workers.settings import PREFIX, WorkerSettings

DSN = "postgresql://lab:hunter2@127.0.0.1:5432/readings"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without any of our variables."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    return monkeypatch


def refusal() -> InvalidFieldError:
    with pytest.raises(InvalidFieldError) as caught:
        load_settings()
    assert caught.value.__suppress_context__
    return caught.value


def test_only_the_database_is_needed(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CHAMBERLOG_POSTGRES", DSN)
    found = load_settings()
    assert found.postgres.get_secret_value() == DSN
    assert (found.redis, found.profiles, found.egress, found.egress_proxy) == (None, None, None, None)
    assert (found.metrics_host, found.metrics_port) == ("127.0.0.1", 0)
    assert found.max_activities >= 100
    assert found.max_cached_workflows >= found.max_activities


def test_every_setting_has_its_variable(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    values = {
        "POSTGRES": DSN,
        "REDIS": "redis://127.0.0.1:6379/1",
        "PROFILES": str(tmp_path),
        "EGRESS": '{"default": []}',
        "EGRESS_PROXY": "http://[::1]:10001/",
        "METRICS_HOST": "0.0.0.0",
        "METRICS_PORT": "9464",
        "MAX_ACTIVITIES": "77",
        "MAX_CACHED_WORKFLOWS": "88",
        "MAX_WORKFLOW_TASKS": "99",
        "HEARTBEAT_S": "12.5",
        "RETENTION_DAYS": "400",
        "DEPLOYMENT": "north_lab",
        "BUILD_ID": "2.0.1-rc1",
    }
    assert {name.lower() for name in values} == set(WorkerSettings.model_fields)
    for name, value in values.items():
        environment.setenv("CHAMBERLOG_" + name, value)
    found = load_settings()
    assert found.redis is not None
    assert found.redis.get_secret_value() == "redis://127.0.0.1:6379/1"
    assert (found.profiles, found.egress) == (tmp_path, '{"default": []}')
    assert found.egress_proxy == "http://[::1]:10001"
    assert (found.metrics_host, found.metrics_port) == ("0.0.0.0", 9464)
    assert (found.max_activities, found.max_cached_workflows, found.max_workflow_tasks) == (77, 88, 99)
    assert (found.heartbeat_s, found.retention_days) == (12.5, 400)
    assert (found.deployment, found.build_id) == ("north_lab", "2.0.1-rc1")


def test_an_empty_variable_is_not_set(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CHAMBERLOG_POSTGRES", DSN)
    environment.setenv("CHAMBERLOG_REDIS", "")
    environment.setenv("CHAMBERLOG_METRICS_PORT", "")
    found = load_settings()
    assert (found.redis, found.metrics_port) == (None, 0)


def test_variables_of_other_programs_do_not_matter(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CHAMBERLOG_POSTGRES", DSN)
    environment.setenv("CHAMBERLOG_API_PORT", "not a port")
    environment.setenv("METRICS_PORT", "not a port")
    assert load_settings().metrics_port == 0


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_database_is_named_with_the_form_of_a_dsn(environment: pytest.MonkeyPatch, value: str | None) -> None:
    if value is not None:
        environment.setenv("CHAMBERLOG_POSTGRES", value)
    error = refusal()
    assert str(error) == ("CHAMBERLOG_POSTGRES: it is not set; write postgresql://user:password@host:5432/database")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CHAMBERLOG_METRICS_PORT", "65536"),
        ("CHAMBERLOG_METRICS_PORT", "-1"),
        ("CHAMBERLOG_METRICS_PORT", "hunter2"),
        ("CHAMBERLOG_MAX_ACTIVITIES", "0"),
        ("CHAMBERLOG_MAX_ACTIVITIES", "1e3x"),
        ("CHAMBERLOG_MAX_CACHED_WORKFLOWS", "0"),
        ("CHAMBERLOG_MAX_WORKFLOW_TASKS", "1"),
        ("CHAMBERLOG_HEARTBEAT_S", "1"),
    ],
)
def test_a_wrong_value_is_named_by_its_variable_and_not_quoted(
    environment: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    environment.setenv("CHAMBERLOG_POSTGRES", DSN)
    environment.setenv(variable, value)
    error = refusal()
    assert error.field == variable
    assert error.remedy == "correct it, or take it away for its default"
    assert "hunter2" not in str(error)


@pytest.mark.parametrize(
    "value",
    [
        "egress:10001",
        "https://egress:10001",
        "socks5://egress:1080",
        "http://egress",
        "http://egress:0",
        "http://egress:65536",
        "http://lab:hunter2@egress:10001",
        "http://egress:10001/path",
        "http://eg ress:10001",
        "http://egress:10001\r\nx: y",
    ],
)
def test_what_is_no_proxy_is_refused_with_its_form_and_not_quoted(environment: pytest.MonkeyPatch, value: str) -> None:
    environment.setenv("CHAMBERLOG_POSTGRES", DSN)
    environment.setenv("CHAMBERLOG_EGRESS_PROXY", value)
    error = refusal()
    assert error.field == "CHAMBERLOG_EGRESS_PROXY"
    assert error.remedy.startswith("write http://host:port")
    assert "hunter2" not in str(error)


@pytest.mark.parametrize(
    ("deployment", "build", "said"),
    [
        ("lab", None, "CHAMBERLOG_BUILD_ID: it is not set, though CHAMBERLOG_DEPLOYMENT is; set it together with"),
        ("lab", "", "CHAMBERLOG_BUILD_ID: it is not set, though CHAMBERLOG_DEPLOYMENT is; set it together with"),
        (None, "2", "CHAMBERLOG_BUILD_ID: it is set, but CHAMBERLOG_DEPLOYMENT is not; set it together with"),
        ("lab.north", "2", "CHAMBERLOG_DEPLOYMENT: String should match"),
        ("lab", "two words", "CHAMBERLOG_BUILD_ID: String should match"),
    ],
)
def test_half_a_version_is_refused(
    environment: pytest.MonkeyPatch, deployment: str | None, build: str | None, said: str
) -> None:
    environment.setenv("CHAMBERLOG_POSTGRES", DSN)
    for name, value in (("DEPLOYMENT", deployment), ("BUILD_ID", build)):
        if value is not None:
            environment.setenv(f"CHAMBERLOG_{name}", value)
    assert str(refusal()).startswith(said)


def test_versioning_is_off_unless_a_version_is_set(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CHAMBERLOG_POSTGRES", DSN)
    assert version_of(load_settings()) is None
    environment.setenv("CHAMBERLOG_DEPLOYMENT", "lab")
    environment.setenv("CHAMBERLOG_BUILD_ID", "2.0")
    version = version_of(load_settings())
    assert version is not None
    assert version.version.to_canonical_string() == "lab.2.0"
    assert version.use_worker_versioning
    assert version.default_versioning_behavior is VersioningBehavior.AUTO_UPGRADE


def test_secrets_do_not_show_in_logs(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CHAMBERLOG_POSTGRES", DSN)
    environment.setenv("CHAMBERLOG_REDIS", "redis://:hunter2@127.0.0.1:6379")
    assert "hunter2" not in repr(load_settings())
