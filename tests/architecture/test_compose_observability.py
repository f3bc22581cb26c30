"""docker-compose.observability.yml over the other file: by the same rules, and with what its services need.

No container engine runs here; docs/observability.md says what was not tried.
"""

import copy
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.compose_file import (
    FILE,
    OVERLAY,
    ROOT,
    SECRETS,
    Document,
    load,
    load_with_overlay,
    ours,
    overlaid,
    start_order,
    violations,
)

FOLDER = ROOT / "deploy/observability"
ADDED = sorted(set(load_with_overlay()["services"]) - set(load()["services"]))
OURS = ["api", "authz", "egress-config", "gateway-config", "worker"]
"""Of our services, those that the overlay changes."""


def read(name: str) -> Document:
    document = yaml.safe_load((FOLDER / name).read_text("utf-8"))
    assert isinstance(document, dict)
    return document


@pytest.fixture
def both() -> Document:
    return copy.deepcopy(load_with_overlay())


def test_the_overlay_follows_the_specification() -> None:
    judge = Path(sys.executable).parent / "check-jsonschema"
    command: list[str | Path] = [judge, "--builtin-schema", "vendor.compose-spec", OVERLAY]
    judged = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert judged.returncode == 0, judged.stdout


def test_both_files_together_keep_the_rules(both: Document) -> None:
    assert violations(both) == []
    assert sorted(start_order(both)) == sorted(both["services"])
    assert ADDED == ["grafana", "jaeger", "ledger-reader", "otel-collector", "prometheus"]


@pytest.mark.parametrize(
    ("service", "changes", "found"),
    [
        ("grafana", {"image": "grafana/grafana:latest"}, "grafana: image grafana/grafana:latest is not pinned"),
        ("grafana", {"user": "472:0"}, "grafana: its user is not named by number, or root"),
        ("grafana", {"ports": ["3000:3000"]}, "grafana: port 3000:3000 is not on loopback only"),
        ("grafana", {"environment": {"GF_ADMIN_PASSWORD": "x"}}, "grafana: GF_ADMIN_PASSWORD holds a secret"),
        ("grafana", {"networks": ["telemetry", "calls"]}, "grafana: it could ask the egress proxy"),
        ("grafana", {"healthcheck": {"disable": True}}, "grafana: its health check is off"),
        ("prometheus", {"networks": ["readings"]}, "postgres: prometheus can reach it"),
        ("egress", {"networks": ["calls", "devices", "telemetry"]}, "jaeger: it could ask the egress proxy"),
        ("prometheus", {"deploy": {}}, "prometheus: its memory has no limit"),
        ("jaeger", {"read_only": False}, "jaeger: its root is writable"),
        ("worker", {"environment": {"OTEL_GONE": "x"}}, "worker: nobody reads OTEL_GONE"),
        ("postgres", {"networks": ["published"]}, "postgres: its network published leads outside"),
    ],
)
def test_a_planted_violation_is_found(both: Document, service: str, changes: dict[str, Any], found: str) -> None:
    both["services"][service].update(changes)
    assert found in violations(both)


def test_files_are_laid_over_each_other_as_compose_does() -> None:
    below = {"a": {"command": ["x"], "networks": ["n"], "environment": {"K": "1", "L": "1"}}, "b": {"image": "i:1"}}
    above = {"a": {"command": ["y"], "networks": ["n", "m"], "environment": {"K": "2"}}, "c": {}}
    assert overlaid(below, above) == {
        "a": {"command": ["y"], "networks": ["n", "m"], "environment": {"K": "2", "L": "1"}},
        "b": {"image": "i:1"},
        "c": {},
    }


@pytest.mark.parametrize("name", ["gateway-config", "egress-config"])
def test_the_overlay_says_what_the_other_file_says_and_adds_to_it(both: Document, name: str) -> None:
    below, above = load()["services"][name]["command"], both["services"][name]["command"]
    assert above[: len(below)] == below
    assert above[len(below) : len(below) + 2] == ["--metrics", "0.0.0.0:9903"]


