"""Pairs of key and value, such as `ret=OK,htemp=25.0`."""

from collector.mapping.body_rules import BodyRules
from collector.mapping.decoders.refusals import NODES_LIMIT, UndecodableError, crowded
from collector.mapping.tree import Tree, Unended


def decode(rules: BodyRules, text: str) -> Tree:
    """Decode pairs into one object of texts; a line's end always ends a pair.

    Nothing is passed over: a piece without a key is another answer than the profile expects, or a torn value.

    Raises:
        UndecodableError: a piece is no pair, or a key occurs twice.
    """
    if text.count(rules.pairs) + text.count("\n") > NODES_LIMIT:
        raise crowded()
    found: dict[str, str] = {}
    last = ""
    for piece in _pieces(rules, text):
        last, value = _pair(rules, piece)
        if last in found:
            raise UndecodableError(f"the key {last[:40]!a} occurs twice in one object")
        found[last] = value
    if found and rules.ends_with is None and not text.endswith((rules.pairs, "\n")):
        found[last] = Unended(found[last])
    return found


def _pieces(rules: BodyRules, text: str) -> list[str]:
    lines = text.split("\n")
    return [stripped for line in lines for piece in line.split(rules.pairs) if (stripped := piece.strip())]


def _pair(rules: BodyRules, piece: str) -> tuple[str, str]:
    key, between, value = piece.partition(rules.between)
    if not between:
        raise UndecodableError(f"no {rules.between!a} in {piece[:40]!a}")
    if not key.strip():
        raise UndecodableError(f"no key before {piece[:40]!a}")
    return key.strip(), value.strip()
