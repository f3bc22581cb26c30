"""From bytes to a tree: charset, end, then the decoder that the profile names, strictly."""

import re
import sys
from collections.abc import Callable, Mapping

from collector.domain.errors import MalformedAnswerError
from collector.mapping.body_rules import BodyRules
from collector.mapping.decoders import csv_rows, json_fragment, key_values, whole_json
from collector.mapping.decoders.refusals import DEPTH_LIMIT, NODES_LIMIT, UndecodableError
from collector.mapping.excerpt import excerpt
from collector.mapping.tree import Tree

__all__ = ["DEPTH_LIMIT", "NODES_LIMIT", "decode"]

_BLANKS = " \t\r\n\x00"
_BLANK = re.compile(r"[ \t\r\n\x00]*+\Z")
_ROOM = 9 * 256 * 1024
"""Bytes of a text: one character beyond U+FFFF in 1 MiB makes 4 MiB of it, and each copy of a part as much again."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DECLARATION = re.compile(rb"""\s*<\?xml[^>]{0,80}?\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,20})["']""")
_DECLARED: Mapping[bytes, str] = {
    b"utf-8": "utf-8", b"utf8": "utf-8", b"us-ascii": "us-ascii", b"ascii": "us-ascii",
    b"iso-8859-1": "iso-8859-1", b"latin1": "iso-8859-1", b"iso-8859-2": "iso-8859-2", b"latin2": "iso-8859-2",
    b"windows-1250": "windows-1250", b"cp1250": "windows-1250",
    b"windows-1252": "windows-1252", b"cp1252": "windows-1252",
}  # fmt: skip


def decode(rules: BodyRules, body: bytes) -> Tree:
    """Decode an answer.

    A byte order mark of UTF-8 is accepted. NUL characters at the end are cut: firmware sends the terminator of its C
    string. Line ends are one kind. What is read from a place after which the answer may go on is `Unended`.

    Raises:
        MalformedAnswerError: stage `charset`, `decode` or `truncated`, what is wrong and where, and an excerpt.
    """
    text = _text(rules, body)
    try:
        return _tree(rules, text)
    except UndecodableError as error:
        raise MalformedAnswerError(f"{error.stage}: {error.problem}; the answer begins {excerpt(text)}") from None


def _tree(rules: BodyRules, text: str) -> Tree:
    if _BLANK.match(text):
        raise MalformedAnswerError("decode: the answer is empty")
    if sys.getsizeof(text) > _ROOM:
        raise UndecodableError(f"{len(text):,} characters, some of them beyond U+FFFF")
    text = text.rstrip("\x00")
    if rules.decoder in _LINES:
        text = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    if rules.ends_with is not None:
        _refuse_cut(rules.ends_with, text)
    return _DECODERS[rules.decoder](rules, text if rules.decoder in _LINES else text.rstrip(_BLANKS))


def _refuse_cut(end: str, text: str) -> None:
    seen = text.rstrip(_BLANKS) if end.strip() else text
    if not seen[-2 * len(end) :].replace("\r\n", "\n").endswith(end):
        raise UndecodableError(f"the answer does not end with {end!a}", "truncated")


def _text(rules: BodyRules, body: bytes) -> str:
    for charset in _charsets(rules, body):
        try:
            return body.decode("utf-8-sig" if charset == "utf-8" else charset)
        except UnicodeDecodeError:
            continue
    raise MalformedAnswerError(f"charset: not {' or '.join(rules.charset)}; the answer begins {excerpt(body)}")


def _charsets(rules: BodyRules, body: bytes) -> tuple[str, ...]:
    if body.startswith(_BYTE_ORDER_MARK):
        return ("utf-8", *rules.charset)
    found = _DECLARATION.match(body) if rules.decoder == "xml" else None
    declared = _DECLARED.get(found[1].lower()) if found else None
    return rules.charset if declared is None else (declared, *rules.charset)


def _xml(rules: BodyRules, text: str) -> Tree:
    from collector.mapping.decoders.xml_document import decode  # noqa: PLC0415 (an XML parser that most workers never need)

    return decode(rules, text)


def _prometheus(rules: BodyRules, text: str) -> Tree:
    from collector.mapping.decoders.prometheus import decode  # noqa: PLC0415 (the CLI and the API never need it)

    return decode(rules, text)


def _pattern(rules: BodyRules, text: str) -> Tree:
    from collector.mapping.decoders.text_pattern import decode  # noqa: PLC0415 (its engine takes 3 MB and 20 ms)

    return decode(rules, text)


_LINES = frozenset({"csv", "key-value", "prometheus", "text"})
_DECODERS: Mapping[str, Callable[[BodyRules, str], Tree]] = {
    "json": whole_json.decode,
    "json-fragment": json_fragment.decode,
    "xml": _xml,
    "csv": csv_rows.decode,
    "key-value": key_values.decode,
    "prometheus": _prometheus,
    "text": _pattern,
}
