"""What the documents name exists: paths, make targets, commands, flags, variables, tables and metrics.

Names count where they stand in code: inline code spans, link targets, and fenced blocks of a shell or of SQL.
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from api.settings import ApiSettings
from cli.app import app
from cli.group import DEFAULT as LISTING
from gateway.settings import AuthzSettings
from workers.settings import WorkerSettings

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
PACKAGES = (
    "activities",
    "adapters",
    "api",
    "bench",
    "chaos",
    "cli",
    "collector",
    "edge",
    "gateway",
    "simulator",
    "stack",
    "workers",
    "workflows",
)
ROOMS = {*PACKAGES, "tests", "docs", "profiles", "gateway", "proto", "deploy", ".ci"}
"""First parts of a path that make it one of ours, whether the rest exists or not."""
FIELDS = (*WorkerSettings.model_fields, *ApiSettings.model_fields, *AuthzSettings.model_fields)
SETTINGS = frozenset(f"CHAMBERLOG_{name.upper()}" for name in FIELDS)
PLACEHOLDER = re.compile(r"[<>*{}$…]|NNNN")
BENCH, CHAOS = "make bench", "make chaos"
"""Not commands of `chamberlog`, but flags of their own."""
COMMAND = re.compile(r"(?:[A-Z_]+=\S+ )*(?:\S*/)?(?:chamberlog|make|docker|temporal) ")
"""How a line of a block without a language begins that is a command and no output."""
SHELLS, SQL = {"sh", "bash", "console", "make"}, {"sql"}


@dataclass(frozen=True, slots=True)
class World:
    """All names that there are.

    Attributes:
        root: paths are relative to it.
        targets: of the Makefile.
        commands: of `chamberlog`, each by its words, with its flags; its own stand by no word.
        variables: environment variables that the code reads.
        tables: tables and views of the migrations.
        metrics: as OpenTelemetry names them.
    """

    root: Path
    targets: frozenset[str]
    commands: dict[str, frozenset[str]]
    variables: frozenset[str]
    tables: frozenset[str]
    metrics: frozenset[str]


@cache
def our_world() -> World:
    """Read the names from the code itself."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    commands = dict(_commands(group)) | {"": _flags(group.params)}
    commands |= {"simulate": _flags_of("simulator"), BENCH: _flags_of("bench"), CHAOS: _flags_of("chaos")}
    commands |= {"bench": commands[BENCH], "chaos": commands[CHAOS]}
    code = "\n".join(path.read_text("utf-8") for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    schema = "\n".join(path.read_text("utf-8") for path in (ROOT / "adapters/postgres/migrations").glob("*.sql"))
    return World(
        root=ROOT,
        targets=frozenset(re.findall(r"^([a-z][\w-]*):(?!=)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)),
        commands=commands,
        variables=frozenset(re.findall(r"\bCHAMBERLOG_[A-Z_]*[A-Z]\b", code)) | SETTINGS,
        tables=frozenset(re.findall(r"CREATE (?:TABLE|VIEW|MATERIALIZED VIEW) (?:IF NOT EXISTS )?(\w+)", schema)),
        metrics=frozenset(re.findall(r"\"(chamberlog\.[a-z_.]+)\"", code)),
    )


def _commands(group: TyperGroup, words: str = "") -> Iterator[tuple[str, frozenset[str]]]:
    """Every command by its words, with its flags; a group that lists when it is told nothing has those of its list."""
    for name, command in group.commands.items():
        listing = command.commands.get(LISTING) if isinstance(command, TyperGroup) else None
        params = [*command.params, *(listing.params if listing else ())]
        yield words + name, _flags(params)
        if isinstance(command, TyperGroup):
            yield from _commands(command, f"{words}{name} ")


def _flags(params: Iterable[Any]) -> frozenset[str]:
    return frozenset(flag for p in params for flag in (*p.opts, *p.secondary_opts)) | {"--help"}


def _flags_of(module: str) -> frozenset[str]:
    command = [sys.executable, "-m", module, "--help"]
    usage = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=True).stdout
    return frozenset(re.findall(r"--[a-z][a-z-]*", usage))


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of code in a document; `language` is `inline`, `link`, or what its fence says."""

    language: str
    text: str


def snippets(markdown: str) -> Iterator[Snippet]:
    """Links, inline code and the lines of fenced blocks."""
    fence = re.compile(r"^( *)(```+)(\w*)\n(.*?)^\1\2 *$", re.MULTILINE | re.DOTALL)
    for match in fence.finditer(markdown):
        joined = match[4].replace("\\\n", " ")
        yield from (Snippet(match[3] or "text", line) for line in joined.splitlines())
    prose = fence.sub("", markdown)
    yield from (Snippet("inline", span) for _, span in re.findall(r"(`+)(.+?)\1", prose))
    yield from (Snippet("link", target) for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", prose))


def dead_names(document: Path, markdown: str, world: World) -> list[str]:
    """Names that do not exist, each as `kind name`, in the order of their kinds, once each."""
    found: list[str] = []
    for snippet in snippets(markdown):
        if snippet.language == "link":
            found += _dead_link(document, snippet.text, world)
            continue
        if snippet.language in {"inline", *SHELLS} or (snippet.language == "text" and COMMAND.match(snippet.text)):
            found += [*_dead_paths(snippet.text, world), *_dead_targets(snippet.text, world)]
            found += _dead_commands(snippet.text, world)
        names = re.findall(r"\bCHAMBERLOG_[A-Z_]*[A-Z]\b", snippet.text)
        found += [f"variable {name}" for name in names if name not in world.variables]
        if snippet.language in {"inline", *SQL}:
            found += _dead_metrics(snippet.text, world)
        if snippet.language in SQL:
            tables = re.findall(r"\b(?:FROM|JOIN|INTO|UPDATE|TABLE)\s+(\w+)", snippet.text, re.IGNORECASE)
            found += [f"table {name}" for name in tables if name not in world.tables]
    found += [f"table {name}" for name in _tables_in_prose(markdown) if name not in world.tables]
    return sorted(dict.fromkeys(found))


def _dead_link(document: Path, target: str, world: World) -> list[str]:
    if "://" in target or target.startswith("mailto:"):
        return []
    path = (document.parent / target).resolve()
    return [] if path.exists() and path.is_relative_to(world.root) else [f"link {target}"]


def _dead_paths(text: str, world: World) -> Iterator[str]:
    for token in re.findall(r"[^\s`'\"(),;=|]+", text):
        path = re.sub(r":\d+(:.*)?$", "", token).rstrip(".:")
        first, slash, _ = path.partition("/")
        is_ours = (slash and first in ROOMS) or re.fullmatch(r"[\w.-]+\.(md|toml|yml|lock)|Makefile", path)
        if is_ours and not PLACEHOLDER.search(path) and not (world.root / path).exists():
            yield f"path {path}"


def _dead_targets(text: str, world: World) -> Iterator[str]:
    for words in re.findall(r"(?:^|&& |; |\$ )make ([a-z][\w-]*)", text):
        if words not in world.targets:
            yield f"target {words}"
    arguments = re.search(r"make (up|bench|chaos) ARGS=(?:[\"']([^\"']*)|(\S+))", text)
    if arguments:
        command = {"up": "up", "bench": BENCH, "chaos": CHAOS}[arguments[1]]
        yield from _dead_flags(command, arguments[2] or arguments[3], world)


def _dead_commands(text: str, world: World) -> Iterator[str]:
    if re.fullmatch(r"--[a-z][a-z-]*( .*)?", text):
        flag = text.split(maxsplit=1)[0]
        if not any(flag in flags for flags in world.commands.values()):
            yield f"flag {flag}"
    for name, rest in re.findall(r"(?:^|[\s/(\"'])chamberlog ([a-z][a-z-]*)([^|;&#)]*)", text):
        if name not in world.commands:
            yield f"command {name}"
            continue
        words, arguments = _with_subcommand(name, rest, world)
        yield from [f"command {words}"] if words not in world.commands else _dead_flags(words, arguments, world)


def _with_subcommand(name: str, rest: str, world: World) -> tuple[str, str]:
    """A group's command has two words; what follows in capitals is a placeholder, and nothing or a flag is its list."""
    is_group = any(known.startswith(f"{name} ") for known in world.commands)
    found = re.match(r"\s+([a-z][a-z-]*)(.*)", rest, re.DOTALL) if is_group else None
    return (f"{name} {found[1]}", found[2]) if found else (name, rest)


def _dead_flags(command: str, text: str, world: World) -> Iterator[str]:
    for flag in re.findall(r"(?<![\w-])--[a-z][a-z-]*", text):
        if flag not in world.commands[command]:
            yield f"flag {command} {flag}"


def _dead_metrics(text: str, world: World) -> Iterator[str]:
    exposed = {metric.replace(".", "_") for metric in world.metrics}  # Prometheus adds unit and kind at the end
    for name in re.findall(r"(?<![\w./-])chamberlog[._](?!v1\b)[a-z_.]*[a-z]", text):  # v1: the package of the proto
        if name not in world.metrics and not any(re.fullmatch(f"{known}(_[a-z]+)*", name) for known in exposed):
            yield f"metric {name}"


def _tables_in_prose(markdown: str) -> Iterator[str]:
    for listed in re.findall(r"\b(?:tables?|views?) ((?:`\w+`(?:, | and )?)+)", markdown):
        yield from re.findall(r"`(\w+)`", listed)
    yield from re.findall(r"`(\w+)` (?:table|view)\b", markdown)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_name_in_the_documents_exists(document: Path) -> None:
    assert document.exists(), f"{document.name} is missing"
    assert dead_names(document, document.read_text("utf-8"), our_world()) == []


def test_every_setting_stands_in_the_page_of_settings() -> None:
    page = (ROOT / "docs/settings.md").read_text("utf-8")
    assert {name for name in SETTINGS if f"`{name}`" not in page} == set()


def test_the_world_is_not_empty() -> None:
    world = our_world()
    assert {"up", "test", "check"} <= world.targets
    assert "--plot" in world.commands["readings"]
    assert "--close" in world.commands["sections change"]
    assert "--limit" in world.commands["sections"], "its list's"
    assert "CHAMBERLOG_EGRESS" in world.variables
    assert {"reading", "gap", "reading_value"} <= world.tables
    assert "chamberlog.collections" in world.metrics


@pytest.mark.parametrize(
    ("markdown", "dead"),
    [
        ("see `collector/domain/gone.py`", "path collector/domain/gone.py"),
        ("see `docs/gone.md:12`", "path docs/gone.md"),
        ("see `HISTORY.md`", "path HISTORY.md"),
        ("see [the plan](docs/plan.md)", "link docs/plan.md"),
        ("run `make fly`", "target fly"),
        ('`make up ARGS="--for 60s --fly"`', "flag up --fly"),
        ("```sh\nmake check && make fly\n```", "target fly"),
        ("```sh\n.venv/bin/pytest tests/gone\n```", "path tests/gone"),
        ("run `chamberlog fly`", "command fly"),
        ("run `chamberlog list --fly`", "flag list --fly"),
        ("run `chamberlog sections fly`", "command sections fly"),
        ("run `chamberlog sections --fly`", "flag sections --fly"),
        ("run `chamberlog sections change cold --every 3s`", "flag sections change --every"),
        ("run `chamberlog bench --fly`", "flag bench --fly"),
        ("```bash\nchamberlog add c1 http://h \\\n  --profile p --fly 3\n```", "flag add --fly"),
        ("`make chaos ARGS=--fly`", "flag make chaos --fly"),
        ("with `--fly 60s`", "flag --fly"),
        ("```\nchamberlog list --fly\n```", "flag list --fly"),
        ("```\nX=1 .venv/bin/chamberlog fly\n```", "command fly"),
        ("```\ndocker compose -f docker-compose.gone.yml up\n```", "path docker-compose.gone.yml"),
        ("run `chamberlog simulate --fly`", "flag simulate --fly"),
        ("set `CHAMBERLOG_GONE`", "variable CHAMBERLOG_GONE"),
        ("```\nexport CHAMBERLOG_GONE=1\n```", "variable CHAMBERLOG_GONE"),
        ("the tables `reading` and `gone`", "table gone"),
        ("the `gone` table", "table gone"),
        ("```sql\nSELECT * FROM gone\n```", "table gone"),
        ("the metric `chamberlog.gone`", "metric chamberlog.gone"),
        ("`rate(chamberlog_gone_total[5m])`", "metric chamberlog_gone_total"),
    ],
)
def test_a_dead_name_is_found(markdown: str, dead: str) -> None:
    assert dead_names(ROOT / "README.md", markdown, our_world()) == [dead]


@pytest.mark.parametrize(
    "markdown",
    [
        "`collector/domain/cadence.py:12`, `cli/`, [this](docs/profiles.md#your-own), `docs/adr/NNNN-x.md`",
        "[outside](https://example.org/gone.md), `http://192.168.1.20/docs/current`, `/v1/chambers/{id}/gaps`",
        "`chamberlog sections`, `chamberlog sections --json`, `chamberlog sections pause ID --no-wait`",
        '`make up ARGS="--for 60s --json"`, `make test`, make believe, `chamberlog readings ID DETECTOR --plot`',
        '```sh\neval "$(chamberlog env)"\nchamberlog list --json | jq .items\nchamberlog simulate --devices 3\n```',
        "the tables `reading` and `gap`, `chamberlog.collections`, `chamberlog_collections_total`, `CHAMBERLOG_EGRESS`",
        "```\nprofiles/cold-store.yaml:14: an example of a message\n```",
    ],
)
def test_living_names_are_left_alone(markdown: str) -> None:
    assert dead_names(ROOT / "README.md", markdown, our_world()) == []
