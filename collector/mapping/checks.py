"""Checks of single values of a profile; each refusal says what is wrong and what to write instead."""

import re
from collections.abc import Mapping
from typing import TypeVar
from xml.etree.ElementTree import Element

from pydantic_core import PydanticCustomError

from collector.domain.units import find_unit, known_units
from collector.mapping.select import ExpressionError, check_expression

T = TypeVar("T")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_MEASUREMENT = re.compile(r"[a-z][a-z0-9_]{0,62}")
_PATH = re.compile(r"/[!-~]*")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[ -~]*")
_RESERVED_HEADERS = {
    "authorization", "proxy-authorization", "cookie",  # a credential comes by secret_ref, never in a file
    "host", "connection", "content-length", "content-type", "transfer-encoding", "expect", "upgrade", "te",
    "x-http-method-override", "x-http-method", "x-method-override",  # they make a GET a write
}  # fmt: skip
_CALLS = re.compile(r"\(\?(?:R|&|P>|[+-]?[0-9])")
"""A pattern that calls itself has no bound but the memory."""


def refusal(problem: str, remedy: str, at: tuple[str | int, ...] = ()) -> PydanticCustomError:
    """A validation error with a remedy; `at` is the place below the value that is validated."""
    return PydanticCustomError("refused", "{problem}", {"problem": problem, "remedy": remedy, "at": at})


def profile_name(name: str) -> str:
    """A profile's name: like a chamber id."""
    if not _NAME.fullmatch(name):
        raise refusal(f"{name[:80]!r} is not a profile name", "use 1 to 63 of a-z, 0-9 and '-'")
    return name


def measurement_name(name: str) -> str:
    """A measurement's name: it becomes the detector's."""
    if not _MEASUREMENT.fullmatch(name):
        raise refusal(f"{name[:80]!r} is not a name", "use 1 to 63 of a-z, 0-9 and '_', beginning with a letter")
    return name


def expression(text: str) -> str:
    """A JMESPath expression."""
    try:
        return check_expression(text)
    except ExpressionError as error:
        raise refusal(f"{text[:80]!r} is not JMESPath: {error}", 'see jmespath.org; odd keys stand in ""') from None


def unit_spelling(text: str) -> str:
    """A spelling of the closed table of units."""
    if find_unit(text) is None:
        raise refusal(f"unit {text[:40]!r} is not in the table", f"write one of its spellings; {known_units()}")
    return text


def request_path(path: str) -> str:
    """A path with optional query, relative to the chamber's host."""
    if not _PATH.fullmatch(path) or path.startswith("//") or "#" in path:
        raise refusal(f"{path[:80]!r} is not a path", "begin with one '/', without blanks, '#' and host")
    return path


def headers(given: Mapping[str, str]) -> Mapping[str, str]:
    """Header fields that a profile may set."""
    for name, value in given.items():
        if not _HEADER.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise refusal(f"{name[:40]!r} is not a header with printable ASCII", "correct name and value", (name,))
        if name.lower() in _RESERVED_HEADERS:
            raise refusal(
                f"a profile may not set {name}", "credentials: use auth and the chamber's secret_ref", (name,)
            )
    return given


def header_name(name: str) -> str:
    """The name of a header that carries a secret."""
    headers({name: ""})
    return name


def bounds(given: tuple[float, float]) -> tuple[float, float]:
    """A closed interval."""
    if not given[0] < given[1]:
        raise refusal(f"{given[0]:g} is not below {given[1]:g}", "write [lowest, highest]")
    return given


def not_empty(given: tuple[T, ...]) -> tuple[T, ...]:
    """A list with something in it."""
    if not given:
        raise refusal("the list is empty", "write at least one, or leave the key out")
    return given


def separator(text: str) -> str:
    """What stands between pairs, or between key and value."""
    if "\r" in text or (len(text) > 1 and "\n" in text):
        raise refusal(f"{text!a} cannot separate", 'write what stands in a line; a line\'s end is always one, as "\\n"')
    return text


def delimiter(character: str) -> str:
    """What stands between two cells."""
    if character in '"\r\n\x00':
        raise refusal(f"{character!a} cannot stand between cells", "write one such as ',' or ';'")
    return character


def pattern(text: str) -> str:
    """A regular expression with named groups, of the package `regex`."""
    import regex  # noqa: PLC0415 (its engine takes 3 MB and 20 ms, and most profiles have no pattern)

    try:
        groups = regex.compile(text, cache_pattern=False).groupindex
    except (regex.error, RecursionError, OverflowError, MemoryError) as error:
        raise refusal(f"not a regular expression: {str(error)[:80]!a}", "see pypi.org/project/regex") from None
    if not groups:
        raise refusal("the pattern has no named group", "write (?P<name>...) around what is to be read")
    if _CALLS.search(text):
        raise refusal("the pattern calls itself", "write the part out where it is needed")
    return text


def element_paths(given: Mapping[str, str]) -> Mapping[str, str]:
    """Names of the tree and where their elements stand in the document."""
    for name, path in given.items():
        if path.count("//") > 1:
            raise refusal(f"{path[:60]!r} searches at every depth more than once", "use // once", (name,))
        problem = _path_problem(path)
        if problem:
            told = "see 'Supported XPath syntax' in Python's documentation; {*}Name finds Name in any namespace"
            raise refusal(f"{path[:60]!r} is no path of elements: {problem}", told, (name,))
    return given


def _path_problem(path: str) -> str:
    """ElementTree reads a path when it searches, and trips over an unfinished one."""
    try:
        Element("x").findall(path)
    except (TypeError, IndexError, StopIteration):
        return "it is unfinished"
    except (SyntaxError, KeyError, ValueError) as error:
        return str(error)[:60]
    return "" if path.strip() else "it is empty"
