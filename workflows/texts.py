"""Texts of others in Markdown."""

import re

MARKDOWN = re.compile(r"[\\`*\[\]<>|~]")
"""What could begin a code span, a link, a table or HTML in the middle of a line."""
SHOWN_LIMIT = 300
"""Characters of one text in the details: people look for the rest in the gap itself."""


def plain(text: str) -> str:
    """The text on one line and as it is, whatever its author wrote: no control characters, no Markdown, cut."""
    line = "".join(c if c.isprintable() else " " for c in text[: SHOWN_LIMIT + 1])
    cut = line if len(line) <= SHOWN_LIMIT else f"{line[:SHOWN_LIMIT]}..."
    return MARKDOWN.sub(r"\\\g<0>", cut)
