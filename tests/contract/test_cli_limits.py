"""The command line past a limit: it waits as long as the API says, and goes on."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.client import LIMITED_S
from tests.contract.api_documents import CHAMBER, PROFILE, SECTION
from tests.contract.scripted_api import Api, Run, Seen

PAGE = {"items": [CHAMBER], "next_cursor": None}
TOO_MANY = {"title": "Too Many Requests", "status": 429, "detail": "more than 2 requests", "errors": []}


def _limited(times: int, then: Any, wait: str = "1") -> Any:
    """Answers so often that it is too often."""
    answers: Iterator[tuple[int, Any, dict[str, str]]] = iter([(429, TOO_MANY, {"Retry-After": wait})] * times)
    return lambda _seen: next(answers, (200, then, {}))


def test_a_command_waits_and_goes_on(api: Api, run: Run) -> None:
    api.answers["GET", "/v1/chambers"] = _limited(2, PAGE)
    begun_s = time.monotonic()
    code, out, err = run("list", "--json")
    assert (code, json.loads(out)["items"], len(api.seen)) == (0, [CHAMBER], 3), err
    assert time.monotonic() - begun_s >= 2
    assert err.count("asked too often: the API takes more in 1 s") == 2


@pytest.mark.parametrize("wait", [f"{LIMITED_S + 1:.0f}", "", "later", "\u0661", "1.5", "-1"])
def test_a_wait_that_is_too_long_or_none_is_a_refusal(api: Api, run: Run, wait: str) -> None:
    if not wait.isascii():
        wait = wait.encode().decode("latin-1")
    api.answers["GET", "/v1/chambers"] = _limited(9, PAGE, wait)
    code, _, err = run("list")
    assert (code, len(api.seen)) == (6, 1)
    assert "error: api: more than 2 requests" in err


def test_what_is_sent_is_sent_again_as_it_was(api: Api, run: Run) -> None:
    bodies: list[Any] = []
    limited = _limited(1, CHAMBER)

    def pausing(seen: Seen) -> Any:
        bodies.append(seen.body)
        return limited(seen)

    api.answers["POST", f"/v1/chambers/{CHAMBER['id']}/pause"] = pausing
    code, _, err = run("pause", CHAMBER["id"], "--reason", "door")
    assert code == 0, err
    assert len(bodies) == 2
    assert bodies[0] == bodies[1] == {"reason": "door"} | {k: v for k, v in bodies[0].items() if k != "reason"}


def test_an_import_waits_too(api: Api, run: Run, tmp_path: Path) -> None:
    limited = _limited(2, CHAMBER)

    def enrolling(seen: Seen) -> Any:
        status, document, headers = limited(seen)
        return 201 if status == 200 else status, document, headers

    api.answers["GET", "/v1/chambers"] = lambda _: (200, {"items": [], "next_cursor": None}, {})
    api.answers["POST", "/v1/chambers"] = enrolling
    api.answer_pages("/v1/profiles", [[{**PROFILE, "name": "airgradient"}]])
    api.answer_pages("/v1/sections", [[{**SECTION, "id": "default"}]])
    file = tmp_path / "fleet.csv"
    file.write_text("id,url,profile,interval_s\nincubator-3,http://192.168.1.20,airgradient,60\n")
    code, _, err = run("import", str(file), "--yes")
    assert code == 0, err
    assert [seen.method for seen in api.seen].count("POST") == 3