@pytest.mark.parametrize("name", OURS)
def test_each_of_our_services_could_run_with_what_it_is_given(both: Document, tmp_path: Path, name: str) -> None:
    subprocess.run([ROOT / "deploy/compose/make-secrets.sh", tmp_path], check=True, capture_output=True, timeout=20)
    service = both["services"][name]
    targets = {entry["target"]: both["configs"][entry["source"]]["file"] for entry in service.get("configs", [])}
    given = {key: value.replace(SECRETS, f"{tmp_path}/") for key, value in service.get("environment", {}).items()}
    environment = {key: str(ROOT / targets[value]) if value in targets else value for key, value in given.items()}
    command = [str(Path(sys.executable).parent / "chamberlog"), *service["command"], "--check"]
    done = subprocess.run(
        command,
        env=environment | {"PATH": os.defpath},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=40,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


def test_prometheus_finds_whom_it_is_sent_to(both: Document) -> None:
    """Each job leads to a service in one of its networks, at a port where that service shows its metrics."""
    services = both["services"]
    shown = {
        "worker": int(services["worker"]["environment"]["CHAMBERLOG_METRICS_PORT"]),
        "api": int(services["api"]["environment"]["CHAMBERLOG_API_PORT"]),
        "authz": int(services["authz"]["environment"]["CHAMBERLOG_AUTHZ_PORT"]),
        "gateway": 9903,
        "egress": 9903,
        "jaeger": read("jaeger.yaml")["service"]["telemetry"]["metrics"]["readers"][0]["pull"]["exporter"][
            "prometheus"
        ]["port"],
        "grafana": 3000,
    }
    wanted = {*shown, "otel-collector"}
    for job in read("prometheus.yml")["scrape_configs"]:
        if "dns_sd_configs" in job:
            (found,) = job["dns_sd_configs"]
            (host,), port = found["names"], found["port"]
        else:
            host, _, text = job["static_configs"][0]["targets"][0].partition(":")
            port = int(text)
        if host == "localhost":
            continue
        wanted.discard(host)
        assert set(services[host]["networks"]) & set(services["prometheus"]["networks"]), host
        assert port == shown.get(host, port), host
    assert wanted == set()


def test_telemetry_goes_where_somebody_takes_it(both: Document) -> None:
    services, collector, jaeger = both["services"], read("otel-collector.yaml"), read("jaeger.yaml")
    taken = f"otel-collector:{port_of(collector['receivers']['otlp']['protocols']['grpc']['endpoint'])}"
    for name in ("worker", "api", "authz"):
        assert services[name]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"] == f"http://{taken}"
    rendered = services["gateway-config"]["command"]
    assert rendered[rendered.index("--otlp") + 1] == taken
    for name in ("worker", "api", "authz", "gateway", "otel-collector", "jaeger"):
        assert "telemetry" in services[name]["networks"]
    port = port_of(jaeger["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"])
    assert collector["exporters"]["otlp/jaeger"]["endpoint"] == f"jaeger:{port}"
    shown = port_of(collector["exporters"]["prometheus"]["endpoint"])
    jobs = {job["job_name"]: job for job in read("prometheus.yml")["scrape_configs"]}
    assert jobs["otlp"]["static_configs"][0]["targets"] == [f"otel-collector:{shown}"]


@pytest.mark.parametrize("name", ["otel-collector.yaml", "jaeger.yaml"])
def test_pipelines_name_what_is_defined_and_all_of_it(name: str) -> None:
    document = read(name)
    for kind in ("receivers", "processors", "exporters"):
        used = {one for pipeline in document["service"]["pipelines"].values() for one in pipeline.get(kind, [])}
        assert used == set(document[kind]), kind
    assert set(document["service"]["extensions"]) == set(document["extensions"])


def test_grafana_is_given_every_dashboard_and_finds_its_sources(both: Document) -> None:
    grafana = both["services"]["grafana"]
    files = {both["configs"][entry["source"]]["file"]: entry["target"] for entry in grafana["configs"]}
    dashboards = sorted((FOLDER / "grafana/dashboards").glob("*.json"))
    (provider,) = read("grafana/provisioning/dashboards/chamberlog.yaml")["providers"]
    for file in dashboards:
        assert files[f"./{file.relative_to(ROOT)}"] == f"{provider['options']['path']}/{file.name}"
    assert grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] in files.values()
    sources = {s["type"]: s for s in read("grafana/provisioning/datasources/chamberlog.yaml")["datasources"]}
    kinds = {
        variable["query"]
        for file in dashboards
        for variable in json.loads(file.read_text("utf-8"))["templating"]["list"]
        if variable["type"] == "datasource"
    }
    assert kinds <= set(sources)
    for source in sources.values():
        host = source["url"].removeprefix("http://").partition(":")[0]
        assert set(both["services"][host]["networks"]) & set(grafana["networks"]), host
    (secret,) = re.findall(
        r"\$__file\{/run/secrets/(\w+)\}", sources["grafana-postgresql-datasource"]["secureJsonData"]["password"]
    )
    assert secret in grafana["secrets"]


