"""From bytes to a tree: charset, then JSON, strictly."""

import json
from collections import Counter
from typing import Any

from collector.domain.errors import MalformedAnswerError
from collector.mapping.body_rules import BodyRules
from collector.mapping.excerpt import excerpt
from collector.mapping.tree import Tree

DEPTH_LIMIT = 64
"""Levels of nesting: real answers have fewer than ten, and what walks the tree recursively must never overflow."""


def decode(rules: BodyRules, body: bytes) -> Tree:
    """Decode an answer; `rules.decoder` has one kind now.

    A byte order mark is accepted. NUL characters at the end are cut: firmware sends the terminator of its C string,
    and JSON delimits itself, so nothing is hidden by that. Duplicate keys are refused (the last would win silently), so
    are the words NaN and Infinity (not JSON), and a lone number or text (a cut `23.5` would be read as 2).

    Raises:
        MalformedAnswerError: stage `charset` or `decode`, with an excerpt.
    """
    text = _text(rules, body).rstrip("\x00 \t\r\n")
    if not text:
        raise MalformedAnswerError("decode: the answer is empty")
    try:
        tree = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise _refusal(f"not JSON: {error.msg} at line {error.lineno} column {error.colno}", text) from None
    except RecursionError:
        raise _refusal(f"nested deeper than {DEPTH_LIMIT} levels", text) from None
    except ValueError as error:
        raise _refusal(str(error)[:120], text) from None
    return _checked(tree, text)


def _text(rules: BodyRules, body: bytes) -> str:
    for charset in rules.charset:
        try:
            return body.decode("utf-8-sig" if charset == "utf-8" else charset)
        except UnicodeDecodeError:
            continue
    raise MalformedAnswerError(f"charset: not {' or '.join(rules.charset)}; the answer begins {excerpt(body)}")


def _checked(tree: object, text: str) -> Tree:
    if not isinstance(tree, dict | list):
        raise _refusal("a lone value, neither object nor list", text)
    if text.count("{") + text.count("[") > DEPTH_LIMIT and _too_deep(tree):
        raise _refusal(f"nested deeper than {DEPTH_LIMIT} levels", text)
    return tree


def _too_deep(tree: Tree) -> bool:
    level: list[Tree] = [tree]
    for _ in range(DEPTH_LIMIT):
        level = [child for node in level for child in _children(node) if isinstance(child, dict | list)]
    return bool(level)


def _children(node: Tree) -> list[Any]:
    return node if isinstance(node, list) else list(node.values())


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        raise ValueError(f"the key {twice[:40]!a} occurs twice in one object")
    return found


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)


def _refusal(problem: str, text: str) -> MalformedAnswerError:
    return MalformedAnswerError(f"decode: {problem}; the answer begins {excerpt(text)}")
