"""What every process of ours needs to begin: its settings from the environment, and its event loop."""

import asyncio
import gc
import sys
from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from collector.domain.errors import InvalidFieldError

REMEDIES = {
    "POSTGRES": "write postgresql://user:password@host:5432/database",
    "BUILD_ID": "set it together with CHAMBERLOG_DEPLOYMENT, to letters, digits and . _ -, or set neither",
    "DEPLOYMENT": "write letters, digits, _ and -",
}
GARBAGE_THRESHOLDS = (10_000, 20, 20)
"""New objects before a young look, and looks before the next older one: 700, 10, 10 by default."""
Settings = TypeVar("Settings", bound=BaseSettings)


def read_settings(kind: type[Settings]) -> Settings:
    """Read the environment.

    Raises:
        InvalidFieldError: names the variable; never quotes its value, which may be a password.
    """
    try:
        return kind()
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        name = str(first["loc"][0]).upper()
        problem = "it is not set" if first["type"] == "missing" else first["msg"]
        remedy = REMEDIES.get(name, "correct it, or take it away for its default")
        raise InvalidFieldError(f"{kind.model_config.get('env_prefix', '')}{name}", problem, remedy) from None


def collect_rarely() -> None:
    """Look for cyclic garbage a tenth as often: what a worker keeps is a large fleet, and each look walks through it.

    To be called once everything was imported; that is never looked at again. Again: nothing changes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


def make_runner() -> asyncio.Runner:
    """The event loop of worker and API: uvloop, Python's own where that does not exist."""
    if sys.platform == "win32":
        return asyncio.Runner()
    import uvloop  # noqa: PLC0415  (it does not exist on Windows)

    return asyncio.Runner(loop_factory=uvloop.new_event_loop)
