"""Selecting values in a decoded answer by JMESPath: a small specified language that runs no user code."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from jmespath.parser import ParsedResult
from jmespath.visitor import Options

from collector.domain.errors import MalformedAnswerError
from collector.mapping.tree import Unended

_RUNTIME_ERRORS = (JMESPathError, ArithmeticError, ValueError, TypeError, RecursionError)
"""A function that meets another type than it wants, sums too large, slices by zero: all of them mean another shape."""


class _Functions(Functions):
    """JMESPath's own; what they make of an `Unended` text is `Unended` again, a number as its digits."""

    def call_function(self, function_name: str, resolved_args: Iterable[Any]) -> Any:
        """Functions know types by their names, so they are given plain texts."""
        sent = list(resolved_args)
        if not any(isinstance(given, Unended) for given in sent):
            return super().call_function(function_name, sent)
        plain = [str.__str__(given) if isinstance(given, Unended) else given for given in sent]
        found = super().call_function(function_name, plain)
        return Unended(found) if isinstance(found, str | int | float) and not isinstance(found, bool) else found


_OPTIONS = Options(custom_functions=_Functions())


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


def holds(found: object) -> bool:
    """Truth as JMESPath defines it: null, false, and empty texts, lists and objects are false; 0 is true."""
    return not (found is None or found is False or (isinstance(found, str | list | dict) and not found))


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
    """What finds it: JMESPath's interpreter, and for names and alternatives of names, a tenth of its steps."""
    parsed = _compiled(expression)
    return _direct(parsed.parsed) or partial(_interpreted, parsed)


def _interpreted(parsed: ParsedResult, tree: object) -> Any:
    return parsed.search(tree, options=_OPTIONS)


def _direct(node: Mapping[str, Any]) -> Callable[[object], Any] | None:
    if node["type"] == "field":
        return partial(_field, node["value"])
    if node["type"] not in ("or_expression", "subexpression"):
        return None
    parts = [_direct(child) for child in node["children"]]
    combine = _either if node["type"] == "or_expression" else _inside
    known = [part for part in parts if part is not None]
    return partial(combine, *known) if len(known) == len(parts) else None


def _field(name: str, tree: object) -> Any:
    return tree.get(name) if isinstance(tree, dict) else None


def _either(first: Callable[[object], Any], second: Callable[[object], Any], tree: object) -> Any:
    found = first(tree)
    return found if holds(found) else second(tree)


def _inside(*steps_and_tree: Any) -> Any:
    *steps, tree = steps_and_tree
    for step in steps:
        tree = step(tree)
    return tree


def _check_functions(node: Mapping[str, Any]) -> None:
    if node["type"] == "function_expression":
        _check_call(node["value"], len(node["children"]))
    for child in node["children"]:
        if isinstance(child, dict):
            _check_functions(child)


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
