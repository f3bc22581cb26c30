"""One picture after the other, until somebody has seen enough."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from cli.exits import CommandError
from cli.top.drawing import Seen
from cli.top.picture import Picture

TICK_S = 1.0
"""Ages and countdowns go on between two looks."""
SHARE = 5.0
"""A look that takes long is taken seldom: at most this part of the time is spent on looking."""
QUIT, AT_ONCE = "qQ", " "


@dataclass(frozen=True, slots=True)
class Screen:
    """How pictures are made and shown.

    Attributes:
        look: takes one; raises `CommandError`.
        show: shows it as it is now.
        wait: waits so many seconds for a key, answers it or nothing.
        clock: seconds, monotonic.
    """

    look: Callable[[], Picture]
    show: Callable[[Seen], None]
    wait: Callable[[float], str]
    clock: Callable[[], float] = time.monotonic


def follow(screen: Screen, interval_s: float) -> None:
    """Look and show until `q`; a blank looks at once. Without an answer the last picture stays, with its age and why.

    Raises:
        CommandError: there is no first picture, or what keeps the next from coming will not pass.
    """
    picture, error = screen.look(), ""
    taken_s = screen.clock()
    due_s = taken_s + interval_s
    while True:
        screen.show(Seen(picture, screen.clock() - taken_s, error))
        left_s = due_s - screen.clock()
        if left_s > 0:
            key = screen.wait(min(left_s, TICK_S))
            if key and key in QUIT:
                return
            due_s = screen.clock() if key == AT_ONCE else due_s
            continue
        began_s = screen.clock()
        try:
            picture, error = screen.look(), ""
            taken_s = screen.clock()
        except CommandError as failed:
            if not failed.passes:
                raise
            error = failed.complaints[0].problem
        due_s = screen.clock() + max(interval_s, SHARE * (screen.clock() - began_s))
