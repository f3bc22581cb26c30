"""What commands print by --json is pinned: by the schemas of cli/schemas, which have the API's names."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from pydantic import BaseModel
from typer.core import TyperGroup
from typer.main import get_command

from adapters.memory import InMemoryOutcomes
from api import (
    entity_schemas,
    event_schemas,
    fleet_schemas,
    key_schemas,
    ledger_schemas,
    live_texts,
    people_schemas,
    profile_schemas,
    schemas,
    section_schemas,
)
from cli.app import app
from cli.event_stream import events_of
from collector.domain.outcome import Gap, GapReason, Outcome
from collector.ports import Dropped, Interrupted, Resumed, SaveBatch
from collector.usecases.watching import Closed
from stack.account import Account
from tests.unit.api_world import KEYS, NOON_MS, World, a_reading
from tests.unit.json_schemas import SCHEMAS, check
from tests.unit.served_api import Run

MODELS: Mapping[str, type[BaseModel]] = {
    name: model
    for module in (
        schemas,
        key_schemas,
        ledger_schemas,
        entity_schemas,
        event_schemas,
        fleet_schemas,
        section_schemas,
        people_schemas,
        profile_schemas,
        live_texts,
    )
    for name, model in vars(module).items()
    if name.endswith("Out") and isinstance(model, type)
}
FIRST_MS = NOON_MS + 34_480
"""First slot of incubator-3."""


def commands_with_json() -> Iterator[str]:
    """Every command that prints JSON, by its words."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    for name, command in group.commands.items():
        for words, leaf in (
            ((f"{name} {sub}", leaf) for sub, leaf in command.commands.items())
            if isinstance(command, TyperGroup)
            else [(name, command)]
        ):
            if any("--json" in parameter.opts for parameter in leaf.params):
                yield words


def objects(schema: Any) -> Iterator[Mapping[str, Any]]:
    """Every object that a schema describes by a title."""
    if isinstance(schema, dict):
        if "title" in schema:
            yield schema
        for part in schema.values():
            yield from objects(part)


def test_every_command_that_prints_json_has_a_schema() -> None:
    pinned = {words for schema in SCHEMAS.values() for words in schema["x-commands"]}
    plain = {words.removesuffix(" NAME").removesuffix(" --points") for words in pinned}
    assert plain == set(commands_with_json())


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_a_schema_is_one_and_allows_nothing_else(name: str) -> None:
    schema = SCHEMAS[name]
    jsonschema_rs.meta.validate(schema)
    assert schema["$id"] == f"urn:chamberlog:cli:{name}"
    for part in objects(schema):
        if "properties" in part:
            assert part["additionalProperties"] is False
            assert part["required"] == [*part["properties"]]


def test_names_are_those_of_the_api_s_models() -> None:
    found = [part for schema in SCHEMAS.values() for part in objects(schema)]
    assert {part["title"] for part in found} >= {"ChamberOut", "AuditOut", "BegunOut", "BatchOut", "ReadingOut"}
    for part in found:
        model = MODELS[part["title"]].model_json_schema(mode="serialization")
        assert set(part["properties"]) == set(model["properties"]), part["title"]


def test_a_line_of_live_is_an_event_with_its_kind() -> None:
    kinds = {option["properties"]["event"]["const"]: set(option["properties"]) for option in SCHEMAS["event"]["oneOf"]}
    assert kinds["reading"] == {"event", *live_texts.LiveReadingOut.model_fields}
    assert kinds["gap"] == {"event", *live_texts.LiveGapEventOut.model_fields}
    assert set(kinds) == {"reading", "gap", "dropped", "interrupted", "resumed", "closed"}
    sent = [live_texts.text_of(item) for item in (Dropped(3), Interrupted(), Resumed(), Closed("revoked"))]
    for event in events_of(line for text in sent for line in text.splitlines()):
        check("live", {"event": event.kind, **event.data})


def test_the_account_of_a_run_is_pinned_too() -> None:
    for late in (None, {"p50": 1.0, "p99": 4.5}):
        check("up", Account(12, 100, 99, {"timeout": 1}, 0, 0, late).document())


def keep(world: World) -> None:
    """Two readings with a gap between, and an open pause behind."""
    spec = world.ledger.chambers["incubator-3"].spec
    gap = Gap(FIRST_MS + 60_000, FIRST_MS + 60_000, GapReason.TIMEOUT, "no whole answer")
    outcomes: list[Outcome] = [a_reading(spec, FIRST_MS), gap, a_reading(spec, FIRST_MS + 120_000)]
    asyncio.run(InMemoryOutcomes(world.ledger).save(SaveBatch("incubator-3", outcomes, FIRST_MS + 180_000)))
    world.clock.wall_ms = FIRST_MS + 150_000


