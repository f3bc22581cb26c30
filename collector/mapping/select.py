"""Selecting values in a decoded answer by JMESPath: a small specified language that runs no user code."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from jmespath.parser import ParsedResult

from collector.domain.errors import MalformedAnswerError
from collector.mapping.compiled import compiled, holds

__all__ = ["ExpressionError", "check_expression", "holds", "select", "shown"]

_RUNTIME_ERRORS = (JMESPathError, ArithmeticError, ValueError, TypeError, RecursionError)
"""A function that meets another type than it wants, sums too large, slices by zero: all of them mean another shape."""


COPIES_LIMIT = 128
"""How many times an expression may copy what it is given: `[@, @]` thirty times over would make a billion of it."""


class ExpressionError(ValueError):
    """The text is not a JMESPath expression that can work."""


def check_expression(expression: str) -> str:
    """The expression itself, when its syntax, its functions and the count of their arguments are right.

    JMESPath itself finds an unknown function only when an answer reaches it.

    Raises:
        ExpressionError: in one line, what is wrong.
    """
    try:
        parsed = _compiled(expression)
    except (JMESPathError, ValueError, RecursionError) as error:
        raise ExpressionError(_one_line(error)) from None
    _check_functions(parsed.parsed)
    if _copies(parsed.parsed) > COPIES_LIMIT:
        raise ExpressionError(f"its lists and objects together would copy the answer over {COPIES_LIMIT} times")
    return expression


def select(expression: str, tree: object) -> Any:
    """What the expression finds in the answer; None when there is nothing.

    Raises:
        MalformedAnswerError: the expression meets a shape that it cannot work on.
    """
    try:
        return _search(expression)(tree)
    except _RUNTIME_ERRORS as error:
        raise MalformedAnswerError(f"select: {shown(expression)}: {_one_line(error)}") from None


@lru_cache(maxsize=4096)
def shown(expression: str) -> str:
    """An expression for messages."""
    text = _printable(expression)
    return text if len(text) <= 80 else text[:77] + "..."


@lru_cache(maxsize=4096)
def _compiled(expression: str) -> ParsedResult:
    return jmespath.compile(expression)


@lru_cache(maxsize=4096)
def _search(expression: str) -> Callable[[object], Any]:
    return compiled(_compiled(expression).parsed)


def _check_functions(node: Mapping[str, Any]) -> None:
    if node["type"] == "function_expression":
        _check_call(node["value"], len(node["children"]))
    for child in node["children"]:
        if isinstance(child, dict):
            _check_functions(child)


def _copies(node: Mapping[str, Any]) -> int:
    children = [child for child in node["children"] if isinstance(child, dict)]
    own = _shares(children) if node["type"] in ("multi_select_list", "multi_select_dict") else 1
    return own * math.prod(_copies(child) for child in children)


def _shares(children: Sequence[Mapping[str, Any]]) -> int:
    """How often the whole may be in a list or object: its keys, each taken once, are it once."""
    keys = Counter(_key(child) for child in children)
    whole = keys.pop("", 0)
    return max(1, whole + max(keys.values(), default=0))


def _key(node: Mapping[str, Any]) -> str:
    """The key of the value under which a part finds everything that it finds; "" = it is not so simple."""
    while node["type"] in ("subexpression", "index_expression", "projection", "filter_projection", "key_val_pair"):
        node = node["children"][0]
    return str(node["value"]) if node["type"] == "field" else ""


def _check_call(name: str, given: int) -> None:
    known = Functions.FUNCTION_TABLE.get(name)
    if known is None:
        raise ExpressionError(f"there is no function {name}()")
    signature = known["signature"]
    variadic = bool(signature) and bool(signature[-1].get("variadic"))
    if given < len(signature) or (given > len(signature) and not variadic):
        raise ExpressionError(f"{name}() takes {len(signature)} arguments, not {given}")


def _one_line(error: Exception) -> str:
    return _printable(str(error) or type(error).__name__)[:120]


def _printable(text: str) -> str:
    return ascii(" ".join(text.split()))[1:-1]
