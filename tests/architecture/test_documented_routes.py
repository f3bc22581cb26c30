"""Every route of the API occurs in an example of its page that a test runs (tests/e2e/test_documented_examples.py)."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI

from tests.e2e.shell_fences import ROOT, commands
from tests.unit.api_world import World

CALLERS = {"api", "ada", "curl"}
"""`api` and `ada` are functions of the page that call curl with a credential."""
ADDRESS = "$CHAMBERLOG_API"
Call = tuple[str, str]


def calls(markdown: str) -> Iterator[Call]:
    """Method and path of each request that the page makes."""
    for words in commands(markdown):
        target = next((word for word in words if word.startswith(ADDRESS)), None)
        if words[0] in CALLERS and target is not None:
            yield _method(words), urlsplit(target.removeprefix(ADDRESS)).path


def _method(words: list[str]) -> str:
    if "-X" in words:
        return words[words.index("-X") + 1]
    return "POST" if "-d" in words else "GET"


def routes(app: FastAPI) -> set[Call]:
    """All that the API documents of itself."""
    return {(method.upper(), path) for path, methods in app.openapi()["paths"].items() for method in methods}


def unshown(wanted: Iterable[Call], made: Iterable[Call]) -> set[Call]:
    """Routes that no request of the page goes to."""
    made = list(made)
    return {(method, path) for method, path in wanted if not any(m == method and _fits(path, p) for m, p in made)}


def _fits(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) is not None


def test_every_route_is_shown_by_an_example_that_is_run() -> None:
    page = (ROOT / "docs/api.md").read_text("utf-8")
    assert unshown(routes(World().app), calls(page)) == set()


@pytest.mark.parametrize(
    ("page", "missing"),
    [
        ('```sh\napi "$CHAMBERLOG_API/v1/a/x?limit=3"\n```', {("PATCH", "/v1/a/{id}")}),
        ("```sh\napi -X PATCH -d '{}' \\\n  \"$CHAMBERLOG_API/v1/a/x\"\n```", {("GET", "/v1/a/{id}")}),
        ('```\napi "$CHAMBERLOG_API/v1/a/x"\n```', {("GET", "/v1/a/{id}"), ("PATCH", "/v1/a/{id}")}),
        ('```sh\n# api "$CHAMBERLOG_API/v1/a/x"\necho\n```', {("GET", "/v1/a/{id}"), ("PATCH", "/v1/a/{id}")}),
        ('```sh\napi "$CHAMBERLOG_API/v1/a/x/y"\n```', {("GET", "/v1/a/{id}"), ("PATCH", "/v1/a/{id}")}),
    ],
)
def test_a_route_that_is_only_spoken_of_is_found(page: str, missing: set[Call]) -> None:
    assert unshown({("GET", "/v1/a/{id}"), ("PATCH", "/v1/a/{id}")}, calls(page)) == missing
