"""The egress policies of a deployment, from its settings."""

import json
from pathlib import Path

from collector.domain.egress import EgressPolicies, parse_policies
from collector.domain.errors import InvalidFieldError

FIELD = "egress"
NO_RULES = "{}"


def load_policies(text_or_path: str | None) -> EgressPolicies:
    """Read CHAMBERLOG_EGRESS: JSON text (it begins with `{`) or the path of a JSON file; None or blank = the defaults.

    Raises:
        InvalidFieldError: field `egress`: no such file, not JSON (with the line), or not policies.
    """
    text, where = _found(text_or_path)
    try:
        document = json.loads(text, object_pairs_hook=_without_doubles)
    except json.JSONDecodeError as exc:
        problem = f"{where} is not JSON: {exc.msg}, line {exc.lineno} column {exc.colno}"
        raise InvalidFieldError(FIELD, problem, 'write {"default": ["192.168.7.0/24:80"]}') from None
    if not isinstance(document, dict):
        raise InvalidFieldError(FIELD, f"{where} is not a JSON object", 'write {"default": ["192.168.7.0/24:80"]}')
    return parse_policies(document)


def policies_text(text_or_path: str | None) -> str:
    """The JSON text that `load_policies` reads; that of the defaults when there is none.

    Raises:
        InvalidFieldError: field `egress`: no such file, or none of text.
    """
    return _found(text_or_path)[0]


def _found(text_or_path: str | None) -> tuple[str, str]:
    """The text, and what it is called in a complaint."""
    given = (text_or_path or "").strip() or NO_RULES
    return (given, "the text") if given.startswith("{") else (_read(given), given)


def _read(path: str) -> str:
    remedy = "give JSON text that begins with { or the path of a file that the process can read"
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as exc:
        raise InvalidFieldError(FIELD, f"{path[:200]} cannot be read: {exc.strerror}", remedy) from None
    except ValueError:
        raise InvalidFieldError(FIELD, f"{path[:200]!r} is not a file of UTF-8 text", remedy) from None


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidFieldError(FIELD, "a key stands there twice", "keep one policy for each section")
    return found
