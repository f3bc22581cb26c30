"""Whether what became of a mutated answer may be."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collector.domain.errors import SlotFailedError
from collector.domain.outcome import Measurement, Quality
from collector.mapping.answer import map_answer
from collector.mapping.measurement_rules import MeasurementRules
from fuzz.corpus import KNOWN, Answer
from fuzz.mutations import Mutation
from fuzz.sayings import could_be, words_changed, written

LIMIT_S = 0.5
"""CPU of one answer; it takes a millisecond."""


@dataclass(frozen=True, slots=True)
class Case:
    """A mutated answer.

    Attributes:
        number: of the run, from 0: with the seed it makes the case again.
        answer: the untouched one.
        other: the answer that may have been joined to it.
        mutations: in their order.
        body: the result.
    """

    number: int
    answer: Answer
    other: Answer
    mutations: Sequence[Mutation]
    body: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a case.

    Attributes:
        outcome: `same`, `doubted` (a reading with something that is not good), `gap`, `excused` (the mutation wrote a
            number), `other names` (it took a key or a row away, and what is left says another of the
            answer's numbers, or how many there are), `finding`.
        problem: of a finding.
    """

    outcome: str
    problem: str = ""


def judged(case: Case) -> Verdict:
    """Map the case and hold it against its untouched answer."""
    began = time.process_time()
    try:
        found = map_answer(case.answer.profile, case.body, KNOWN).measurements
    except SlotFailedError as error:
        return _checked_gap(error.detail, time.process_time() - began)
    except Exception as error:  # noqa: BLE001 (any other exception is what is looked for)
        return Verdict("finding", f"{type(error).__name__}: {str(error)[:200]}")
    spent_s = time.process_time() - began
    if spent_s > LIMIT_S:
        return Verdict("finding", f"took {spent_s:.2f} s")
    return _impossible(case, found) or _compared(case, found)


def _checked_gap(detail: str, spent_s: float) -> Verdict:
    if spent_s > LIMIT_S:
        return Verdict("finding", f"took {spent_s:.2f} s: {detail}")
    if not (0 < len(detail) <= 1000 and detail.isascii() and detail.isprintable()):
        return Verdict("finding", f"the detail cannot be shown: {detail!a}")
    return Verdict("gap")


def _impossible(case: Case, found: Sequence[Measurement]) -> Verdict | None:
    units = case.answer.profile.units()
    for m in found:
        if m.unit != units.get(m.name):
            return Verdict("finding", f"{m.name} in {m.unit}")
        if (m.value is None) != (m.quality in (Quality.BAD, Quality.MISSING)):
            return Verdict("finding", f"{m.name} is {m.quality.value} with {m.value}")
        if m.value is not None and not math.isfinite(m.value):
            return Verdict("finding", f"{m.name} is {m.value}")
    return None


def _compared(case: Case, found: Sequence[Measurement]) -> Verdict:
    values = case.answer.values
    if not values:
        return Verdict("doubted")  # the untouched answer is a gap: there is nothing to compare with
    wrong = {m.name: m.value for m in found if m.quality is Quality.GOOD and m.value != values.get(m.name)}
    if wrong:
        return _excused(case, {name: value for name, value in wrong.items() if value is not None})
    same = len(found) == len(values) and all(m.quality is Quality.GOOD for m in found)
    return Verdict("same" if same else "doubted")


def _excused(case: Case, wrong: Mapping[str, float]) -> Verdict:
    rules = {rule.name: rule for rule in case.answer.profile.measurements}
    edits = any(mutation.edits for mutation in case.mutations)
    if edits and words_changed(case.answer.body + b" " + case.other.body, case.body):
        return Verdict("excused")
    outcomes = {_explained(case, rules[name], value, edits=edits) for name, value in wrong.items()}
    if "" in outcomes:
        shown = ", ".join(f"{name} is {value:g} and good" for name, value in wrong.items())
        return Verdict("finding", f"{shown}; the untouched answer has {dict(case.answer.values)}")
    return Verdict("excused" if "excused" in outcomes else "other names")


def _explained(case: Case, rules: MeasurementRules, value: float, *, edits: bool) -> str:
    if any(mutation.joins for mutation in case.mutations) and case.other.values.get(rules.name) == value:
        return "excused"
    if edits and any(could_be(rules, number, value) for number in written(case.answer.body, case.body)):
        return "excused"
    if any(mutation.takes_keys for mutation in case.mutations) or _is_earlier_line(case):
        whole = (number for number in written(b"", case.answer.body))
        if "length(" in rules.select or any(could_be(rules, number, value) for number in whole):
            return "other names"
    return ""


def _is_earlier_line(case: Case) -> bool:
    """Lines that end with an earlier one may be whole: nothing in them says that there were later ones."""
    body = case.answer.profile.body
    cut = any(mutation.name == "truncated" for mutation in case.mutations)
    return cut and body.decoder in ("csv", "prometheus") and body.ends_with is None
