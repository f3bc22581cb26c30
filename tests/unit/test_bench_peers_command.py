"""The command line of `python -m bench.peers`."""

from pathlib import Path

import pytest

from bench.peers.__main__ import parse
from bench.workloads import Workload


def test_a_peer_is_measured_on_the_fleet_that_is_asked_for() -> None:
    order = parse(["--peer", "naive", "--chambers", "7", "--interval", "2", "--seconds", "9", "--home", "h"])
    assert order.workload == Workload("peer", 7, 2, 9)
    assert (order.system, order.kill, order.folder) == ("naive", False, Path("h/peer-naive"))


def test_a_kill_has_its_own_folder_and_can_be_chamberlogs() -> None:
    order = parse(["--peer", "chamberlog", "--kill"])
    assert (order.workload.chambers, order.workload.interval_s) == (100, 5)
    assert order.kill
    assert order.folder.name == "kill-chamberlog"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--peer"),
        (["--peer", "bull"], "invalid choice: 'bull'"),
        (["--peer", "bullmq", "--chambers", "0"], "'0' is not a whole number above 0"),
        (["--peer", "bullmq", "--interval", "1.5"], "'1.5' is not a whole number above 0"),
        (["--peer", "bullmq", "--seconds", "-1"], "'-1' is not a whole number above 0"),
        (["--peer", "chamberlog"], "goes with --kill"),
    ],
)
def test_a_wrong_argument_is_named(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        parse(arguments)
    assert stop.value.code == 2
    assert words in capsys.readouterr().err
