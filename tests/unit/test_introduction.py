"""What a chamber says it is: within Temporal's limits, without secrets, with commands and links that are its own."""

import re
from dataclasses import replace
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.messages import ChamberState
from tests.unit.test_chamber_spec import GOOD
from workflows.introduction import SUMMARY_BYTES, address_of, facts_of, listed, orders_for, start_of, summary_of
from workflows.presentation import page

DETAILS_BYTES = 20_000
NOON_MS = 1_772_366_400_000


@given(st.text(max_size=200))
@settings(deadline=None)
def test_a_summary_fits_whatever_the_name(name: str) -> None:
    clean = "".join(c for c in name if not "\ud800" <= c <= "\udfff")
    summary = summary_of(replace(GOOD, name=clean, section="s" * 63, profile="p" * 63))
    assert len(summary.encode()) <= SUMMARY_BYTES
    assert (clean or GOOD.id).encode()[:SUMMARY_BYTES].decode(errors="ignore") in summary


def test_a_start_says_what_it_was_started_with() -> None:
    spec = replace(GOOD, name="Incubator *3*", version=4, profile_version="6c436757b2b8")
    assert start_of(spec).split("\n") == [
        "Started with version 4 of its settings:",
        "",
        r"- name: Incubator \*3\*",
        "- section default of organization default",
        "- device: http://192.168.1.20/measures/current",
        "- profile airgradient, version 6c436757b2b8",
        "- a slot every 60 s, at most 10 s for an attempt",
        "",
        "This stays as it was. What the chamber does now, and what to do with it, are the current details.",
    ]
    assert len(start_of(spec).encode()) < DETAILS_BYTES


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://10.0.0.5/cm?user=admin&password=hunter2", "http://10.0.0.5/cm?..."),
        ("https://me:hunter2@lab.example.org:8443/a", "https://lab.example.org:8443/a"),
        ("http://[fd00::5]:80/x#hunter2", "http://[fd00::5]:80/x"),
        ("http://[broken?hunter2", "unreadable"),
    ],
)
def test_a_url_is_shown_without_what_may_be_a_secret(url: str, shown: str) -> None:
    assert address_of(url) == shown
    text = "\n".join([*facts_of(replace(GOOD, url=url)), start_of(replace(GOOD, url=url))])
    assert "hunter2" not in text


def test_the_page_is_complete_in_every_run() -> None:
    shown = page(ChamberState(GOOD, NOON_MS, run_number=7), 0, "default")
    assert shown.startswith("**starting** every 60 s")
    for words in (
        "**Settings**",
        "chamberlog show incubator-3",
        "-w chamber/incubator-3 --name pause",
        "[all failing](",
    ):
        assert words in shown
    assert (
        len(shown.encode()) < 4_000
    )  # it travels in an address of the Web UI, percent-encoded; the gateway takes 32 KiB


def test_links_lead_to_lists_of_what_runs() -> None:
    spec = replace(GOOD, organization="acme", section="cold-store")
    links = dict(re.findall(r"\[([^\]]+)\]\(([^)]+)\)", orders_for(spec, "lab.a1b2c")[-1]))
    assert list(links) == ["section cold-store", "all failing", "all paused", "the API"]
    where = urlsplit(links["section cold-store"])
    assert where.path == "/temporal/namespaces/lab.a1b2c/workflows"
    query = 'ChamberOrganization="acme" AND ChamberSection="cold-store" AND ExecutionStatus="Running"'
    assert parse_qs(where.query) == {"query": [query]}
    assert unquote(listed("a b", "X=1")).endswith('/a b/workflows?query=X=1 AND ExecutionStatus="Running"')
