"""Whoever may put a profile writes expressions, and they run in the event loop that reads everybody's chambers."""

import contextlib
import json
import time
import tracemalloc

import pytest

from collector.domain.errors import MalformedAnswerError
from collector.domain.outcome import Quality
from collector.mapping.answer import map_answer
from collector.mapping.loading import load_profile
from collector.mapping.select import check_expression, select
from collector.mapping.steps import one_answer
from collector.mapping.tree import Unended

LONG = [1.5] * 19_000
SHORT = {"a": [1, 2, '"\\x']}
GROWING = {
    "lists": "[" + ",".join("@" * 100) + "][]",
    "texts": "[@]|to_string(@)|" + "|".join(["join(@,['a','b'])"] * 6),
    "glue": "join(to_string([@]), " + "['" + "','".join("x" * 100) + "'])",
    "escapes": "|".join(["[@]|to_string(@)"] * 40),
    "calls": "|".join(["map(&to_string(@),[@][])"] * 35),
    "projected": "|".join(["[*].[@]|[]"] * 80),
    "filtered": "[" + ",".join(["@[?@==`1`]"] * 90) + "]",
}


def cost(expression: str, tree: object) -> float:
    """Seconds of CPU of one answer."""
    assert len(check_expression(expression)) <= 1_000, "a profile may have it"
    began = time.process_time()
    with contextlib.suppress(MalformedAnswerError), one_answer():
        select(expression, tree)
    return time.process_time() - began


@pytest.mark.parametrize("name", GROWING)
def test_no_expression_takes_long(name: str) -> None:
    assert cost(GROWING[name], LONG) < 6, "a second on a slow machine; without an end, a minute"
    assert cost(GROWING[name], SHORT) < 6


@pytest.mark.parametrize("name", ["lists", "texts", "glue", "escapes"])
@pytest.mark.parametrize("tree", [pytest.param(LONG, id="long"), pytest.param(SHORT, id="short")])
def test_no_expression_fills_the_memory(name: str, tree: object) -> None:
    tracemalloc.start()
    cost(GROWING[name], tree)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16_000_000, "without an end, gigabytes"


def test_a_text_is_not_escaped_again_and_again() -> None:
    with pytest.raises(MalformedAnswerError, match="a text of more than 65,536 characters"):
        select(GROWING["escapes"], SHORT)


def test_all_expressions_of_an_answer_share_its_steps_and_the_next_answer_has_its_own() -> None:
    rules = "".join(f"\n  - {{name: m{at}, unit: C, select: 'rows[?id == `{at}`].t | [0]'}}" for at in range(200))
    profile = load_profile(f"name: x\nmeasurements:{rules}", "x.yaml")
    rows = json.dumps({"rows": [{"id": at, "t": 20.5} for at in range(4_000)]}).encode()
    for _ in range(2):
        found = map_answer(profile, rows)
        assert found.measurements[0].value == 20.5
        assert found.measurements[-1].quality is Quality.BAD
        assert "steps for one answer" in found.remarks[-1]
    few = json.dumps({"rows": [{"id": at, "t": 20.5} for at in range(200)]}).encode()
    assert all(measurement.value == 20.5 for measurement in map_answer(profile, few).measurements)


@pytest.mark.parametrize(
    ("expression", "tree", "wanted"),
    [
        ("a[]", {"a": [[1, [2]], 3, []]}, [1, [2], 3]),
        ("a[]", {"a": 1}, None),
        ("a == b", {"a": [1, {"x": 2}], "b": [1, {"x": 2}]}, True),
        ("a != b", {"a": [1], "b": [2]}, True),
        ("a == b", {"a": 1, "b": True}, False),
        ("a < b", {"a": 1, "b": 2}, True),
        ("join(', ', a)", {"a": ["x", "y"]}, "x, y"),
        ("to_string(a)", {"a": [1, "x"]}, '[1,"x"]'),
    ],
)
def test_counting_changes_nothing_that_is_found(expression: str, tree: object, wanted: object) -> None:
    assert select(expression, tree) == wanted


def test_what_a_function_makes_of_a_text_without_an_end_has_none() -> None:
    assert isinstance(select("to_number(a)", {"a": Unended("2")}), Unended)
