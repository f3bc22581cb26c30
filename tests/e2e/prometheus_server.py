"""Debian's Prometheus on loopback, with the files that ship, changed only as it is said here."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import yaml

from stack.ports import free_port
from tests.e2e.running_stack import eventually

ROOT = Path(__file__).resolve().parents[2]
OBSERVABILITY = ROOT / "deploy/observability"
RULES = sorted((OBSERVABILITY / "rules").glob("*.yml"))
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "chamberlog/prometheus/usr/bin"
"""Where `.ci/prometheus` puts it."""
SCRAPE_S = 1
Json = dict[str, Any]


def find(program: str) -> str | None:
    """`prometheus` or `promtool`, of the PATH or of the cache."""
    return shutil.which(program) or shutil.which(program, path=str(CACHE))


NO_PROMETHEUS = "" if find("promtool") and find("prometheus") else "there is no Prometheus: run `make prometheus`"
"""Why a test is skipped."""


def shortened(rules: str) -> str:
    """Rules in which minutes are seconds: `for: 2m` is 2 s, `[5m]` is 5 s, hours are minutes.

    A range is never less than ten scrapes. Nothing else is changed: neither a metric nor a threshold.
    """

    def shorter(match: "re.Match[str]") -> str:
        return f"{match[1]}{match[2]}{ {'m': 's', 'h': 'm'}[match[3]] }{match[4]}"

    text = re.sub(r"( (?:keep_firing_)?for: |\[)(\d+)([mh])(\]|\n)", shorter, rules)
    return re.sub(r"\[(\d+)s\]", lambda match: f"[{max(int(match[1]), 10 * SCRAPE_S)}s]", text)


def pointed(configuration: str, rules: Path, targets: Mapping[str, list[str]]) -> Json:
    """The configuration that ships, scraping each second, its jobs led to addresses of this machine.

    Args:
        configuration: the file's text.
        rules: folder of the rules.
        targets: job to addresses; jobs without any are left out.
    """
    document: Json = yaml.safe_load(configuration)
    every = f"{SCRAPE_S}s"
    document["global"] |= {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every}
    document["rule_files"] = [f"{rules}/*.yml"]
    kept = [job for job in document["scrape_configs"] if targets.get(job["job_name"])]
    for job in kept:
        job.pop("dns_sd_configs", None)
        job["static_configs"] = [{"targets": targets[job["job_name"]]}]
    return document | {"scrape_configs": kept}


def alerts_of(rules: Path) -> list[Json]:
    """Every alert of a file."""
    return [rule for group in yaml.safe_load(rules.read_text("utf-8"))["groups"] for rule in group["rules"]]


def alert_expressions() -> list[str]:
    """What the shipped alerts ask."""
    return [str(alert["expr"]) for file in RULES for alert in alerts_of(file)]


@dataclass(frozen=True, slots=True)
class PrometheusServer:
    """A running Prometheus."""

    url: str

    def ask(self, path: str, **parameters: str | float) -> Any:
        """`data` of an answer of its HTTP API; what it refuses fails the test with its words."""
        answer = httpx.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=20.0)
        assert answer.status_code == 200, f"{parameters}: {answer.text}"
        return answer.json()["data"]

    def instant(self, query: str) -> list[tuple[dict[str, str], float]]:
        """Labels and value of each series now."""
        found = self.ask("query", query=query)["result"]
        return [(series["metric"], float(series["value"][1])) for series in found]

    def over(self, query: str, begin: float, end: float, step_s: float) -> list[float]:
        """Every value of every series in the range."""
        found = self.ask("query_range", query=query, start=begin, end=end, step=step_s)["result"]
        return [float(value) for series in found for _, value in series["values"]]

    def alerts(self, state: str = "firing") -> set[str]:
        """Names of the alerts in that state."""
        return {alert["labels"]["alertname"] for alert in self.ask("alerts")["alerts"] if alert["state"] == state}

    def down(self) -> dict[str, str]:
        """Jobs whose newest scrape failed, and why."""
        targets = self.ask("targets", state="active")["activeTargets"]
        return {t["labels"]["job"]: t["lastError"] or "not yet" for t in targets if t["health"] != "up"}


@contextmanager
def running(folder: Path, targets: Mapping[str, list[str]]) -> Iterator[PrometheusServer]:
    """Prometheus with the shipped configuration and shortened rules; it scrapes all its targets when this is entered.

    Args:
        folder: for its configuration and data.
        targets: see `pointed`; `prometheus` is added.
    """
    binary, port = find("prometheus"), free_port()
    assert binary is not None
    rules = folder / "rules"
    rules.mkdir()
    for file in RULES:
        (rules / file.name).write_text(shortened(file.read_text("utf-8")))
    text = (OBSERVABILITY / "prometheus.yml").read_text("utf-8")
    document = pointed(text, rules, {**targets, "prometheus": [f"127.0.0.1:{port}"]})
    (folder / "prometheus.yml").write_text(yaml.safe_dump(document))
    arguments = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    with (folder / "log").open("w") as log:
        command = [binary, *arguments, f"--web.listen-address=127.0.0.1:{port}"]
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    server = PrometheusServer(f"http://127.0.0.1:{port}")

    def scraping() -> bool:
        assert process.poll() is None, (folder / "log").read_text()
        try:
            if httpx.get(f"{server.url}/-/ready").status_code != HTTPStatus.OK:
                return False
            return len(server.ask("targets")["activeTargets"]) == len(document["scrape_configs"]) and not server.down()
        except httpx.TransportError:
            return False

    try:
        eventually(scraping, 60)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
