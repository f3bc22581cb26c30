"""More names that the documents use exist: anchors, columns, metrics as /metrics has them, alerts, parts of compose.

Paths, targets, commands, flags, variables and tables are held by test_documents.py.
"""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import yaml

from collector.domain.outcome import GapReason
from handbook.staging import FENCE, documents
from tests.architecture.exposed_metrics import instruments

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = documents(ROOT)
CODE = ("adapters", "api", "cli", "collector", "gateway", "stack", "workers")
HEADING = re.compile(r"^ {0,3}(#{1,6}) +(.+?) *#*$", re.MULTILINE)
LINK = re.compile(r"\]\(([^()\s]*(?:\([^()\s]*\))?[^()\s]*)\)")
TAG = re.compile(r"<(?:img|a)\b[^>]*\b(?:src|href)=\"([^\"]+)\"")
SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
SERIES = re.compile(
    r"(?<![\w./-])(?:(?:chamberlog|http_server|rpc_server|db_client)_(?!v1\b)"
    r"|(?:temporal_(?:worker|workflow|activity|request|long_request|sticky|num)|process_(?:cpu|memory|open))_)[a-z0-9_]*[a-z0-9](?![a-z0-9_])"
)
TOLD = re.compile(
    r"^\| `[a-z._]+` \| ([a-z -]+) \|.*?\| `((?:chamberlog|temporal|http|rpc|db|process)_[a-z_]+)` \|", re.MULTILINE
)
"""A row of docs/telemetry.md, which its own test holds against what processes expose: kind, and name at /metrics."""
ALIAS = re.compile(
    r"\b(?:FROM|JOIN|UPDATE|INTO)\s+(\w+)(?:\s+(?:AS\s+)?(?!(?:JOIN|ON|WHERE|LEFT|CROSS|GROUP|ORDER|LIMIT|SET|AS)\b)(\w+))?",
    re.IGNORECASE,
)
FILES = {"py", "md", "json", "yml", "yaml", "csv", "sql", "log", "toml"}
"""What is behind the point in names of files."""
ONE_SERVICE = {"exec", "run"}
SERVICES = {"up", "logs", "ps", "stop", "start", "restart", "build", "pull", "create", "rm", "kill", "port", "wait"}
VALUED = {
    "-f",
    "--file",
    "--profile",
    "--scale",
    "--tail",
    "-p",
    "-e",
    "--env",
    "--since",
    "--user",
    "-u",
    "--entrypoint",
}
"""Options of `docker compose` that take a word after them."""


WRONG = {"One": "a-b", "Two": "a-b", "Three": "a-b", "Four": "gone"}


@dataclass(frozen=True, slots=True)
class Names:
    """What there is.

    Attributes:
        columns: by table or view.
        series: at /metrics, as a query needs them.
        families: what `# TYPE` and the SDK call them, such as a histogram without its ends: their names to people.
        alerts: of the rules of Prometheus, and classes whose names look alike.
        services: of compose files.
        profiles: of compose files.
    """

    columns: Mapping[str, frozenset[str]]
    series: frozenset[str]
    families: frozenset[str]
    alerts: frozenset[str]
    services: frozenset[str]
    profiles: frozenset[str]


@cache
def our_names() -> Names:
    """Read them. The page of the schema is as good as the database: tests/contract/test_schema_page.py."""
    composed = [yaml.safe_load(path.read_text("utf-8")) for path in sorted(ROOT.glob("docker-compose*.yml"))]
    services = {name: service or {} for file in composed for name, service in file["services"].items()}
    code = "\n".join(path.read_text("utf-8") for room in CODE for path in (ROOT / room).rglob("*.py"))
    return Names(
        columns=columns_of((ROOT / "docs/schema.md").read_text("utf-8")),
        series=frozenset(name for made in instruments(ROOT / "adapters") for name in made.series())
        | frozenset(told((ROOT / "docs/telemetry.md").read_text("utf-8"))),
        alerts=frozenset(rule["alert"] for rule in alerts())
        | frozenset(re.findall(r"^class (Chamberlog\w+)", code, re.MULTILINE)),
        families=frozenset(families((ROOT / "docs/telemetry.md").read_text("utf-8"))),
        services=frozenset(services),
        profiles=frozenset(name for service in services.values() for name in service.get("profiles", ())),
    )


