"""JSON, strictly."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from collector.mapping.body_rules import BodyRules, Columns
from collector.mapping.decoders.refusals import DEPTH_LIMIT, NODES_LIMIT, UndecodableError, crowded, too_deep
from collector.mapping.tree import Tree

_TEXTS = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)


def decode(rules: BodyRules, text: str) -> Tree:
    """Decode JSON, which has an end of its own.

    Duplicate keys are refused (the last would win silently), so is a lone number or text (a cut `23.5` would be read as
    2). The words NaN and Infinity, which are not JSON, become texts: their channel is bad, and the others live.

    Raises:
        UndecodableError: it is not JSON, or too large.
    """
    _refuse_crowd(text)
    try:
        tree = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise UndecodableError(f"not JSON: {error.msg} at line {error.lineno} column {error.colno}") from None
    except RecursionError:
        raise too_deep() from None
    except UndecodableError:
        raise
    except ValueError as error:
        raise UndecodableError(str(error)[:120]) from None
    return _with_columns(rules.columns, _checked(tree, text))


def _refuse_crowd(text: str) -> None:
    """A comma or an opening bracket for each node but the first: counted before anything is built."""
    if _marks(text) >= NODES_LIMIT and _marks(_TEXTS.sub("", text)) >= NODES_LIMIT:
        raise crowded()


def _marks(text: str) -> int:
    return text.count(",") + text.count("[") + text.count("{")


def _checked(tree: object, text: str) -> Tree:
    if not isinstance(tree, dict | list):
        raise UndecodableError("a lone value, neither object nor list")
    if text.count("{") + text.count("[") > DEPTH_LIMIT and _too_deep(tree):
        raise too_deep()
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
        raise twice(key for key, _ in pairs)
    return found


def twice(keys: Any) -> UndecodableError:
    """The refusal of an object in which a key occurs twice."""
    key = next(key for key, times in Counter(keys).items() if times > 1)
    return UndecodableError(f"the key {key[:40]!a} occurs twice in one object")


def _word(word: str) -> str:
    return word


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_word)


def _with_columns(columns: Columns | None, tree: Tree) -> Tree:
    """Where one of the two keys is absent the device answered something else, which `denied_when` may know."""
    if columns is None or not isinstance(tree, dict) or not {columns.names, columns.rows} <= tree.keys():
        return tree
    names = _names(columns, tree[columns.names])
    rows = tree[columns.rows]
    if not isinstance(rows, list):
        raise UndecodableError(f"columns: {columns.rows!a} is not a list of rows")
    return tree | {columns.rows: [_row(names, row, at) for at, row in enumerate(rows)]}


def _names(columns: Columns, names: object) -> Sequence[str]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UndecodableError(f"columns: {columns.names!a} is not a list of names")
    if len(set(names)) != len(names):
        raise twice(names)
    return names


def _row(names: Sequence[str], row: object, at: int) -> dict[str, Any]:
    if not isinstance(row, list) or len(row) != len(names):
        raise UndecodableError(f"columns: row {at} has not {len(names)} cells")
    return dict(zip(names, row, strict=True))
