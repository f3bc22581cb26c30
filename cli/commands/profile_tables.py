"""Profiles, and trials of them, for people."""

from collections.abc import Iterable
from typing import Any

from cli.commands.reading_table import measured
from cli.output import print_fields, print_table, say
from cli.tables import Fit
from cli.times import clock_of

Json = dict[str, Any]
WAYS = ("old", "new")
GIST_LIMIT = 80
"""Characters of what a profile reads, in a list of them."""


def print_profiles(document: Json) -> None:
    """A row for each profile, short enough for a terminal; `show` tells the whole."""
    rows = [
        [p["name"], p["origin"], p["version"], p["problem"] or _gist(p["description"]), _first(p["measurements"])]
        for p in document["items"]
    ]
    columns = ["profile", "origin", "version", "what it reads", "measurements"]
    print_table(columns, rows, fit=Fit(spare=("version", "origin"), texts=("what it reads", "measurements")))


def print_profile(profile: Json) -> None:
    """One profile: what it is, its versions, and its text."""
    newest = profile["newest"] or "none: it is not offered any more"
    rows = [("name", profile["name"]), ("version", profile["version"]), ("newest", newest)]
    rows += [("origin", profile["origin"]), ("what it reads", profile["description"] or "-")]
    rows += [("source", profile["source"] or "-"), ("checked", profile["checked"] or "-")]
    rows += [("problem", profile["problem"])] if profile["problem"] else []
    rows += [("measurements", _units(profile))]
    rows += [("kept", _version(version)) for version in profile["versions"]]
    print_fields(rows)
    print()
    print(profile["document"], end="")


def print_trial(document: Json) -> None:
    """What an answer says: by one profile, or by the old and the new one side by side."""
    answer, ways = document["answer"], [way for way in WAYS if document[way]]
    if answer:
        say(f"answer of {answer['chamber']}, {clock_of(answer['received_at'])}, {answer['size']} bytes")
    names = {name: None for way in ways for name in document[way]["measurements"]}
    headings = [f"{way}: {document[way]['profile']} {document[way]['version']}" for way in ways if answer] or ["value"]
    rows = [[name, *(measured(_found(document, way, name)) for way in ways), _unit(document, name)] for name in names]
    if rows:
        print_table(["measurement", *headings, "unit"], rows)
    for way in ways:
        _print_rest(way if len(ways) > 1 else "", document[way])


def _print_rest(way: str, trial: Json) -> None:
    prefix = f"{way} " if way else ""
    rows = [(f"{prefix}gap", f"{gap['reason']}: {gap['detail']}")] if (gap := trial["gap"]) else []
    rows += [(f"{prefix}observed at", clock_of(trial["observed_at"]))] if trial["observed_at"] else []
    rows += [(f"{prefix}remark", remark) for remark in trial["remarks"]]
    if rows:
        print_fields(rows)


def _found(document: Json, way: str, name: str) -> Json | None:
    found: Json | None = document[way]["measurements"].get(name)
    return found


def _unit(document: Json, name: str) -> str:
    units = [found["unit"] for way in WAYS if document[way] and (found := _found(document, way, name))]
    return " -> ".join(dict.fromkeys(units))


def _gist(description: str) -> str:
    """The first sentence, or the beginning of it."""
    sentence = description.partition(". ")[0].removesuffix(".")
    return sentence if len(sentence) <= GIST_LIMIT else sentence[: GIST_LIMIT - 3].rsplit(" ", 1)[0] + "..."


def _first(names: Iterable[str]) -> str:
    first, *others = names
    return f"{first} and {len(others)} more" if others else first


def _units(profile: Json) -> str:
    return ", ".join(f"{name} [{unit}]" for name, unit in profile["measurements"].items())


def _version(version: Json) -> str:
    since = f", since {clock_of(version['created_at'])}" if version["created_at"] else ""
    by = f" by {version['created_by']}" if version["created_by"] else ""
    return f"{version['version']}, {version['origin']}{since}{by}"
