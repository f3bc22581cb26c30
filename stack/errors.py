"""What can go wrong with the local stack.

StackError
├── MissingServerError      a server's binary is not installed
├── StartFailedError        a program ended, or was not ready in time
├── DataError               a data directory cannot be used as it is
├── AlreadyRunningError     another process holds the directory
├── NotRunningError         no stack runs there
└── FleetError              the API did not do what the stack asked for
"""

from collector.domain.errors import AwayError, ChamberlogError


class StackError(ChamberlogError):
    """Root of what the local stack raises on purpose; the text says what is wrong and what to do."""


class MissingServerError(StackError):
    """A server's binary is not installed."""


class StartFailedError(StackError):
    """A program ended before it was ready, or was not ready in time; carries the end of its log."""


class DataError(StackError):
    """A data directory cannot be used as it is."""


class AlreadyRunningError(StackError):
    """Another process holds the directory."""


class NotRunningError(StackError, AwayError):
    """No stack runs in that directory."""


class FleetError(StackError):
    """The API did not do what the stack asked for."""
