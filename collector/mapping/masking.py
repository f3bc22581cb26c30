"""A whole answer as it may be kept: what looks like a secret is masked, and what is left still maps.

By the names of `excerpt`, wherever a name and its value stand together: JSON members, `name=value`, `name: value`, XML
elements and attributes, form fields. A table whose names stand elsewhere (CSV, columnar JSON) shows none of them.
"""

import re

from collector.mapping.credentials import forms_of
from collector.mapping.excerpt import HIDDEN

MASK = "***"
_NAME_LIMIT = 40
_NAMES = re.compile(HIDDEN, re.IGNORECASE)
_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_MEMBER = re.compile(r"""(\\?["'])\s*[:=]\s*""")
_BARE = re.compile(r"\s{0,9}[=:]\s*(?:(?:basic|bearer|digest)\s+)?", re.IGNORECASE)
_ELEMENT = re.compile(r"[^<>]{0,200}>\s*")
_FIELD = re.compile(r"""\\?["'][^<>{}]{0,200}?\bvalue\\?["']?\s*[:=]\s*""", re.IGNORECASE)
_LABELLED = re.compile(r"""["'][^<>{}]{0,200}>\s*""")
_PLAIN = re.compile(r"""[^\s,;&<>{}\[\]"'\\)]+""")
_TEXT = re.compile(r"[^<]*")
_HARMLESS = re.compile(r"(?:null|true|false|none)?", re.IGNORECASE)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_QUOTED = {
    '"': re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL),
    "'": re.compile(r"'(?:[^'\\]|\\.)*'?", re.DOTALL),
    '\\"': re.compile(r'\\"[^"\\]*(?:\\\\\\"[^"\\]*)*(?:\\")?'),  # JSON that is a text of JSON
}
_USER_INFO = re.compile(r"(://)[^/\s@\"'<>]{1,200}@")
_STRUCTURE = re.compile(r'["{}\[\]]')
_SHORT = 4
"""A shorter secret is blanked only where it stands alone: its letters are in everything."""


def masked(body: bytes, secret: str | None = None, *, numbers: bool = True) -> bytes:
    """The body with `***` for what looks like a secret.

    Args:
        body: in any encoding that has ASCII in it.
        secret: the chamber's own, resolved; its forms on the wire are blanked wherever they stand.
        numbers: False leaves numbers behind such names: they may be what is measured.
    """
    text = blanked(body, secret).decode("latin-1")  # every byte is a character, and comes back as it was
    return _USER_INFO.sub(rf"\1{MASK}@", _without_values(text, numbers=numbers)).encode("latin-1")


def blanked(body: bytes, secret: str | None) -> bytes:
    """The body with `***` for the chamber's own secret only."""
    for literal in forms_of(secret) if secret else ():
        body = _without(body, literal)
    return body


def _without(body: bytes, literal: bytes) -> bytes:
    if len(literal) >= _SHORT:
        return body.replace(literal, MASK.encode())
    return re.sub(rb"(?<![\w.])" + re.escape(literal) + rb"(?![\w.])", MASK.encode(), body)


def _without_values(text: str, *, numbers: bool) -> str:
    kept: list[str] = []
    done = 0
    for name in _NAMES.finditer(text):
        if name.start() < done:
            continue
        first, last, mask = _value_of(text, name)
        value = text[first:last].strip("\"'\\")
        if first == last or _HARMLESS.fullmatch(value) or (not numbers and _NUMBER.fullmatch(value)):
            continue
        kept += [text[done:first], mask]
        done = last
    return "".join([*kept, text[done:]])


def _value_of(text: str, name: "re.Match[str]") -> tuple[int, int, str]:
    """Where the value of the name around a match begins and ends, and what is to stand there."""
    first, last = _around(text, name)
    before = text[first - 1 : first]
    if before in ('"', "'") and (found := _MEMBER.match(text, last)):
        return _quoted_or(text, found.end(), _bracketed(text, found.end()), f"{found[1]}{MASK}{found[1]}")
    if before in ('"', "'") and (found := _FIELD.match(text, last)):
        return _quoted_or(text, found.end(), _PLAIN.match(text, found.end()), MASK)
    if before in ('"', "'") and (found := _LABELLED.match(text, last)):
        return _quoted_or(text, found.end(), _TEXT.match(text, found.end()), MASK)
    if before == "<" and (found := _ELEMENT.match(text, last)):
        return _quoted_or(text, found.end(), _TEXT.match(text, found.end()), MASK)
    if found := _BARE.match(text, last):
        return _quoted_or(text, found.end(), _PLAIN.match(text, found.end()), MASK)
    return last, last, ""


def _around(text: str, name: "re.Match[str]") -> tuple[int, int]:
    first, last = name.span()
    while first and name.start() - first < _NAME_LIMIT and text[first - 1] in _WORD:
        first -= 1
    while last < len(text) and last - name.end() < _NAME_LIMIT and text[last] in _WORD:
        last += 1
    return first, last


def _quoted_or(text: str, at: int, other: "re.Match[str] | int | None", mask: str) -> tuple[int, int, str]:
    """A value in quotes stays in them; any other ends where `other` does."""
    mark = text[at : at + 2] if text[at : at + 1] == "\\" else text[at : at + 1]
    if mark in _QUOTED and (found := _QUOTED[mark].match(text, at)):
        return at, found.end(), f"{mark}{MASK}{mark}"
    last = other if isinstance(other, int) else other.end() if other else at
    return at, last, mask


def _bracketed(text: str, at: int) -> int:
    """The end of a JSON value that is not a text: of an object or list, its closing bracket."""
    if text[at : at + 1] not in ("{", "["):
        plain = _PLAIN.match(text, at)
        return plain.end() if plain else at
    depth, place = 0, at
    while found := _STRUCTURE.search(text, place):
        place = found.end()
        if found[0] == '"':
            quoted = _QUOTED['"'].match(text, found.start())
            place = quoted.end() if quoted else len(text)
            continue
        depth += 1 if found[0] in "{[" else -1
        if depth == 0:
            return place
    return len(text)