def test_runbooks_lead_to_the_page_that_grafana_serves(both: Document) -> None:
    grafana = both["services"]["grafana"]
    files = {entry["target"]: both["configs"][entry["source"]]["file"] for entry in grafana["configs"]}
    url = read("prometheus.yml")["global"]["external_labels"]["runbooks"]
    (port,) = grafana["ports"]
    served = f"http://{port.rpartition(':')[0]}/public/"
    assert files[url.replace(served, "/usr/share/grafana/public/")] == "./docs/operations.md"
    for file in (FOLDER / "grafana/dashboards").glob("*.json"):
        variables = {v["name"]: v for v in json.loads(file.read_text("utf-8"))["templating"]["list"]}
        assert url.endswith(variables["runbooks"]["query"])


def test_all_rules_are_given_to_prometheus(both: Document) -> None:
    given = {both["configs"][e["source"]]["file"]: e["target"] for e in both["services"]["prometheus"]["configs"]}
    (pattern,) = read("prometheus.yml")["rule_files"]
    for file in (FOLDER / "rules").glob("*.yml"):
        assert given[f"./{file.relative_to(ROOT)}"] == pattern.replace("*", file.stem)


def test_the_readers_role_gets_its_password_by_its_process_alone(tmp_path: Path) -> None:
    for name, text in (("postgres_password", "owner\n"), ("ledger_reader_password", "reader\n")):
        (tmp_path / name).write_text(text)
    (tmp_path / "psql").write_text('#!/bin/sh\necho "$PGPASSWORD $READER_PASSWORD $*"\n')
    (tmp_path / "psql").chmod(0o755)
    script = (FOLDER / "ledger-reader.sh").read_text("utf-8").replace(SECRETS, f"{tmp_path}/")
    environment = {"PATH": f"{tmp_path}:{os.defpath}"}
    done = subprocess.run(
        ["/bin/sh", "-c", script], env=environment, capture_output=True, text=True, check=True, timeout=20
    )
    assert done.stdout.startswith("owner reader -h postgres -U chamberlog -d chamberlog ")
    (tmp_path / "ledger_reader_password").unlink()
    failed = subprocess.run(["/bin/sh", "-c", script], env=environment, capture_output=True, check=False, timeout=20)
    assert failed.returncode != 0


def test_it_is_the_same_project_and_the_same_postgres(both: Document) -> None:
    assert both["name"] == load()["name"]
    assert both["services"]["ledger-reader"]["image"] == both["services"]["postgres"]["image"]
    assert set(ours(both)) == set(ours(load()))
    assert FILE.exists()
