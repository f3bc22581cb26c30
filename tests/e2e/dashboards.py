"""The dashboards' queries, taken from their files as Grafana would send them.

Grafana replaces variables before it asks. What it would put there is stated here, and nothing else is changed.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "deploy/observability/grafana/dashboards").glob("*.json"))
RATE_INTERVAL = "20s"
"""Grafana's `$__rate_interval` is four scrapes at least; the tests scrape each second."""
PROMQL_VALUES = {"organization": ".*", "instance": ".*", "__rate_interval": RATE_INTERVAL}
"""`All` of a variable is `.*`, as the variable itself says."""
PROMETHEUS, POSTGRES = "prometheus", "grafana-postgresql-datasource"
NOT_METRICS = {"label_replace", "histogram_quantile"}
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a dashboard.

    Attributes:
        where: dashboard, panel and letter, or dashboard and variable.
        kind: of its data source.
        text: as the file has it.
        instant: asked for one instant, not for a range.
    """

    where: str
    kind: str
    text: str
    instant: bool = False


def load(file: Path) -> Json:
    """One dashboard."""
    document = json.loads(file.read_text("utf-8"))
    assert isinstance(document, dict)
    return document


def panels(dashboard: Json) -> Iterator[Json]:
    """Every panel, those of collapsed rows too."""
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def queries(dashboard: Json) -> Iterator[Query]:
    """Every query of its panels and variables."""
    name = dashboard["uid"]
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            where = f"{name}: {panel['title']} ({target['refId']})"
            kind = target["datasource"]["type"]
            yield Query(where, kind, target["rawSql" if kind == POSTGRES else "expr"], target.get("instant", False))
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield Query(f"{name}: ${variable['name']}", variable["datasource"]["type"], variable["definition"], True)


def all_queries(kind: str) -> list[Query]:
    """Every query of every dashboard to data sources of that kind."""
    return [query for file in FILES for query in queries(load(file)) if query.kind == kind]


def metric_names(text: str) -> set[str]:
    """The metrics that a PromQL expression names."""
    bare = re.sub(r"\{[^{}]*\}|\"[^\"]*\"|\b(?:by|on|without|ignoring) \([^()]*\)|\[[^\[\]]*\]", " ", text)
    bare = re.sub(r"^(label_values\(.+), \w+\)$", r"\1)", bare)
    return {name for name in re.findall(r"[a-z][a-z_]*_[a-z_]+\b(?!\()", bare) if name not in NOT_METRICS}


def promql(text: str, values: Mapping[str, str]) -> str:
    """As Grafana sends it; a variable's `label_values(series, label)` becomes a count of the series by that label.

    Raises:
        KeyError: a variable that nobody stated.
    """
    asked = re.sub(r"^label_values\((.+), (\w+)\)$", r"count by (\2) (\1)", text)
    return re.sub(r"\$\{?(\w+)\}?", lambda match: values[match[1]], asked)


def sql(text: str, values: Mapping[str, str | list[str]], span: tuple[str, str]) -> str:
    """As Grafana sends it: its macros over the range, `${name:sqlstring}` as quoted literals.

    Raises:
        KeyError: a variable that nobody stated.
    """
    begin, end = (_literal(instant) for instant in span)
    text = re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 BETWEEN {begin} AND {end}", text)
    text = text.replace("$__timeFrom()", begin).replace("$__timeTo()", end)

    def replaced(match: "re.Match[str]") -> str:
        value = values[match[1]]
        return ", ".join(_literal(one) for one in ([value] if isinstance(value, str) else value))

    text = re.sub(r"\$\{(\w+):sqlstring\}", replaced, text)
    if "$" in text:
        raise KeyError(text)
    return text


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
