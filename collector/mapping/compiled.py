"""JMESPath expressions as nested functions: what its interpreter finds, in a third of its time.

The syntax tree and the functions are the library's own; only the walk over the tree, which the interpreter repeats for
every answer, is done once. tests/unit/test_mapping_select.py holds both against each other.
"""

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jmespath.functions import Functions

from collector.mapping.steps import refuse_long_text, take
from collector.mapping.tree import Unended

Find = Callable[[Any], Any]
Node = Mapping[str, Any]
_ORDER: Mapping[str, Callable[[Any, Any], Any]] = {
    "lt": operator.lt, "gt": operator.gt, "lte": operator.le, "gte": operator.ge,
}  # fmt: skip


_CALL = 10
"""What calling a function weighs, which checks the types of all that it is given."""


def holds(found: object) -> bool:
    """Truth as JMESPath defines it: null, false, and empty texts, lists and objects are false; 0 is true."""
    return bool(found) or (isinstance(found, int | float) and found is not False)


def compiled(node: Node) -> Find:
    """What finds, in a tree, what the syntax tree of an expression says.

    Raises:
        RecursionError: the expression is nested too deep.
    """
    return _BUILDERS[node["type"]](node)


class _Functions(Functions):
    """JMESPath's own; what they make of an `Unended` text is `Unended` again, a number as its digits."""

    def call_function(self, function_name: str, resolved_args: Iterable[Any]) -> Any:
        """Functions know types by their names, so they are given plain texts."""
        sent = list(resolved_args)
        take(sum(len(given) for given in sent if isinstance(given, list | dict)))
        refuse_long_text(function_name, sent)
        if not any(isinstance(given, Unended) for given in sent):
            return super().call_function(function_name, sent)
        plain = [str.__str__(given) if isinstance(given, Unended) else given for given in sent]
        found = super().call_function(function_name, plain)
        return Unended(found) if isinstance(found, str | int | float) and not isinstance(found, bool) else found


class _Expression:
    """What the library's functions know, by this very name, as `&expression`."""

    def __init__(self, expression: Find, weight: int) -> None:
        self.expression, self._weight = expression, weight

    def visit(self, expression: Find, value: Any) -> Any:
        take(self._weight)
        return expression(value)


_FUNCTIONS = _Functions()


def _parts(node: Node) -> list[Find]:
    return [compiled(child) for child in node["children"]]


def _weight(*nodes: Node) -> int:
    """What looking at one value costs: the parts of the expression that do so."""
    own = {"function_expression": _CALL}
    below = (_weight(*(child for child in node["children"] if isinstance(child, dict))) for node in nodes)
    return sum(own.get(node["type"], 1) + weight for node, weight in zip(nodes, below, strict=True))


def _itself(_node: Node) -> Find:
    return lambda value: value


def _field(node: Node) -> Find:
    name = node["value"]
    return lambda value: value.get(name) if isinstance(value, dict) else None


def _index(node: Node) -> Find:
    at = node["value"]

    def find(value: Any) -> Any:
        if not isinstance(value, list):
            return None
        return value[at] if -len(value) <= at < len(value) else None

    return find


def _slice(node: Node) -> Find:
    part = slice(*node["children"])
    return lambda value: value[part] if isinstance(value, list) else None


def _literal(node: Node) -> Find:
    sent = node["value"]
    return lambda _value: sent


def _chain(node: Node) -> Find:
    parts = _parts(node)
    if len(parts) == 2:
        first, second = parts
        return lambda value: second(first(value))

    def find(value: Any) -> Any:
        for part in parts:
            value = part(value)
        return value

    return find


def _or(node: Node) -> Find:
    first, second = _parts(node)

    def find(value: Any) -> Any:
        found = first(value)
        return found if holds(found) else second(value)

    return find


def _and(node: Node) -> Find:
    first, second = _parts(node)

    def find(value: Any) -> Any:
        found = first(value)
        return second(value) if holds(found) else found

    return find


def _not(node: Node) -> Find:
    (part,) = _parts(node)
    return lambda value: not holds(part(value))


def _comparator(node: Node) -> Find:
    (first, second), kind = _parts(node), node["value"]
    if kind == "eq":
        return lambda value: _equal(first(value), second(value))
    if kind == "ne":
        return lambda value: not _equal(first(value), second(value))
    compare = _ORDER[kind]

    def find(value: Any) -> Any:
        left, right = first(value), second(value)
        return compare(left, right) if _ordered(left) and _ordered(right) else None

    return find


def _equal(left: Any, right: Any) -> bool:
    """0 and 1 are not false and true, as they are in Python."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def _ordered(value: Any) -> bool:
    return isinstance(value, int | float | str) and not isinstance(value, bool)


def _list(node: Node) -> Find:
    parts = _parts(node)
    return lambda value: None if value is None else [part(value) for part in parts]


def _dict(node: Node) -> Find:
    parts = [(child["value"], compiled(child["children"][0])) for child in node["children"]]
    return lambda value: None if value is None else {name: part(value) for name, part in parts}


def _projected(part: Find, elements: Iterable[Any]) -> list[Any]:
    return [found for element in elements if (found := part(element)) is not None]


def _projection(node: Node) -> Find:
    (base, part), weight = _parts(node), _weight(node["children"][1])

    def find(value: Any) -> Any:
        elements = base(value)
        if not isinstance(elements, list):
            return None
        take(weight * len(elements))
        return _projected(part, elements)

    return find


def _value_projection(node: Node) -> Find:
    (base, part), weight = _parts(node), _weight(node["children"][1])

    def find(value: Any) -> Any:
        elements = base(value)
        if not isinstance(elements, dict):
            return None
        take(weight * len(elements))
        return _projected(part, elements.values())

    return find


def _filter(node: Node) -> Find:
    (base, part, wanted), weight = _parts(node), _weight(*node["children"][1:])

    def find(value: Any) -> Any:
        elements = base(value)
        if not isinstance(elements, list):
            return None
        take(weight * len(elements))
        return _projected(part, (element for element in elements if holds(wanted(element))))

    return find


def _flatten(node: Node) -> Find:
    (base,) = _parts(node)

    def find(value: Any) -> Any:
        elements = base(value)
        if not isinstance(elements, list):
            return None
        take(sum(len(element) if isinstance(element, list) else 1 for element in elements))
        return [found for element in elements for found in (element if isinstance(element, list) else (element,))]

    return find


def _function(node: Node) -> Find:
    parts, name = _parts(node), node["value"]
    return lambda value: _FUNCTIONS.call_function(name, [part(value) for part in parts])


def _reference(node: Node) -> Find:
    expression = _Expression(compiled(node["children"][0]), _weight(node["children"][0]))
    return lambda _value: expression


_BUILDERS: Mapping[str, Callable[[Node], Find]] = {
    "identity": _itself,
    "current": _itself,
    "field": _field,
    "index": _index,
    "slice": _slice,
    "literal": _literal,
    "subexpression": _chain,
    "index_expression": _chain,
    "pipe": _chain,
    "or_expression": _or,
    "and_expression": _and,
    "not_expression": _not,
    "comparator": _comparator,
    "multi_select_list": _list,
    "multi_select_dict": _dict,
    "projection": _projection,
    "value_projection": _value_projection,
    "filter_projection": _filter,
    "flatten": _flatten,
    "function_expression": _function,
    "expref": _reference,
}
