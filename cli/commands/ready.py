"""Whether a process does its work."""

from typing import Annotated

import typer

from cli.exits import CommandError, Complaint, ExitCode
from cli.readiness import why_not_ready
from cli.session import ApiFlag, HomeFlag
from cli.target import TargetFlags, find_url

UrlArgument = Annotated[
    str | None, typer.Argument(help="Base URL of the API, or of a worker's metrics; else the API is found as usual.")
]


def ready(url: UrlArgument = None, *, api: ApiFlag = None, home: HomeFlag = None) -> None:
    """Ask a worker or the API whether it is ready; prints nothing when it is, exits with 6 when it is not."""
    problem = why_not_ready(find_url(TargetFlags(url or api, home=home)))
    if problem:
        remedy = "its log says more; a worker waits for Temporal and for a right clock, the API for its servers"
        raise CommandError(ExitCode.AWAY, Complaint("ready", problem, remedy))
