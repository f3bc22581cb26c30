"""Lines of `"key": value,` without braces around them: what Memmert's AtmoWEB answers."""

import json
import re
from typing import Any

from collector.mapping.body_rules import BodyRules
from collector.mapping.decoders.refusals import (
    DEPTH_LIMIT,
    NODES_LIMIT,
    UndecodableError,
    crowded,
    place,
    too_deep,
)
from collector.mapping.tree import Tree

_OPEN, _CLOSE = "\u201c\u201d\u201e", "\u201c\u201d"
_BLANKS = re.compile(r"\s*+")
_QUOTED = re.compile(rf'"((?:[^"\\\n]++|\\.)*+)"|[{_OPEN}]([^{_OPEN}"\\\n]*+)["{_CLOSE}]')
_BARE_KEY = re.compile(r"[^\W\d][\w.-]*+")
_WORD = re.compile(rf'[^,{{}}\[\]"{_OPEN}\x00-\x1f]++')
_NUMBER = re.compile(r"-?[0-9]{1,400}(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_KNOWN: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_SEEN = 20


def decode(_rules: BodyRules, text: str) -> Tree:
    """Decode pairs, each of which must be followed by a comma: without it `28.7` may be the beginning of `28.75`.

    Keys may be without quotes, quotes may be curly, a value may be an object, a list or a bare word (`N/A` stays a
    text). An answer that begins with a brace is one object and has its own end.

    Raises:
        UndecodableError: another shape (`decode`), or the last comma is missing (`truncated`).
    """
    reader = _Reader(text)
    if reader.next_is("{"):
        tree: dict[str, Any] = reader.item(0)
        reader.next_is(",", taken=True)
    else:
        tree = reader.pairs("", 0)
    reader.refuse_rest()
    return tree


class _Reader:
    def __init__(self, text: str) -> None:
        self._text, self._at, self._nodes = text, 0, 0

    def next_is(self, mark: str, *, taken: bool = False) -> bool:
        """Whether `mark` stands next, after blanks; `taken` steps over it."""
        self._at = self._matched(_BLANKS).end()
        found = self._text.startswith(mark, self._at) if mark else self._at == len(self._text)
        self._at += len(mark) if found and taken else 0
        return found

    def pairs(self, end: str, depth: int) -> dict[str, Any]:
        """Pairs until `end`; "" = the answer's end, before which a comma must stand."""
        found: dict[str, Any] = {}
        while not self.next_is(end, taken=True):
            key = self._key()
            if key in found:
                raise UndecodableError(f"the key {key[:40]!a} occurs twice in one object")
            found[key] = self.item(depth)
            self._between(end, key)
        return found

    def item(self, depth: int) -> Any:
        """One value."""
        self._nodes += 1
        if self._nodes > NODES_LIMIT:
            raise crowded()
        if self.next_is("{", taken=True):
            return self.pairs("}", self._deeper(depth))
        if self.next_is("[", taken=True):
            return self._items(self._deeper(depth))
        return self._scalar()

    def refuse_rest(self) -> None:
        """Nothing may follow."""
        if not self.next_is(""):
            raise self._unexpected("nothing more")

    def _items(self, depth: int) -> list[Any]:
        found: list[Any] = []
        while not self.next_is("]", taken=True):
            found.append(self.item(depth))
            self._between("]", "a list")
        return found

    def _between(self, end: str, after: str) -> None:
        if self.next_is(",", taken=True) or (end and self.next_is(end)):
            return
        if self.next_is(""):
            raise UndecodableError(f"the answer ends after {after[:40]!a} without a comma", "truncated")
        raise self._unexpected(f"a comma after {after[:40]!a}")

    def _key(self) -> str:
        quoted = self._quoted()
        if quoted is None:
            bare = _BARE_KEY.match(self._text, self._at)
            if bare is None:
                raise self._unexpected("a key")
            self._at, quoted = bare.end(), bare[0]
        if not self.next_is(":", taken=True):
            raise self._unexpected("a colon")
        return quoted

    def _scalar(self) -> Any:
        quoted = self._quoted()
        if quoted is not None:
            return quoted
        word = _WORD.match(self._text, self._at)
        if word is None:
            raise self._unexpected("a value")
        self._at = word.end()
        return _value(word[0].strip())

    def _quoted(self) -> str | None:
        found = _QUOTED.match(self._text, self._at)
        if found is None:
            return None
        self._at = found.end()
        straight, curly = found.groups()
        if straight is None or "\\" not in straight:
            return straight if curly is None else curly
        try:
            return str(json.loads(f'"{straight}"', strict=False))
        except ValueError:
            raise UndecodableError(f"a wrong escape before {place(self._text, self._at)}") from None

    def _matched(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = pattern.match(self._text, self._at)
        assert found is not None, "it matches nothing, too"
        return found

    def _deeper(self, depth: int) -> int:
        if depth + 1 >= DEPTH_LIMIT:
            raise too_deep()
        return depth + 1

    def _unexpected(self, wanted: str) -> UndecodableError:
        if self.next_is(""):
            return UndecodableError(f"the answer ends where {wanted} should stand", "truncated")
        seen = self._text[self._at : self._at + _SEEN]
        return UndecodableError(f"{seen!a} at {place(self._text, self._at)} instead of {wanted}")


def _value(word: str) -> Any:
    if word in _KNOWN:
        return _KNOWN[word]
    return json.loads(word) if _NUMBER.fullmatch(word) and _plain(word) else word


def _plain(word: str) -> bool:
    """JSON has no leading zeros; a text such as `007` is read by the strict number."""
    digits = word.removeprefix("-")
    return not (len(digits) > 1 and digits[0] == "0" and digits[1].isdigit())
