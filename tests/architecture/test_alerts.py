"""The alerts that ship: judged by promtool, each fired and silenced there, each with a runbook that there is."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.prometheus_server import NO_PROMETHEUS, OBSERVABILITY, ROOT, RULES, alerts_of, find, pointed, shortened

ALERTS = {alert["alert"]: alert for file in RULES for alert in alerts_of(file)}
TESTS = sorted((OBSERVABILITY / "rules/tests").glob("*.yml"))
RUNBOOK = "{{ $externalLabels.runbooks }}#"
needs_promtool = pytest.mark.skipif(bool(NO_PROMETHEUS), reason=NO_PROMETHEUS or "there is one")


def promtool(*arguments: str | Path, folder: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    command = [find("promtool") or "promtool", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=50)


def anchors(markdown: str) -> set[str]:
    """Of the headings, as GitHub and the site make them."""
    headings = re.findall(r"^#+ (.+)$", markdown, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@needs_promtool
def test_promtool_finds_nothing_wrong_with_rules_and_configuration(tmp_path: Path) -> None:
    judged = promtool("check", "rules", *RULES)
    assert judged.returncode == 0, judged.stdout + judged.stderr
    text = (OBSERVABILITY / "prometheus.yml").read_text("utf-8")
    (tmp_path / "prometheus.yml").write_text(text.replace("/etc/prometheus/rules", str(OBSERVABILITY / "rules")))
    judged = promtool("check", "config", tmp_path / "prometheus.yml")
    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert f"{len(RULES)} rule files found" in judged.stdout


@needs_promtool
@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.stem)
def test_alerts_fire_and_are_silent_as_their_tests_say(file: Path) -> None:
    judged = promtool("test", "rules", file.name, folder=file.parent)
    assert judged.returncode == 0, judged.stdout + judged.stderr


@needs_promtool
@pytest.mark.parametrize("file", RULES, ids=lambda file: file.stem)
def test_an_alert_that_never_fires_fails_its_tests(tmp_path: Path, file: Path) -> None:
    """The tests are worth something: with conditions that cannot be true every case that is to fire fails."""
    document = yaml.safe_load(file.read_text("utf-8"))
    for group in document["groups"]:
        for rule in group["rules"]:
            rule["expr"] = "vector(1) > 2"
    (tmp_path / "tests").mkdir()
    (tmp_path / file.name).write_text(yaml.safe_dump(document))
    (tmp_path / "tests" / file.name).write_text((OBSERVABILITY / "rules/tests" / file.name).read_text("utf-8"))
    judged = promtool("test", "rules", file.name, folder=tmp_path / "tests")
    failed = set(re.findall(r"alertname: ?(\w+)", judged.stdout + judged.stderr))
    assert failed == {alert["alert"] for alert in alerts_of(file)}


def cases() -> list[tuple[str, bool]]:
    """Alert and whether it is to fire, of every case of the promtool tests."""
    told = [case for file in TESTS for case in yaml.safe_load(file.read_text("utf-8"))["tests"]]
    return [(one["alertname"], bool(one["exp_alerts"])) for case in told for one in case["alert_rule_test"]]


def test_every_alert_is_tested_firing_and_silent() -> None:
    assert {alert for alert, fires in cases() if fires} == set(ALERTS)
    assert {alert for alert, fires in cases() if not fires} == set(ALERTS)


@pytest.mark.parametrize("name", sorted(ALERTS))
def test_an_alert_says_what_happened_and_where_to_read_what_to_do(name: str) -> None:
    alert: dict[str, Any] = ALERTS[name]
    assert name.startswith("Chamberlog")
    assert alert["labels"] == {"severity": alert["labels"]["severity"]}
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}
    assert "for" in alert, "a blink is no alert"
    operations = (ROOT / "docs/operations.md").read_text("utf-8")
    url = alert["annotations"]["runbook_url"]
    assert url.startswith(RUNBOOK)
    assert url.removeprefix(RUNBOOK) in anchors(operations)


def test_the_page_has_every_alert_and_no_other() -> None:
    page = (ROOT / "docs/observability.md").read_text("utf-8")
    assert set(re.findall(r"`(Chamberlog[A-Z]\w+)`", page)) == set(ALERTS)
    for name, alert in ALERTS.items():
        anchor = alert["annotations"]["runbook_url"].removeprefix(RUNBOOK)
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{name}`")]
        assert f"(operations.md#{anchor})" in row
        assert alert["labels"]["severity"] in row


def test_headings_become_anchors() -> None:
    assert anchors("## A worker's clock is wrong\n# 1. `x`, and y\n") == {"a-workers-clock-is-wrong", "1-x-and-y"}


def test_shortened_rules_differ_in_times_alone() -> None:
    text = (
        "expr: increase(x[10m]) > 3 and deriv(y[6h]) * 86400 > 10e9\n        for: 2m\n  expr: rate(z[5m])\n for: 1h\n"
    )
    assert shortened(text) == (
        "expr: increase(x[10s]) > 3 and deriv(y[6m]) * 86400 > 10e9\n        for: 2s\n  expr: rate(z[10s])\n for: 1m\n"
    )
    assert shortened("  for: 2m\n  keep_firing_for: 10m\n") == "  for: 2s\n  keep_firing_for: 10s\n"
    for file in RULES:
        long, short = alerts_of(file), yaml.safe_load(shortened(file.read_text("utf-8")))
        left = [rule for group in short["groups"] for rule in group["rules"]]
        for before, after in zip(long, left, strict=True):
            assert before["labels"] == after["labels"]
            assert re.sub(r"\[\w+\]", "", before["expr"]) == re.sub(r"\[\w+\]", "", after["expr"])


def test_a_configuration_for_this_machine_keeps_jobs_and_paths() -> None:
    text = (OBSERVABILITY / "prometheus.yml").read_text("utf-8")
    shipped = {job["job_name"]: job for job in yaml.safe_load(text)["scrape_configs"]}
    found = pointed(text, Path("/rules"), {"chamberlog-worker": ["127.0.0.1:1"], "chamberlog-gateway": ["127.0.0.1:2"]})
    assert found["rule_files"] == ["/rules/*.yml"]
    assert [job["job_name"] for job in found["scrape_configs"]] == ["chamberlog-worker", "chamberlog-gateway"]
    assert found["scrape_configs"][1]["metrics_path"] == shipped["chamberlog-gateway"]["metrics_path"]
    assert found["scrape_configs"][0]["static_configs"] == [{"targets": ["127.0.0.1:1"]}]