ADD = "add incubator-3 http://192.168.1.20 --profile airgradient --every 1m --label room=2.14"
LIVES: tuple[tuple[str, str], ...] = (
    (ADD, "add"),
    ("show incubator-3", "show"),
    ("list", "list"),
    ("top --once --status collecting", "top"),
    ("profiles", "profiles list"),
    ("profiles put attic.yaml", "profiles put"),
    ("profiles show airgradient", "profiles show"),
    ("profiles check attic.yaml", "profiles check"),
    ("profiles test attic.yaml answer.json", "profiles test"),
    ("profiles remove attic", "profiles remove"),
    ("collect incubator-3", "collect"),
    ("sections add cold --name Cold", "sections add"),
    ("sections", "sections list"),
    ("sections show cold", "sections show"),
    ("sections change cold --close", "sections change"),
    ("batches start B1 --section default --at 2026-03-01T12:00:00Z", "batches start"),
    ("batches", "batches list"),
    ("batches show B1", "batches show"),
    ("batches change B1 --name x", "batches change"),
    ("batches readings B1", "batches readings"),
    ("batches chambers B1", "batches chambers"),
    ("readings incubator-3 --from 2026-03-01 --to 2026-03-02", "readings"),
    ("readings incubator-3 temperature --points 3 --from 2026-03-01 --to 2026-03-02", "readings --points"),
    ("gaps incubator-3 --from 2026-03-01 --to 2026-03-02", "gaps"),
    ("audit --from 2026-03-01 --to 2026-03-02", "audit"),
    ("audit incubator-3", "audit"),
    ("detectors incubator-3", "detectors"),
    ("detectors incubator-3 temperature --alias T1", "detectors NAME"),
    ("change incubator-3 --name Box", "change"),
    ("set-interval incubator-3 30s", "set-interval"),
    ("pause incubator-3 --reason door", "pause"),
    ("resume incubator-3", "resume"),
    ("sections pause default --reason test", "sections pause"),
    ("sections resume default --no-wait", "sections resume"),
    ("import fleet.csv --yes", "import"),
    ("import fleet.csv --dry-run", "import"),
    ("export day.jsonl --from 2026-03-01 --to 2026-03-02", "export"),
    ("export batch.jsonl --batch B1", "export"),
    ("batches end B1 --at 2026-03-01T15:00:00Z", "batches end"),
    ("organizations", "organizations list"),
    ("organizations show default", "organizations show"),
    ("organizations change default --region eu", "organizations change"),
    ("keys create --name wallboard --role viewer --scope readings --expires 9000d", "keys create"),
    ("keys", "keys list"),
    ("keys revoke 00000000000e", "keys revoke"),
    ("users add ada@example.org --role operator", "users add"),
    ("users", "users list"),
    ("users change ada@example.org --first-name Ada", "users change"),
    ("users reset-password ada@example.org", "users reset-password"),
    ("users sign-out ada@example.org", "users sign-out"),
    ("users invite eve@example.org", "users invite"),
    ("users invitations", "users invitations"),
    ("users uninvite eve@example.org", "users uninvite"),
    ("retire incubator-3", "retire"),
    ("egress check http://192.168.1.20", "egress check"),
    ("events --chamber incubator-3 --from 2026-03-01", "events"),
)
ELSEWHERE = {"organizations add", "users create-admin", "migrate", "live", "up"}
"""Held against their schemas by tests with another key, a database, a stream of events, or above."""


@pytest.mark.enable_socket
def test_what_the_commands_print_is_what_is_pinned(world: World, run: Run) -> None:
    Path("fleet.csv").write_text("id,url,profile,interval\nc1,http://10.0.0.1,airgradient,10s\nincubator-3,,,2m\n")
    Path("attic.yaml").write_text("name: attic\nmeasurements: [{name: temperature, select: t, unit: Cel}]\n")
    Path("answer.json").write_text('{"t": 21.5}')
    for line, words in LIVES:
        code, out, err = run(*line.split(), "--json")
        assert code in (0, 2), (line, err)
        check(words, json.loads(out))
        if line == ADD:
            keep(world)
    shown = {words for _, words in LIVES} | ELSEWHERE
    assert shown >= {words for schema in SCHEMAS.values() for words in schema["x-commands"]}
    assert [json.loads(row)["kind"] for row in Path("day.jsonl").read_text().splitlines()] == [
        "reading",
        "gap",
        "reading",
    ]


@pytest.mark.enable_socket
def test_an_organization_that_is_made_is_printed_as_pinned(world: World, run: Run) -> None:
    code, out, err = run("organizations", "add", "biologics", "--name", "B", "--json", "--api-key", KEYS["deployment"])
    assert code == 0, err
    check("organizations add", json.loads(out))


@pytest.mark.parametrize(
    ("words", "change"),
    [
        ("show", {"colour": "red"}),
        ("show", {"interval_s": "60"}),
        ("list", {"total": 3}),
    ],
)
def test_another_shape_is_found(words: str, change: dict[str, Any]) -> None:
    chamber: dict[str, Any] = {
        **dict.fromkeys(("id", "name", "organization", "section", "url", "profile", "status"), "x"),
        "interval_s": 60,
        "timeout_s": 10,
        "round_span_s": None,
        "aligned": False,
        "labels": {},
        "secret_ref": None,
        "verify_tls": True,
        "timezone": None,
        "serial_number": None,
        "profile_version": None,
        "version": 1,
        "next_slot": None,
        "last_reading": None,
        "paused": None,
    }
    document = chamber if words == "show" else {"items": [chamber], "next_cursor": None}
    check(words, document)
    with pytest.raises(jsonschema_rs.ValidationError):
        check(words, document | change)
