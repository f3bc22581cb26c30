"""Which addresses devices may have: what would become of a URL."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.exits import CommandError, Complaint, ExitCode
from cli.output import print_fields, print_json, print_table
from cli.session import HomeFlag, JsonFlag
from cli.tables import Fit
from cli.target import STACK_FILE, home_directory, read_stack
from collector.domain.errors import InvalidFieldError

if TYPE_CHECKING:
    from collector.domain.egress_verdict import EgressCheck

group = typer.Typer(help="Which addresses devices may have (CHAMBERLOG_EGRESS), and what would become of a URL.")
EGRESS, PROXY = "CHAMBERLOG_EGRESS", "CHAMBERLOG_EGRESS_PROXY"


@dataclass(frozen=True, slots=True)
class Judge:
    """By what a URL is judged.

    Attributes:
        policies: as in CHAMBERLOG_EGRESS; None = no rules.
        proxy: as in CHAMBERLOG_EGRESS_PROXY; None = there is none.
        origin: where the policies were found; None = nowhere.
    """

    policies: str | None
    proxy: str | None
    origin: str | None


@group.callback()
def root() -> None:
    """Keep `check` a command of its own, also while it is the only one."""


@group.command("check")
def check(
    url: Annotated[str, typer.Argument(metavar="URL", help="A chamber's URL.")],
    *,
    section: Annotated[
        str, typer.Option("--section", metavar="ORGANIZATION/SECTION", help="Which section asks.")
    ] = "default/default",
    policies: Annotated[
        str | None,
        typer.Option("--egress", help=f"JSON or the path of a JSON file ({EGRESS}), as the workers have it."),
    ] = None,
    proxy: Annotated[str | None, typer.Option("--proxy", help=f"http://host:port ({PROXY}).")] = None,
    home: HomeFlag = None,
    as_json: JsonFlag = False,
) -> None:
    """Say what a URL resolves to here, and whether a worker with these settings would call it. Needs no API.

    Flags and environment say by which settings; where both say nothing, those of the running local stack.
    Where there is an egress proxy it is asked, too: it connects to the device, and nothing is sent. Exit 1: blocked.
    """
    from cli.bootstrap import check_egress  # noqa: PLC0415 - other commands need no HTTP client

    _check_section(section)
    judge = find_judge(policies, proxy, home)
    found = check_egress(url, section, judge.policies, judge.proxy)
    document = _document(found, section, judge.proxy) | {"policy": judge.origin}
    if as_json:
        print_json(document)
    else:
        _print_check(document)
    _end(found)


def find_judge(policies: str | None, proxy: str | None, home: Path | None) -> Judge:
    """Flags, else the environment; where neither names policies or a proxy, both as the running local stack has them.

    Both, because a verdict by one deployment's rules and another one's proxy would be neither's.

    Raises:
        CommandError: REFUSED, when `stack.json` cannot be read.
    """
    text, way = policies or os.environ.get(EGRESS), proxy or os.environ.get(PROXY)
    if text or way:
        return Judge(text, way, "--egress" if policies else EGRESS if text else None)
    directory = home_directory(home)
    stack = read_stack(directory)
    text = stack.get("egress")
    return Judge(text, stack.get("egress_proxy"), str(directory / STACK_FILE) if text else None)


def _check_section(section: str) -> None:
    if section.count("/") != 1 or not all(section.split("/")):
        raise InvalidFieldError("section", f"{section[:80]!r} is not a section", "write organization/section")


def _document(found: "EgressCheck", section: str, proxy: str | None) -> dict[str, Any]:
    asked = None if found.proxy is None else {"verdict": found.proxy.verdict, "detail": found.proxy.detail}
    return {
        "host": found.host,
        "port": found.port,
        "section": section,
        "addresses": [
            {"address": one.address, "allowed": one.allowed, "rule": one.rule, "why": one.why} for one in found.verdicts
        ],
        "problem": found.problem,
        "allowed": found.allowed,
        "proxied": bool(proxy),
        "proxy": asked,
    }


def _print_check(document: dict[str, Any]) -> None:
    if document["addresses"]:
        rows = [
            [one["address"], "allowed" if one["allowed"] else "blocked", one["rule"] or "-", one["why"]]
            for one in document["addresses"]
        ]
        print_table(["address", "verdict", "rule", "why"], rows, fit=Fit(texts=("why",)))
    asked, straight = (
        document["proxy"],
        "not asked: no worker would come so far" if document["proxied"] else "there is none",
    )
    verdict = document["problem"] or ("allowed" if document["allowed"] else "blocked")
    print_fields(
        [
            ("judged by", document["policy"] or f"no rules: {EGRESS} is not set here; a worker may have it"),
            ("asked for", f"{document['host']} port {document['port']}, by section {document['section']}"),
            ("worker", verdict),
            ("proxy", straight if asked is None else f"{asked['verdict']}: {asked['detail']}"),
        ]
    )


def _end(found: "EgressCheck") -> None:
    if found.problem is not None:
        remedy = "ask on the machine of a worker; names are resolved there, with the proxy too"
        raise CommandError(ExitCode.AWAY, Complaint("url", found.problem, remedy))
    if found.proxy is not None and found.proxy.verdict == "away":
        remedy = "start it, or correct CHAMBERLOG_EGRESS_PROXY; meanwhile every slot is a gap of reason missed"
        raise CommandError(ExitCode.AWAY, Complaint("proxy", found.proxy.detail, remedy))
    if not found.allowed or (found.proxy is not None and found.proxy.verdict == "blocked"):
        raise typer.Exit(ExitCode.IS_GAP)
