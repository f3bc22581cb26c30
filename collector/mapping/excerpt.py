"""A short excerpt of an answer that may be shown to people: printable, cut, without what looks like a secret."""

import re

EXCERPT_LIMIT = 120
"""Characters: enough to recognise a login page or another device, and three of them fit into a gap's detail."""
_SCAN_LIMIT = 4 * EXCERPT_LIMIT
HIDDEN = r"pass|pwd|psk|secret|token|credential|auth|api_?key|[_-]key|wpa|cookie|session|jwt|ssid|heslo|kennwort"
_NAME = rf"[\w-]{{0,40}}?(?:{HIDDEN})[\w-]{{0,40}}"
_QUOTED = re.compile(rf'("{_NAME}"\s*:\s*)(?:"(?:[^"\\]|\\.)*"?|\[[^\]]*\]?|[^\s,}}\]]+)', re.IGNORECASE)
_BARE = re.compile(rf"(\b{_NAME}\s*[=:]\s*)(?:(?:basic|bearer|digest)\s+)?[^\s,;&<>]+", re.IGNORECASE)
_USER_INFO = re.compile(r"(://)[^/\s@]{1,200}@")


def excerpt(answer: bytes | str) -> str:
    """The answer's beginning, quoted, in ASCII, at most `EXCERPT_LIMIT` characters.

    Values whose names look like secrets become `***`.
    """
    text = answer[:_SCAN_LIMIT].decode("utf-8", "replace") if isinstance(answer, bytes) else answer[:_SCAN_LIMIT]
    text = _USER_INFO.sub(r"\1***@", _QUOTED.sub(r'\1"***"', text))
    shown = ascii(_BARE.sub(r"\1***", text))
    return shown if len(shown) <= EXCERPT_LIMIT else shown[: EXCERPT_LIMIT - 3] + "..."