def told(page: str) -> Iterator[str]:
    """Series that the page of metrics names."""
    for kind, name in TOLD.findall(page):
        yield from (f"{name}{end}" for end in (("_bucket", "_sum", "_count") if kind == "histogram" else ("",)))


def families(page: str) -> Iterator[str]:
    """What the page of metrics calls them, by OpenTelemetry or by the SDK, and at /metrics."""
    yield from (name for _, name in TOLD.findall(page))
    yield from re.findall(r"^\| `([a-z_]+)` \| (?:counter|gauge|histogram|up-down counter) \|", page, re.MULTILINE)


def columns_of(page: str) -> dict[str, frozenset[str]]:
    """Columns by table, from the page of the schema."""
    found = {}
    for section in re.split(r"^### ", page, flags=re.MULTILINE)[1:]:
        name, _, text = section.partition("\n")
        found[name] = frozenset(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    return found


def alerts() -> Iterator[Mapping[str, Any]]:
    """All rules that alert."""
    for path in sorted((ROOT / "deploy").glob("observability/rules/*.yml")):
        for group in yaml.safe_load(path.read_text("utf-8"))["groups"]:
            yield from (rule for rule in group["rules"] if "alert" in rule)


def unled(rules: Iterable[Mapping[str, Any]], runbook: str) -> Iterator[str]:
    """Alerts whose `runbook_url` leads to no section of the runbook, or to one that does not name them."""
    sections = {
        next(iter(anchors(f"## {head}"))): text
        for head, text in re.findall(r"^## (.+)\n((?:(?!^## ).*\n?)*)", runbook, re.MULTILINE)
    }
    for rule in rules:
        anchor = rule.get("annotations", {}).get("runbook_url", "").partition("#")[2]
        if anchor not in sections:
            yield f"{rule['alert']}: no section #{anchor}"
        elif rule["alert"] not in sections[anchor]:
            yield f"{rule['alert']}: #{anchor} does not name it"


def dead_names(document: Path, markdown: str, names: Names) -> list[str]:
    """Names that do not exist, each as `kind name`, once each."""
    prose = FENCE.sub("", markdown)
    spans = [span for _, span in SPAN.findall(prose)]
    found = [*_dead_anchors(document, markdown, prose), *_dead_pictures(document, prose)]
    for fence in FENCE.finditer(markdown):
        text = fence[4].replace("\\\n", " ")
        found += [*_dead_services(text, names), *_dead_series(text, names.series)]
        queries = [text] if fence[3] == "sql" else re.findall(r"psql [^\n]*?-c (?:\"([^\"]*)\"|'[^']*')", text)
        found += [name for query in queries for name in _dead_columns(query, names)]
    for span in spans:
        found += [*_dead_services(span, names), *_dead_column(span, names)]
        found += _dead_series(span, names.series | names.families)
    found += [f"alert {name}" for name in re.findall(r"\bChamberlog[A-Z]\w+", markdown) if name not in names.alerts]
    return sorted(dict.fromkeys(found))


def _dead_anchors(document: Path, markdown: str, prose: str) -> Iterator[str]:
    for target in LINK.findall(SPAN.sub("", prose)):
        path, _, anchor = target.partition("#")
        other = (document.parent / path).resolve() if path else document
        if not anchor or "://" in target or (path and other.suffix != ".md") or not (other.exists() or not path):
            continue
        text = other.read_text("utf-8") if path else markdown
        if anchor not in anchors(text):
            yield f"anchor {target}"


def anchors(markdown: str) -> set[str]:
    """As GitHub makes them of headings; the site makes the same."""
    found: dict[str, int] = {}
    names = set()
    for _, heading in HEADING.findall(FENCE.sub("", markdown)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        count = found.get(slug, 0)
        found[slug] = count + 1
        names.add(f"{slug}-{count}" if count else slug)
    return names


def _dead_pictures(document: Path, prose: str) -> Iterator[str]:
    for target in [*re.findall(r"!\[[^\]]*\]\(([^)\s]+)", prose), *TAG.findall(prose)]:
        if "://" not in target and not (document.parent / target.partition("#")[0]).is_file():
            yield f"picture {target}"


def _dead_series(text: str, known: frozenset[str]) -> Iterator[str]:
    yield from (f"series {name}" for name in SERIES.findall(text) if name not in known)


def _dead_columns(query: str, names: Names) -> Iterator[str]:
    """Columns behind a table's name or its alias; others of the query are not looked at."""
    tables = dict.fromkeys(names.columns)
    known = {table: table for table in tables}
    for table, alias in ALIAS.findall(query):
        known |= {alias: table} if table in tables and alias else {}
    for owner, column in re.findall(r"\b(\w+)\.\"?(\w+)", query):
        table = known.get(owner)
        if table and column not in names.columns[table]:
            yield f"column {table}.{column}"


def _dead_column(span: str, names: Names) -> Iterator[str]:
    found = re.fullmatch(r"(\w+)\.(\w+)", span)
    if found and found[1] in names.columns and found[2] not in names.columns[found[1]] | FILES:
        yield f"column {span}"


def _dead_services(text: str, names: Names) -> Iterator[str]:
    for command in re.findall(r"\bdocker compose ([^\n|;&>)]*)", text):
        yield from _of_compose(shlex.split(command.replace("'", "")), names)


def _of_compose(words: list[str], names: Names) -> Iterator[str]:
    plain, rest = [], iter(words)
    for word in rest:
        if word in VALUED:
            yield from _dead_value(word, next(rest, ""), names)
        elif not word.startswith("-"):
            plain.append(word)
    kind, *named = plain or [""]
    named = named[:1] if kind in ONE_SERVICE else named if kind in SERVICES else []
    yield from (f"service {word}" for word in named if word not in names.services)


def _dead_value(option: str, value: str, names: Names) -> Iterator[str]:
    if option == "--profile" and value not in names.profiles:
        yield f"profile {value}"
    if option == "--scale" and value.partition("=")[0] not in names.services:
        yield f"service {value.partition('=')[0]}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_name_in_the_documents_exists(document: Path) -> None:
    assert dead_names(document, document.read_text("utf-8"), our_names()) == []


def test_every_alert_leads_to_the_section_that_names_it() -> None:
    assert list(unled(alerts(), (ROOT / "docs/operations.md").read_text("utf-8"))) == []


def test_an_alert_that_leads_nowhere_is_found() -> None:
    runbook = "# Operations\n\n## A b\n\nOne, here.\n\n### In it\n\nTwo.\n\n## C\n"
    rules = [{"alert": name, "annotations": {"runbook_url": f"docs/x.md#{anchor}"}} for name, anchor in WRONG.items()]
    assert list(unled(rules, runbook)) == ["Three: #a-b does not name it", "Four: no section #gone"]


def test_the_readme_leads_straight_to_what_people_look_for() -> None:
    top = (ROOT / "README.md").read_text("utf-8").partition("\n## ")[0]
    wanted = ["#start", "docs/howto/own-chamber.md", "docs/howto/pause-a-section.md", "#what-a-gap-is"]
    assert [target for target in [*wanted, "docs/operations.md#a-chamber-is-stale"] if f"({target})" not in top] == []


def test_the_readme_says_of_every_reason_what_happened() -> None:
    section = (ROOT / "README.md").read_text("utf-8").partition("## What a gap is")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)
    assert sorted(reason for row in rows for reason in re.findall(r"`(\w+)`", row)) == sorted(GapReason)


def test_the_texts_in_drawn_pictures_name_what_exists() -> None:
    for picture in sorted((ROOT / "docs/images").glob("*.svg")):
        texts = [unescape(text) for text in re.findall(r"<text[^>]*>([^<]*)</text>", picture.read_text("utf-8"))]
        paths = [text for text in texts if re.fullmatch(r"[a-z_]+(/[a-z_*]+)+|[a-z_]+/", text)]
        assert [path for path in paths if not list(ROOT.glob(f"{path.rstrip('/*')}*"))] == [], picture.name


def test_the_names_are_not_empty() -> None:
    names = our_names()
    assert names.columns.keys() >= {"reading", "gap", "chamber_section", "reading_value"}
    assert {"scheduled_at", "values"} <= names.columns["reading"]
    assert {
        "chamberlog_collections_total",
        "chamberlog_clock_skew_seconds",
        "chamberlog_outcomes_unsaved",
    } <= names.series
    assert names.series >= {"temporal_request_total", "temporal_request_latency_seconds_bucket", "temporal_num_pollers"}
    assert {"worker", "gateway", "postgres"} <= names.services
    assert "simulator" in names.profiles


@pytest.mark.parametrize(
    ("markdown", "dead"),
    [
        ("[x](docs/grid.md#gone)", "anchor docs/grid.md#gone"),
        ("[x](#gone)\n\n# There", "anchor #gone"),
        ("# A\n\n# A\n\n[x](#a-2)", "anchor #a-2"),
        ("![x](docs/images/gone.png)", "picture docs/images/gone.png"),
        ('<img src="docs/images/gone.png" width="400">', "picture docs/images/gone.png"),
        ("`chamberlog_collections`", "series chamberlog_collections"),
        ("`chamberlog_collections_seconds_total`", "series chamberlog_collections_seconds_total"),
        ("`chamberlog_clock_skew_seconds_total`", "series chamberlog_clock_skew_seconds_total"),
        ("`chamberlog_clock_skew`", "series chamberlog_clock_skew"),
        ("```promql\nsum(rate(chamberlog_gone_total[5m]))\n```", "series chamberlog_gone_total"),
        ("```sh\ncurl x | grep chamberlog_gone\n```", "series chamberlog_gone"),
        ("`temporal_workflow_gone_total`", "series temporal_workflow_gone_total"),
        ("`http_server_request_duration`", "series http_server_request_duration"),
        ("```promql\nrate(chamberlog_authz_duration_seconds[5m])\n```", "series chamberlog_authz_duration_seconds"),
        ("```sql\nSELECT r.gone FROM reading r\n```", "column reading.gone"),
        ("```sql\nSELECT 1 FROM gap JOIN chamber AS c ON c.gone = gap.chamber\n```", "column chamber.gone"),
        ('```sh\npsql "$X" -c "SELECT g.gone FROM gap g"\n```', "column gap.gone"),
        ("the column `gap.gone`", "column gap.gone"),
        ("the alert `ChamberlogGone`", "alert ChamberlogGone"),
        ("| ChamberlogGone | page |", "alert ChamberlogGone"),
        ("```\ndocker compose -f docker-compose.temporal.yml logs --tail 5 gone\n```", "service gone"),
        ("```\ndocker compose up -d --scale gone=2\n```", "service gone"),
        ("```\ndocker compose --profile gone up -d\n```", "profile gone"),
        ("`docker compose run --rm gone worker --check`", "service gone"),
        ("`docker compose exec -T gone psql`", "service gone"),
    ],
)
def test_a_dead_name_is_found(markdown: str, dead: str) -> None:
    assert dead_names(ROOT / "README.md", markdown, our_names()) == [dead]


@pytest.mark.parametrize(
    "markdown",
    [
        "[x](docs/grid.md#what-waits-for-the-store), [y](https://example.org/a.md#gone), [z](#a--b)\n\n# A & `b`",
        "# A\n\n# A\n\n[x](#a-1), `[x](#gone)`",
        "`chamberlog_collections_total`, `chamberlog_fetch_duration_seconds_bucket`, `chamberlog.v1`",
        '```sql\nSELECT r."values", pg_catalog.version() FROM reading r JOIN gap ON gap.chamber = r.chamber\n```',
        "`chamberlog_fetch_duration_seconds`, ```sh\ngrep -E '^(chamberlog_rounds|temporal_worker_task_(x|y))'\n```",
        "`reading.scheduled_at`, `reading.py`, `chamber.json`, `answer.body`, `ChamberlogError`",
        "```\ndocker compose -f docker-compose.temporal.yml exec -T postgres pg_dump -U chamberlog chamberlog > x\n```",
        "```\ndocker compose --profile simulator up -d --scale worker=4 worker && docker stop $(cat old)\n```",
    ],
)
def test_living_names_are_left_alone(markdown: str) -> None:
    assert dead_names(ROOT / "README.md", markdown, our_names()) == []
