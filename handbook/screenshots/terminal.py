"""What a command prints on a terminal, and that as a drawing."""

import fcntl
import io
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from handbook.screenshots.errors import PictureError

STEP = re.compile(r"\x1b\[(\d*)A|\x1b\[2K|\x1b\[\?25[lh]|\r|\n")
"""What rich writes beside texts and colours: cursor up, erase the line, show or hide the cursor."""
WEB_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
FONT = "DejaVu Sans Mono"
DARK, LIGHT, WHITE = (41, 41, 41), (197, 200, 198), (250, 250, 250)
COLOURS = [
    (75, 78, 85),
    (204, 85, 90),
    (152, 188, 75),
    (208, 179, 68),
    (96, 138, 177),
    (152, 114, 159),
    (104, 160, 179),
]
BRIGHT = [(154, 155, 153), (255, 38, 39), (0, 130, 61), (208, 132, 66), (25, 132, 233), (255, 44, 122), (57, 130, 128)]
THEME = TerminalTheme(DARK, LIGHT, [*COLOURS, LIGHT], [*BRIGHT, WHITE])
"""As rich's own for pictures, but bright white, on which plots are drawn, is white."""
END_S = 120.0
READ_BYTES = 65_536


class Screen:
    """A program on a terminal of its own; what it shows is kept as a terminal would.

    Args:
        command: the program and its arguments.
        folder: in which it runs.
        environment: all of it.
        size: columns and rows.
    """

    def __init__(
        self, command: Sequence[str | Path], folder: Path, environment: Mapping[str, str], size: tuple[int, int]
    ) -> None:
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        own = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": str(size[0])}
        self._child = subprocess.Popen(
            command,
            cwd=folder,
            env={**environment, **own},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self._master, self._raw = master, bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def text(self) -> str:
        """What stands on it now, from the first line on, with its colours."""
        return shown(bytes(self._raw).decode(errors="replace"))

    def runs(self) -> bool:
        """Whether the program has not ended."""
        return self._child.poll() is None

    def ended(self) -> int:
        """Wait for the end; its exit code.

        Raises:
            PictureError: it does not end.
        """
        try:
            code = self._child.wait(END_S)
        except subprocess.TimeoutExpired:
            raise PictureError(f"{self._child.args!r} does not end") from None
        self._reader.join(END_S)
        return code

    def interrupt(self) -> int:
        """As Ctrl-C, and wait for the end; its exit code."""
        if self.runs():
            self._child.send_signal(signal.SIGINT)
        return self.ended()

    def _read(self) -> None:
        try:
            while read := os.read(self._master, READ_BYTES):
                self._raw += read
        except OSError:  # how Linux says that nobody writes any more
            return


def shown(written: str) -> str:
    """The lines that are left on a terminal of what was written to it."""
    lines, row, at = [""], 0, 0
    for step in STEP.finditer(written):
        lines[row] += written[at : step.start()]
        at = step.end()
        if step[0] == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif step[0].endswith("A"):
            row = max(0, row - int(step[1] or 1))
        elif step[0].endswith("2K"):
            lines[row] = ""
    lines[row] += written[at:]
    return "\n".join(lines).rstrip()


def drawing(ansi: str, title: str, width: int) -> str:
    """The text as a picture of a terminal window (SVG), without anything from a foreign server."""
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(ansi), soft_wrap=True)
    svg = console.export_svg(title=title, theme=THEME)
    return WEB_FONT.sub("", svg).replace("Fira Code", FONT)
