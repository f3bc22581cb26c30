"""Single keys, where standard input is a terminal."""

import os
import select
import sys
import time
from types import TracebackType
from typing import Any, Self


class Keyboard:
    """Hears single keys while it is open; the terminal is as before afterwards, also after Ctrl-C.

    Where standard input is no terminal, or this is Windows, it hears nothing and only waits.
    """

    def __init__(self) -> None:
        self._former: list[Any] | None = None

    def __enter__(self) -> Self:
        if sys.stdin is not None and sys.stdin.isatty() and sys.platform != "win32":
            import termios  # noqa: PLC0415  (they do not exist on Windows)
            import tty  # noqa: PLC0415

            self._former = termios.tcgetattr(sys.stdin)
            tty.setcbreak(sys.stdin)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._former is not None and sys.platform != "win32":
            import termios  # noqa: PLC0415

            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._former)
            self._former = None

    def wait(self, seconds: float) -> str:
        """The next key, empty when none came within the time."""
        if self._former is None:
            time.sleep(seconds)
            return ""
        ready, _, _ = select.select([sys.stdin], [], [], seconds)
        return os.read(sys.stdin.fileno(), 1).decode(errors="replace") if ready else ""
