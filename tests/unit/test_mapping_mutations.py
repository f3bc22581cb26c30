"""Mutated answers: no exception but the mapping's own, no hang, and no wrong number that is called good."""

import json
from typing import Any

import pytest

from collector.domain.outcome import Measurement, Quality
from collector.mapping.profile import Profile
from fuzz.cases import SEED, Cases
from fuzz.corpus import ANSWERS, PROFILES, RECORDINGS, Answer, corpus
from fuzz.mutations import MUTATIONS, Mutation
from fuzz.oracle import Case, _compared, _impossible, judged
from fuzz.run import described, run
from fuzz.sayings import could_be, words_changed, written

PARTS, EACH = 10, 2_000
ALL = Cases(corpus(), SEED)
HANDMADE = Cases(corpus(None), SEED)


@pytest.mark.parametrize("part", range(PARTS))
def test_twenty_thousand_mutated_answers(part: int) -> None:
    summary = run(ALL, range(part * EACH, (part + 1) * EACH))
    assert summary.outcomes.total() == EACH
    assert [line for finding in summary.findings for line in described(finding, SEED)] == []


def test_the_answers_are_those_of_every_built_in_profile() -> None:
    answers = corpus(None)
    assert {answer.profile.name for answer in answers} == {file.stem for file in PROFILES.glob("*.yaml")}
    assert {answer.name for answer in answers} == {f.name for f in ANSWERS.iterdir()} - {"expected.json"}
    assert len(corpus()) > len(answers) or not RECORDINGS.is_dir()


def test_the_same_seed_makes_the_same_cases() -> None:
    again = Cases(corpus(None), SEED)
    assert all(HANDMADE.case(n).body == again.case(n).body for n in range(200))
    assert HANDMADE.case(0).body != Cases(corpus(None), SEED + 1).case(0).body


# ---- the oracle finds what it is for

PROFILE = Profile.model_validate(
    {
        "name": "x",
        "measurements": [{"name": "t", "select": "t || u", "unit": "C"}, {"name": "h", "select": "h", "unit": "%"}],
    }
)
CUT = Mutation("truncated", lambda _rng, body, _: body)
EDIT = Mutation("edited", lambda _rng, body, _: body, edits=True)
TAKEN = Mutation("taken", lambda _rng, body, _: body, takes_keys=True)


def case(untouched: dict[str, Any], mutated: str, *mutations: Mutation) -> Case:
    body = json.dumps(untouched).encode()
    answer = Answer("x", PROFILE, body, {"t": 21.5, "h": 40.0})
    return Case(0, answer, answer, mutations, mutated.encode())


UNTOUCHED = {"t": 21.5, "u": 25.25, "h": 40}


@pytest.mark.parametrize(
    ("mutated", "mutation", "outcome"),
    [
        ('{"t": 21.5, "u": 25.25, "h": 40}', CUT, "same"),
        ('{"t": 21.5, "h": "x"}', CUT, "doubted"),
        ('{"t": 21.5, "h": 4', CUT, "gap"),
        ('{"t": 21.5, "h": 4}', CUT, "finding"),
        ('{"t": 21, "u": 25.25, "h": 40}', CUT, "finding"),
        ('{"t": 25.25, "u": 25.25, "h": 40}', CUT, "finding"),
        ('{"t": 25.25, "u": 25.25, "h": 40}', EDIT, "excused"),
        ('{"t": 21.7, "u": 25.25, "h": 40}', EDIT, "excused"),
        ('{"u": 25.25, "h": 40}', CUT, "finding"),
        ('{"u": 25.25, "h": 40}', TAKEN, "other names"),
        ('{"u": 25, "h": 40}', TAKEN, "finding"),
        ('{"x": 1, "u": 25.25, "h": 40}', EDIT, "excused"),
    ],
)
def test_verdicts(mutated: str, mutation: Mutation, outcome: str) -> None:
    assert judged(case(UNTOUCHED, mutated, mutation)).outcome == outcome


def test_a_foreign_exception_is_a_finding() -> None:
    broken = case(UNTOUCHED, "{}", CUT)
    verdict = judged(Case(0, broken.answer, broken.answer, (CUT,), None))  # type: ignore[arg-type]
    assert verdict.outcome == "finding"
    assert "Error" in verdict.problem


@pytest.mark.parametrize(
    "measurement",
    [
        Measurement("t", float("inf"), "Cel"),
        Measurement("t", 21.5, "K"),
        Measurement("t", 21.5, "Cel", Quality.BAD),
        Measurement("t", None, "Cel"),
        Measurement("other", 21.5, "Cel"),
    ],
)
def test_what_no_measurement_may_be(measurement: Measurement) -> None:
    assert _impossible(case(UNTOUCHED, "{}", CUT), [measurement]) is not None


def test_a_good_measurement_that_the_untouched_answer_does_not_have_is_a_finding() -> None:
    untouched = case(UNTOUCHED, "{}", CUT)
    answer = Answer("x", PROFILE, untouched.answer.body, {"t": 21.5})
    found = [Measurement("t", 21.5, "Cel"), Measurement("h", 40.0, "%")]
    assert _compared(Case(0, answer, answer, (CUT,), b"{}"), found).outcome == "finding"


def test_what_a_mutation_wrote() -> None:
    untouched = b'{"t": 21.5, "unit": "C", "h": 40}'
    assert set(written(untouched, untouched)) == set()
    assert set(written(untouched, b'{"t": 21.7, "unit": "C", "h": 40}')) == {21.7}
    assert set(written(untouched, b'{"t": 40, "unit": "C", "h": 40}')) == {40.0}
    assert set(written(untouched, b'{"t": 21.5')) == {21.5}
    assert not words_changed(untouched, untouched[:20])
    assert words_changed(untouched, untouched.replace(b'"C"', b'"F"'))


def test_a_value_may_come_from_a_number_in_any_unit() -> None:
    rules = PROFILE.measurements[0]
    assert could_be(rules, 21.5, 21.5)
    assert could_be(rules, 212, 100.0)
    assert not could_be(rules, 21, 21.5)


def test_every_mutation_changes_answers() -> None:
    changed = {m.name for n in range(3_000) for m in HANDMADE.case(n).mutations}
    assert changed == {mutation.name for mutation in MUTATIONS}
