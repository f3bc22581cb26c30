"""`chamberlog import` against a real HTTP server: what is shown, asked, sent, repeated, and told at the end."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.exits import CommandError, Complaint, ExitCode
from cli.fleet.csv_file import read_csv
from cli.fleet.difference import There, compare
from cli.fleet.writing import FleetWriter, Written
from tests.contract.api_documents import CHAMBER, PROFILE, SECTION
from tests.contract.scripted_api import Api, Run, Seen

HEADER = "id,url,profile,interval,section"
CHAMBERS = "/v1/chambers"


class Fleet:
    """The chambers of the scripted API: it keeps what it is sent."""

    def __init__(self, api: Api, *chambers: dict[str, Any]) -> None:
        self.chambers = {chamber["id"]: dict(chamber) for chamber in chambers}
        self.refusals: dict[str, list[tuple[int, Any, dict[str, str]]]] = {}
        self.wait_s = 0.0
        self.api = api
        api.answers["GET", CHAMBERS] = lambda _: self._page([*self.chambers.values()])
        api.answers["POST", CHAMBERS] = self._enrol
        api.answer_pages("/v1/profiles", [[PROFILE]])
        api.answer_pages("/v1/sections", [[{**SECTION, "id": "default"}, SECTION]])
        for chamber in self.chambers:
            self._serve(chamber)

    def refuse(self, chamber: str, status: int, *errors: dict[str, str], times: int = 1) -> None:
        """The next writes of the chamber."""
        problem = {"detail": "it cannot be", "errors": [*errors]}
        self.refusals.setdefault(chamber, []).extend([(status, problem, {})] * times)

    def written(self) -> list[Seen]:
        return [seen for seen in self.api.seen if seen.method != "GET"]

    def _page(self, items: list[Any]) -> tuple[int, Any, dict[str, str]]:
        return 200, {"items": items, "next_cursor": None}, {}

    def _serve(self, chamber: str) -> None:
        self.api.answers["GET", f"{CHAMBERS}/{chamber}"] = lambda _: self._tagged(chamber, 200)
        self.api.answers["PATCH", f"{CHAMBERS}/{chamber}"] = lambda seen: self._change(chamber, seen)

    def _tagged(self, chamber: str, status: int) -> tuple[int, Any, dict[str, str]]:
        document = self.chambers[chamber]
        return status, document, {"ETag": f'"{document["version"]}"'}

    def _enrol(self, seen: Seen) -> tuple[int, Any, dict[str, str]]:
        time.sleep(self.wait_s)
        chamber = seen.body["id"]
        if self.refusals.get(chamber):
            return self.refusals[chamber].pop(0)
        known = chamber in self.chambers
        self.chambers.setdefault(chamber, {**CHAMBER, "section": "default", "labels": {}, **seen.body, "version": 1})
        self._serve(chamber)
        return self._tagged(chamber, 200 if known else 201)

    def _change(self, chamber: str, seen: Seen) -> tuple[int, Any, dict[str, str]]:
        there = self.chambers[chamber]
        if seen.headers["If-Match"] != f'"{there["version"]}"':
            error = {"field": "If-Match", "problem": "it is at another version", "remedy": "read it again"}
            return 412, {"detail": "", "errors": [error]}, {}
        changed = {**there, **seen.body}
        if changed != there:
            self.chambers[chamber] = {**changed, "version": there["version"] + 1}
        if self.refusals.get(chamber):
            return self.refusals[chamber].pop(0)
        return self._tagged(chamber, 200)


@pytest.fixture
def fleet(api: Api) -> Fleet:
    return Fleet(api, {**CHAMBER, "id": "c1", "url": "http://10.0.0.1"}, {**CHAMBER, "id": "c9"})


def write(*rows: str, header: str = HEADER, name: str = "fleet.csv") -> str:
    Path(name).write_text("\n".join([header, *rows]) + "\n")
    return name


def many(count: int) -> str:
    return write(*(f"n{n},http://10.0.1.{n},airgradient,10s,default" for n in range(1, count + 1)))


def test_a_dry_run_shows_everything_and_sends_nothing(fleet: Fleet, run: Run) -> None:
    file = write("c1,http://10.0.0.1,airgradient,2m,cold", "c2,http://10.0.0.2,airgradient,10s,", "c9,,,,", "c9,,,,")
    code, out, err = run("import", file, "--dry-run")
    assert code == 0, err
    assert "interval_s 60 -> 120" in out
    assert "airgradient every 10s, http://10.0.0.2" in out
    assert "1 new, 1 changed, 1 unchanged" in out
    assert "1 in the file twice: lines 5" in out
    code, out, _ = run("import", file, "--dry-run", "--json")
    found = json.loads(out)
    assert (code, found["new"], found["changed"], found["unchanged"], found["twice"]) == (0, 1, 1, 1, 1)
    assert found["changes"][0]["fields"] == {"interval_s": {"from": 60, "to": 120}}
    assert (found["only_on_server"], found["not_tried"], found["seconds"]) == (0, 0, None)
    assert fleet.written() == []


def test_what_is_only_on_the_server_is_counted_and_left_alone(fleet: Fleet, run: Run) -> None:
    assert "2 only on the server, left alone" in run("import", many(1), "--dry-run")[1]


def test_without_a_terminal_it_wants_a_yes(fleet: Fleet, run: Run) -> None:
    code, _, err = run("import", many(2))
    assert code == 4
    assert "error: yes: 2 chambers would be written" in err
    assert fleet.written() == []


def test_it_writes_what_differs_and_again_nothing(fleet: Fleet, run: Run) -> None:
    file = write("c1,http://10.0.0.1,airgradient,2m,cold", "c2,http://10.0.0.2,airgradient,10s,cold")
    code, out, err = run("import", file, "--yes", "--json")
    assert code == 0, err
    assert json.loads(out)["created"] == json.loads(out)["updated"] == 1
    assert "1 enrolled, 1 changed, 0 unchanged" in err
    enrolled, changed = sorted(fleet.written(), key=lambda seen: seen.method, reverse=True)
    assert enrolled.body == {
        "id": "c2",
        "url": "http://10.0.0.2",
        "profile": "airgradient",
        "interval_s": 10,
        "section": "cold",
        "labels": {},
    }
    assert (changed.body, changed.headers["If-Match"]) == ({"interval_s": 120}, '"7"')
    code, _, err = run("import", file)
    assert (code, "nothing to do" in err) == (0, True), err
    assert len(fleet.written()) == 2


def test_every_wrong_cell_is_told_and_nothing_is_sent(fleet: Fleet, run: Run) -> None:
    file = write("c2,ftp://h,airgradient,10,default", "c3,http://h,airgradint,10s,attic", "c1,,,1d1s,")
    code, out, err = run("import", file, "--yes")
    assert (code, out) == (4, "")
    wrong = ("line 2, interval", "line 2, url", "line 3, profile", "line 3, section", "line 4, interval_s")
    for where in wrong:
        assert f"error: {where}: " in err
    assert err.count("remedy: ") == err.count("error: ")
    assert "airgradient" in err
    assert fleet.written() == []


def test_wrong_cells_are_told_without_the_api_too(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = run("import", write("c2,ftp://h,p,10s,"), "--api", "http://127.0.0.1:9", "--api-key", "k")
    assert (code, "line 2, url" in err) == (4, True)
    assert run("import", write("c2,http://h,p,10s,"), "--api", "http://127.0.0.1:9", "--api-key", "k")[0] == 6


def test_complaints_are_bounded(fleet: Fleet, run: Run) -> None:
    code, _, err = run("import", write(*(f"c{n},ftp://h,airgradient,10s," for n in range(80))))
    assert code == 4
    assert err.count("error: line") == 50
    assert "and 30 more" in err


@pytest.mark.parametrize(
    ("name", "content", "flags", "words"),
    [
        ("fleet.xlsx", b"", (), "error: format: the name 'fleet.xlsx' does not tell it"),
        ("fleet.csv", b"id\n", ("--format", "json"), "error: format: 'json' is not one"),
        ("fleet.csv", b"id,name\nc1,\xff\n", (), "error: file: fleet.csv, line 2: it is not UTF-8"),
        ("gone/fleet.csv", None, (), "error: file: gone/fleet.csv: No such file"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    fleet: Fleet, run: Run, *, name: str, content: bytes | None, flags: tuple[str, ...], words: str
) -> None:
    if content is not None:
        Path(name).write_bytes(content)
    code, _, err = run("import", name, *flags)
    assert (code, words in err) == (4, True), err


def test_a_byte_order_mark_is_no_part_of_the_header(fleet: Fleet, run: Run) -> None:
    Path("fleet.csv").write_text("id\nc1\n", encoding="utf-8-sig")
    assert run("import", "fleet.csv")[0] == 0


def test_sections_are_made_when_that_is_wanted(api: Api, fleet: Fleet, run: Run) -> None:
    api.answer("POST", "/v1/sections", 201, {**SECTION, "id": "cellar"})
    file = write("c2,http://h,airgradient,10s,cellar", "c3,http://h,airgradient,10s,cellar")
    code, _, err = run("import", file, "--yes")
    assert (code, "there is no section 'cellar'" in err) == (4, True)
    assert "--create-sections" in err
    assert "sections to make: cellar" in run("import", file, "--dry-run", "--create-sections")[1]
    code, out, err = run("import", file, "--yes", "--create-sections", "--json")
    assert (code, json.loads(out)["sections_created"]) == (0, ["cellar"]), err
    assert [seen.body for seen in fleet.written() if seen.path == "/v1/sections"] == [{"id": "cellar"}]


REFUSED = {"field": "url", "problem": "it is not allowed", "remedy": "use another"}


@pytest.mark.parametrize(
    ("statuses", "code"), [((422,), 4), ((409,), 5), ((500,), 6), ((409, 422), 4), ((500, 409), 5), ((401,), 7)]
)
def test_single_refusals_are_listed_at_the_end(fleet: Fleet, run: Run, statuses: tuple[int, ...], code: int) -> None:
    for number, status in enumerate(statuses, 1):
        fleet.refuse(f"n{number}", status, REFUSED)
    found, out, err = run("import", many(5), "--yes", "--json", "--parallel", "1")
    assert found == code, err
    account = json.loads(out)
    assert [refused["id"] for refused in account["refused"]] == [f"n{n}" for n, _ in enumerate(statuses, 1)]
    assert "error: line 2 (n1), url: it is not allowed\nremedy: use another" in err
    expected = (0, 4) if 401 in statuses else (5 - len(statuses), 0)
    assert (account["created"], account["not_tried"]) == expected


def test_what_is_away_for_a_moment_is_asked_again(fleet: Fleet, run: Run) -> None:
    fleet.refuse("n2", 503, times=2)
    code, out, err = run("import", many(3), "--yes", "--json")
    assert (code, json.loads(out)["created"]) == (0, 3), err


def test_a_change_whose_answer_was_lost_is_told_to_the_chamber_again(fleet: Fleet, run: Run) -> None:
    fleet.refuse("c1", 503)  # after it was written: the version is another one
    code, out, err = run("import", write("c1,,,2m,"), "--yes", "--json")
    assert (code, json.loads(out)["updated"]) == (0, 1), err
    tags = [seen.headers["If-Match"] for seen in fleet.written()]
    assert tags == ['"7"', '"7"', '"8"']


def test_a_change_beside_is_a_conflict(api: Api, fleet: Fleet, run: Run) -> None:
    def changed_meanwhile(_: Seen) -> tuple[int, Any, dict[str, str]]:
        listed = dict(fleet.chambers["c1"])
        fleet.chambers["c1"] |= {"version": 8, "interval_s": 30}
        return 200, {"items": [listed], "next_cursor": None}, {}

    api.answers["GET", CHAMBERS] = changed_meanwhile
    code, _, err = run("import", write("c1,,,2m,"), "--yes")
    assert (code, "another version" in err) == (5, True), err
    assert fleet.chambers["c1"]["interval_s"] == 30


def test_an_api_that_stays_away_ends_the_import(api: Api, fleet: Fleet) -> None:
    file = read_csv("\n".join([HEADER, *(f"n{n},http://h,airgradient,10s,default" for n in range(20))]))
    difference = compare(file, There({}, ["airgradient"], {"default": True}), create_sections=False)
    sent = []

    class Gone:
        def resting(self, _: Any) -> "Gone":
            return self

        def send(self, *_: Any, **__: Any) -> Any:
            sent.append(time.monotonic())
            raise CommandError(ExitCode.AWAY, Complaint("api", "no answer"), passes=True)

    writer = FleetWriter(Gone(), difference.steps, 2, patience_s=0.2)  # type: ignore[arg-type]  # as far as it is used
    written: list[Written] = list(writer.results())
    assert len(written) < 20, "the rest is not tried"
    assert all(w.error is not None or not w.begun for w in written)
    assert len(sent) < 8


def interrupt_when(condition: Callable[[], bool]) -> threading.Thread:
    """Ctrl-C from another thread, as the terminal sends it."""

    def wait() -> None:
        while not condition():
            time.sleep(0.005)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_ctrl_c_awaits_what_is_on_its_way_and_says_what_was_done(fleet: Fleet, run: Run) -> None:
    fleet.wait_s = 0.05
    thread = interrupt_when(lambda: len(fleet.written()) >= 6)
    code, out, err = run("import", many(60), "--yes", "--json", "--parallel", "2")
    thread.join()
    assert code == 130, err
    account = json.loads(out)
    assert account["interrupted"] is True
    assert account["created"] == len(fleet.chambers) - 2, "everything that was sent is accounted for"
    assert account["created"] + account["not_tried"] == 60
    assert f"interrupted: {account['created']} enrolled" in err
    assert "import the same file again to go on" in err
    code, out, _ = run("import", "fleet.csv", "--yes", "--json")
    assert (code, json.loads(out)["created"]) == (0, account["not_tried"])
