"""A short excerpt of an answer that may be shown to people: printable, cut, without what looks like a secret."""

import re

EXCERPT_LIMIT = 120
"""Characters: enough to recognise a login page or another device, and three of them fit into a gap's detail."""
_SCAN_LIMIT = 4 * EXCERPT_LIMIT
_HIDDEN = r"pass|pwd|psk|secret|token|credential|auth|api_?key|ssid"
_QUOTED = re.compile(rf'("[^"]{{0,40}}?(?:{_HIDDEN})[^"]{{0,40}}"\s*:\s*)("[^"]*"?|[^\s,}}\]]+)', re.IGNORECASE)
_BARE = re.compile(rf"(\b[\w-]{{0,40}}?(?:{_HIDDEN})[\w-]{{0,40}}\s*[=:]\s*)(?!\*\*\*)([^\s,;&<>]+)", re.IGNORECASE)


def excerpt(answer: bytes | str) -> str:
    """The answer's beginning, quoted, in ASCII, at most `EXCERPT_LIMIT` characters.

    Values whose names look like secrets become `***`.
    """
    text = answer[:_SCAN_LIMIT].decode("utf-8", "replace") if isinstance(answer, bytes) else answer[:_SCAN_LIMIT]
    shown = ascii(_BARE.sub(r"\1***", _QUOTED.sub(r'\1"***"', text)))
    return shown if len(shown) <= EXCERPT_LIMIT else shown[: EXCERPT_LIMIT - 3] + "..."
