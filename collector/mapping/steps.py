"""What the expressions of a profile may cost over one answer.

They are written by everybody who may put a profile, and run in the event loop that reads everybody's chambers. JMESPath
has no loops, but two hundred expressions may each go through twenty thousand values, a text that is put into a list
and written out again has twice as many backslashes each time, and `join` may write one text between all others.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from jmespath.exceptions import JMESPathError

STEPS_LIMIT = 2_000_000
"""Parts of expressions times values that they look at: about half a second of CPU; built-in profiles take hundreds."""
TEXT_LIMIT = 65_536
"""Characters of what a function makes a text of; a number has 64 at most."""


class CostError(JMESPathError):
    """The expressions cost too much."""


class _Steps:
    """How many are left."""

    def __init__(self) -> None:
        self.left = STEPS_LIMIT


_OF_ANSWER: ContextVar[_Steps | None] = ContextVar("steps of the answer that is being read", default=None)


@contextmanager
def one_answer() -> Iterator[None]:
    """Within it, the expressions share the steps of one answer; outside, nothing is counted."""
    token = _OF_ANSWER.set(_Steps())
    try:
        yield
    finally:
        _OF_ANSWER.reset(token)


def take(count: int) -> None:
    """Take steps.

    Raises:
        CostError: so many are not left.
    """
    steps = _OF_ANSWER.get()
    if steps is None:
        return
    steps.left -= count
    if steps.left < 0:
        raise CostError(f"the profile's expressions take more than {STEPS_LIMIT:,} steps for one answer")


def refuse_long_text(function: str, sent: list[Any]) -> None:
    """Before a function makes a text of what it was sent.

    Raises:
        CostError: it would be too long.
    """
    if function == "to_string":
        _weigh(sent)
    elif function == "join" and len(sent) == 2 and isinstance(sent[0], str) and isinstance(sent[1], list):
        _weigh(["", sent[1]], TEXT_LIMIT - len(sent[0]) * len(sent[1]))


def _weigh(found: list[Any], left: int = TEXT_LIMIT) -> None:
    """Stops as soon as it is too much: a list that holds another one twice has all of it twice."""
    waiting = [found]
    while waiting and left >= 0:
        one: Any = waiting.pop()
        left -= len(one) if isinstance(one, str) else 1
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            waiting += [*one, *one.values()]
    if left < 0:
        raise CostError(f"it would make a text of more than {TEXT_LIMIT:,} characters")
