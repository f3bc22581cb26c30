"""The dashboards that ship: what Grafana would not tell, and what people would miss.

No Grafana runs here. That every query returns data is tested in tests/e2e/test_prometheus.py.
"""

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from collector.domain.health import Status
from tests.e2e.dashboards import (
    FILES,
    POSTGRES,
    PROMETHEUS,
    PROMQL_VALUES,
    load,
    metric_names,
    panels,
    promql,
    queries,
    sql,
)

NAMES = [file.stem for file in FILES]
SHOWS = {"stat", "timeseries", "table"}
"""Kinds of panels that ask for something."""
BUILT_IN = {"__value", "__url_time_range", "__rate_interval", "__timeFilter", "__timeFrom", "__timeTo", "__all"}
UNITS = {"short", "none", "s", "ms", "ops", "reqps", "bytes", "percentunit"}
"""Grafana's ids of those that are used here."""


@pytest.fixture(params=FILES, ids=NAMES)
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    return load(request.param)


def test_there_is_one_for_each_concern() -> None:
    assert NAMES == ["chamber", "database", "fleet", "gateway", "workers"]
    assert {load(file)["uid"] for file in FILES} == {f"chamberlog-{name}" for name in NAMES}


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_the_files_are_written_in_one_form(file: Path) -> None:
    """As `json.dumps` with two blanks writes them, so that a change shows as a change."""
    text = file.read_text("utf-8")
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


def test_panels_have_what_grafana_needs(dashboard: dict[str, Any]) -> None:
    assert isinstance(dashboard["schemaVersion"], int)
    assert {"uid", "title", "description", "tags", "time", "timezone", "refresh", "templating"} <= set(dashboard)
    ids = [panel["id"] for panel in panels(dashboard)]
    assert len(ids) == len(set(ids))
    for panel in panels(dashboard):
        where = panel["gridPos"]
        assert set(where) == {"x", "y", "w", "h"}
        assert where["w"] >= 1
        assert where["x"] + where["w"] <= 24, panel["title"]
    for one, other in combinations([panel["gridPos"] for panel in panels(dashboard)], 2):
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert apart, (one, other)


def test_every_panel_says_what_it_shows(dashboard: dict[str, Any]) -> None:
    titles = [panel["title"] for panel in panels(dashboard) if panel["type"] != "row"]
    assert len(titles) == len(set(titles))
    for panel in panels(dashboard):
        assert panel["title"]
        if panel["type"] in SHOWS:
            assert panel["description"].endswith("."), panel["title"]
            assert panel["targets"], panel["title"]
            defaults = panel["fieldConfig"]["defaults"]
            assert defaults["unit"] in UNITS, panel["title"]
            first = defaults["thresholds"]["steps"][0]
            assert first["value"] is None, "what is below the first threshold has a colour, too"
        else:
            assert panel["type"] in {"row", "alertlist"}


def test_targets_ask_by_a_source_that_can_be_chosen(dashboard: dict[str, Any]) -> None:
    kinds = {"${metrics}": PROMETHEUS, "${ledger}": POSTGRES}
    for panel in panels(dashboard):
        letters = [target["refId"] for target in panel.get("targets", [])]
        assert letters == [chr(65 + n) for n in range(len(letters))]
        for target in panel.get("targets", []):
            assert target["datasource"]["type"] == kinds[target["datasource"]["uid"]]
            if target["datasource"]["type"] == PROMETHEUS:
                assert target["instant"] != target["range"]
                assert target["legendFormat"]
            else:
                assert target["format"] in {"table", "time_series"}


def test_variables_are_defined_and_used(dashboard: dict[str, Any]) -> None:
    defined = [variable["name"] for variable in dashboard["templating"]["list"]]
    assert len(defined) == len(set(defined))
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(dashboard)))
    assert used - BUILT_IN == set(defined)
    for variable in dashboard["templating"]["list"]:
        assert variable.get("includeAll", False) == variable.get("multi", False)


def test_queries_are_complete_once_variables_are_replaced(dashboard: dict[str, Any]) -> None:
    values: dict[str, str | list[str]] = {"organization": "default", "chamber": "it's", "detector": ["a", "b"]}
    for query in queries(dashboard):
        if query.kind == PROMETHEUS:
            assert "$" not in promql(query.text, PROMQL_VALUES)
            assert metric_names(query.text) or re.search(r"\b(up|ALERTS)\{", query.text), query.text
        else:
            assert "$" not in sql(query.text, values, ("2026-03-01T00:00:00Z", "2026-03-01T01:00:00Z"))


def test_rates_are_over_grafanas_own_interval_or_a_stated_one(dashboard: dict[str, Any]) -> None:
    for query in queries(dashboard):
        bare = re.sub(r"\"[^\"]*\"", "", query.text)
        for span in re.findall(r"\[([^\]]+)\]", bare) if query.kind == PROMETHEUS else []:
            assert span in {"$__rate_interval", "5m", "10m", "1h"}, query.where


def test_gauges_of_the_whole_fleet_are_not_added_over_processes(dashboard: dict[str, Any]) -> None:
    """Each process of the API shows the same fleet."""
    for query in queries(dashboard):
        for name in ("chamberlog_chambers", "chamberlog_settled_lag_seconds", "chamberlog_ledger_size_bytes"):
            if name in metric_names(query.text) and not query.text.startswith("label_values"):
                assert re.search(rf"max(?: by \([^)]*\))? \({name}|max\((?:deriv\()?{name}", query.text), query.where


def test_what_is_not_shown_is_no_healthy_zero(dashboard: dict[str, Any]) -> None:
    """A query that has 0 for nothing takes it from a figure of the same process: who is not scraped shows nothing."""
    for query in queries(dashboard):
        if query.kind == PROMETHEUS and "vector(" in query.text:
            assert "ALERTS{" in query.text, query.where


def test_links_lead_to_dashboards_that_there_are(dashboard: dict[str, Any]) -> None:
    text = json.dumps(dashboard)
    uids = {load(file)["uid"] for file in FILES}
    assert set(re.findall(r"/d/([\w-]+)", text)) <= uids
    (others,) = [link for link in dashboard["links"] if link["type"] == "dashboards"]
    assert others["tags"] == dashboard["tags"] == ["chamberlog"]
    for place in ("temporal_ui", "runbooks"):
        assert any(place in link.get("url", "") for link in dashboard["links"])


def test_every_status_has_its_colour_everywhere() -> None:
    statuses = {status.value for status in Status}
    mapped = [set(mapping["options"]) for file in FILES for mapping in _mappings(load(file))]
    assert len(mapped) == 2
    assert all(found == statuses for found in mapped)


def _mappings(node: Any) -> list[dict[str, Any]]:
    """Every value mapping below a node of a dashboard."""
    if isinstance(node, list):
        return [found for child in node for found in _mappings(child)]
    if not isinstance(node, dict):
        return []
    own = [node] if node.get("type") == "value" and "options" in node else []
    return own + [found for child in node.values() for found in _mappings(child)]
