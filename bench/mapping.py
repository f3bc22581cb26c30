"""What the mapping of one answer costs, for every built-in profile."""

import time
from collections.abc import Sequence
from typing import Any

from collector.mapping.answer import map_answer
from fuzz.corpus import KNOWN, Answer, corpus
from stack.scratch import Say

Json = dict[str, Any]
MAPPING = "mapping"
MEASURE = "airgradient"
"""The profile that the others are compared with."""
ROUNDS, ROUND_S = 9, 0.03
"""The best of so many, of CPU: others use the machine, too, and nothing makes code faster than it is."""


def measure_mapping(say: Say) -> Json:
    """Map, again and again, the hand-made answer of each built-in profile that says most.

    Args:
        say: told what is going on.

    Returns:
        An object of the report: `answers` with microseconds each, and as a multiple of AirGradient's.
    """
    answers = _richest(corpus(None))
    say(f"mapping an answer of each of {len(answers)} profiles")
    costs = {answer.profile.name: _microseconds(answer) for answer in answers}
    return {"name": MAPPING, "answers": [_row(answer, costs) for answer in answers]}


def _richest(answers: Sequence[Answer]) -> Sequence[Answer]:
    best: dict[str, Answer] = {}
    for answer in answers:
        held = best.get(answer.profile.name)
        if held is None or len(answer.values) > len(held.values):
            best[answer.profile.name] = answer
    return list(best.values())


def _microseconds(answer: Answer) -> float:
    profile, body = answer.profile, answer.body
    best = float("inf")
    for _ in range(ROUNDS):
        began, times = time.process_time(), 0
        while (spent := time.process_time() - began) < ROUND_S:
            for _ in range(10):
                map_answer(profile, body, KNOWN)
            times += 10
        best = min(best, spent / times)
    return round(best * 1e6, 1)


def _row(answer: Answer, costs: dict[str, float]) -> Json:
    name = answer.profile.name
    return {
        "profile": name,
        "decoder": answer.profile.body.decoder,
        "answer": answer.name,
        "bytes": len(answer.body),
        "measurements": len(answer.values),
        "microseconds": costs[name],
        "to_airgradient": round(costs[name] / costs[MEASURE], 2),
    }
