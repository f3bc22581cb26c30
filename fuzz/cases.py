"""Cases by number: the same seed and number make the same case."""

from collections.abc import Mapping, Sequence
from random import Random

from fuzz.corpus import Answer
from fuzz.mutations import MUTATIONS
from fuzz.oracle import Case

SEED = 20_000


class Cases:
    """All cases of a seed."""

    def __init__(self, answers: Sequence[Answer], seed: int) -> None:
        """Keep the answers; nothing is mutated yet."""
        self._answers, self._seed = answers, seed
        families: dict[str, list[Answer]] = {}
        for answer in answers:
            families.setdefault(answer.profile.name, []).append(answer)
        self._families: Mapping[str, Sequence[Answer]] = families

    def case(self, number: int) -> Case:
        """The case of that number: most have one mutation."""
        rng = Random(f"{self._seed}:{number}")  # noqa: S311 (no secret)
        answer = rng.choice(self._answers)
        other = rng.choice(self._families[answer.profile.name])
        mutations = rng.choices(MUTATIONS, k=rng.choice((1, 1, 1, 1, 2, 3)))
        body = answer.body
        for mutation in mutations:
            body = mutation.apply(rng, body, other.body)
        return Case(number, answer, other, mutations, body)
