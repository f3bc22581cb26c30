"""Exit codes that scripts can trust, and the one error that carries them."""

from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """What an exit code means: the same in every command, but that of `up`, `bench` and `chaos`.

    These end with 1 also when they cannot run, or when what they measured is not clean.
    """

    FINE = 0
    UNACCOUNTED = 1
    """`audit`: settled slots without outcome, always a fault of the system."""
    IS_GAP = 1
    """`profiles test`: no reading comes of the answer. `egress check`: the URL is blocked."""
    OVERDUE = 2
    """`audit`: slots past their deadline without outcome; somebody is down, or outcomes wait for the store."""
    NOT_FOUND = 3
    REFUSED = 4
    """The input is wrong, a mistyped command or option included."""
    CONFLICT = 5
    AWAY = 6
    """A server or a device did not answer."""
    UNAUTHORIZED = 7
    FAULT = 70
    """A fault of this program (`EX_SOFTWARE` of sysexits.h); its traceback is on standard error."""
    INTERRUPTED = 130
    """Ctrl-C, as shells count it."""
    UNREAD = 141
    """Who reads the output ended before it was whole, as shells count it (`chamberlog list | head -1`)."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong.

    Attributes:
        field: the input or the server that it is about.
        problem: what is wrong with it.
        remedy: what to do about it; empty when nothing is known.
    """

    field: str
    problem: str
    remedy: str = ""


class CommandError(Exception):
    """A command cannot do what it was asked for.

    Attributes:
        code: the process exits with it.
        complaints: at least one; each is shown as `error: FIELD: problem` and `remedy: ...`.
        passes: the same request may work in a moment: nobody answered, or a server said that it is busy or away.
    """

    def __init__(self, code: ExitCode, *complaints: Complaint, passes: bool = False) -> None:
        super().__init__("; ".join(f"{c.field}: {c.problem}" for c in complaints))
        self.code, self.complaints, self.passes = code, complaints, passes
