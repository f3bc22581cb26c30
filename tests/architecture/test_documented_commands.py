"""Every command occurs in an example of its page that a test runs (tests/e2e/test_documented_examples.py)."""

import re
from collections.abc import Iterable, Iterator, Mapping

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from cli.app import app
from cli.group import DEFAULT
from tests.e2e.shell_fences import ROOT, commands

PROGRAM = "chamberlog"
SHOWN_ELSEWHERE: Mapping[str, str] = {
    "up": "it runs already while the page is run; tests/e2e/test_stack_lifecycle.py runs it as the README shows it",
}
"""Commands that no example runs, each with its reason."""


def all_commands() -> Iterator[str]:
    """Every command by its words."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from (f"{name} {sub}" for sub in command.commands)
        else:
            yield name


def shown(markdown: str) -> Iterator[str]:
    """Words of each command that the page runs, substituted ones too; a bare group is its list."""
    groups = {words.split()[0] for words in all_commands() if " " in words}
    for words in commands(markdown):
        substituted = [inner.split() for word in words for inner in re.findall(r"\$\(([^)]*)\)", word)]
        for line in (words, *substituted):
            name, sub = (*line, "", "", "")[1:3] if line[0] == PROGRAM else ("", "")
            is_bare = name in groups and (not sub or sub.startswith("-"))
            yield from (name, f"{name} {DEFAULT if is_bare else sub}")


def unshown(wanted: Iterable[str], markdown: str) -> set[str]:
    """Commands that the page does not run."""
    return set(wanted) - set(shown(markdown))


def test_every_command_is_shown_by_an_example_that_is_run() -> None:
    page = (ROOT / "docs/cli.md").read_text("utf-8")
    assert unshown(all_commands(), page) == set(SHOWN_ELSEWHERE)


@pytest.mark.parametrize(
    ("page", "missing"),
    [
        ("```sh\nchamberlog list\n```", {"sections pause"}),
        ("```sh\nchamberlog sections pause cold\n```", {"list"}),
        ('```sh\nchamberlog sections\neval "$(chamberlog list)"\n```', {"sections pause"}),
        ("```sh\nchamberlog sections --json\n```", {"list", "sections pause"}),
        ("```\nchamberlog list\n```", {"list", "sections pause"}),
        ("```sh\n# chamberlog list\necho\n```", {"list", "sections pause"}),
        ("`chamberlog list`", {"list", "sections pause"}),
    ],
)
def test_a_command_that_is_only_spoken_of_is_found(page: str, missing: set[str]) -> None:
    assert unshown({"list", "sections pause"}, page) == missing


def test_a_bare_group_is_its_list() -> None:
    assert unshown({"sections list"}, "```sh\nchamberlog sections --json\n```") == set()
    assert unshown({"sections list"}, "```sh\nchamberlog sections show x\n```") == {"sections list"}
