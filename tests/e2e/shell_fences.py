"""The shell of a document that is run: its fences tagged `sh`, one session for all of them, from top to bottom."""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUN_DOCUMENTS = ("docs/api.md", "docs/cli.md")
"""Each is run from an empty directory, on a stack with sim-01 to sim-12; the second one after the first."""
ENDS = ";|&()\n"
"""What stands between two commands."""
FENCE = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Fence:
    """Commands of a document, and the line of the document on which they begin."""

    line: int
    text: str


def fences(markdown: str) -> list[Fence]:
    """All that are run, in their order. A fence without a tag is only shown."""
    return [Fence(markdown.count("\n", 0, m.start(1)) + 1, m[1]) for m in FENCE.finditer(markdown)]


def session(document: str) -> str:
    """One bash script of the whole document; a command that fails ends it, and its fence is named on standard error."""
    return script(document, fences((ROOT / document).read_text("utf-8")))


def script(document: str, parts: Sequence[Fence]) -> str:
    """The same of some fences of it."""
    named = 'echo "$LAST: $BASH_COMMAND: exit $?" >&2'
    lines = ["set -Eeuo pipefail", f"trap '{named}' ERR"]
    for fence in parts:
        lines += [f"LAST={shlex.quote(f'{document}:{fence.line}')}", fence.text]
    return "\n".join(lines) + "\n"


def sections(markdown: str) -> dict[str, list[Fence]]:
    """The fences that are run, by the heading of any level below which they stand."""
    blocks = [(m.start(), m.end()) for m in BLOCK.finditer(markdown)]
    headings = [m for m in HEADING.finditer(markdown) if not any(begin <= m.start() < end for begin, end in blocks)]
    found: dict[str, list[Fence]] = {}
    for match in FENCE.finditer(markdown):
        above = [heading[1] for heading in headings if heading.start() < match.start()]
        fence = Fence(markdown.count("\n", 0, match.start(1)) + 1, match[1])
        found.setdefault(above[-1] if above else "", []).append(fence)
    return found


def commands(markdown: str) -> Iterator[list[str]]:
    """Words of each command in the fences, as the shell splits them; a line that goes on is one command."""
    for fence in fences(markdown):
        words: list[str] = []
        for token in _tokens(fence.text):
            if set(token) <= set(ENDS):
                yield from ([words] if words else [])
                words = []
            else:
                words.append(token)
        yield from ([words] if words else [])


def _tokens(text: str) -> Iterator[str]:
    lexer = shlex.shlex(text.replace("\\\n", " "), posix=True, punctuation_chars=ENDS)
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t", True, ""
    remark = False
    for token in lexer:
        remark = token.startswith("#") or (remark and "\n" not in token)  # a remark ends with its line
        if not remark:
            yield token
