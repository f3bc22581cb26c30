"""An answer that cannot be read as HTTP."""

from enum import Enum


class Breach(Enum):
    """Which kind; the value is the code of the detail."""

    NOT_HTTP = "not_http"
    BAD_HTTP = "bad_http"
    LENGTH = "length"
    CUT = "cut"


class BreachError(Exception):
    """What the device sent is no answer, is none with one meaning, or has no end."""

    def __init__(self, kind: Breach, why: str = "") -> None:
        super().__init__(why or kind.value)
        self.kind, self.why = kind, why


def bad(why: str) -> BreachError:
    """It begins like HTTP and cannot be read, or not in one way only; `why` quotes nothing of it."""
    return BreachError(Breach.BAD_HTTP, why)
